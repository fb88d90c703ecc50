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

func TestNobodyWatchesOrMutesOrOwnsAProcessThatTheyMayNotSee(t *testing.T) {
	t.Parallel()
	e := start(t)
	others := `{"process":"` + sandbox.SampleProcess(sandbox.SampleOthers).String() + `"}`
	for _, tool := range []string{"watch_process", "unwatch", "mute_process", "unmute_process", "own_process", "release_process", "follow_process"} {
		if _, failure := e.Call(t, tool, others); failure == nil || failure.Kind != tools.NotFound {
			t.Errorf("%s: got %v", tool, failure)
		}
	}
	if len(e.settings)+len(e.owners) > 0 {
		t.Errorf("something is kept: %v, %v", e.settings, e.owners)
	}
}

func TestNothingSubscribesAPlaceWhereOutsidersRead(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.Actor.Outsiders = true
	_, failure := e.Call(t, "watch_process", `{"everything":true}`)
	if failure == nil || failure.Kind != tools.Exposed || !strings.Contains(failure.What(words.Portuguese), "partilhado com outra empresa") {
		t.Errorf("got %v", failure)
	}
	e.WantCard(t, "follow_process", `{"process":1042}`) // told to her alone
	if len(e.settings[team].Subscriptions) > 0 || len(e.settings["slack:U0ANA"].Subscriptions) != 1 {
		t.Errorf("kept is %v", e.settings)
	}
}

// placed lists the tools that are about a place.
func placed() []*tools.Tool {
	return slices.DeleteFunc(catalogue.New().Tools(), func(tool *tools.Tool) bool { return !tool.NeedsDestination })
}

func TestWhatIsAboutAPlaceIsHiddenAndRefusedWhereThereIsNone(t *testing.T) {
	t.Parallel()
	e := start(t)
	without, guest := e.Actor, e.Actor
	without.Destination, guest.Guest = "", true
	bare := testenv.Start(t, testenv.Options{})
	reader := e.Actor
	reader.ID = "reader"
	if len(placed()) < 8 {
		t.Fatalf("only %d tools are about a place", len(placed()))
	}
	for _, tool := range placed() {
		for who, permitted := range map[string]bool{
			"who is nowhere": e.Permits(t.Context(), without, tool), "a guest": e.Permits(t.Context(), guest, tool),
			"who is where nothing is kept": bare.Permits(t.Context(), e.Actor, tool),
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
			t.Errorf("%s: who is nowhere gets %v", tool.Name, failure)
		}
	}
}

// noJournal fails whoever wants to write into it.
type noJournal struct{ tools.Journal }

func TestWhatIsOnlyRememberedIsNoChangeAtTheBank(t *testing.T) {
	t.Parallel()
	var told []tools.Changed
	e := start(t, func(c *tools.Config) {
		c.Journal = noJournal{}
		c.Changed = func(_ context.Context, change tools.Changed) error {
			told = append(told, change)
			return nil
		}
	})
	e.WantCard(t, "watch_process", `{"process":1042}`)
	e.WantCard(t, "own_process", `{"process":1042}`)
	if len(told) > 0 {
		t.Errorf("it is told as a change: %v", told)
	}
	if trail := e.Audit.String(); !strings.Contains(trail, `"effect":"remembers","process":"1042"`) {
		t.Errorf("the trail has %s", trail)
	}
}

func TestABoardOutOfOrderIsOurFaultAndNotTheBanks(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.err = errors.New("out of order")
	for _, tool := range placed() {
		args := `{"process":"1042"}`
		switch tool.Name {
		case "watches", "set_quiet", "set_digest", "undo_change":
			args = `{}`
		}
		if _, failure := e.Call(t, tool.Name, args); failure == nil || failure.Kind != tools.Internal {
			t.Errorf("%s: got %v", tool.Name, failure)
		}
	}
}
