// Package waittest waits in tests for what other goroutines, replicas or servers do. It is a leaf, so that every test can
// import it, those inside a package included.
package waittest

import (
	"flag"
	"strconv"
	"testing"
	"time"
)

// Deadline is how long a test waits before it fails. It is generous, because a busy machine is slow.
const Deadline = time.Minute

const interval = 5 * time.Millisecond

// Eventually calls done every 5 ms until it returns true. After [Deadline] it fails the test with what, which completes the
// sentence «timed out waiting until …».
func Eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	if !Within(Deadline, done) {
		t.Fatalf("timed out after %v waiting until %s", Deadline, what)
	}
}

// Within calls done every 5 ms until it returns true, and returns false once limit is over. It is for a test that has more
// to say about the failure than Eventually.
func Within(limit time.Duration, done func() bool) bool {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	over := time.NewTimer(limit)
	defer over.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-over.C:
			return done()
		}
	}
	return true
}

// Receive returns the next value of c, or the zero value if c is closed. After [Deadline] it fails the test with what, as
// Eventually does.
func Receive[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	over := time.NewTimer(Deadline)
	defer over.Stop()
	select {
	case value := <-c:
		return value
	case <-over.C:
		t.Fatalf("timed out after %v waiting until %s", Deadline, what)
		panic("unreachable")
	}
}

// Parallel sets the number of tests that run in parallel to n, unless the flag -parallel sets one. TestMain of a package
// calls it whose tests mostly wait: the default is the number of processors.
func Parallel(n int) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", strconv.Itoa(n))
	}
}
