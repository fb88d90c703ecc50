package conversations

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
)

func TestADraftStoresWhatWasTyped(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		one, other := p.replica(t), p.replica(t)
		d := must(one.StartDraft(t.Context(), "maria", "borrower", "1042"))(t)
		d.Page, d.Answers, d.Notes = "personal", map[string]string{"taxId": "299999998"}, map[string]string{"channel": "C1"}
		saved := must(one.SaveDraft(t.Context(), d))(t)
		if saved.Version != 2 {
			t.Errorf("version %d after the first save", saved.Version)
		}

		again := must(other.StartDraft(t.Context(), "maria", "borrower", "1042"))(t)
		byID := must(other.Draft(t.Context(), "maria", d.ID))(t)
		found, ok, err := other.FindDraft(t.Context(), "maria", "borrower", "1042")
		if err != nil || !ok {
			t.Fatalf("the draft is not found: %v", err)
		}
		for name, got := range map[string]Draft{"started": again, "read": byID, "found": found} {
			if got.ID != d.ID || got.Version != 2 || got.Page != "personal" || !maps.Equal(got.Answers, d.Answers) ||
				!maps.Equal(got.Notes, d.Notes) || !got.Started.Equal(d.Started) || !got.Saved.Equal(saved.Saved) {
				t.Errorf("the draft %s on another replica differs", name)
			}
		}
	})
}

func TestTwoReplicasThatStartAtOnceShareOneDraft(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		ids := atOnce(20, func(i int) string {
			d, err := replicas[i%2].StartDraft(context.Background(), "maria", "borrower", "1042")
			if err != nil {
				return err.Error()
			}
			return d.ID
		})
		if len(ids) != 1 {
			t.Errorf("got the drafts %v", ids)
		}
	})
}

func TestOfTwoConcurrentSavesOneFailsAndReturnsTheStoredDraft(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		d := must(replicas[0].StartDraft(t.Context(), "maria", "borrower", ""))(t)
		got := make([]Draft, 2)
		errs := make([]error, 2)
		atOnce(2, func(i int) int {
			mine := d
			mine.Answers = map[string]string{"from": fmt.Sprint(i)}
			got[i], errs[i] = replicas[i].SaveDraft(context.Background(), mine)
			return i
		})
		winner := 0
		if errs[0] != nil {
			winner = 1
		}
		loser := 1 - winner
		if errs[winner] != nil {
			t.Fatalf("both failed: %v, %v", errs[0], errs[1])
		}
		wantError(t, errs[loser], ErrConflict)
		if got[loser].Version != 2 || got[loser].Answers["from"] != fmt.Sprint(winner) {
			t.Errorf("the conflict returned version %d from %s", got[loser].Version, got[loser].Answers["from"])
		}
		if saved, err := replicas[loser].SaveDraft(t.Context(), got[loser]); err != nil || saved.Version != 3 {
			t.Errorf("the returned draft cannot be saved: version %d, %v", saved.Version, err)
		}
	})
}

func TestOfFiftyConcurrentCallsExactlyOneEndsADraft(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		replicas := []*Store{p.replica(t), p.replica(t)}
		d := must(replicas[0].StartDraft(t.Context(), "maria", "borrower", ""))(t)
		replies := atOnce(50, func(i int) string {
			ended, err := replicas[i%2].EndDraft(context.Background(), d)
			return fmt.Sprint(ended, err)
		})
		if replies["true <nil>"] != 1 || replies["false <nil>"] != 49 {
			t.Errorf("got %v", replies)
		}
	})
}

func TestAnEndedDraftIsNotResurrected(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		d := must(s.StartDraft(t.Context(), "maria", "borrower", ""))(t)
		if !must(s.EndDraft(t.Context(), d))(t) {
			t.Fatal("the draft was not ended")
		}
		gone := func(d Draft) {
			t.Helper()
			_, err := s.SaveDraft(t.Context(), d)
			wantError(t, err, ErrGone)
			_, err = s.Draft(t.Context(), "maria", d.ID)
			wantError(t, err, ErrGone)
		}
		gone(d)
		if _, ok, err := s.FindDraft(t.Context(), "maria", "borrower", ""); ok || err != nil {
			t.Errorf("it is found all the same (%v)", err)
		}
		next := must(s.StartDraft(t.Context(), "maria", "borrower", ""))(t)
		if next.ID == d.ID || next.Version != 1 {
			t.Errorf("the next draft is the old one")
		}
		gone(d)
		if must(s.EndDraft(t.Context(), d))(t) {
			t.Error("a late second click ended something")
		}
		if got := must(s.Draft(t.Context(), "maria", next.ID))(t); got.ID != next.ID {
			t.Error("the next draft has changed")
		}
	})
}

func TestADraftThatWasSavedMeanwhileIsNotEnded(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		seen := must(s.StartDraft(t.Context(), "maria", "borrower", ""))(t)
		newer := must(s.SaveDraft(t.Context(), seen))(t)
		_, err := s.EndDraft(t.Context(), seen)
		wantError(t, err, ErrConflict)
		if !must(s.EndDraft(t.Context(), newer))(t) {
			t.Error("the newer draft does not end")
		}
	})
}

