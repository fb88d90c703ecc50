package slackapp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// borrowerFaults are faults in them.
var borrowerFaults = []flow{
	{"a slow bank holds up no acknowledgement of a form that it fills in", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.picks("/borrower")
		ana.sees("Proponente do processo 1043")
		release := h.gate.hold("")
		defer release()
		ana.presses("step:a")
		ana.sees("Editar proponente", "A carregar…")
		for _, delivered := range h.sim.Deliveries() {
			if delivered.Latency > slackTimeout {
				t.Errorf("%s was acknowledged after %s", delivered.Kind, delivered.Latency)
			}
		}
		release()
		ana.sees("Página 3 de 8")
	}},
	{"a form with many choices waits for a slow bank once, and not for each", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower edit 1043")
		ana.sees("Página 2 de 8")
		ana.fills(slacksim.Values{"borrower": ines.String()})
		h.bank.Inject(sandbox.Fault{Latency: 2 * time.Second})
		ana.submits(nil)
		ana.sees("A verificar…")
		ana.sees("Página 3 de 8", "Inês M.")
	}},
	{"a form that the bank cannot fill in yet is there when it can", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.picks("/borrower")
		ana.sees("Proponente do processo 1043")
		remove := h.bank.Inject(sandbox.Fault{Status: 503})
		ana.presses("step:a")
		ana.sees("Não foi possível contactar o banco", "Voltar ao formulário")
		remove()
		ana.presses("continue")
		if form := ana.sees("Página 3 de 8"); typed(form.Values["personal.name"]) != "Inês Modelo" {
			t.Errorf("the form holds %v", form.Values)
		}
		ana.submits(slacksim.Values{"personal.mobile": "961234567"})
		ana.sees("Página 4 de 8")
		remove = h.bank.Inject(sandbox.Fault{Status: 503})
		ana.presses("skip")
		ana.sees("Não foi possível contactar o banco", "Voltar ao formulário")
		remove()
		ana.presses("continue")
		ana.sees("Página 8 de 8", "Telemóvel")
		ana.submits(nil)
		ana.sees("Proponente alterado")
	}},
	{"a borrower who goes while the form is filled in is shown, and what she typed stays", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.edits()
		ana.submits(slacksim.Values{"personal.mobile": "961234567"})
		ana.sees("Página 4 de 8")
		_, err := h.anasLogin().DeleteBorrower(h.ctx(), sandbox.SampleProcess(sandbox.SampleCouple), ines)
		must(t, err)
		ana.presses("skip")
		if view := ana.sees("A corrigir: Proponente"); view.Submit != "" {
			t.Errorf("it can be confirmed: %q", view.Submit)
		}
		if got := h.draft().Answers["personal.mobile"]; got != "961234567" {
			t.Errorf("the number is %q", got)
		}
		ana.presses("fix")
		ana.sees("Página 2 de 8")
	}},
	{"a card about a borrower who is gone leads to a choice of another", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.picks("/borrower")
		ana.sees("Proponente do processo 1043")
		_, err := h.anasLogin().DeleteBorrower(h.ctx(), sandbox.SampleProcess(sandbox.SampleCouple), ines)
		must(t, err)
		ana.presses("step:a")
		ana.sees("Proponente: ", "Voltar ao formulário")
		ana.presses("continue")
		ana.sees("Página 2 de 8")
	}},
	{"a borrower whom somebody else takes out first is not taken out twice", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.picks("/borrower delete")
		ana.sees("Página 3 de 3", "Eliminar")
		_, err := h.anasLogin().DeleteBorrower(h.ctx(), sandbox.SampleProcess(sandbox.SampleCouple), ines)
		must(t, err)
		ana.submits(nil)
		ana.sees("Proponente: ", "Voltar ao formulário")
		ana.presses("continue")
		ana.sees("Página 2 de 3")
		if calls := h.bank.Calls(portal.BorrowerDelete); calls != 1 {
			t.Errorf("the bank was asked %d times", calls)
		}
	}},
	{"a borrower who was taken out is not looked for again though the bank's answer was lost", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.picks("/borrower delete")
		ana.sees("Página 3 de 3")
		h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerDelete, DropAfter: true, Times: 1})
		ana.submits(nil)
		ana.sees("Proponente eliminado")
		if calls := h.bank.Calls(portal.BorrowerDelete); calls != 1 || !h.deleted() {
			t.Errorf("the bank was asked %d times", calls)
		}
	}},
	{"an e-mail that may have gone out is not sent again by itself", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.picks("/esis send")
		ana.sees("Página 3 de 3")
		h.bank.Inject(sandbox.Fault{Operation: portal.ProcessESISEmail, DropAfter: true, Times: 1})
		ana.submits(nil)
		view := ana.sees("pode ter sido enviado ou não", "O banco não permite confirmar o envio")
		if view.Submit != "" || strings.Contains(view.Text(), "Voltar ao formulário") {
			t.Errorf("a blind repetition is offered: %s", view.Text())
		}
		ana.reads("pode ter sido enviado ou não", "Pergunte ao cliente")
		must(t, ana.Close(h.ctx()))
		ana.types("/esis send 1043")
		ana.sees("Página 3 de 3", "ficou sem resposta", "Pergunte ao cliente", "Enviar FINE")
		must(t, ana.Close(h.ctx()))
		kept := ana.reads("fica guardado")
		if sent := h.bank.Sent(); len(sent) != 1 {
			t.Fatalf("%d e-mails went out", len(sent))
		}
		ana.pressesIn(kept, "continue")
		ana.sees("Página 3 de 3", "ficou sem resposta")
		ana.submits(nil)
		ana.sees("FINE do processo 1043 enviada")
		if sent := h.bank.Sent(); len(sent) != 2 {
			t.Errorf("%d e-mails went out", len(sent))
		}
	}},
	{"an app that dies while it sends an e-mail leaves one, and says that nobody knows", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.picks("/esis send")
		ana.sees("Página 3 de 3")
		h.bank.Inject(sandbox.Fault{Operation: portal.ProcessESISEmail, DropAfter: true, Latency: time.Second, Times: 1})
		ana.submits(nil)
		ana.sees("A enviar…")
		h.crashReplica()
		h.replica = h.startReplica()
		must(t, ana.Close(h.ctx()))
		ana.types("/esis send 1043")
		ana.sees("a resposta ainda não chegou")
		ana.presses("outcome")
		ana.sees("pode ter sido enviado ou não", "Pergunte ao cliente")
		if sent := h.bank.Sent(); len(sent) > 1 {
			t.Errorf("%d e-mails went out", len(sent))
		}
	}},
}
