package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// It uses drafts, two borrowers who are the same person, subscriptions, ownership, a digest, reads, callbacks, changes, a
// card and its replies, and a request of an assistant that is changed and approved, and then searches all that was ever written to Redis, including what was deleted since. Only
// times, versions and fingerprints are in the clear.
func TestNothingEverWrittenToRedisRevealsPeopleOrProcesses(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newTeamHarness(t)
	user := h.client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}, "pt-PT")
	h.env = append(h.env, "MCP_TOKEN="+assistantToken, "ASSISTANT_POLICY=approve",
		"PORTAL_USERS="+slacksim.TeamID+"/"+slacksim.Ana+"="+sandbox.BrokerA.Users[0]+",*="+sandbox.BrokerA.Users[0])
	h.start(t)
	h.awaitRegistration(t)
	secrets := []string{
		"Rui", "Amostra", "Exemplo", "299999998", "299 999 998", "912345678", "912 345 678", "rui.amostra", "1985-04-12", "12/04/1985",
		"2345.67", "2.345,67", "Rua da", "1000-001", slacksim.Ana, slacksim.TeamID, slacksim.TeamChannel, h.ana.DM(),
		sandbox.BrokerA.Users[0], "create_borrower", "list_borrowers", `"process"`, `"actor"`, `"status"`,
	}
	for _, number := range []int{1042, 1043} {
		command := fmt.Sprintf("/borrower new %d", number)
		if err := h.ana.Command(ctx, slacksim.TeamChannel, command); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ana.WaitView(ctx, func(v slacksim.View) bool { return v.Has("borrowerTypeId") }); err != nil {
			t.Fatal(err)
		}
		confirm(t, ctx, h.ana, rui, "Rui A.")
		if err := h.ana.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		"/balcao follow 1042", "/balcao own 1042", "/balcao notify 1043", "/balcao digest 09:00", "/balcao mute 1044", "/balcao updates", "/borrowers 1042",
	} {
		before := len(h.ana.Messages(h.ana.DM()))
		if err := h.ana.Command(ctx, h.ana.DM(), line); err != nil {
			t.Fatal(err)
		}
		waittest.Eventually(t, line+" is answered", func() bool { return len(h.ana.Messages(h.ana.DM())) > before })
	}
	for _, number := range []int{1042, 1043} {
		if err := h.bank.Advance(sandbox.SampleProcess(number)); err != nil {
			t.Fatal(err)
		}
		waittest.Eventually(t, "the card has its replies", func() bool { return h.countInTeam(fmt.Sprint("Processo ", number)) > 1 })
	}
	h.approveChanged(t, ctx)
	for number := 1040; number < 1060; number++ {
		process := sandbox.SampleProcess(number)
		secrets = append(secrets, process.String(), strings.ReplaceAll(process.String(), "-", ""), string(process[:]))
		for _, borrower := range h.bank.Borrowers(process) {
			secrets = append(secrets, borrower.String())
		}
	}
	for _, list := range []portal.TaxonomyKey{"workflowStatesProposal", "workflowPhases"} {
		items, err := user.Taxonomy(ctx, list)
		if err != nil || len(items) == 0 {
			t.Fatal(list, err)
		}
		for _, item := range items {
			secrets = append(secrets, item.Description)
		}
	}
	page, err := user.ListProcesses(ctx, portal.ProcessQuery{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	for _, process := range page.Processes {
		secrets = append(secrets, process.BranchDescription, process.ProcessStatusDescription)
	}
	slices.Sort(secrets)
	written := h.server.Written()
	if len(written) < 50_000 {
		t.Fatalf("only %d bytes were written", len(written))
	}
	for _, secret := range slices.Compact(secrets) {
		if at := bytes.Index(written, []byte(secret)); secret != "" && at >= 0 {
			t.Errorf("%q was written, in %q", secret, written[max(0, at-150):min(len(written), at+100)])
		}
	}
	dumpRedis(t, ctx, h.redis) // and each key has an end
}

// approveChanged has an assistant ask for a borrower, whom Ana changes and approves.
func (h *harness) approveChanged(t *testing.T, ctx context.Context) {
	t.Helper()
	calls(t, ctx, assistant(t, ctx, h), "create_borrower", json.RawMessage(strings.Replace(ruiArgs, "1042", "1044", 1)))
	card := h.card(t, ctx, "299999998")
	if err := h.ana.ClickMessage(ctx, card.Channel, card.TS, "approval_review"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ana.WaitView(ctx, isPage); err != nil {
		t.Fatal(err)
	}
	confirm(t, ctx, h.ana, rui, "Rui A.")
	if _, err := h.ana.WaitMessage(ctx, h.ana.DM(), func(m slacksim.Message) bool {
		return m.TS == card.TS && strings.Contains(m.FullText(), "Proponente criado")
	}); err != nil {
		t.Fatal(err)
	}
}
