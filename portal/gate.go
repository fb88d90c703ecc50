package portal

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// minRetryAfter is when to ask again where nothing better is known.
const minRetryAfter = time.Second

// gate stands between the client and the bank. It lets only so many requests through at once and each second, none of an
// operation that keeps failing, and none at all while the bank cannot be reached, so that a bank in trouble is not pushed
// deeper and nobody waits for it in vain.
type gate struct {
	bank       *circuit
	operations map[OperationID]*circuit // one for each row of the table
	pace       *rate.Limiter
	calls      lane
	logins     lane // apart from the calls: a slow operation that takes every turn must not keep everybody else logged out
}

// lane is a queue before a number of turns. A turn is given to who waits for it longest.
type lane struct{ turns, queue chan struct{} }

func newLane(turns, queue int) lane {
	return lane{make(chan struct{}, turns), make(chan struct{}, queue)}
}

func newGate(config Config, rows map[OperationID]row) *gate {
	logins := config.MaxInFlight / 4
	g := &gate{
		bank:       newCircuit(config, bankHealth, "the bank is down", config.Log.With("circuit", "bank")),
		operations: make(map[OperationID]*circuit, len(rows)),
		pace:       rate.NewLimiter(rate.Limit(config.MaxPerSecond), max(1, config.MaxPerSecond/10)),
		calls:      newLane(config.MaxInFlight-max(1, logins), config.MaxWaiting),
		logins:     newLane(max(1, logins), config.MaxWaiting),
	}
	for id := range rows {
		g.operations[id] = newCircuit(config, operationHealth, "an operation of the bank fails", config.Log.With("circuit", string(id)))
	}
	return g
}

// acquire waits for a turn to send r, which leave gives back with what came of it. Where there is none, nothing was sent.
func (g *gate) acquire(ctx context.Context, r request) (release func(error), err error) {
	lane, operation := g.calls, g.operations[r.op.ID]
	if r.op.ID == Authenticate {
		lane = g.logins
	}
	for _, circuit := range []*circuit{g.bank, operation} {
		if circuit.isOpen() {
			return nil, circuit.openError(r)
		}
	}
	if err := g.wait(ctx, lane, r); err != nil {
		return nil, err
	}
	ofOperation, ok := operation.allow(ctx)
	if !ok {
		<-lane.turns
		return nil, operation.openError(r)
	}
	ofBank, ok := g.bank.allow(ctx)
	if !ok {
		ofOperation(errInconclusive)
		<-lane.turns
		return nil, g.bank.openError(r)
	}
	return func(err error) {
		<-lane.turns
		ofBank(err)
		ofOperation(err)
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
		return r.noTurn(ctx)
	}
	return nil
}

func (g *gate) queue(ctx context.Context, lane lane, r request) error {
	select {
	case lane.queue <- struct{}{}:
		defer func() { <-lane.queue }()
	default:
		return r.notSent(TooMany, "too many calls wait for their turn", minRetryAfter, nil)
	}
	select {
	case lane.turns <- struct{}{}:
		return nil
	case <-g.bank.whenOpened():
		return g.bank.openError(r)
	case <-g.operations[r.op.ID].whenOpened():
		return g.operations[r.op.ID].openError(r)
	case <-ctx.Done():
		return r.noTurn(ctx)
	}
}

// noTurn is the failure of a call whose time was over before its turn came.
func (r request) noTurn(ctx context.Context) *Error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return r.notSent(Unavailable, "the caller gave up", 0, context.Canceled)
	}
	return r.notSent(TooMany, "no turn in time", minRetryAfter, context.DeadlineExceeded)
}

// notSent is a failure on this side of the wire: nothing was sent, and trying again at once would not help.
func (r request) notSent(kind Kind, reason string, retryAfter time.Duration, cause error) *Error {
	return &Error{Kind: kind, Operation: r.op.ID, Reason: reason, RetryAfter: retryAfter, cause: cause, notSent: true}
}

// OpenCircuits lists the operations that are not asked for a while because they keep failing; all is set while none is, because
// the bank cannot be reached.
func (c *Client) OpenCircuits() (operations []OperationID, all bool) {
	for id, circuit := range c.gate.operations {
		if circuit.isOpen() {
			operations = append(operations, id)
		}
	}
	slices.Sort(operations)
	return operations, c.gate.bank.isOpen()
}
