package app

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

func TestSettingsOfADestinationAreStoredWhole(t *testing.T) {
	sealed, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	store, err := conversations.Open(t.Context(), "memory", sealed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	all := destinations{store: store, team: "slack:C0EQUIPA"}
	want := destination.Settings{
		ID:            "slack:C0EQUIPA",
		Lang:          words.English,
		Subscriptions: []destination.Subscription{{Kind: destination.ScopeBranch, Value: "7", Name: "Lisboa"}, {Kind: destination.ScopeAll}},
		Mutes:         map[uuid.UUID]time.Time{uuid.Max: time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC), uuid.New(): {}},
		Quiet:         destination.QuietHours{From: "20:00", To: "08:00"}, Digest: "09:00",
	}
	for _, settings := range []destination.Settings{want, {ID: want.ID}} { // and removed again
		changed, err := all.Change(t.Context(), "slack:C0EQUIPA", func(s *destination.Settings) error { *s = settings; return nil })
		read, again := all.Settings(t.Context(), "slack:C0EQUIPA")
		if err != nil || again != nil || cmp.Diff(settings, changed) != "" || cmp.Diff(settings, read) != "" {
			t.Errorf("%v, %v: %s", err, again, cmp.Diff(settings, read))
		}
	}
	refused := errors.New("no")
	if _, err := all.Change(t.Context(), "slack:C0EQUIPA", func(s *destination.Settings) error { s.Digest = "10:00"; return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if kept, err := all.Settings(t.Context(), "slack:C0EQUIPA"); err != nil || kept.Digest != "" {
		t.Errorf("a refused change is stored: %+v, %v", kept, err)
	}
}

func TestAPersonIsFoundBySlackIDUnlessTwoWorkspacesDisagree(t *testing.T) {
	people := peopleOf(t, "T1/U1=T2/U1=ana,T1/U2=tom,T2/U2=rui")
	for user, want := range map[string]string{"U1": "ana", "U2": "", "U3": "", "local": ""} {
		found, ok := people.inAnyWorkspace(user)
		if ok != (want != "") || found.Login.Username != want {
			t.Errorf("%s is %q, %v", user, found.Login.Username, ok)
		}
	}
	people = peopleOf(t, "T1/U2=tom,T2/U2=rui,*=everybody")
	if found, ok := people.inAnyWorkspace("U3"); !ok || found.Login.Username != "everybody" {
		t.Errorf("a person who is not listed is %+v, %v", found, ok)
	}
	if _, ok := people.inAnyWorkspace("U2"); ok {
		t.Error("one of two different people is returned")
	}
}

func TestAFormerTeamChannelGetsOnlyWhatAPersonSubscribedTo(t *testing.T) {
	const before, now = "slack:C0ANTES", "slack:C0AGORA"
	bank, err := portal.New(portal.Config{BaseURL: "http://127.0.0.1:1", ClientID: "x", ClientSecret: "x"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bank.Close)
	system := &System{bank: bank, people: peopleOf(t, "T1/U1=ana,*=balcao")}
	itself, _ := system.people.inAnyWorkspace("U9")
	system.settings.TeamChannel = "C0AGORA"
	reader := system.reader(itself.Login)
	for _, c := range []struct {
		id, by   string
		as       string
		notified bool
	}{
		{now, "", "balcao", true}, {now, "slack:T1/U1", "balcao", true},
		{before, "", "", false}, {before, "slack:T1/U1", "ana", true}, {"slack:U1", "", "ana", true},
	} {
		user, notified := reader(c.id, c.by)
		if notified != c.notified || notified && (user == nil) != (c.as == "balcao") {
			t.Errorf("%s gets what %q subscribed to: %v, as a person: %v", c.id, c.by, notified, user != nil)
		}
	}

	sealed, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	store, err := conversations.Open(t.Context(), "memory", sealed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	all, hers := destinations{store: store, team: now}, destination.Subscription{Kind: destination.ScopeAll, By: "slack:T1/U1"}
	if _, err := store.ChangeDestination(t.Context(), before, func(p *destination.Settings) error {
		p.Digest, p.Subscriptions = "09:00", []destination.Subscription{{Kind: destination.ScopeAll}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if listed, err := all.Settings(t.Context(), before); err != nil || len(listed.Subscriptions) != 0 || listed.Digest != "09:00" {
		t.Errorf("subscriptions without an author are listed: %+v, %v", listed, err)
	}
	if _, err := all.Change(t.Context(), before, func(s *destination.Settings) error { s.Subscriptions = append(s.Subscriptions, hers); return nil }); err != nil {
		t.Fatal(err)
	}
	kept, err := store.Destination(t.Context(), before)
	if want := []destination.Subscription{{Kind: destination.ScopeAll, By: hers.By}}; err != nil || cmp.Diff(want, kept.Subscriptions) != "" {
		t.Errorf("%v: %s", err, cmp.Diff(want, kept.Subscriptions))
	}
}
