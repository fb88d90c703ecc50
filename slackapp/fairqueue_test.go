package slackapp

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// testQueue counts running jobs and ends one after the other.
type testQueue struct {
	fairQueue
	mu      sync.Mutex
	begun   []string
	release chan struct{}
}

func newWorker() *testQueue {
	return &testQueue{fairQueue: fairQueue{persons: map[string]*personQueue{}}, release: make(chan struct{})}
}

func (w *testQueue) asks(who string) error {
	return w.submit(who, func() {
		w.mu.Lock()
		w.begun = append(w.begun, who)
		w.mu.Unlock()
		<-w.release
	})
}

func (w *testQueue) count(who string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(w.begun), func(other string) bool { return other != who }))
}

func TestAPersonsRequestsAreLimitedAndQueuedUntilBothAreFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker()
		for i := range 100 {
			err := w.asks("tom")
			over, is := errors.AsType[personLimitError](err)
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
		if w.count("tom") != maxWorkEach+maxWaitingEach || len(w.persons) != 0 || len(w.order) != 0 || w.running != 0 || w.waiting != 0 {
			t.Errorf("it is not over: %d, %v, %v, %d, %d", w.count("tom"), w.persons, w.order, w.running, w.waiting)
		}
	})
}

func TestQueuedPeopleTakeTurns(t *testing.T) {
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

func TestTheQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker()
		taken := 0
		for i := range 10 * (maxWork + maxWaiting) {
			switch err := w.asks(fmt.Sprint("person ", i%200)); {
			case err == nil:
				taken++
			case !errors.Is(err, errOverloaded):
				if _, over := errors.AsType[personLimitError](err); !over {
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
