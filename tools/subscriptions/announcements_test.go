package subscriptions_test

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

func TestAChangeForAWholeChannelIsAnnouncedByNameAndCanBeUndone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args string
		lang words.Lang
		says string
	}{
		"mute_process":   {`{"process":1043,"until":"2026-12-24"}`, words.Portuguese, "Ana Exemplo silenciou o processo 1043 neste canal até 24/12/2026."},
		"unmute_process": {`{"process":1042}`, words.English, "Ana Exemplo unmuted process 1042 in this channel."},
		"stop_following": {`{"mine":true}`, words.English, "Ana Exemplo stopped following the processes that they own in this channel."},
		"set_quiet":      {`{"hours":"20-8"}`, words.Portuguese, "Ana Exemplo definiu um período sem atualizações neste canal: 20:00–08:00, hora de Lisboa, todos os dias."},
		"set_digest":     {`{}`, words.English, "Ana Exemplo removed the digest of this channel: each update is posted immediately."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			e.Actor.Name = "Ana Exemplo"
			before := destination.Settings{
				Lang: c.lang, Digest: "09:00", Quiet: destination.QuietHours{From: "12:00", To: "13:00"},
				Subscriptions: []destination.Subscription{{Kind: destination.ScopeAll}, {Kind: destination.ScopePerson, Value: "ana", By: "ana"}},
				Mutes:         map[uuid.UUID]time.Time{sandbox.SampleProcess(1042): {}, uuid.New(): noon.Add(time.Hour)},
			}
			e.settings[team] = before
			e.WantCard(t, name, c.args)
			if got := e.wantAnnounced(t, 1); got != c.says {
				t.Errorf("it is announced as %q, want %q", got, c.says)
			}
			e.WantCard(t, name, c.args) // which changes nothing any more
			e.wantAnnounced(t, 1)
			e.Actor.ID, e.Actor.Name = "reader", "Tom Sample"
			e.WantCard(t, "undo_change", `{"change":"`+e.announcements[0].ID+`"}`, "as it was before")
			if diff := cmp.Diff(before, e.settings[team], cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("undone, it differs: %s", diff)
			}
			if got := e.wantAnnounced(t, 2); !strings.HasPrefix(got, "Tom Sample ") {
				t.Errorf("undoing is announced as %q", got)
			}
			e.WantCard(t, "undo_change", `{"change":"`+e.announcements[0].ID+`"}`, "undone already")
			e.WantCard(t, "undo_change", `{}`, "as it was before") // and the undoing is undone
			if len(e.announcements) != 3 {
				t.Errorf("%d things are announced", len(e.announcements))
			}
		})
	}
}

func TestNothingIsUndoneOnceSomethingElseChanged(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.WantCard(t, "undo_change", `{}`, "nothing to undo")
	e.WantCard(t, "set_digest", `{"at":"09:00"}`)
	e.WantCard(t, "follow_processes", `{"process":1042}`) // which silences nobody, and is not announced
	e.wantAnnounced(t, 1)
	e.WantCard(t, "undo_change", `{"change":"`+e.announcements[0].ID+`"}`, "nothing was undone")
	e.WantCard(t, "set_quiet", `{"hours":"20-8"}`)
	e.WantCard(t, "undo_change", `{"change":"`+e.announcements[0].ID+`"}`, "nothing was undone")
	if settings := e.settings[team]; settings.Digest != "09:00" || settings.Quiet.From != "20:00" || len(settings.Subscriptions) != 1 {
		t.Errorf("stored is %+v", settings)
	}
	e.WantCard(t, "undo_change", `{"change":"`+e.announcements[1].ID+`"}`, "as it was before")
	if settings := e.settings[team]; settings.Digest != "09:00" || settings.Quiet.From != "" || len(settings.Subscriptions) != 1 {
		t.Errorf("stored is %+v", settings)
	}
}

func TestInDirectMessagesNothingIsAnnounced(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.Actor.Destination = e.Actor.Direct
	for name, args := range map[string]string{"mute_process": `{"process":1042}`, "set_quiet": `{"hours":"20-8"}`, "set_digest": `{"at":"9"}`} {
		e.WantCard(t, name, args)
	}
	if len(e.announcements) > 0 {
		t.Errorf("announced is %+v", e.announcements)
	}
}

func TestAChangeThatCannotBeAnnouncedIsNotMade(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.WantCard(t, "follow_processes", `{"everything":true}`)
	e.announceErr = errors.New("out of order")
	for name, args := range map[string]string{
		"mute_process": `{"process":1042}`, "set_quiet": `{"hours":"20-8"}`, "set_digest": `{"at":"9"}`, "stop_following": `{"everything":true}`,
	} {
		if _, failure := e.Call(t, name, args); failure == nil || failure.Kind != tools.Internal {
			t.Errorf("%s: got %v", name, failure)
		}
	}
	if settings := e.settings[team]; len(settings.Mutes) > 0 || settings.Quiet.From != "" || settings.Digest != "" || len(settings.Subscriptions) != 1 {
		t.Errorf("stored is %+v", settings)
	}
}

func TestTheButtonOfACardMutesForThePersonWhoPressesIt(t *testing.T) {
	t.Parallel()
	e := start(t)
	process := sandbox.SampleProcess(1042)
	var button tools.Step
	for _, step := range catalogue.New().StepsOn(tools.Subject{Process: process}, tools.StateMeaning{}, words.Portuguese) {
		if step.Tool == "mute_process" {
			button = step
		}
	}
	args, err := json.Marshal(button.Args)
	if err != nil || button.Label != "Silenciar para mim" {
		t.Fatalf("the button is %+v, %v", button, err)
	}
	muted := e.WantCard(t, button.Tool, string(args), "muted for you alone", "/balcao mute 1042")
	if _, alone := e.settings["slack:U0ANA"].Mutes[process]; !alone || len(e.settings[team].Mutes) > 0 || len(e.announcements) > 0 {
		t.Errorf("stored is %+v, announced is %+v", e.settings, e.announcements)
	}
	again, err := json.Marshal(muted.Card.Next[0].Args)
	if err != nil {
		t.Fatal(err)
	}
	e.WantCard(t, muted.Card.Next[0].Tool, string(again), "no longer muted for you")
	if left := e.settings["slack:U0ANA"].Mutes; len(left) > 0 {
		t.Errorf("left is %v", left)
	}
}
