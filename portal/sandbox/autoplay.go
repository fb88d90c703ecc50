package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pause"
)

// PageInterval says how fast processes move by themselves.
type Pace string

// The paces.
const (
	Off  Pace = "off"
	Slow Pace = "slow" // every 30 to 60 seconds something happens at each broker
	Fast Pace = "fast" // every 2 seconds
)

// maxOpened is how many processes the mover opens before the oldest that it opened and that has ended makes room.
const maxOpened = 200

// Why a process is not moved.
var (
	ErrNoProcess = errors.New("sandbox: there is no such process")
	ErrEnded     = errors.New("sandbox: the process has ended")
	ErrNoState   = errors.New("sandbox: there is no such state")
)

// autoplay is what moves processes in the background.
type autoplay struct {
	mu     sync.Mutex // guards all below
	closed bool
	pace   Pace
	stop   context.CancelFunc // nil when nothing moves
	done   chan struct{}
}

// SetPace changes how fast processes move by themselves. It fails for a pace that is none.
func (b *Bank) SetPace(pace Pace) error {
	pace = cmp.Or(pace, Off)
	if !slices.Contains([]Pace{Off, Slow, Fast}, pace) {
		return fmt.Errorf("sandbox: there is no pace %q", pace)
	}
	m := &b.autoplay
	m.mu.Lock()
	defer m.mu.Unlock()
	if pace == m.pace || m.closed {
		return nil
	}
	m.end()
	m.pace = pace
	if pace == Off {
		return nil
	}
	ctx, stop := context.WithCancel(context.Background())
	m.stop, m.done = stop, make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		b.runAutoplay(ctx, pace)
	}(m.done)
	return nil
}

// end waits until nothing moves by itself. The lock is held by the caller.
func (m *autoplay) end() {
	if m.stop != nil {
		m.stop()
		<-m.done
		m.stop = nil
	}
	m.pace = Off
}

func (b *Bank) runAutoplay(ctx context.Context, pace Pace) {
	for pause.For(ctx, b.autoplayInterval(pace)) {
		b.autoplayStep()
	}
}

// autoplayInterval is how long nothing happens.
func (b *Bank) autoplayInterval(pace Pace) time.Duration {
	if pace == Fast {
		return 2 * time.Second
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return 30*time.Second + time.Duration(b.rng.Int64N(int64(30*time.Second)))
}

// autoplayStep has something happen at each broker: mostly a process moves on, now and then the bank writes a message or asks for
// a document. Where every process that moves has ended, a new one is opened, so that a playground does not run dry.
func (b *Bank) autoplayStep() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, broker := range []Broker{BrokerA, BrokerB} {
		open := slices.DeleteFunc(b.store.of(broker.UID), func(p *process) bool { return p.ended() || p.pinned() })
		if len(open) == 0 {
			b.openAnother(broker)
			continue
		}
		p := open[b.rng.IntN(len(open))]
		switch luck := b.rng.IntN(10); {
		case luck == 0:
			b.recordAction(p, notification{NotificationTypeID: newMessage})
		case luck == 1:
			b.recordAction(p, b.documentRequest())
		default:
			b.setState(p, nextState(p.state))
		}
	}
}

// openAnother opens a process in the place of those that ended. The bank's lock is held by the caller.
func (b *Bank) openAnother(broker Broker) {
	p := b.store.add(broker, b.now())
	b.opened = append(b.opened, p.id)
	for i := 0; len(b.opened) > maxOpened && i < len(b.opened); {
		if old := b.store.processes[b.opened[i]]; old != nil && !old.ended() {
			i++
			continue
		}
		b.forget(b.opened[i])
		b.opened = slices.Delete(b.opened, i, i+1)
	}
	b.setState(p, p.state)
}

// nextState is the state after one. The workflow is ours: in creation, documents, analysis, valuation, approval, contract,
// closed.
func nextState(state int32) int32 { return min(state+1, closed) }