func TestADraftSurvivesTheProcessAndARestartOfRedis(t *testing.T) {
	t.Parallel()
	secret := must(keys.Generate())(t)
	server := redistest.StartServer(t)
	before, err := Open(t.Context(), server.URL(), must(keys.Parse(secret))(t))
	if err != nil {
		t.Fatal(err)
	}
	d := must(before.StartDraft(t.Context(), "maria", "borrower", "1042"))(t)
	d.Answers = map[string]string{"taxId": "299999998"}
	must(before.SaveDraft(t.Context(), d))(t)
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	server.Start()
	after := open(t, server.URL(), must(keys.Parse(secret))(t))
	if got := must(after.Draft(t.Context(), "maria", d.ID))(t); got.Answers["taxId"] != "299999998" {
		t.Error("what was typed is lost")
	}
}

func TestADraftCannotBeReadWithTheIDOfAnotherOwner(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		d := must(s.StartDraft(t.Context(), "maria", "borrower", ""))(t)
		must(s.StartDraft(t.Context(), "joana", "borrower", ""))(t)
		stolen := d
		stolen.Owner = "joana"
		for name, attempt := range map[string]func() error{
			"read":       func() error { _, err := s.Draft(t.Context(), "joana", d.ID); return err },
			"save":       func() error { _, err := s.SaveDraft(t.Context(), stolen); return err },
			"end":        func() error { _, err := s.EndDraft(t.Context(), stolen); return err },
			"invented":   func() error { _, err := s.Draft(t.Context(), "maria", "A"+d.ID[1:]+"x"); return err },
			"other half": func() error { _, err := s.Draft(t.Context(), "maria", strings.Repeat("A", 26)+d.ID[26:]); return err },
			"empty":      func() error { _, err := s.Draft(t.Context(), "maria", ""); return err },
		} {
			if err := attempt(); !errors.Is(err, ErrGone) {
				t.Errorf("%s: got %v, want ErrGone", name, err)
			}
		}
		if got := must(s.Drafts(t.Context(), "joana"))(t); len(got) != 1 || got[0].Owner != "joana" {
			t.Errorf("joana sees %d drafts", len(got))
		}
	})
}

func TestASaveExtendsTheLifetimeOfADraftAndAnUnsavedOneExpires(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		ctx := t.Context()
		d := must(s.StartDraft(ctx, "maria", "borrower", ""))(t)
		draft := s.draftKey("maria", s.name("topic", "borrower", ""))
		for _, key := range draft.keys() {
			must(s.redis.PExpire(ctx, key, time.Minute).Result())(t) // as if 23 h 59 min had passed
		}
		d = must(s.SaveDraft(ctx, d))(t)
		for _, key := range draft.keys() {
			if left := s.redis.PTTL(ctx, key).Val(); left < 23*time.Hour || left > 24*time.Hour {
				t.Errorf("after a save %s has %s left", key, left)
			}
		}
		must(s.redis.PExpire(ctx, draft.name, time.Millisecond).Result())(t)
		waittest.Eventually(t, "the draft expires", func() bool {
			_, ok, err := s.FindDraft(ctx, "maria", "borrower", "")
			return !ok && err == nil
		})
		_, err := s.SaveDraft(ctx, d)
		wantError(t, err, ErrGone)
		_, err = s.EndDraft(ctx, d)
		wantError(t, err, ErrGone)
		if left := must(s.Drafts(ctx, "maria"))(t); len(left) != 0 {
			t.Errorf("the expired draft is still listed")
		}
	})
}

func TestAPersonsDraftsAreListedLastSavedFirst(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
		s := p.replica(t, WithClock(func() time.Time { now = now.Add(time.Second); return now }))
		first := must(s.StartDraft(t.Context(), "maria", "borrower", "1"))(t)
		second := must(s.StartDraft(t.Context(), "maria", "borrower", "2"))(t)
		third := must(s.StartDraft(t.Context(), "maria", "esis", "1"))(t)
		must(s.SaveDraft(t.Context(), first))(t)
		must(s.EndDraft(t.Context(), third))(t)
		got := must(s.Drafts(t.Context(), "maria"))(t)
		if len(got) != 2 || got[0].ID != first.ID || got[1].ID != second.ID {
			t.Errorf("got %v", got)
		}
	})
}

func TestDraftsHaveALimitInNumberAndSize(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		var last Draft
		for i := range maxDrafts {
			last = must(s.StartDraft(t.Context(), "maria", "borrower", fmt.Sprint(i)))(t)
		}
		_, err := s.StartDraft(t.Context(), "maria", "borrower", "one more")
		wantError(t, err, ErrLimit)
		if again := must(s.StartDraft(t.Context(), "maria", "borrower", "7"))(t); again.Version != 1 {
			t.Error("an open draft is no longer found when there are many")
		}
		must(s.EndDraft(t.Context(), last))(t)
		must(s.StartDraft(t.Context(), "maria", "borrower", "one more"))(t)

		big := must(s.StartDraft(t.Context(), "joana", "borrower", ""))(t)
		big.Answers = map[string]string{"essay": strings.Repeat("a", maxDraft)}
		_, err = s.SaveDraft(t.Context(), big)
		wantError(t, err, ErrLimit)
	})
}

// atOnce runs call n times concurrently and counts the results.
func atOnce[T comparable](n int, call func(i int) T) map[T]int {
	replies := make(map[T]int)
	var mu sync.Mutex
	var callers sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		callers.Go(func() {
			<-gate
			result := call(i)
			mu.Lock()
			defer mu.Unlock()
			replies[result]++
		})
	}
	close(gate)
	callers.Wait()
	return replies
}
