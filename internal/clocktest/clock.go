// Package clocktest has a clock that a test sets. It is for tests with real connections, for which testing/synctest has no clock:
// a bubble waits for nothing outside of it. It is a leaf, so that every test can import it.
package clocktest

import (
	"sync/atomic"
	"time"
)

// Clock is a clock that a test sets, from any goroutine. The zero value goes as the real one does.
type Clock struct {
	stands time.Time // the time at which it stands, zero if it goes
	ahead  atomic.Int64
}

// At returns a clock that stands at a time.
func At(t time.Time) *Clock { return &Clock{stands: t} }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time { return c.base().Add(time.Duration(c.ahead.Load())) }

func (c *Clock) base() time.Time {
	if c.stands.IsZero() {
		return time.Now()
	}
	return c.stands
}

// Add sets the clock forward by d, or back if d is negative.
func (c *Clock) Add(d time.Duration) { c.ahead.Add(int64(d)) }

// Set sets the clock to a time.
func (c *Clock) Set(t time.Time) { c.ahead.Store(int64(t.Sub(c.base()))) }
