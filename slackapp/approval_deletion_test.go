package slackapp_test

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

func TestADeletionIsApprovedByItself(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP, func(o *options) { o.ackWait = ackWaitForever })
	ana := h.ana()
	deletion := h.asks("delete_borrower", testenv.BorrowerArgs(1043, testenv.Ines))
	card := ana.card("Eliminar proponente", "Inês Modelo", "vai ser eliminado")
	if !strings.Contains(string(card.Blocks), `"style":"danger"`) || strings.Contains(string(card.Blocks), `"style":"primary"`) {
		t.Errorf("its buttons are those of what can be taken back: %s", card.Blocks)
	}
	h.asks("update_borrower", testenv.BorrowerArgs(1043, 0, `"set":{"personal.mobile":"912000222"}`))
	card = ana.card("2 pedidos", "1. Eliminar proponente", "2. Editar proponente")
	if strings.Contains(string(card.Blocks), "approve_all") {
		t.Errorf("it can be approved together with others: %s", card.Blocks)
	}
	ana.pressesIn(card, "approve")
	h.wait("it is done", func() bool { return h.learns(deletion.ID).Status == tools.ApprovalDone })
	if n := h.bank.Calls(portal.BorrowerDelete); n != 1 || h.bank.Calls(portal.BorrowerUpdate) != 0 {
		t.Errorf("%d were deleted, %d changed", n, h.bank.Calls(portal.BorrowerUpdate))
	}
	h.checkNoRefusals()
}
