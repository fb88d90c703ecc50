package portal

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// circuit is the breaker of one operation, or of the whole bank. While it is open nothing is sent; then a single request
// finds out whether it may close.
type circuit struct {
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	health  func(context.Context, *Error) error // what an attempt that failed tells
	reason  string                              // why calls are held
	openFor time.Duration
	log     *slog.Logger

	mu     sync.Mutex
	opened chan struct{} // closed while the circuit is open
	until  time.Time     // when it lets a probe through
}

// What an attempt tells of an operation or of the bank, beside that it works.
var (
	errFailing      = errors.New("it fails")
	errInconclusive = errors.New("the attempt tells nothing")
)

func newCircuit(config Config, health func(context.Context, *Error) error, reason string, log *slog.Logger) *circuit {
	c := &circuit{health: health, reason: reason, openFor: config.OpenFor, log: log, opened: make(chan struct{})}
	c.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   1, // one probe at a time; it closes the circuit, or opens it anew
		Timeout:       config.OpenFor,
		ReadyToTrip:   func(counts gobreaker.Counts) bool { return int(counts.ConsecutiveFailures) >= config.TripAfter },
		OnStateChange: c.changed,
		IsSuccessful:  func(err error) bool { return !errors.Is(err, errFailing) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errInconclusive) },
	})
	return c
}

// bankHealth reads what a failed attempt tells of the bank as a whole. Any answer of the bank's own comes from a bank that
// is there. A reply that does not come in time tells of the operation only.
func bankHealth(ctx context.Context, failure *Error) error {
	switch {
	case failure.Status == http.StatusServiceUnavailable:
		return errFailing
	case failure.Status == http.StatusBadGateway, failure.Status == http.StatusGatewayTimeout: // something before the bank
		return errInconclusive
	case failure.Status >= 400:
		return nil
	case failure.Status != 0, ctx.Err() != nil, failure.replied, failure.reached && errors.Is(failure.cause, context.DeadlineExceeded):
		return errInconclusive
	default: // no connection, or a broken one
		return errFailing
	}
}

// operationHealth reads what a failed attempt tells of its operation. An answer in the 400s comes from one that works. A
// caller who leaves, or whose own deadline ends the attempt, tells nothing; nor does a page that something before the bank
// may have sent, or a bank to which there is no connection.
func operationHealth(ctx context.Context, failure *Error) error {
	switch {
	case failure.Status >= 500:
		return errFailing
	case failure.Status >= 400:
		return nil
	case failure.Status != 0, ctx.Err() != nil, !failure.reached:
		return errInconclusive
	default: // the connection broke, or no reply came in the time of an attempt
		return errFailing
	}
}

// isOpen tells whether a call is held for now.
func (c *circuit) isOpen() bool { return c.breaker.State() == gobreaker.StateOpen }

// allow lets an attempt through; done is told what came of it, or errNothingLearnt.
func (c *circuit) allow(ctx context.Context) (done func(error), ok bool) {
	report, err := c.breaker.Allow()
	return func(err error) {
		if failure, failed := errors.AsType[*Error](err); failed {
			err = c.health(ctx, failure)
		}
		report(err)
	}, err == nil
}

// openError is the failure of a call while the circuit is open.
func (c *circuit) openError(r request) *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.notSent(Unavailable, c.reason+", and is not asked for a while", max(time.Until(c.until), minRetryAfter), nil)
}

// whenOpened is closed once the circuit opens, for who waits for a turn.
func (c *circuit) whenOpened() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opened
}

// changed follows the breaker.
func (c *circuit) changed(_ string, _, to gobreaker.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch to {
	case gobreaker.StateOpen:
		c.until = time.Now().Add(c.openFor)
		close(c.opened)
		c.log.Warn(c.reason+": no calls for a while", "retry_after", c.openFor)
	case gobreaker.StateHalfOpen:
		c.opened = make(chan struct{})
	case gobreaker.StateClosed:
		c.log.Info("calls are made again")
	}
}
