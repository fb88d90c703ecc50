package slackapp_test

import (
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/tools"
)

func TestACardSaysThatAnUpdateRemovedWhatWaits(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	a := h.asks("create_borrower", newBorrower)
	value := valueOf(t, ana.card("299999998"), "approve")
	h.replica.stop()
	h.replica = h.startReplica(testenv.WithoutTool("create_borrower"))
	must(t, h.press(slacksim.Ana, "approve", value))
	ana.readsIn(ana.DM(), "Esta versão do Balcão não tem a operação")
	must(t, h.replica.runner.EndRemovedApprovals(h.ctx())) // the program does so at its start
	card := ana.card("Operação retirada", "já não tem esta operação. Nada foi feito, e o assistente fica a sabê-lo.")
	if clearValues.Match(card.Blocks) || h.created() != 0 {
		t.Errorf("%d created; the card shows %s", h.created(), card.Blocks)
	}
	ana.pressesIn(card, "approval_review")
	ana.sees("já não tem esta operação")
	must(t, ana.Close(h.ctx()))
	if told := h.learns(a.ID); told.Status != tools.ApprovalRemoved {
		t.Errorf("the assistant learns %v", told.Status)
	}
	h.checkNoRefusals()
}
