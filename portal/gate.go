package portal

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

// soon is when to ask again where nothing better is known.
const soon = time.Second

// gate stands between the client and the bank. It lets only so many requests through at once and each second, and none
// while the bank is down, so that a bank in trouble is not pushed deeper and nobody waits for it in vain.
type gate struct {
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	pace    *rate.Limiter
	calls   lane
	logins  lane // apart from the calls: a slow operation that takes every turn must not keep everybody else logged out
	openFor time.Duration
	log     *slog.Logger

	mu    sync.Mutex
	open  chan struct{} // closed while the breaker is open
	until time.Time     // when the breaker lets a probe through
}

// lane is a queue before a number of turns. A turn is given to who waits for it longest.
type lane struct{ turns, queue chan struct{} }

func newLane(turns, queue int) lane {
	return lane{make(chan struct{}, turns), make(chan struct{}, queue)}
}

func newGate(config Config) *gate {
	logins := config.MaxInFlight / 4
	g := &gate{
		pace:    rate.NewLimiter(rate.Limit(config.MaxPerSecond), max(1, config.MaxPerSecond/10)),
		calls:   newLane(config.MaxInFlight-max(1, logins), config.MaxWaiting),
		logins:  newLane(max(1, logins), config.MaxWaiting),
		openFor: config.OpenFor,
		log:     config.Log,
		open:    make(chan struct{}),
	}
	g.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   1, // one probe at a time; it closes the breaker, or opens it anew
		Timeout:       config.OpenFor,
		ReadyToTrip:   func(counts gobreaker.Counts) bool { return int(counts.ConsecutiveFailures) >= config.TripAfter },
		OnStateChange: g.changed,
		IsSuccessful:  func(err error) bool { return !errors.Is(err, errDown) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errNothingLearnt) },
	})
	return g
}

// What an attempt tells of the bank's health, beside that it is well.
var (
	errDown          = errors.New("the bank is down")
	errNothingLearnt = errors.New("the attempt tells nothing")
)

// health reads an attempt. An answer in the 400s comes from a bank that is well. A caller who leaves, or whose own
// deadline ends the attempt, tells nothing; nor does a page that something before the bank may have sent.
func health(ctx context.Context, err error) error {
	failure, failed := errors.AsType[*Error](err)
	switch {
	case !failed:
		return nil
	case failure.Status >= 500:
		return errDown
	case failure.Status >= 400:
		return nil
	case failure.Status != 0 || ctx.Err() != nil:
		return errNothingLearnt
	default: // no connection, a broken one, or no reply in the time of an attempt
		return errDown
	}
}

// enter waits for a turn to send r, which leave gives back with what came of it. Where there is none, nothing was sent.
func (g *gate) enter(ctx context.Context, r request) (leave func(error), err error) {
	lane := g.calls
	if r.op.ID == Authenticate {
		lane = g.logins
	}
	if g.breaker.State() == gobreaker.StateOpen {
		return nil, g.down(r)
	}
	if err := g.wait(ctx, lane, r); err != nil {
		return nil, err
	}
	done, err := g.breaker.Allow()
	if err != nil {
		<-lane.turns
		return nil, g.down(r)
	}
	return func(err error) {
		<-lane.turns
		done(health(ctx, err))
	}, nil
}

// wait takes a turn of the lane, and then one of the second's requests.
func (g *gate) wait(ctx context.Context, lane lane, r request) error {
	select {
	case lane.turns <- struct{}{}:
	default:
		if err := g.queue(ctx, lane, r); err != nil {
			return err
		}
	}
	if err := g.pace.Wait(ctx); err != nil { // at once when the deadline comes first
		<-lane.turns
		return r.late(ctx)
	}
	return nil
}

func (g *gate) queue(ctx context.Context, lane lane, r request) error {
	select {
	case lane.queue <- struct{}{}:
		defer func() { <-lane.queue }()
	default:
		return r.held(TooMany, "too many calls wait for their turn", soon, nil)
	}
	select {
	case lane.turns <- struct{}{}:
		return nil
	case <-g.opened():
		return g.down(r)
	case <-ctx.Done():
		return r.late(ctx)
	}
}

// late is the failure of a call whose time was over before its turn came.
func (r request) late(ctx context.Context) *Error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return r.held(Unavailable, "the caller gave up", 0, context.Canceled)
	}
	return r.held(TooMany, "no turn in time", soon, context.DeadlineExceeded)
}

// down is the failure of a call while the bank is not asked.
func (g *gate) down(r request) *Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return r.held(Unavailable, "the bank is down and not asked for a while", max(time.Until(g.until), soon), nil)
}

// held is a failure on this side of the wire: nothing was sent, and trying again at once would not help.
func (r request) held(kind Kind, reason string, retryAfter time.Duration, cause error) *Error {
	return &Error{Kind: kind, Operation: r.op.ID, Reason: reason, RetryAfter: retryAfter, cause: cause, held: true}
}

func (g *gate) opened() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// changed follows the breaker. Who waits for a turn when it opens is told at once.
func (g *gate) changed(_ string, _, to gobreaker.State) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch to {
	case gobreaker.StateOpen:
		g.until = time.Now().Add(g.openFor)
		close(g.open)
		g.log.Warn("the bank is down: no calls for a while", "retry_after", g.openFor)
	case gobreaker.StateHalfOpen:
		g.open = make(chan struct{})
	case gobreaker.StateClosed:
		g.log.Info("the bank is back")
	}
}
