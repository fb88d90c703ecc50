package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// board keeps places in memory, and may be out of order.
type board struct {
	mu     sync.Mutex
	places map[string]destination.Settings
	owners map[uuid.UUID]string
	told   []tools.SettingsChange // what was announced, at whichever place
	last   map[string]tools.SettingsChange
	mute   error // why nothing can be announced
	broken error
}

func (b *board) Announce(_ context.Context, place string, change tools.SettingsChange) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mute != nil {
		return b.mute
	}
	if b.last == nil {
		b.last = map[string]tools.SettingsChange{}
	}
	b.told, b.last[place] = append(b.told, change), change
	return nil
}

func (b *board) LastChange(_ context.Context, place string) (tools.SettingsChange, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change, ok := b.last[place]
	return change, ok, b.broken
}

// announced is what the newest announcement says, "" where there are not so many.
func (b *board) announced(t *testing.T, many int) string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.told) != many {
		t.Errorf("%d things are announced, want %d: %+v", len(b.told), many, b.told)
		return ""
	}
	return b.told[many-1].Text
}

func (b *board) Settings(_ context.Context, place string) (destination.Settings, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.places[place], b.broken
}

func (b *board) Change(_ context.Context, place string, change func(*destination.Settings) error) (destination.Settings, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		return destination.Settings{}, b.broken
	}
	changed := b.places[place]
	changed.Subscriptions, changed.Mutes = slices.Clone(changed.Subscriptions), maps.Clone(changed.Mutes)
	if err := change(&changed); err != nil {
		return destination.Settings{}, err
	}
	b.places[place] = changed
	return changed, nil
}

func (b *board) ChangeOwner(_ context.Context, change tools.OwnerChange) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	owner := b.owners[change.Process]
	if b.broken != nil || owner == change.To || change.OnlyFrom != "" && change.OnlyFrom != owner {
		return false, b.broken
	}
	b.owners[change.Process] = change.To
	return true, nil
}

const team = "slack:C0TEAM"

var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// newsroom is a house whose places are on a board, at noon, with Ana in the team's channel.
func newsroom(t *testing.T, change ...func(*tools.Config)) (house, *board) {
	t.Helper()
	b := &board{places: map[string]destination.Settings{}, owners: map[uuid.UUID]string{}}
	h := open(t, append([]func(*tools.Config){func(c *tools.Config) {
		c.Destinations, c.Now = b, func() time.Time { return noon }
	}}, change...)...)
	h.ana.Destination, h.ana.Direct = team, "slack:U0ANA"
	return h, b
}

// says wants a call to succeed with a card that says all of this.
func (h house) says(t *testing.T, name, args string, wanted ...string) tools.Result {
	t.Helper()
	result, failure := h.run(t, name, args)
	if failure != nil {
		t.Fatalf("%s %s: %v", name, args, failure)
	}
	shown := fmt.Sprint(result.Card.Title, result.Card.Text, result.Card.Facts, result.Card.Table.Rows)
	for _, want := range wanted {
		if !strings.Contains(shown, want) {
			t.Errorf("%s %s: %q is not in %s", name, args, want, shown)
		}
	}
	return result
}

// refuses wants a call to fail with this problem.
func (h house) refuses(t *testing.T, name, args, code string, change ...func(*tools.Request)) {
	t.Helper()
	_, failure := h.run(t, name, args, change...)
	if failure == nil || failure.Kind != tools.Invalid || len(failure.Problems) != 1 || failure.Problems[0].Code != code {
		t.Errorf("%s %s: got %v, want %s", name, args, failure, code)
	}
}

