package slackapp_test

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal/sandbox"
)

// closedFlows are about processes whose status allows no changes.
var closedFlows = []flow{
	{"a form about a closed process does not open, and says what can be done", func(t *testing.T, h *harness) {
		ana := h.ana()
		for _, command := range []string{"/borrower new 1049", "/borrower edit 1049", "/borrower delete 1049"} {
			ana.types(command)
			refused := ana.sees("processo 1049", "«Concluído»", "Ainda pode", "Ver proponentes", "Obter FINE")
			if refused.Submit != "" || strings.Contains(refused.Text(), "Página") {
				t.Errorf("%s: a page is shown: %s", command, refused.Text())
			}
			if kept := h.drafts(); len(kept) > 0 {
				t.Errorf("%s: %d drafts are kept", command, len(kept))
			}
			must(t, ana.Close(h.ctx()))
		}
		ana.types("/borrower new 1049")
		ana.sees("processo 1049", "Ver proponentes")
		ana.presses("step:a")
		listed := ana.sees("Proponentes do processo 1049", "Carla C.")
		if strings.Contains(listed.Text(), "Adicionar") || !strings.Contains(listed.Text(), "Obter FINE") {
			t.Errorf("the list offers %s", listed.Text())
		}
	}},
	{"a closed process that is chosen in the form is refused with that page", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new")
		ana.sees("Página 1 de 7")
		ana.submits(slacksim.Values{"process": sandbox.SampleProcess(sandbox.SampleClosed).String()})
		ana.sees("processo 1049", "«Concluído»", "Ver proponentes")
	}},
	{"the ESIS of a closed process can be sent, and that of a cancelled one not", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/esis send 1050")
		refused := ana.sees("processo 1050", "«Cancelado»", "Ver proponentes")
		if strings.Contains(refused.Text(), "FINE") && strings.Contains(refused.Text(), "Obter") {
			t.Errorf("it offers the ESIS: %s", refused.Text())
		}
		must(t, ana.Close(h.ctx()))
		ana.types("/esis send 1049")
		ana.sees("Página 2 de 3")
	}},
	{"a process that closes while its form is filled in takes nothing", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		must(t, h.bank.SetState(sandbox.SampleProcess(sandbox.SampleOpen), 7))
		ana.submits(nil)
		ana.sees("processo 1042", "«Concluído»", "Nada foi enviado", "Ver proponentes")
		if h.created() != 0 {
			t.Error("the bank was asked all the same")
		}
	}},
	{"a form opens while the bank does not say at which stage its process is", func(t *testing.T, h *harness) {
		ana := h.ana()
		defer h.bank.Inject(sandbox.Fault{Status: 503})()
		ana.types("/borrower new " + sandbox.SampleProcess(sandbox.SampleClosed).String())
		ana.sees("Página 2 de 7")
	}},
}

func TestAClosedProcessIsReportedBeforeAPageIsFilledIn(t *testing.T) {
	t.Parallel()
	for _, flow := range closedFlows {
		t.Run(flow.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, overHTTP)
			flow.run(t, h)
			h.checkNoRefusals()
		})
	}
}
