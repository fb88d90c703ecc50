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

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// board keeps places in memory, and may be out of order.
type board struct {
	mu     sync.Mutex
	places map[string]tools.PlaceSettings
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

func (b *board) Settings(_ context.Context, place string) (tools.PlaceSettings, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.places[place], b.broken
}

func (b *board) Change(_ context.Context, place string, change func(*tools.PlaceSettings) error) (tools.PlaceSettings, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		return tools.PlaceSettings{}, b.broken
	}
	changed := b.places[place]
	changed.Watches, changed.Mutes = slices.Clone(changed.Watches), maps.Clone(changed.Mutes)
	if err := change(&changed); err != nil {
		return tools.PlaceSettings{}, err
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

// record is what moved, the oldest first.
type record []tools.Moved

func (r record) Since(_ context.Context, since time.Time, limit int, _ words.Lang) ([]tools.Moved, error) {
	var found []tools.Moved
	for _, moved := range r {
		if !moved.At.Before(since) && len(found) < limit {
			found = append(found, moved)
		}
	}
	return found, nil
}

const team = "slack:C0TEAM"

var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// newsroom is a house whose places are on a board, at noon, with Ana in the team's channel.
func newsroom(t *testing.T, change ...func(*tools.Config)) (house, *board) {
	t.Helper()
	b := &board{places: map[string]tools.PlaceSettings{}, owners: map[uuid.UUID]string{}}
	h := open(t, append([]func(*tools.Config){func(c *tools.Config) {
		c.Places, c.Now = b, func() time.Time { return noon }
	}}, change...)...)
	h.ana.Place, h.ana.Direct = team, "slack:U0ANA"
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
		want tools.Watch
		said string
	}{
		`{"process":1042}`:              {tools.Watch{Kind: tools.WatchProcess, Value: process, Name: "1042", By: "ana"}, "process 1042"},
		`{"process":"` + process + `"}`: {tools.Watch{Kind: tools.WatchProcess, Value: process, Name: "1042", By: "ana"}, "process 1042"},
		`{"branch":"porto"}`:            {tools.Watch{Kind: tools.WatchBranch, Value: "102", Name: "Porto – Sample", By: "ana"}, "the processes of Porto – Sample"},
		`{"phaseId":2}`:                 {tools.Watch{Kind: tools.WatchPhase, Value: "2", Name: "Decision", By: "ana"}, "the processes in the phase Decision"},
		`{"mine":true}`:                 {tools.Watch{Kind: tools.WatchPerson, Value: "ana", By: "ana"}, "your processes"},
		`{"everything":true}`:           {tools.Watch{Kind: tools.WatchAll, By: "ana"}, "every process"},
	} {
		t.Run(args, func(t *testing.T) {
			h, board := newsroom(t)
			h.says(t, "unwatch", args, "was not following", c.said)
			began := h.says(t, "watch_process", args, "from now on", c.said, "/balcao unwatch")
			if got := board.places[team].Watches; !slices.Equal(got, []tools.Watch{c.want}) {
				t.Errorf("it is kept as %+v", got)
			}
			h.says(t, "watch_process", args, "already", c.said)
			if got := board.places[team].Watches; len(got) != 1 {
				t.Errorf("asked for twice, it is kept as %+v", got)
			}
			h.says(t, "watches", `{}`, c.said)
			stop := began.Card.Next[0]
			again, err := json.Marshal(stop.Args)
			if err != nil {
				t.Fatal(err)
			}
			h.says(t, stop.Tool, string(again), "no longer posted", c.said)
			if got := board.places[team].Watches; len(got) != 0 {
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
		h.says(t, "follow_process", `{"process":1042}`, "1042", "/balcao unwatch 1042")
	}
	wanted := []tools.Watch{{Kind: tools.WatchProcess, Value: sandbox.SampleProcess(1042).String(), Name: "1042", By: "ana"}}
	if got := board.places["slack:U0ANA"].Watches; len(board.places) != 1 || !slices.Equal(got, wanted) {
		t.Errorf("kept is %v", board.places)
	}
	h.ana.Place = h.ana.Direct
	h.says(t, "unwatch", `{"process":1042}`, "1042")
	if got := board.places["slack:U0ANA"].Watches; len(got) != 0 {
		t.Errorf("it cannot be ended: %v", got)
	}
}

func TestWhatTheBankShowsNoMoreCanStillBeEnded(t *testing.T) {
	h, board := newsroom(t)
	h.says(t, "watch_process", `{"process":1042}`)
	h.ana.ID = "rita" // of another broker
	h.says(t, "unwatch", `{"process":1042}`, "no longer posted")
	if left := board.places[team].Watches; len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestWhoEndsOneWatchIsToldThatAnotherStillBringsItsNews(t *testing.T) {
	h, _ := newsroom(t)
	h.says(t, "watch_process", `{"everything":true}`)
	h.says(t, "watch_process", `{"process":1042}`)
	ended := h.says(t, "unwatch", `{"process":1042}`, "no longer", "still gets updates on every process")
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
	if got := board.places[team].Watches; len(got) != 2 || got[0].By != "ana" || got[1].By != "reader" {
		t.Errorf("kept is %v", got)
	}
	h.says(t, "unwatch", `{"everything":true}`, "no longer")
	if got := board.places[team].Watches; len(got) != 0 {
		t.Errorf("left is %v", got)
	}
	board.places[team] = tools.PlaceSettings{Watches: []tools.Watch{{Kind: tools.WatchAll}}} // as the team's channel begins
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
	if len(board.places[team].Watches) > 0 || len(board.places["slack:U0ANA"].Watches) != 1 {
		t.Errorf("kept is %v", board.places)
	}
}

func TestAPlaceWatchesFiftyThingsAndMutesFiveHundred(t *testing.T) {
	h, board := newsroom(t)
	full := tools.PlaceSettings{Mutes: map[uuid.UUID]time.Time{}}
	for i := range 50 {
		full.Watches = append(full.Watches, tools.Watch{Kind: tools.WatchBranch, Value: fmt.Sprint(1000 + i)})
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
	h.says(t, "mute_process", `{"process":1042}`, "any more")
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
	h.says(t, "mute_process", `{"process":1042}`, "any more")
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

func TestWhatActsForAllInAChannelIsAnnouncedByNameAndCanBeUndone(t *testing.T) {
	for name, c := range map[string]struct {
		args string
		lang words.Lang
		says string
	}{
		"mute_process":   {`{"process":1043,"until":"2026-12-24"}`, words.Portuguese, "Ana Exemplo silenciou o processo 1043 neste canal até 24/12/2026."},
		"unmute_process": {`{"process":1042}`, words.English, "Ana Exemplo unmuted process 1042 in this channel."},
		"unwatch":        {`{"mine":true}`, words.English, "Ana Exemplo stopped following the processes that they own in this channel."},
		"set_quiet":      {`{"hours":"20-8"}`, words.Portuguese, "Ana Exemplo definiu um período sem atualizações neste canal: 20:00–08:00, hora de Lisboa, todos os dias."},
		"set_digest":     {`{}`, words.English, "Ana Exemplo ended the digest of this channel: each update is posted as it comes."},
	} {
		t.Run(name, func(t *testing.T) {
			h, board := newsroom(t)
			h.ana.Name = "Ana Exemplo"
			before := tools.PlaceSettings{
				Lang: c.lang, Digest: "09:00", Quiet: tools.Quiet{From: "12:00", To: "13:00"},
				Watches: []tools.Watch{{Kind: tools.WatchAll}, {Kind: tools.WatchPerson, Value: "ana", By: "ana"}},
				Mutes:   map[uuid.UUID]time.Time{sandbox.SampleProcess(1042): {}, uuid.New(): noon.Add(time.Hour)},
			}
			board.places[team] = before
			h.says(t, name, c.args)
			if got := board.announced(t, 1); got != c.says {
				t.Errorf("it is announced as %q, want %q", got, c.says)
			}
			h.says(t, name, c.args) // which changes nothing any more
			board.announced(t, 1)
			h.ana.ID, h.ana.Name = "reader", "Tom Sample"
			h.says(t, "undo_change", `{"change":"`+board.told[0].ID+`"}`, "as it was before")
			if diff := cmp.Diff(before, board.places[team], cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("undone, it differs: %s", diff)
			}
			if got := board.announced(t, 2); !strings.HasPrefix(got, "Tom Sample ") {
				t.Errorf("undoing is announced as %q", got)
			}
			h.says(t, "undo_change", `{"change":"`+board.told[0].ID+`"}`, "undone already")
			h.says(t, "undo_change", `{}`, "as it was before") // and the undoing is undone
			if len(board.told) != 3 {
				t.Errorf("%d things are announced", len(board.told))
			}
		})
	}
}

func TestNothingIsUndoneOnceSomethingElseChanged(t *testing.T) {
	h, board := newsroom(t)
	h.says(t, "undo_change", `{}`, "nothing to undo")
	h.says(t, "set_digest", `{"at":"09:00"}`)
	h.says(t, "watch_process", `{"process":1042}`) // which silences nobody, and is not announced
	board.announced(t, 1)
	h.says(t, "undo_change", `{"change":"`+board.told[0].ID+`"}`, "nothing was undone")
	h.says(t, "set_quiet", `{"hours":"20-8"}`)
	h.says(t, "undo_change", `{"change":"`+board.told[0].ID+`"}`, "nothing was undone")
	if place := board.places[team]; place.Digest != "09:00" || place.Quiet.From != "20:00" || len(place.Watches) != 1 {
		t.Errorf("kept is %+v", place)
	}
	h.says(t, "undo_change", `{"change":"`+board.told[1].ID+`"}`, "as it was before")
	if place := board.places[team]; place.Digest != "09:00" || place.Quiet.From != "" || len(place.Watches) != 1 {
		t.Errorf("kept is %+v", place)
	}
}

func TestInDirectMessagesNothingIsAnnounced(t *testing.T) {
	h, board := newsroom(t)
	h.ana.Place = h.ana.Direct
	for name, args := range map[string]string{"mute_process": `{"process":1042}`, "set_quiet": `{"hours":"20-8"}`, "set_digest": `{"at":"9"}`} {
		h.says(t, name, args)
	}
	if len(board.told) > 0 {
		t.Errorf("announced is %+v", board.told)
	}
}

func TestWhatCannotBeAnnouncedIsNotDone(t *testing.T) {
	h, board := newsroom(t)
	h.says(t, "watch_process", `{"everything":true}`)
	board.mute = errors.New("out of order")
	for name, args := range map[string]string{
		"mute_process": `{"process":1042}`, "set_quiet": `{"hours":"20-8"}`, "set_digest": `{"at":"9"}`, "unwatch": `{"everything":true}`,
	} {
		if _, failure := h.run(t, name, args); failure == nil || failure.Kind != tools.Internal {
			t.Errorf("%s: got %v", name, failure)
		}
	}
	if place := board.places[team]; len(place.Mutes) > 0 || place.Quiet.From != "" || place.Digest != "" || len(place.Watches) != 1 {
		t.Errorf("kept is %+v", place)
	}
}

func TestTheCardsButtonMutesForWhoPressesItAlone(t *testing.T) {
	h, board := newsroom(t)
	process := sandbox.SampleProcess(1042)
	var button tools.Step
	for _, step := range tools.StepsOn(process, "", words.Portuguese) {
		if step.Tool == "mute_process" {
			button = step
		}
	}
	args, err := json.Marshal(button.Args)
	if err != nil || button.Label != "Silenciar para mim" {
		t.Fatalf("the button is %+v, %v", button, err)
	}
	muted := h.says(t, button.Tool, string(args), "muted for you alone", "/balcao mute 1042")
	if _, alone := board.places["slack:U0ANA"].Mutes[process]; !alone || len(board.places[team].Mutes) > 0 || len(board.told) > 0 {
		t.Errorf("kept is %+v, announced is %+v", board.places, board.told)
	}
	again, err := json.Marshal(muted.Card.Next[0].Args)
	if err != nil {
		t.Fatal(err)
	}
	h.says(t, muted.Card.Next[0].Tool, string(again), "no longer muted for you")
	if left := board.places["slack:U0ANA"].Mutes; len(left) > 0 {
		t.Errorf("left is %v", left)
	}
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
	h.says(t, "own_process", `{"process":1042}`, "You own process 1042 already")
	h.ana.ID = "reader"
	h.says(t, "release_process", `{"process":1042}`, "not yours: nothing changed")
	h.says(t, "own_process", `{"process":1042}`, "You now own process 1042")
	h.says(t, "release_process", `{"process":1042}`, "Nobody owns process 1042 now")
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
	for typed, want := range map[string]tools.Quiet{
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
	h.says(t, "set_quiet", `{}`, "no quiet hours any more")
	h.says(t, "set_digest", `{}`, "no digest any more")
	h.says(t, "watches", `{}`, "none: each update is posted as it comes")
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
	return slices.DeleteFunc(tools.Catalogue(), func(tool *tools.Tool) bool { return !tool.Placed })
}

func TestWhatIsAboutAPlaceIsHiddenAndRefusedWhereThereIsNone(t *testing.T) {
	h, _ := newsroom(t)
	without, guest := h.ana, h.ana
	without.Place, guest.Guest = "", true
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
	var told []tools.Change
	h, _ := newsroom(t, func(c *tools.Config) {
		c.Journal = noJournal{}
		c.Changed = func(_ context.Context, change tools.Change) error {
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

// moves are so many changes of each process in turn, a minute apart, the last one a minute ago.
func moves(count int, processes ...int) record {
	var moved record
	for i := range count {
		number := processes[i%len(processes)]
		moved = append(moved, tools.Moved{
			Process: sandbox.SampleProcess(number), Number: int64(number), At: noon.Add(time.Duration(i-count) * time.Minute),
			What: []string{fmt.Sprintf("Move %d: In Creation → Under Analysis at the branch", i), "Borrowers: 1 → 2"},
		})
	}
	return moved
}

// moved asks and gives the numbers of the processes told, the whole answer as text, and where to go on.
func (h house) moved(t *testing.T, since string) (told []string, next string) {
	t.Helper()
	result := h.says(t, "process_updates", fmt.Sprintf(`{"since":%q}`, since))
	output := result.Output.(tools.ProcessMoves)
	data, err := json.Marshal(output)
	if err != nil {
		t.Fatal(err)
	}
	if size := len(data) + len(fmt.Sprint(result.Card)); size > 4<<10 {
		t.Errorf("the answer takes %d bytes", size)
	}
	for _, move := range output.Updates {
		told = append(told, strings.Fields(move.What)[1])
	}
	if more := strings.Contains(result.Card.Text, "There is more"); more != (output.Next != "") {
		t.Errorf("it says %q and goes on at %q", result.Card.Text, output.Next)
	}
	return told, output.Next
}

func TestWhoAsksHearsWhatMovedOfTheirOwnProcessesTheNewestLast(t *testing.T) {
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = moves(6, 1042, sandbox.SampleOthers, 1043) })
	if told, next := h.moved(t, ""); !slices.Equal(told, []string{"0:", "2:", "3:", "5:"}) || next != "" {
		t.Errorf("Ana hears of %v, and more at %q", told, next)
	}
	h.ana.ID = "rita"
	if told, _ := h.moved(t, ""); !slices.Equal(told, []string{"1:", "4:"}) {
		t.Errorf("Rita hears of %v", told)
	}
}

func TestTheMomentIsGivenAsADayAMomentOrHours(t *testing.T) {
	old := moves(1, 1042)
	old[0].At = noon.Add(-36 * time.Hour) // midnight between 21 and 22 November
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = append(old, moves(1, 1043)...) })
	for since, want := range map[string]int{
		"": 1, "24": 1, "36": 2, "36h": 2, "35": 1, "2026-11-22": 2, "22/11/2026": 2, "2026-11-22T00:00:01Z": 1, "2026-11-22T01:00:00+01:00": 2, "2030-01-01": 0,
	} {
		if told, _ := h.moved(t, since); len(told) != want {
			t.Errorf("since %q: %d moves, want %d", since, len(told), want)
		}
	}
	for _, since := range []string{"yesterday", "2026-13-01", "-1", "99999", "2026-11-22 10:00"} {
		h.refuses(t, "process_updates", fmt.Sprintf(`{"since":%q}`, since), "since.format")
	}
	h.says(t, "process_updates", `{"since":"2030-01-01"}`, "Nothing moved")
}

func TestALongStoryIsToldInPiecesAndLosesNothing(t *testing.T) {
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = moves(450, 1042, sandbox.SampleOthers) })
	seen := map[string]bool{}
	since, pieces := "2026-11-20", 0
	for ; since != "" && pieces < 100; pieces++ {
		var told []string
		if told, since = h.moved(t, since); len(told) == 0 && since != "" {
			t.Fatalf("nothing is told, and more is promised at %s", since)
		}
		for _, each := range told {
			seen[each] = true
		}
	}
	if len(seen) != 225 || since != "" {
		t.Errorf("%d of 225 moves are told in %d pieces", len(seen), pieces)
	}
}

func TestWhatMovedAfterManyMovesOfOthersIsReachedToo(t *testing.T) {
	others := moves(300, sandbox.SampleOthers)
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = append(others, moves(1, 1042)...) })
	first, next := h.moved(t, "2026-11-20")
	second, end := h.moved(t, next)
	if len(first) != 0 || next == "" || len(second) != 1 || end != "" {
		t.Errorf("told are %v and more at %q, then %v and more at %q", first, next, second, end)
	}
}

func TestTheBankIsAskedAboutAFewProcessesOnlyAndTheRestComesNext(t *testing.T) {
	moved := moves(1, 1042)
	for i := range 100 {
		moved = append(moved, tools.Moved{Process: uuid.New(), Number: int64(i), At: noon.Add(time.Duration(i) * time.Millisecond), What: []string{"Move unseen"}})
	}
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = moved })
	told, next := h.moved(t, "")
	if asked := h.bank.Calls(portal.ProcessDetail); len(told) != 1 || next == "" || asked > 40 {
		t.Errorf("%v is told and more at %q, after %d questions", told, next, asked)
	}
}

func TestAMoveIsToldWithoutPersonalDataAndInOneLine(t *testing.T) {
	moved := moves(1, 1042)
	moved[0].What = []string{"Status: call rui@example.com\n\n# now", strings.Repeat("ç", 3000)}
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = moved })
	result := h.says(t, "process_updates", `{}`)
	what := result.Output.(tools.ProcessMoves).Updates[0].What
	if strings.Contains(what, "rui@") || strings.Contains(what, "\n") || len([]rune(what)) > 240 {
		t.Errorf("it says %s", what)
	}
}