func TestAPlaceHearsAboutWhatIsAskedForThereAndStopsWhenAsked(t *testing.T) {
	process := sandbox.SampleProcess(1042).String()
	for args, c := range map[string]struct {
		want destination.Subscription
		said string
	}{
		`{"process":1042}`:              {destination.Subscription{Kind: destination.ScopeProcess, Value: process, Name: "1042", By: "ana"}, "process 1042"},
		`{"process":"` + process + `"}`: {destination.Subscription{Kind: destination.ScopeProcess, Value: process, Name: "1042", By: "ana"}, "process 1042"},
		`{"branch":"porto"}`:            {destination.Subscription{Kind: destination.ScopeBranch, Value: "102", Name: "Porto – Sample", By: "ana"}, "the processes of Porto – Sample"},
		`{"phaseId":2}`:                 {destination.Subscription{Kind: destination.ScopePhase, Value: "2", Name: "Decision", By: "ana"}, "the processes in the phase Decision"},
		`{"mine":true}`:                 {destination.Subscription{Kind: destination.ScopePerson, Value: "ana", By: "ana"}, "your processes"},
		`{"everything":true}`:           {destination.Subscription{Kind: destination.ScopeAll, By: "ana"}, "every process"},
	} {
		t.Run(args, func(t *testing.T) {
			h, board := newsroom(t)
			h.says(t, "unwatch", args, "was not following", c.said)
			began := h.says(t, "watch_process", args, "from now on", c.said, "/balcao stop")
			if got := board.places[team].Subscriptions; !slices.Equal(got, []destination.Subscription{c.want}) {
				t.Errorf("it is kept as %+v", got)
			}
			h.says(t, "watch_process", args, "already", c.said)
			if got := board.places[team].Subscriptions; len(got) != 1 {
				t.Errorf("asked for twice, it is kept as %+v", got)
			}
			h.says(t, "watches", `{}`, c.said)
			stop := began.Card.Next[0]
			again, err := json.Marshal(stop.Args)
			if err != nil {
				t.Fatal(err)
			}
			h.says(t, stop.Tool, string(again), "no longer posted", c.said)
			if got := board.places[team].Subscriptions; len(got) != 0 {
				t.Errorf("it is still kept as %+v", got)
			}
			if len(board.places) != 1 {
				t.Errorf("places are %v", board.places)
			}
		})
	}
}

func TestAWatchIsOfExactlyOneThing(t *testing.T) {
	h, board := newsroom(t)
	for _, tool := range []string{"watch_process", "unwatch"} {
		h.refuses(t, tool, `{}`, "watch.missing")
		h.refuses(t, tool, `{"mine":false,"everything":false,"branch":"  "}`, "watch.missing")
		h.refuses(t, tool, `{"process":1042,"mine":true}`, "watch.several")
		h.refuses(t, tool, `{"phaseId":2,"everything":true}`, "watch.several")
		h.refuses(t, tool, `{"phaseId":99}`, "taxonomy.unknown")
		h.refuses(t, tool, `{"branch":"nowhere"}`, "branch.unknown")
		h.refuses(t, tool, `{"branch":"sample"}`, "branch.several")
		h.refuses(t, tool, `{"process":"ten"}`, "kind.process")
	}
	if len(board.places) > 0 {
		t.Errorf("something is kept: %v", board.places)
	}
}

func TestNobodyWatchesOrMutesOrOwnsAProcessThatTheyMayNotSee(t *testing.T) {
	h, board := newsroom(t)
	others := `{"process":"` + sandbox.SampleProcess(sandbox.SampleOthers).String() + `"}`
	for _, tool := range []string{"watch_process", "unwatch", "mute_process", "unmute_process", "own_process", "release_process", "follow_process"} {
		if _, failure := h.run(t, tool, others); failure == nil || failure.Kind != tools.NotFound {
			t.Errorf("%s: got %v", tool, failure)
		}
	}
	if len(board.places)+len(board.owners) > 0 {
		t.Errorf("something is kept: %v, %v", board.places, board.owners)
	}
}

func TestWhoFollowsAProcessIsToldAloneAndTheChannelHearsAsBefore(t *testing.T) {
	h, board := newsroom(t)
	for range 2 {
		h.says(t, "follow_process", `{"process":1042}`, "1042", "/balcao stop 1042")
	}
	wanted := []destination.Subscription{{Kind: destination.ScopeProcess, Value: sandbox.SampleProcess(1042).String(), Name: "1042", By: "ana"}}
	if got := board.places["slack:U0ANA"].Subscriptions; len(board.places) != 1 || !slices.Equal(got, wanted) {
		t.Errorf("kept is %v", board.places)
	}
	h.ana.Destination = h.ana.Direct
	h.says(t, "unwatch", `{"process":1042}`, "1042")
	if got := board.places["slack:U0ANA"].Subscriptions; len(got) != 0 {
		t.Errorf("it cannot be ended: %v", got)
	}
}

