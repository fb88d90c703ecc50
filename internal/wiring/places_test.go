package wiring

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

func TestAPlaceKeepsAllThatToolsSayOfIt(t *testing.T) {
	sealed, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	store, err := conversations.Open(t.Context(), "memory", sealed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	all := places{store: store}
	want := tools.PlaceSettings{
		Lang:    words.English,
		Watches: []tools.Watch{{Kind: tools.WatchBranch, Value: "7", Name: "Lisboa"}, {Kind: tools.WatchAll}},
		Mutes:   map[uuid.UUID]time.Time{uuid.Max: time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC), uuid.New(): {}},
		Quiet:   tools.Quiet{From: "20:00", To: "08:00"}, Digest: "09:00",
	}
	for _, settings := range []tools.PlaceSettings{want, {}} { // and what is taken back is gone
		changed, err := all.Change(t.Context(), "slack:C0EQUIPA", func(s *tools.PlaceSettings) error { *s = settings; return nil })
		read, again := all.Settings(t.Context(), "slack:C0EQUIPA")
		if err != nil || again != nil || cmp.Diff(settings, changed) != "" || cmp.Diff(settings, read) != "" {
			t.Errorf("%v, %v: %s", err, again, cmp.Diff(settings, read))
		}
	}
	refused := errors.New("no")
	if _, err := all.Change(t.Context(), "slack:C0EQUIPA", func(s *tools.PlaceSettings) error { s.Digest = "10:00"; return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if kept, err := all.Settings(t.Context(), "slack:C0EQUIPA"); err != nil || kept.Digest != "" {
		t.Errorf("what was refused is kept: %+v, %v", kept, err)
	}
}

func TestAPersonIsFoundByTheIDInSlackUnlessTwoWorkspacesDisagree(t *testing.T) {
	person := func(name string) tools.Person { return tools.Person{Login: portal.Login{Username: name}} }
	team := tools.Team{"slack:T1/U1": person("ana"), "slack:T2/U1": person("ana"), "slack:T1/U2": person("tom"), "slack:T2/U2": person("rui"), Assistant: person("x")}
	for user, want := range map[string]string{"U1": "ana", "U2": "", "U3": "", "local": ""} {
		found, ok := personOf(team, user)
		if ok != (want != "") || found.Login.Username != want {
			t.Errorf("%s is %q, %v", user, found.Login.Username, ok)
		}
	}
	team[""] = person("everybody")
	if found, ok := personOf(team, "U3"); !ok || found.Login.Username != "everybody" {
		t.Errorf("whoever is not listed is %+v, %v", found, ok)
	}
	if _, ok := personOf(team, "U2"); ok {
		t.Error("one of two different people was taken for both")
	}
}