// setState puts a process into a state and tells its broker; the ESIS comes with the approval. The bank's lock is held by the
// caller.
func (b *Bank) setState(p *process, state int32) {
	p.state = state
	b.recordAction(p, notification{NotificationTypeID: stateChanged, ProcessStatusID: state})
	if state == approval {
		b.notify(p, notification{NotificationTypeID: esisAvailable})
	}
}

// recordAction dates the process's last action and tells its broker. The bank's lock is held by the caller.
func (b *Bank) recordAction(p *process, n notification) {
	action := map[int32]string{stateChanged: stateSet, newMessage: messageSent, documentAsked: askedFor}[n.NotificationTypeID]
	p.touch(b.now(), action)
	b.notify(p, n)
}

// touch sets the last action and its date, which is always later than the date before it: a caller who looks for what
// changed must see it.
func (p *process) touch(now time.Time, action string) {
	now = now.Truncate(time.Millisecond)
	if !now.After(p.last) {
		now = p.last.Add(time.Millisecond)
	}
	p.last, p.action = now, action
}

// documentRequest picks a type of document. The bank's lock is held by the caller.
func (b *Bank) documentRequest() notification {
	kinds := items("documentTypes", "")
	return notification{NotificationTypeID: documentAsked, DocumentTypeID: kinds[b.rng.IntN(len(kinds))].ID}
}

// Advance moves a process to its next state and tells its broker. One that has ended fails with [ErrEnded].
func (b *Bank) Advance(id uuid.UUID) error {
	return b.withProcess(id, func(p *process) error {
		b.setState(p, nextState(p.state))
		return nil
	})
}

// SetState moves a process to any state of the taxonomy workflowStatesProposal; one where it is already is no change.
func (b *Bank) SetState(id uuid.UUID, state int32) error {
	if _, known := taxonomies["workflowStatesProposal"][state]; !known {
		return ErrNoState
	}
	return b.withProcess(id, func(p *process) error {
		if p.state != state {
			b.setState(p, state)
		}
		return nil
	})
}

// WriteMessage has the bank write a message on a process. As yet only the notification and the last action's date tell of
// it.
func (b *Bank) WriteMessage(id uuid.UUID) error {
	return b.withProcess(id, func(p *process) error {
		b.recordAction(p, notification{NotificationTypeID: newMessage})
		return nil
	})
}

// AskForDocument has the bank ask for a document of a process. As yet only the notification and the last action's date
// tell of it.
func (b *Bank) AskForDocument(id uuid.UUID) error {
	return b.withProcess(id, func(p *process) error {
		b.recordAction(p, b.documentRequest())
		return nil
	})
}

// Touch dates the last action of a process anew, and tells nobody.
func (b *Bank) Touch(id uuid.UUID) error {
	return b.withProcess(id, func(p *process) error {
		p.touch(b.now(), p.action)
		return nil
	})
}

// withProcess does something to a process that has not ended.
func (b *Bank) withProcess(id uuid.UUID, do func(*process) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, known := b.store.processes[id]
	switch {
	case !known:
		return ErrNoProcess
	case p.ended():
		return ErrEnded
	}
	return do(p)
}

// AddProcess opens a process of a broker, in creation and with one invented borrower, and returns its id: those of
// [SampleProcess](SampleAdded), [SampleProcess](SampleAdded+1) and so on. It tells nobody.
func (b *Bank) AddProcess(broker Broker) uuid.UUID {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.store.add(broker, b.now()).id
}

// Close ends what the bank does by itself: the moving of processes and the deliveries, of which none starts any more. It
// still answers calls.
func (b *Bank) Close() {
	b.autoplay.mu.Lock()
	b.autoplay.closed = true
	b.autoplay.end()
	b.autoplay.mu.Unlock()
	b.webhooks.close()
}

type rng = rand.Rand

func newRNG(seed uint64) *rng { return rand.New(rand.NewPCG(seed, seed)) }