func TestWhatTheBankShowsNoMoreCanStillBeEnded(t *testing.T) {
	h, board := newsroom(t)
	h.says(t, "watch_process", `{"process":1042}`)
	h.ana.ID = "rita" // of another broker
	h.says(t, "unwatch", `{"process":1042}`, "no longer posted")
	if left := board.places[team].Subscriptions; len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestWhoEndsOneWatchIsToldThatAnotherStillBringsItsNews(t *testing.T) {
	h, _ := newsroom(t)
	h.says(t, "watch_process", `{"everything":true}`)
	h.says(t, "watch_process", `{"process":1042}`)
	ended := h.says(t, "unwatch", `{"process":1042}`, "no longer", "still gets the updates of all processes")
	if next := ended.Card.Next[0]; next.Tool != "mute_process" {
		t.Errorf("the next step is %v", next)
	}
}

func TestAColleaguesWatchOfTheirsIsNotMine(t *testing.T) {
	h, _ := newsroom(t)
	h.says(t, "watch_process", `{"mine":true}`)
	h.ana.ID = "reader" // who may, since the bank hears nothing of it
	h.says(t, "watches", `{}`, "a colleague's processes")
	h.says(t, "unwatch", `{"mine":true}`, "was not following")
	h.says(t, "watch_process", `{"mine":true}`, "from now on")
}

func TestWhatAColleagueSeesOfEverythingIsNotWhatISee(t *testing.T) {
	h, board := newsroom(t)
	h.says(t, "watch_process", `{"everything":true}`, "from now on")
	h.ana.ID = "reader"
	h.says(t, "watch_process", `{"everything":true}`, "from now on")
	if got := board.places[team].Subscriptions; len(got) != 2 || got[0].By != "ana" || got[1].By != "reader" {
		t.Errorf("kept is %v", got)
	}
	h.says(t, "unwatch", `{"everything":true}`, "no longer")
	if got := board.places[team].Subscriptions; len(got) != 0 {
		t.Errorf("left is %v", got)
	}
	board.places[team] = destination.Settings{Subscriptions: []destination.Subscription{{Kind: destination.ScopeAll}}} // as the team's channel begins
	h.says(t, "watch_process", `{"everything":true}`, "already")
}

func TestNothingSubscribesAPlaceWhereOutsidersRead(t *testing.T) {
	h, board := newsroom(t)
	h.ana.Outsiders = true
	_, failure := h.run(t, "watch_process", `{"everything":true}`)
	if failure == nil || failure.Kind != tools.Exposed || !strings.Contains(failure.What(words.Portuguese), "partilhado com outra empresa") {
		t.Errorf("got %v", failure)
	}
	h.says(t, "follow_process", `{"process":1042}`) // told to her alone
	if len(board.places[team].Subscriptions) > 0 || len(board.places["slack:U0ANA"].Subscriptions) != 1 {
		t.Errorf("kept is %v", board.places)
	}
}

func TestAPlaceWatchesFiftyThingsAndMutesFiveHundred(t *testing.T) {
	h, board := newsroom(t)
	full := destination.Settings{Mutes: map[uuid.UUID]time.Time{}}
	for i := range 50 {
		full.Subscriptions = append(full.Subscriptions, destination.Subscription{Kind: destination.ScopeBranch, Value: fmt.Sprint(1000 + i)})
	}
	for range 500 {
		full.Mutes[uuid.New()] = time.Time{}
	}
	board.places[team] = full
	h.refuses(t, "watch_process", `{"process":1042}`, "watch.full")
	h.refuses(t, "mute_process", `{"process":1042}`, "mute.full")
	h.says(t, "watches", `{}`, "480 more processes are muted")
	for process := range full.Mutes {
		full.Mutes[process] = noon // over by now
		break
	}
	h.says(t, "mute_process", `{"process":1042}`, "until it is unmuted")
	if got := len(board.places[team].Mutes); got != 500 {
		t.Errorf("%d are muted", got)
	}
}

func TestAProcessIsMutedUntilADayOrForGood(t *testing.T) {
	h, board := newsroom(t)
	process := sandbox.SampleProcess(1042)
	h.says(t, "unmute_process", `{"process":1042}`, "was not muted")
	h.says(t, "mute_process", `{"process":1042,"until":"24/11/2026"}`, "until 24 Nov 2026")
	if got, want := board.places[team].Mutes[process], time.Date(2026, time.November, 24, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("it is muted until %s", got)
	}
	h.says(t, "watches", `{}`, "process 1042", "muted until 24 Nov 2026")
	h.says(t, "mute_process", `{"process":1042}`, "until it is unmuted")
	if until, muted := board.places[team].Mutes[process]; !muted || !until.IsZero() {
		t.Errorf("it is muted until %s: %v", until, muted)
	}
	h.says(t, "watches", `{}`, "muted indefinitely")
	h.says(t, "unmute_process", `{"process":1042}`, "no longer muted")
	if left := board.places[team].Mutes; len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	h.refuses(t, "mute_process", `{"process":1042,"until":"2026-11-23"}`, "mute.past")
	h.refuses(t, "mute_process", `{"process":1042,"until":"soon"}`, "date.format")
}

func TestADayInLisbonBeginsWhereLisbonIsInSummerToo(t *testing.T) {
	h, board := newsroom(t)
	h.says(t, "mute_process", `{"process":1042,"until":"2027-07-01"}`)
	if got, want := board.places[team].Mutes[sandbox.SampleProcess(1042)], time.Date(2027, time.June, 30, 23, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("it is muted until %s", got.UTC())
	}
}

func TestTheOwnerOfAProcessIsWhoSaysSo(t *testing.T) {
	h, board := newsroom(t)
	owned := h.says(t, "own_process", `{"process":1042}`, "1042")
	if got := board.owners[sandbox.SampleProcess(1042)]; got != "ana" {
		t.Errorf("the owner is %q", got)
	}
	if next := owned.Card.Next; next[0].Tool != "own_process" || !next[0].Form || next[1].Tool != "release_process" || next[2].Args["mine"] != true {
		t.Errorf("the next steps are %v", next)
	}
	h.says(t, "own_process", `{"process":1042}`, "You already own process 1042")
	h.ana.ID = "reader"
	h.says(t, "release_process", `{"process":1042}`, "do not own process 1042: nothing changed")
	h.says(t, "own_process", `{"process":1042}`, "You now own process 1042")
	h.says(t, "release_process", `{"process":1042}`, "Process 1042 now has no owner")
	if got := board.owners[sandbox.SampleProcess(1042)]; got != "" {
		t.Errorf("the owner is %q", got)
	}
}

func TestAProcessIsAssignedToAColleagueWhoMaySeeIt(t *testing.T) {
	h, board := newsroom(t)
	process := sandbox.SampleProcess(1042)
	h.says(t, "own_process", `{"process":1042,"owner":"reader"}`, "assigned", "now owns process 1042")
	h.says(t, "own_process", `{"process":1042,"owner":"reader"}`, "already")
	if got := board.owners[process]; got != "reader" {
		t.Errorf("the owner is %q", got)
	}
	for actor, code := range map[string]string{"nobody": "owner.unserved", "rita": "owner.unseen"} {
		h.refuses(t, "own_process", `{"process":1042,"owner":"`+actor+`"}`, code)
	}
	h.says(t, "own_process", `{"process":1042}`)
	defer h.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Status: 503})()
	if _, failure := h.run(t, "own_process", `{"process":"`+process.String()+`","owner":"reader"}`); failure == nil || failure.Kind != tools.Unavailable {
		t.Errorf("got %v", failure)
	}
	if got := board.owners[process]; got != "ana" {
		t.Errorf("the owner is %q", got)
	}
}

