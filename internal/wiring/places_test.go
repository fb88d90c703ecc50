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
