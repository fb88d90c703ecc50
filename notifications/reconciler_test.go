package notifications

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestAWalkFindsWhatCallbacksMissed(t *testing.T) {
	everywhere(t, func(t *testing.T, town *town) {
		s := work(t, town.replica(t))
		walk(t, s)
		town.move(t, a1042)
		if err := town.bank.Touch(a1043); err != nil {
			t.Fatal(err)
		}
		opened := town.bank.AddProcess(sandbox.BrokerA)
		calls := town.bank.Calls(portal.ProcessDetail)
		walk(t, s)
		idle(t, s)
		for process, kind := range map[uuid.UUID]string{a1042: StatusChanged, a1043: Acted, opened: Opened} {
			if got := town.wantOnce(t, s, process, 1)[0].Changes; got[0].Kind != kind {
				t.Errorf("got %+v, want %s", got, kind)
			}
		}
		if calls = town.bank.Calls(portal.ProcessDetail) - calls; calls != 3 {
			t.Errorf("%d processes were read, want the three that moved", calls)
		}
	})
}

func TestWhatHasEndedIsReadOnceMoreAndThenLeftAlone(t *testing.T) {
	town := open(t, "memory")
	var passed time.Duration
	s := work(t, town.replica(t, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(passed) } }))
	walk(t, s)
	if err := town.bank.MoveTo(a1042, 7); err != nil {
		t.Fatal(err)
	}
	calls := func() int { return town.bank.Calls(portal.ProcessDetail) }
	before := calls()
	for range 3 {
		walk(t, s)
		idle(t, s)
	}
	town.wantOnce(t, s, a1042, 1)
	if got := calls() - before; got != 1 {
		t.Errorf("it was read %d times", got)
	}
}

func TestWhatTheListSaysIsWeighedAgainstThePicture(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	r := &reconciler{config: Config{Now: func() time.Time { return now }}}
	row := func(status int32, text string, acted time.Time) portal.ProcessSummary {
		return portal.ProcessSummary{ProcessStatusID: status, ProcessStatusDescription: text, LastActionDate: portal.Time{Time: acted}}
	}
	seen := func(change func(*sight)) sight {
		s := sight{known: true, picture: Snapshot{StatusID: 2, LastAction: now.Add(-time.Hour), Read: now.Add(-time.Minute)}}
		if change != nil {
			change(&s)
		}
		return s
	}
	hourAgo := now.Add(-time.Hour)
	for name, story := range map[string]struct {
		row  portal.ProcessSummary
		seen sight
		fits bool
	}{
		"as it was":                          {row(2, "Documents", hourAgo), seen(nil), true},
		"never seen":                         {row(2, "Documents", hourAgo), sight{}, false},
		"another status":                     {row(3, "Analysis", hourAgo), seen(nil), false},
		"a later action":                     {row(2, "Documents", now), seen(nil), false},
		"an earlier action":                  {row(2, "Documents", now.Add(-2*time.Hour)), seen(nil), true},
		"an action that is never to be seen": {row(2, "Documents", now.Add(-30*time.Minute)), seen(nil), true},
		"an update is not handed on":         {row(2, "Documents", hourAgo), seen(func(s *sight) { s.pending = []string{"{}"} }), false},
		"not read for a day":                 {row(2, "Documents", hourAgo), seen(func(s *sight) { s.picture.Read = now.Add(-25 * time.Hour) }), false},
		"ended, and not read for a day":      {row(2, "Concluído", hourAgo), seen(func(s *sight) { s.picture.Read = now.Add(-25 * time.Hour) }), true},
		"ended since":                        {row(7, "Concluído", hourAgo), seen(nil), false},
	} {
		if got := r.fits(story.row, story.seen); got != story.fits {
			t.Errorf("%s: it fits is %v", name, got)
		}
	}
}

func TestAWalkTurnsEveryPage(t *testing.T) {
	town := open(t, "memory")
	for range 2*walkPage + 5 {
		town.bank.AddProcess(sandbox.BrokerA)
	}
	s := town.replica(t)
	before := town.bank.Calls(portal.ProcessList)
	walk(t, s)
	if calls := town.bank.Calls(portal.ProcessList) - before; calls != 3 {
		t.Errorf("%d pages were read", calls)
	}
	last := sandbox.SampleProcess(sandbox.SampleOpen) // the oldest is at the end
	if _, known, err := s.Snapshot(t.Context(), last); !known || err != nil {
		t.Errorf("the last is not known: %v", err)
	}
}