func TestQuietHoursAndTheDigestAreReadAsPeopleTypeThemAndEndedByNothing(t *testing.T) {
	h, board := newsroom(t)
	for typed, want := range map[string]destination.QuietHours{
		"20:00-08:00": {From: "20:00", To: "08:00"}, " 22h – 7h30 ": {From: "22:00", To: "07:30"}, "9-17": {From: "09:00", To: "17:00"}, "": {},
	} {
		h.says(t, "set_quiet", fmt.Sprintf(`{"hours":%q}`, typed), want.From, want.To)
		if got := board.places[team].Quiet; got != want {
			t.Errorf("%q is kept as %v", typed, got)
		}
	}
	for _, typed := range []string{"20:00", "24:00-08:00", "20:60-8", "8-8", "evening", "1-2-3", "-"} {
		h.refuses(t, "set_quiet", fmt.Sprintf(`{"hours":%q}`, typed), "quiet.format")
	}
	for typed, want := range map[string]string{"09:00": "09:00", "9h": "09:00", " 8.45": "08:45", "": ""} {
		h.says(t, "set_digest", fmt.Sprintf(`{"at":%q}`, typed), want)
		if got := board.places[team].Digest; got != want {
			t.Errorf("%q is kept as %q", typed, got)
		}
	}
	for _, typed := range []string{"25:00", "morning", "9:5"} {
		h.refuses(t, "set_digest", fmt.Sprintf(`{"at":%q}`, typed), "digest.format")
	}
	h.says(t, "set_quiet", `{"hours":"20:00-08:00"}`)
	h.says(t, "set_digest", `{"at":"09:00"}`)
	h.says(t, "watches", `{}`, "20:00–08:00", "09:00, Monday to Friday", "does not follow any process yet")
	h.says(t, "set_quiet", `{}`, "no longer has quiet hours")
	h.says(t, "set_digest", `{}`, "no longer has a digest")
	h.says(t, "watches", `{}`, "none: each update is posted immediately")
}

