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

// circuit is the circuit breaker of one operation, or of the whole bank. While it is open nothing is sent; then one request
// probes whether it can close.
type circuit struct {
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	health  func(context.Context, *Error) error // judges a failed attempt
	reason  string                              // why calls are not sent
	openFor time.Duration
	log     *slog.Logger

	mu     sync.Mutex
	opened chan struct{} // closed while the circuit is open
	until  time.Time     // when it lets a probe through
}

// What a failed attempt shows of an operation or of the bank; nil is that it works.
var (
	errFailing      = errors.New("failing")
	errInconclusive = errors.New("inconclusive")
)

func newCircuit(config Config, health func(context.Context, *Error) error, reason string, log *slog.Logger) *circuit {
	c := &circuit{health: health, reason: reason, openFor: config.OpenFor, log: log, opened: make(chan struct{})}
	c.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   1, // one probe at a time; it closes the circuit, or opens it again
		Timeout:       config.OpenFor,
		ReadyToTrip:   func(counts gobreaker.Counts) bool { return int(counts.ConsecutiveFailures) >= config.TripAfter },
		OnStateChange: c.changed,
		IsSuccessful:  func(err error) bool { return !errors.Is(err, errFailing) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errInconclusive) },
	})
	return c
}

// bankHealth judges the bank as a whole by a failed attempt. Any answer of the bank's own shows that it works. A timeout is
// inconclusive: only the operation may be slow.
func bankHealth(ctx context.Context, failure *Error) error {
	switch {
	case failure.Status == http.StatusServiceUnavailable:
		return errFailing
	case failure.Status == http.StatusBadGateway, failure.Status == http.StatusGatewayTimeout: // a proxy before the bank
		return errInconclusive
	case failure.Status >= 400:
		return nil
	case failure.Status != 0, ctx.Err() != nil, failure.replied, failure.reached && errors.Is(failure.cause, context.DeadlineExceeded):
		return errInconclusive
	default: // no connection, or a broken one
		return errFailing
	}
}

// operationHealth judges an operation by a failed attempt. A status in the 400s shows that it works. Inconclusive are a
// caller who cancels or whose deadline ends, a page that a proxy may have sent, and a failure to connect.
func operationHealth(ctx context.Context, failure *Error) error {
	switch {
	case failure.Kind == WrongPath: // it does not exist
		return nil
	case failure.Status >= 500:
		return errFailing
	case failure.Status >= 400:
		return nil
	case failure.Status != 0, ctx.Err() != nil, !failure.reached:
		return errInconclusive
	default: // the connection broke, or the attempt timed out
		return errFailing
	}
}

// isOpen reports whether calls are not sent now.
func (c *circuit) isOpen() bool { return c.breaker.State() == gobreaker.StateOpen }

// allow reports whether an attempt may be sent. Its error, or errInconclusive, is passed to done.
func (c *circuit) allow(ctx context.Context) (done func(error), ok bool) {
	report, err := c.breaker.Allow()
	return func(err error) {
		if failure, failed := errors.AsType[*Error](err); failed {
			err = c.health(ctx, failure)
		}
		report(err)
	}, err == nil
}

// openError returns the error of a call while the circuit is open.
func (c *circuit) openError(r request) *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.notSent(Unavailable, c.reason+"; its circuit is open", max(time.Until(c.until), minRetryAfter), nil)
}

// whenOpened returns a channel that is closed when the circuit opens, for queued calls.
func (c *circuit) whenOpened() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opened
}

// changed is called when the breaker changes its state.
func (c *circuit) changed(_ string, _, to gobreaker.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch to {
	case gobreaker.StateOpen:
		c.until = time.Now().Add(c.openFor)
		close(c.opened)
		c.log.Warn("circuit opened: "+c.reason, "retry_after", c.openFor)
	case gobreaker.StateHalfOpen:
		c.opened = make(chan struct{})
	case gobreaker.StateClosed:
		c.log.Info("circuit closed")
	}
}