func TestOfManyReplicasOneWalks(t *testing.T) {
	town := open(t, redistest.Start(t))
	var crowd sync.WaitGroup
	for range 5 {
		s := town.replica(t)
		crowd.Go(func() {
			if err := s.reconciler.turn(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	crowd.Wait()
	if calls := town.bank.Calls(portal.ProcessList); calls != 1 {
		t.Errorf("the list was read %d times", calls)
	}
}

func TestAHintWithoutAProcessAsksForOneWalk(t *testing.T) {
	town := open(t, redistest.Start(t))
	now := time.Now()
	s := town.replica(t, func(c *Config) { c.Now = func() time.Time { return now } })
	walk(t, s)
	for range 30 {
		hint(t, s, uuid.Nil)
	}
	work(t, s)
	idle(t, s)
	turns := func() int {
		before := town.bank.Calls(portal.ProcessList)
		for range 3 {
			if err := s.reconciler.turn(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return town.bank.Calls(portal.ProcessList) - before
	}
	if got := turns(); got != 0 {
		t.Errorf("a flood makes %d walks at once", got)
	}
	now = now.Add(5 * time.Minute) // of an hour between walks
	if got := turns(); got != 1 {
		t.Errorf("it walks %d times", got)
	}
	now = now.Add(5 * time.Minute)
	if got := turns(); got != 0 {
		t.Errorf("it walks %d times though nobody asks", got)
	}
	now = now.Add(time.Hour)
	if got := turns(); got != 1 {
		t.Errorf("it walks %d times though it is time", got)
	}
}

func TestAWalkOutlivesTheBanksBadDay(t *testing.T) {
	town := open(t, "memory")
	s := town.replica(t)
	back := town.bank.Inject(sandbox.Fault{Operation: portal.ProcessList, Status: 503})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.reconciler.run(ctx) }) // ends without an error
	t.Cleanup(func() { cancel(); running.Wait() })
	eventually(t, "it was tried twice", func() bool { return town.bank.Calls(portal.ProcessList) >= 2 })
	if done, err := walkedOnce(ctx, s.engine.stream.redis); done || err != nil {
		t.Errorf("the walk is done: %v, %v", done, err)
	}
	back()
	eventually(t, "the walk is done", func() bool { done, err := walkedOnce(ctx, s.engine.stream.redis); return done && err == nil })
}

func TestSinceLeavesNothingOutWhoeverWritesItDown(t *testing.T) {
	everywhere(t, func(t *testing.T, town *town) {
		ctx := t.Context()
		a, b := town.replica(t), town.replica(t)
		// The clock of one is an hour behind.
		b.config.Now = func() time.Time { return time.Now().Add(-time.Hour) }
		b.engine.config.Now = b.config.Now
		walk(t, a)
		var seen []string
		var since time.Time
		for i := range 8 {
			one := []*Service{a, b}[i%2]
			for _, process := range []uuid.UUID{a1042, a1043} {
				if err := town.bank.Touch(process); err != nil {
					t.Fatal(err)
				}
				if err := one.engine.look(ctx, process, look{upTo: "1-1"}); err != nil {
					t.Fatal(err)
				}
			}
			for { // one at a time
				updates, err := b.Since(ctx, since, 1)
				if err != nil || len(updates) > 1 {
					t.Fatal(len(updates), err)
				}
				if len(updates) == 0 {
					break
				}
				since = updates[0].At
				seen = append(seen, updates[0].ID())
			}
		}
		all, err := a.Since(ctx, time.Time{}, 0)
		if err != nil || len(all) != 16 || len(seen) != 16 {
			t.Fatalf("%d of %d were seen, %v", len(seen), len(all), err)
		}
		for i, update := range all {
			if update.ID() != seen[i] {
				t.Errorf("at %d is %s, seen was %s", i, update.ID(), seen[i])
			}
		}
		if !slices.IsSortedFunc(all, func(a, b Update) int { return a.At.Compare(b.At) }) {
			t.Error("they are not in order")
		}
		if now, err := a.Since(ctx, time.Now().Add(time.Minute), 10); err != nil || len(now) != 0 {
			t.Errorf("since now: %d, %v", len(now), err)
		}
	})
}

func TestWhatIsWrittenDownKeepsItsPlaceThoughTheClockGoesBack(t *testing.T) {
	everywhere(t, func(t *testing.T, town *town) {
		s, ctx := town.replica(t), t.Context()
		ahead := time.Now().Add(time.Hour).UnixMicro()
		client := s.config.Store.Client()
		sealed := make([]string, 4)
		for version := range sealed {
			var err error
			if sealed[version], err = s.engine.pictures.sealUpdate(Update{Version: int64(version)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.ZAdd(ctx, recordKey, redis.Z{Score: float64(ahead), Member: sealed[1]}).Err(); err != nil {
			t.Fatal(err)
		}
		for i, version := range []int{2, 3, 2, 1} {
			if first, err := s.engine.record.add(ctx, sealed[version]); err != nil || first != (i < 2) {
				t.Errorf("%d is new: %v, %v", version, first, err)
			}
		}
		updates, err := s.Since(ctx, time.Now(), 0)
		if err != nil || len(updates) != 3 {
			t.Fatalf("%d updates, %v", len(updates), err)
		}
		for i, update := range updates {
			if update.Version != int64(i+1) || update.At.UnixMicro() != ahead+int64(i) {
				t.Errorf("at %d stands %d of %s", i, update.Version, update.At)
			}
		}
	})
}