func TestAPlaceSpeaksTheLanguageOfWhoFirstAskedThere(t *testing.T) {
	h, board := newsroom(t)
	h.says(t, "watch_process", `{"process":1042}`)
	h.ana.Lang = words.Portuguese
	h.says(t, "watch_process", `{"process":1043}`, "passa a receber")
	if got := board.places[team].Lang; got != words.English {
		t.Errorf("it speaks %s", got)
	}
}

// placed lists the tools that are about a place.
func placed() []*tools.Tool {
	return slices.DeleteFunc(catalogue.New().Tools(), func(tool *tools.Tool) bool { return !tool.NeedsDestination })
}

func TestWhatIsAboutAPlaceIsHiddenAndRefusedWhereThereIsNone(t *testing.T) {
	h, _ := newsroom(t)
	without, guest := h.ana, h.ana
	without.Destination, guest.Guest = "", true
	bare := open(t)
	reader := h.ana
	reader.ID = "reader"
	if len(placed()) < 8 {
		t.Fatalf("only %d tools are about a place", len(placed()))
	}
	for _, tool := range placed() {
		for who, permitted := range map[string]bool{
			"who is nowhere": h.Permits(t.Context(), without, tool), "a guest": h.Permits(t.Context(), guest, tool),
			"who is where nothing is kept": bare.Permits(t.Context(), h.ana, tool),
		} {
			if permitted {
				t.Errorf("%s: %s is permitted", tool.Name, who)
			}
		}
		if !h.Permits(t.Context(), h.ana, tool) || !h.Permits(t.Context(), reader, tool) {
			t.Errorf("%s is not permitted to the team", tool.Name)
		}
		_, failure := h.run(t, tool.Name, `{"process":"1042"}`, func(r *tools.Request) { r.Actor = without })
		if failure == nil || failure.Kind != tools.Forbidden {
			t.Errorf("%s: who is nowhere gets %v", tool.Name, failure)
		}
	}
}

// noJournal fails whoever wants to write into it.
type noJournal struct{ tools.Journal }

func TestWhatIsOnlyRememberedIsNoChangeAtTheBank(t *testing.T) {
	var told []tools.Changed
	h, _ := newsroom(t, func(c *tools.Config) {
		c.Journal = noJournal{}
		c.Changed = func(_ context.Context, change tools.Changed) error {
			told = append(told, change)
			return nil
		}
	})
	h.says(t, "watch_process", `{"process":1042}`)
	h.says(t, "own_process", `{"process":1042}`)
	if len(told) > 0 {
		t.Errorf("it is told as a change: %v", told)
	}
	if trail := strings.Join(h.trail.entries, ""); !strings.Contains(trail, `"effect":"remembers","process":"1042"`) {
		t.Errorf("the trail has %s", trail)
	}
}

func TestABoardOutOfOrderIsOurFaultAndNotTheBanks(t *testing.T) {
	h, board := newsroom(t)
	board.broken = errors.New("out of order")
	for _, tool := range placed() {
		args := `{"process":"1042"}`
		switch tool.Name {
		case "watches", "set_quiet", "set_digest", "undo_change":
			args = `{}`
		}
		if _, failure := h.run(t, tool.Name, args); failure == nil || failure.Kind != tools.Internal {
			t.Errorf("%s: got %v", tool.Name, failure)
		}
	}
}
