package subscriptions_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

func TestNobodySubscribesMutesOrOwnsAProcessThatTheyMayNotSee(t *testing.T) {
	t.Parallel()
	e := start(t)
	others := `{"process":"` + sandbox.SampleProcess(sandbox.SampleOthers).String() + `"}`
	for _, tool := range []string{"follow_processes", "stop_following", "mute_process", "unmute_process", "own_process", "release_process", "notify_me"} {
		if _, failure := e.Call(t, tool, others); failure == nil || failure.Kind != tools.NotFound {
			t.Errorf("%s: got %v", tool, failure)
		}
	}
	if len(e.settings)+len(e.owners) > 0 {
		t.Errorf("something is stored: %v, %v", e.settings, e.owners)
	}
}

func TestADestinationThatOutsidersReadIsNotSubscribed(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.Actor.Outsiders = true
	_, failure := e.Call(t, "follow_processes", `{"everything":true}`)
	if failure == nil || failure.Kind != tools.Exposed || !strings.Contains(failure.What(words.Portuguese), "partilhado com outra empresa") {
		t.Errorf("got %v", failure)
	}
	e.WantCard(t, "notify_me", `{"process":1042}`) // in direct messages
	if len(e.settings[team].Subscriptions) > 0 || len(e.settings["slack:U0ANA"].Subscriptions) != 1 {
		t.Errorf("stored is %v", e.settings)
	}
}

// needDestination returns the tools that need a destination.
func needDestination() []*tools.Tool {
	return slices.DeleteFunc(catalogue.New().Tools(), func(tool *tools.Tool) bool { return !tool.NeedsDestination })
}

func TestAToolThatNeedsADestinationIsForbiddenWithoutOne(t *testing.T) {
	t.Parallel()
	e := start(t)
	without, guest := e.Actor, e.Actor
	without.Destination, guest.Guest = "", true
	bare := testenv.Start(t, testenv.Options{})
	reader := e.Actor
	reader.ID = "reader"
	if len(needDestination()) < 8 {
		t.Fatalf("only %d tools need a destination", len(needDestination()))
	}
	for _, tool := range needDestination() {
		for who, permitted := range map[string]bool{
			"without a destination": e.Permits(t.Context(), without, tool), "a guest": e.Permits(t.Context(), guest, tool),
			"without a store of destinations": bare.Permits(t.Context(), e.Actor, tool),
		} {
			if permitted {
				t.Errorf("%s: %s is permitted", tool.Name, who)
			}
		}
		if !e.Permits(t.Context(), e.Actor, tool) || !e.Permits(t.Context(), reader, tool) {
			t.Errorf("%s is not permitted to the team", tool.Name)
		}
		_, failure := e.Call(t, tool.Name, `{"process":"1042"}`, func(r *tools.Request) { r.Actor = without })
		if failure == nil || failure.Kind != tools.Forbidden {
			t.Errorf("%s: without a destination gets %v", tool.Name, failure)
		}
	}
}

// noJournal fails whoever wants to write into it.
type noJournal struct{ tools.Journal }

func TestASubscriptionIsNoChangeAtTheBank(t *testing.T) {
	t.Parallel()
	var changed []tools.Changed
	e := start(t, func(c *tools.Config) {
		c.Journal = noJournal{}
		c.Changed = func(_ context.Context, change tools.Changed) error {
			changed = append(changed, change)
			return nil
		}
	})
	e.WantCard(t, "follow_processes", `{"process":1042}`)
	e.WantCard(t, "own_process", `{"process":1042}`)
	if len(changed) > 0 {
		t.Errorf("Changed was called with %v", changed)
	}
	if audited := e.Audit.String(); !strings.Contains(audited, `"effect":"remembers","process":"1042"`) {
		t.Errorf("the audit log is %s", audited)
	}
}

func TestAFailureOfTheSettingsIsAnInternalError(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.err = errors.New("out of order")
	for _, tool := range needDestination() {
		args := `{"process":"1042"}`
		switch tool.Name {
		case "show_subscriptions", "set_quiet", "set_digest", "undo_change":
			args = `{}`
		}
		if _, failure := e.Call(t, tool.Name, args); failure == nil || failure.Kind != tools.Internal {
			t.Errorf("%s: got %v", tool.Name, failure)
		}
	}
}
