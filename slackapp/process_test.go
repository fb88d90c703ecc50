package slackapp_test

import (
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestABrokerEditsAProcessAndSubmitsIt(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	ana.types("/process 1042")
	card := ana.reads("Processo 1042", "Mensagens", "Ver o imóvel", "O que falta?", "Editar", "Submeter", "Cancelar processo")
	if card.Blocks == nil {
		t.Fatal("the card has no blocks")
	}
	ana.types("/process edit 1042")
	ana.sees("Editar processo", "Montante pedido", "Prazo em meses")
	ana.submits(slacksim.Values{"loanDurationMonths": "180"})
	ana.sees("Prazo em meses", "120", "180", "Guardar")
	ana.submits(nil)
	ana.reads("Processo 1042 alterado")
	ana.sees("Processo 1042 alterado") // a slow bank's result comes to the modal after it comes to the channel
	must(t, ana.Close(h.ctx()))

	ana.types("/process submit 1042")
	ana.sees("Submeter processo", "é entregue ao banco", "parece faltar")
	ana.submits(nil)
	ana.reads("Processo 1042 submetido")
	ana.sees("Processo 1042 submetido")
	if h.bank.State(sandbox.SampleProcess(sandbox.SampleOpen)) == 1 || h.bank.Calls(portal.ProcessSubmit) != 1 {
		t.Error("it was not submitted once")
	}
	must(t, ana.Close(h.ctx()))

	ana.types("/process edit 1042")
	ana.sees("o banco só deixa alterar o pedido enquanto está em criação")
	if h.bank.Calls(portal.ProcessUpdate) != 1 {
		t.Errorf("the bank got %d updates", h.bank.Calls(portal.ProcessUpdate))
	}
	h.checkNoRefusals()
}

func TestABrokerReadsTheMessagesAndAnswers(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	ana.types("/messages 1043")
	list := ana.reads("Mensagens do processo 1043", "Recebidos, obrigado. O processo segue para análise.", "Banco", "Você", "Responder")
	ana.pressesIn(list, "step:a")
	ana.sees("Nova mensagem", "Assunto")
	ana.submits(slacksim.Values{"text": "Obrigada.\nFico à espera."})
	ana.sees("RE: Recibos de vencimento", "Enviar mensagem")
	ana.submits(nil)
	ana.reads("Mensagem enviada", "1043")
	all := h.bank.Messages(sandbox.SampleProcess(sandbox.SampleCouple))
	if len(all) != 4 || all[3] != "Obrigada.\nFico à espera." {
		t.Errorf("the bank has %q", all)
	}
	h.checkNoRefusals()
}
