package slackapp_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/slacksim"
)

// checkHeld waits until a field of Ana's only form is saved.
func (h *harness) checkHeld(path, want string) {
	h.t.Helper()
	h.wait(path+" to be kept", func() bool { return h.draft().Answers[path] == want })
}

// draftFlows are about what is saved of a form, over both transports.
var draftFlows = []flow{
	{"a choice saves what is on its page, and a closed form says what was kept and what was not", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		before := ana.sees("Página 2 de 7", "fica guardado com «Seguinte», ou ao escolher numa lista")
		ana.fills(slacksim.Values{"personal.name": "Rui Amostra", "personal.genderId": "2"})
		h.checkHeld("personal.genderId", "2")
		h.checkHeld("personal.name", "Rui Amostra")
		if after, _ := ana.TopView(); after.Hash != before.Hash || len(ana.Messages(slacksim.TeamChannel)) != 0 {
			t.Error("a choice redraws the page, or is shown")
		}
		ana.fills(slacksim.Values{"personal.email": "depois@example.com"})
		must(t, ana.Close(h.ctx()))
		kept := ana.reads("O rascunho de «Novo proponente» fica guardado", "24 horas", "página 2 (2 campos)",
			"Não ficou guardado o texto escrito na página 2 depois da última escolha numa lista ou do último «Seguinte»")
		ana.pressesIn(kept, "continue")
		form := ana.sees("Página 2 de 7", "Retomámos o que começou", "página 2 (2 campos)")
		if typed(form.Values["personal.name"]) != "Rui Amostra" || typed(form.Values["personal.genderId"]) != "2" || typed(form.Values["personal.email"]) != "" {
			t.Errorf("the page holds %v", form.Values)
		}
	}},
	{"a form closed where nothing can be typed has kept everything", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		ana.submits(personalData)
		ana.sees("Página 3 de 7")
		ana.submits(theRest[0])
		ana.sees("Página 4 de 7")
		ana.presses("skip")
		ana.sees("Página 7 de 7")
		must(t, ana.Close(h.ctx()))
		if kept := ana.reads("fica guardado", "páginas 2 e 3 (12 campos)"); strings.Contains(kept.FullText(), "Não ficou") {
			t.Errorf("something is said to be lost: %s", kept.FullText())
		}
	}},
	{"of a form that changes somebody only what was changed counts as kept", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.edits()
		ana.fills(slacksim.Values{"personal.genderId": "2"})
		h.checkHeld("personal.genderId", "2")
		must(t, ana.Close(h.ctx()))
		ana.reads("O rascunho de «Editar proponente» fica guardado", "página 3 (1 campo)")
	}},
	{"text alone on a page that is closed is not kept, and nobody says that it was", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		ana.fills(slacksim.Values{"personal.name": "Rui Amostra"})
		must(t, ana.Close(h.ctx()))
		must(t, h.replica.app.Close(h.ctx()))
		if len(h.drafts()) != 0 || len(ana.Messages(slacksim.TeamChannel)) != 0 {
			t.Errorf("%d forms and %d messages are left", len(h.drafts()), len(ana.Messages(slacksim.TeamChannel)))
		}
	}},
	{"a choice is taken back, and what is beside it stays", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		for _, page := range []string{"Página 6 de 7", "Página 5 de 7"} {
			ana.presses("back")
			ana.sees(page)
		}
		ana.fills(slacksim.Values{"financial.incomeRents": "100", "financial.hasSocialSecurityDebt": "Sim"})
		h.checkHeld("financial.hasSocialSecurityDebt", "true")
		ana.fills(slacksim.Values{"financial.hasSocialSecurityDebt": "(em branco)"})
		h.checkHeld("financial.hasSocialSecurityDebt", "")
		h.checkHeld("financial.incomeRents", "100")
	}},
	{"a choice in a window that another has left behind changes nothing, and nobody is notified", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		ana.presses("back")
		ana.sees("Página 6 de 7")
		h.editInOtherWindow(func(d *conversations.Draft) { d.Answers["personal.name"] = "Rui Outro" })
		before := h.draft().Version
		ana.fills(slacksim.Values{"professional.employmentSituationId": "1"})
		must(t, h.replica.app.Close(h.ctx()))
		if draft := h.draft(); draft.Version != before || len(ana.Messages(slacksim.TeamChannel)) != 0 || len(ana.Messages(ana.DM())) != 0 {
			t.Errorf("version %d became %d, or something was posted", before, draft.Version)
		}
	}},
	{"a choice and the button below it at once lose nothing and are one window's", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		ana.submits(personalData)
		ana.sees("Página 3 de 7")
		ana.submits(nil)
		ana.sees("Página 4 de 7")
		for _, level := range []string{"Licenciatura", "Mestrado", "Licenciatura", "Mestrado", "Licenciatura"} {
			page := ana.sees("Página 4 de 7")
			if strings.Contains(page.Text(), "noutra janela") {
				t.Fatal("her own choice is taken for another window")
			}
			var choosing sync.WaitGroup
			for _, choice := range []slacksim.Values{{"personal.academicLevelId": level + " (lista do Balcão)"}, {"personal.maritalStatusId": "Solteiro(a)"}} {
				choosing.Go(func() { _ = ana.Fill(h.ctx(), choice) }) // which may come too late, when the page has gone
			}
			if done := ana.submits(slacksim.Values{"personal.address": "Rua " + level}); done.Action != "update" {
				t.Fatalf("submitting gives %+v", done)
			}
			choosing.Wait()
			if page := ana.sees("Página 5 de 7"); strings.Contains(page.Text(), "noutra janela") {
				t.Fatal("her own choice is taken for another window")
			}
			h.checkHeld("personal.address", "Rua "+level)
			ana.presses("back")
		}
	}},
}

// TestAChoiceIsKeptForTheNextReplica delivers a choice to one replica and the closed modal to another.
func TestAChoiceIsKeptForTheNextReplica(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	ana.types("/borrower new 1042")
	ana.sees("Página 2 de 7")
	ana.fills(slacksim.Values{"personal.name": "Rui Amostra", "personal.genderId": "2"})
	h.checkHeld("personal.genderId", "2")
	other := h.startReplica()
	defer other.stop()
	must(t, ana.Close(h.ctx()))
	ana.reads("página 2 (2 campos)")
	if log := h.log.String(); strings.Contains(log, "Rui Amostra") {
		t.Error("the log has her choice")
	}
	h.checkNoRefusals()
}
