package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// newApprovalHarness is a harness in which an assistant's calls wait for Ana.
func newApprovalHarness(t *testing.T) *harness {
	t.Helper()
	h := newHarness(t)
	h.env = append(h.env, "MCP_TOKEN="+assistantToken, "ASSISTANT_POLICY=approve",
		"PORTAL_USERS="+slacksim.TeamID+"/"+slacksim.Ana+"="+sandbox.BrokerA.Users[0]+",*="+sandbox.BrokerA.Users[0])
	return h
}

// card waits for the card in Ana's direct messages that has a text.
func (h *harness) card(t *testing.T, ctx context.Context, text string) slacksim.Message {
	t.Helper()
	card, err := h.ana.WaitMessage(ctx, h.ana.DM(), func(m slacksim.Message) bool { return !m.Ephemeral && strings.Contains(m.FullText(), text) })
	if err != nil {
		t.Fatalf("no card says %q: %v\n%s", text, err, h.logs)
	}
	return card
}

func TestABotKilledWhileACardWaitsOrIsApprovedMakesItOnce(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newApprovalHarness(t)
	h.env = append(h.env, "CALL_TIMEOUT=10s")
	h.start(t)
	waiting := approvalIn(t, calls(t, ctx, assistant(t, ctx, h), "create_borrower", json.RawMessage(ruiArgs)))
	card := h.card(t, ctx, "299999998")
	h.kill()
	if err := h.ana.ClickMessage(ctx, card.Channel, card.TS, "approve"); err == nil {
		t.Fatal("a dead bot answered")
	}
	h.start(t)
	slow := h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: 30 * time.Second})
	if err := h.ana.ClickMessage(ctx, card.Channel, card.TS, "approve"); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the bank is asked", func() bool { return h.bank.Calls(portal.BorrowerCreate) == 1 })
	h.kill() // between the approval and what comes of it: the bank has the request, and has changed nothing
	slow()
	h.start(t)
	card = h.card(t, ctx, "Proponente criado")
	if cards := h.ana.Messages(h.ana.DM()); len(cards) != 1 || strings.Contains(string(card.Blocks), "299999998") {
		t.Errorf("%d messages are there, the last %s", len(cards), card.Blocks)
	}
	told := approvalIn(t, calls(t, ctx, assistant(t, ctx, h), "await_approval", map[string]any{"approval": waiting.ID, "seconds": 30}))
	user := h.client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}, "en")
	if made := borrowersNamed(t, ctx, user, "Rui Amostra"); told.Status != "done" || len(made) != 1 {
		t.Errorf("it is %s, and the bank has %d of that name", told.Status, len(made))
	}
}
