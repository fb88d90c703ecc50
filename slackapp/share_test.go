package slackapp

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// worker counts what is under way, and lets one job after the other end.
type worker struct {
	shares
	mu      sync.Mutex
	begun   []string
	release chan struct{}
}

func newWorker() *worker {
	return &worker{shares: shares{people: map[string]*share{}}, release: make(chan struct{})}
}

func (w *worker) asks(who string) error {
	return w.add(who, func() {
		w.mu.Lock()
		w.begun = append(w.begun, who)
		w.mu.Unlock()
		<-w.release
	})
}

func (w *worker) count(who string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(w.begun), func(other string) bool { return other != who }))
}

func TestOnePersonHasAShareAndAQueueAndIsToldWhenBothAreFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker()
		for i := range 100 {
			err := w.asks("tom")
			over, is := errors.AsType[overShareError](err)
			if full := i >= maxWorkEach+maxWaitingEach; full != is || full && int(over) != maxWorkEach+maxWaitingEach {
				t.Fatalf("job %d: %v", i, err)
			}
		}
		if err := w.asks("ana"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if w.count("tom") != maxWorkEach || w.count("ana") != 1 {
			t.Errorf("under way are %d and %d", w.count("tom"), w.count("ana"))
		}
		close(w.release)
		synctest.Wait()
		if w.count("tom") != maxWorkEach+maxWaitingEach || len(w.people) != 0 || len(w.turns) != 0 || w.running != 0 || w.waiting != 0 {
			t.Errorf("it is not over: %d, %v, %v, %d, %d", w.count("tom"), w.people, w.turns, w.running, w.waiting)
		}
	})
}

func TestPeopleWhoWaitTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker()
		crowd := maxWork / maxWorkEach
		for i := range maxWork {
			if err := w.asks(fmt.Sprint("one of many ", i%(crowd+1))); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		for range maxWaitingEach {
			if err := w.asks("tom"); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := w.asks("ana"); err != nil {
				t.Fatal(err)
			}
		}
		for range 4 {
			w.release <- struct{}{}
			synctest.Wait()
		}
		if got := w.begun[maxWork:]; !slices.Equal(got, []string{"tom", "ana", "tom", "ana"}) {
			t.Errorf("the turns were %q", got)
		}
		close(w.release)
	})
}

func TestWhatWaitsInAllHasABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker()
		taken := 0
		for i := range 10 * (maxWork + maxWaiting) {
			switch err := w.asks(fmt.Sprint("person ", i%200)); {
			case err == nil:
				taken++
			case !errors.Is(err, errCrowded):
				if _, over := errors.AsType[overShareError](err); !over {
					t.Fatal(err)
				}
			}
		}
		if taken != maxWork+maxWaiting {
			t.Errorf("%d were taken", taken)
		}
		close(w.release)
	})
}
