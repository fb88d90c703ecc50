package notifications

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/destination"
)

func TestAPlaceThatCannotBeReachedLosesNothingAndTheAdministratorHearsOnce(t *testing.T) {
	h := newTeam(t, "node", func(c *Config) { c.UnreachableRetry = 100 * time.Millisecond })
	h.at("2026-11-23 10:00")
	var mu sync.Mutex
	reason, tries := unreachable("not_in_channel"), 0
	h.board.fault = func(place, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		if place == channel && reason != "" {
			tries++
			return reason
		}
		return nil
	}
	tried := func(n int) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return tries >= n }
	}
	o := h.replica()
	h.start(o)
	h.put(o, h.moves(1, "Documents"))
	eventually(t, "it was tried thrice", tried(3))
	h.put(o, h.moves(1, "Analysis"), h.moves(2, "Analysis"))
	eventually(t, "it was tried again", tried(6))
	h.rests(o, admin)
	heard := h.board.at(admin)
	if len(heard) != 1 || heard[0].notice.About != channel || !strings.Contains(heard[0].notice.Text, "/invite") || heard[0].notice.Mention != "" {
		t.Fatalf("the administrator was told %+v", heard)
	}
	if places, _, err := o.waiting(t.Context()); places != 1 || err != nil {
		t.Errorf("%d places wait, %v", places, err)
	}
	mu.Lock()
	reason = "is_archived"
	mu.Unlock()
	eventually(t, "another reason is told", func() bool { return len(h.board.at(admin)) == 2 })
	h.at("2026-11-24 10:00")
	eventually(t, "the next day it is told again", func() bool { return len(h.board.at(admin)) == 3 })
	mu.Lock()
	reason = ""
	mu.Unlock()
	h.wantTold(channel, 1, "Documents", "Analysis")
	h.wantTold(channel, 2, "Analysis")
	h.everyKey(o)
}

func TestAPlaceThatIsReachableAgainIsToldAtOnce(t *testing.T) {
	h := newTeam(t, "node") // which tries again in an hour
	var mu sync.Mutex
	away, tries := true, 0
	h.board.fault = func(place, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		if place == channel && away {
			tries++
			return unreachable("not_in_channel")
		}
		return nil
	}
	o := h.replica()
	h.start(o)
	h.put(o, h.moves(1, "Documents"))
	eventually(t, "the administrator knows", func() bool { return len(h.board.at(admin)) == 1 })
	h.put(o, h.moves(1, "Analysis"), h.moves(2, "Analysis"))
	own := "slack:C0OWN" // is told after it would have been tried
	h.watch(own, destination.Subscription{Kind: destination.ScopeAll})
	h.put(o, h.moves(3, "Analysis"))
	h.wantTold(own, 3, "Analysis")
	mu.Lock()
	away = false
	if tries != 1 {
		t.Errorf("it was tried %d times", tries)
	}
	mu.Unlock()
	if err := o.retry(t.Context(), channel); err != nil {
		t.Fatal(err)
	}
	h.wantTold(channel, 1, "Documents", "Analysis")
}

func TestWithoutATokenEverythingWaitsAndTheLogSaysSo(t *testing.T) {
	h := newTeam(t, "node", func(c *Config) { c.UnreachableRetry = 50 * time.Millisecond })
	var mu sync.Mutex
	revoked := true
	h.board.fault = func(string, string) error {
		mu.Lock()
		defer mu.Unlock()
		if revoked {
			return unreachable("token_revoked")
		}
		return nil
	}
	o := h.replica()
	h.start(o)
	h.put(o, h.moves(1, "Documents"))
	eventually(t, "the log says so", func() bool { return strings.Contains(h.log.String(), "NOBODY CAN BE TOLD ANYTHING") })
	mu.Lock()
	revoked = false
	mu.Unlock()
	h.wantTold(channel, 1, "Documents")
	if late := h.board.at(admin); len(late) != 0 {
		t.Errorf("the administrator was told %+v when it was over", late)
	}
	if strings.Contains(h.log.String(), "C0TEAM") {
		t.Error("the log says who is told")
	}
}

func TestACardThatSomebodyDeletedIsPostedAnew(t *testing.T) {
	h := newTeam(t, "node")
	o := h.replica()
	h.start(o)
	h.put(o, h.moves(1, "Documents"))
	h.wantTold(channel, 1, "Documents")
	h.rests(o, channel)
	h.board.mu.Lock()
	h.board.places[channel].messages[0].gone = true
	h.board.mu.Unlock()
	h.put(o, h.moves(1, "Analysis"))
	h.wantTold(channel, 1, "Documents", "Analysis")
}

func TestANoticeThatIsRefusedDoesNotHoldUpTheOthers(t *testing.T) {
	h := newTeam(t, "node", func(c *Config) { c.MinInterval = 5 * time.Millisecond })
	o := h.replica(func(c *Config) { c.Poster = &refusing{noticeboard: h.board} })
	h.start(o)
	h.put(o, h.moves(1, "Documents"))
	eventually(t, "it is refused", func() bool { return strings.Contains(h.log.String(), resultNotSent) })
	h.put(o, h.moves(2, "Documents"))
	h.wantTold(channel, 2, "Documents")
	h.wantTold(channel, 1, "Documents")
}

// refusing refuses what is said of process 1 until process 2 was told of.
type refusing struct {
	*noticeboard
	other atomic.Bool
}

func (r *refusing) Post(ctx context.Context, place, thread string, notice destination.Notice) (string, error) {
	if notice.Process == process(1) && !r.other.Load() {
		return "", notSent{}
	}
	id, err := r.noticeboard.Post(ctx, place, thread, notice)
	if thread != "" {
		r.other.Store(true)
	}
	return id, err
}
