package tools_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

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
		"set_digest":     {`{}`, words.English, "Ana Exemplo removed the digest of this channel: each update is posted immediately."},
	} {
		t.Run(name, func(t *testing.T) {
			h, board := newsroom(t)
			h.ana.Name = "Ana Exemplo"
			before := destination.Settings{
				Lang: c.lang, Digest: "09:00", Quiet: destination.QuietHours{From: "12:00", To: "13:00"},
				Subscriptions: []destination.Subscription{{Kind: destination.ScopeAll}, {Kind: destination.ScopePerson, Value: "ana", By: "ana"}},
				Mutes:         map[uuid.UUID]time.Time{sandbox.SampleProcess(1042): {}, uuid.New(): noon.Add(time.Hour)},
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
	if place := board.places[team]; place.Digest != "09:00" || place.Quiet.From != "20:00" || len(place.Subscriptions) != 1 {
		t.Errorf("kept is %+v", place)
	}
	h.says(t, "undo_change", `{"change":"`+board.told[1].ID+`"}`, "as it was before")
	if place := board.places[team]; place.Digest != "09:00" || place.Quiet.From != "" || len(place.Subscriptions) != 1 {
		t.Errorf("kept is %+v", place)
	}
}

func TestInDirectMessagesNothingIsAnnounced(t *testing.T) {
	h, board := newsroom(t)
	h.ana.Destination = h.ana.Direct
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
	if place := board.places[team]; len(place.Mutes) > 0 || place.Quiet.From != "" || place.Digest != "" || len(place.Subscriptions) != 1 {
		t.Errorf("kept is %+v", place)
	}
}

func TestTheCardsButtonMutesForWhoPressesItAlone(t *testing.T) {
	h, board := newsroom(t)
	process := sandbox.SampleProcess(1042)
	var button tools.Step
	for _, step := range catalogue.New().StepsOn(process, "", words.Portuguese) {
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
