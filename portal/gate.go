package portal

import (
	"context"
	"errors"
	"slices"
	"time"
)

// minRetryAfter is when to retry if nothing better is known.
const minRetryAfter = time.Second

// gate limits the requests at once and per second. It sends none of an operation that keeps failing, and none at all while
// the bank cannot be reached, so that a failing bank is not overloaded and callers fail fast.
type gate struct {
	bank       *circuit
	operations map[OperationID]*circuit // one for each row of the table
	pace       Pace
	calls      lane
	logins     lane // separate, so that a slow operation that takes every slot does not block logins
}

// lane is a number of slots with a queue. The longest waiting call gets the next slot.
type lane struct{ slots, queue chan struct{} }

func newLane(slots, queue int) lane {
	return lane{make(chan struct{}, slots), make(chan struct{}, queue)}
}

func newGate(config Config, rows map[OperationID]row) *gate {
	logins := config.MaxInFlight / 4
	g := &gate{
		bank:       newCircuit(config, bankHealth, "the bank is down", config.Log.With("circuit", "bank")),
		operations: make(map[OperationID]*circuit, len(rows)),
		pace:       config.Pace,
		calls:      newLane(config.MaxInFlight-max(1, logins), config.MaxWaiting),
		logins:     newLane(max(1, logins), config.MaxWaiting),
	}
	for id := range rows {
		g.operations[id] = newCircuit(config, operationHealth, "an operation of the bank fails", config.Log.With("circuit", string(id)))
	}
	return g
}

// acquire waits for a slot to send r. The error of the attempt is passed to release, which frees the slot. If acquire fails,
// nothing was sent.
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
		<-lane.slots
		return nil, operation.openError(r)
	}
	ofBank, ok := g.bank.allow(ctx)
	if !ok {
		ofOperation(errInconclusive)
		<-lane.slots
		return nil, g.bank.openError(r)
	}
	return func(err error) {
		<-lane.slots
		ofBank(err)
		ofOperation(err)
	}, nil
}

// wait takes a slot of the lane, and then waits for the rate limit.
func (g *gate) wait(ctx context.Context, lane lane, r request) error {
	select {
	case lane.slots <- struct{}{}:
	default:
		if err := g.queue(ctx, lane, r); err != nil {
			return err
		}
	}
	if err := g.pace.Wait(ctx); err != nil { // fails at once if the deadline comes first
		<-lane.slots
		return r.noSlot(ctx)
	}
	return nil
}

func (g *gate) queue(ctx context.Context, lane lane, r request) error {
	select {
	case lane.queue <- struct{}{}:
		defer func() { <-lane.queue }()
	default:
		return r.notSent(TooMany, "the queue is full", minRetryAfter, nil)
	}
	select {
	case lane.slots <- struct{}{}:
		return nil
	case <-g.bank.whenOpened():
		return g.bank.openError(r)
	case <-g.operations[r.op.ID].whenOpened():
		return g.operations[r.op.ID].openError(r)
	case <-ctx.Done():
		return r.noSlot(ctx)
	}
}

// noSlot returns the error of a call whose context ended in the queue.
func (r request) noSlot(ctx context.Context) *Error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return r.notSent(Unavailable, "cancelled by the caller", 0, context.Canceled)
	}
	return r.notSent(TooMany, "timed out in the queue", minRetryAfter, context.DeadlineExceeded)
}

// notSent returns the error of a call that the client did not send. Repeating it at once does not help.
func (r request) notSent(kind Kind, reason string, retryAfter time.Duration, cause error) *Error {
	return &Error{Kind: kind, Operation: r.op.ID, Reason: reason, RetryAfter: retryAfter, cause: cause, notSent: true}
}

// OpenCircuits returns the operations whose circuit is open because they keep failing. All is true while the circuit of the
// whole bank is open because it cannot be reached.
func (c *Client) OpenCircuits() (operations []OperationID, all bool) {
	for id, circuit := range c.gate.operations {
		if circuit.isOpen() {
			operations = append(operations, id)
		}
	}
	slices.Sort(operations)
	return operations, c.gate.bank.isOpen()
}
