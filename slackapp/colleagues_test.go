package slackapp_test

import (
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal/sandbox"
)

const tomsID = "slack:" + slacksim.TeamID + "/" + slacksim.Tom

// owner is who owns process 1042.
func (h *harness) owner() string {
	h.t.Helper()
	owner, err := h.replica.store.Owner(h.ctx(), sandbox.SampleProcess(1042))
	must(h.t, err)
	return owner
}

func TestAProcessIsAssignedInOneLineByNamingAColleague(t *testing.T) {
	t.Parallel()
	for _, way := range []transport{overHTTP, overSocket} {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, way)
			ana := h.ana()
			ana.types("/balcao own 1042 @tom.sample")
			ana.reads("Processo atribuído", "1042", "mensagem direta")
			if got := h.owner(); got != tomsID {
				t.Errorf("the owner is %q", got)
			}
			for who, says := range map[string]string{
				"@convidado": "Escolha alguém da sua equipa", "@forasteiro": "Escolha alguém da sua equipa", "@ninguem": "Escolha alguém da sua equipa",
			} {
				ana.types("/balcao own 1042 " + who)
				ana.reads("Há dados a corrigir", says)
			}
			if got := h.owner(); got != tomsID {
				t.Errorf("the owner is %q", got)
			}
			h.checkNoRefusals()
		})
	}
}

func TestWhoTakesAProcessAssignsItInAFormAndGivesItUpByAButton(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	ana.types("/balcao own 1042")
	card := ana.reads("Ficou responsável pelo processo 1042", "Atribuir a outra pessoa", "Deixar de ser responsável")
	if got := h.owner(); got != anasID {
		t.Errorf("the owner is %q", got)
	}
	ana.pressesIn(card, "step:a")
	ana.sees("Guardar", "Em branco")
	if done := ana.submits(slacksim.Values{"owner": "Tom Sample"}); len(done.Errors) > 0 {
		t.Errorf("refused: %+v", done)
	}
	ana.sees("Processo atribuído")
	if got := h.owner(); got != tomsID {
		t.Errorf("the owner is %q", got)
	}
	must(t, ana.Close(h.ctx()))
	ana.pressesIn(card, "step:b") // what is no longer hers she cannot give up
	ana.reads("Não é responsável pelo processo 1042")
	if got := h.owner(); got != tomsID {
		t.Errorf("the owner is %q", got)
	}
	tom := h.user(slacksim.Tom)
	tom.types("/balcao release 1042")
	tom.reads("Process 1042 now has no owner")
	if got := h.owner(); got != "" {
		t.Errorf("the owner is %q", got)
	}
	h.checkNoRefusals()
}

func TestAGuestChosenInAFormIsAFieldError(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	ana.types("/balcao own")
	ana.sees("Guardar", "Em branco")
	ana.submits(slacksim.Values{"process": sandbox.SampleProcess(1042).String(), "owner": "Convidado Exemplo"})
	ana.sees("Escolha alguém da sua equipa")
	if got := h.owner(); got != "" {
		t.Errorf("the owner is %q", got)
	}
}