func TestABankThatDoesNotAnswerIsNotTakenForABankThatShowsNothing(t *testing.T) {
	h, _ := newsroom(t, func(c *tools.Config) { c.Updates = moves(3, 1042) })
	defer h.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Status: 503})()
	if _, failure := h.run(t, "process_updates", `{}`); failure == nil || failure.Kind != tools.Unavailable {
		t.Errorf("got %v", failure)
	}
}

func TestNobodyIsOfferedARecordThatIsNotKept(t *testing.T) {
	h, _ := newsroom(t)
	if h.Permits(t.Context(), h.ana, tools.ProcessUpdates) {
		t.Error("it is offered")
	}
	if _, failure := h.run(t, "process_updates", `{}`); failure == nil || failure.Kind != tools.Forbidden {
		t.Errorf("got %v", failure)
	}
}

func TestACommandOfTwoWordsIsASubcommand(t *testing.T) {
	for line, want := range map[string]string{
		"/borrowers 1042": "list_borrowers|1042", "/balcao watch 1042": "watch_process|1042", "/balcao  WATCH   1042 ": "watch_process|1042",
		"/balcao watches": "watches|", "/balcao": "|", "/balcao nothing": "|", "/balcao watch me now": "watch_process|me now", "/borrowers watch": "list_borrowers|watch",
	} {
		command, text, _ := strings.Cut(line, " ")
		got := "|"
		if tool, rest, ok := tools.ForCommand(command, text); ok {
			got = tool.Name + "|" + rest
		}
		if got != want {
			t.Errorf("%q asks for %q, want %q", line, got, want)
		}
	}
	if got := len(tools.Subcommands("/balcao")); got != 12 {
		t.Errorf("/balcao has %d subcommands", got)
	}
}
