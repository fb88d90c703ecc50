package waittest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balcao/balcao/internal/waittest"
)

// failing is a test whose failure is recorded instead of reported. Fatalf panics, as FailNow ends the goroutine.
type failing struct {
	testing.TB
	message string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
	panic(f)
}

func messageOf(t *testing.T, wait func(t testing.TB)) string {
	t.Helper()
	f := &failing{TB: t}
	func() {
		defer func() { _ = recover() }()
		wait(f)
	}()
	return f.message
}

func TestEventuallyReturnsOnceTheConditionHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		waittest.Eventually(t, "a second has passed", func() bool { return time.Since(start) >= time.Second })
		if passed := time.Since(start); passed > 1100*time.Millisecond {
			t.Errorf("it took %v", passed)
		}
	})
}

func TestAWaitEndsAtItsDeadline(t *testing.T) {
	const want = "timed out after 1m0s waiting until pigs fly"
	for name, wait := range map[string]func(testing.TB){
		"Eventually": func(t testing.TB) { waittest.Eventually(t, "pigs fly", func() bool { return false }) },
		"Receive":    func(t testing.TB) { waittest.Receive(t, "pigs fly", make(chan int)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				if got := messageOf(t, wait); got != want || time.Since(start) != waittest.Deadline {
					t.Errorf("got %q after %v, want %q after %v", got, time.Since(start), want, waittest.Deadline)
				}
			})
		})
	}
}

func TestReceiveReturnsTheValue(t *testing.T) {
	c := make(chan int, 1)
	c <- 7
	if got := waittest.Receive(t, "a number comes", c); got != 7 {
		t.Errorf("got %d", got)
	}
}
