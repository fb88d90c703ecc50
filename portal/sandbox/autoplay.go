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

// Pace says how often the bank changes processes by itself.
type Pace string

// The paces.
const (
	Off  Pace = "off"
	Slow Pace = "slow" // one change at each broker every 30 to 60 seconds
	Fast Pace = "fast" // every 2 seconds
)

// maxOpened is how many processes autoplay opens before it deletes the oldest of them that has ended.
const maxOpened = 200

// Why a process is not changed.
var (
	ErrNoProcess = errors.New("sandbox: there is no such process")
	ErrEnded     = errors.New("sandbox: the process has ended")
	ErrNoState   = errors.New("sandbox: there is no such state")
)

// autoplay changes processes in the background.
type autoplay struct {
	mu     sync.Mutex // guards all below
	closed bool
	pace   Pace
	stop   context.CancelFunc // nil if the pace is off
	done   chan struct{}
}

// SetPace sets how often the bank changes processes by itself. It fails for an unknown pace.
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

// end stops autoplay and waits for its goroutine. The caller holds the lock.
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

// autoplayInterval returns the time until the next step.
func (b *Bank) autoplayInterval(pace Pace) time.Duration {
	if pace == Fast {
		return 2 * time.Second
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return 30*time.Second + time.Duration(b.rng.Int64N(int64(30*time.Second)))
}

// autoplayStep decides a simulation of each broker, if one waits, and changes one of its processes: mostly its state,
// sometimes the bank writes a message, or asks for a document or decides on one. If all processes but the pinned ones have
// ended, it opens a new one.
func (b *Bank) autoplayStep() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, broker := range []Broker{BrokerA, BrokerB} {
		b.decideOne(broker)
		open := slices.DeleteFunc(b.store.of(broker.UID), func(p *process) bool { return p.ended() || p.pinned() })
		if len(open) == 0 {
			b.openAnother(broker)
			continue
		}
		p := open[b.rng.IntN(len(open))]
		switch luck := b.rng.IntN(10); {
		case luck == 0:
			b.write(p)
		case luck == 1:
			b.decideSome(p)
		default:
			b.setState(p, nextState(p.state))
		}
	}
}

// openAnother opens a process instead of those that ended. The caller holds the bank's lock.
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

// nextState returns the state after state. The workflow is ours: in creation, documents, analysis, valuation, approval, contract,
// closed.
func nextState(state int32) int32 { return min(state+1, closed) }

// setState sets the state of a process and notifies its broker; its property is valued when the valuation ends, and the ESIS is
// available from the approval. The caller holds the bank's lock.
func (b *Bank) setState(p *process, state int32) {
	if p.state == valuation && state > valuation && state != cancelled {
		b.valueProperties(p)
	}
	p.state = state
	b.recordAction(p, notification{NotificationTypeID: stateChanged, ProcessStatusID: state})
	if state == approval {
		p.action = actions[esisAvailable]
		b.notify(p.subject(), notification{NotificationTypeID: esisAvailable})
	}
}

// recordAction sets the process's last action and notifies its broker. The caller holds the bank's lock.
func (b *Bank) recordAction(p *process, n notification) {
	p.touch(b.now(), actions[n.NotificationTypeID])
	b.notify(p.subject(), n)
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

// IssueESIS makes the bank issue the ESIS of a process.
func (b *Bank) IssueESIS(id uuid.UUID) error {
	return b.withProcess(id, func(p *process) error {
		b.recordAction(p, notification{NotificationTypeID: esisAvailable})
		return nil
	})
}

// Advance sets a process to its next state and notifies its broker. It fails with [ErrEnded] if the process has ended.
func (b *Bank) Advance(id uuid.UUID) error {
	return b.withProcess(id, func(p *process) error {
		b.setState(p, nextState(p.state))
		return nil
	})
}

// SetState sets a process to a state of the taxonomy workflowStatesProposal and notifies its broker. It does nothing if the
// process has that state.
func (b *Bank) SetState(id uuid.UUID, state int32) error {
	if _, known := taxonomies()["workflowStatesProposal"][state]; !known {
		return ErrNoState
	}
	return b.withProcess(id, func(p *process) error {
		if p.state != state {
			b.setState(p, state)
		}
		return nil
	})
}

// Touch sets the date of the last action of a process to now, without a notification.
func (b *Bank) Touch(id uuid.UUID) error {
	return b.withProcess(id, func(p *process) error {
		p.touch(b.now(), p.action)
		return nil
	})
}

// withProcess calls do with a process that has not ended.
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
// [SampleProcess](SampleAdded), [SampleProcess](SampleAdded+1) and so on. It sends no notification.
func (b *Bank) AddProcess(broker Broker) uuid.UUID {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.store.add(broker, b.now()).id
}

// Close stops autoplay and the deliveries for good. The bank still answers calls.
func (b *Bank) Close() {
	b.autoplay.mu.Lock()
	b.autoplay.closed = true
	b.autoplay.end()
	b.autoplay.mu.Unlock()
	b.webhooks.close()
}

type rng = rand.Rand

func newRNG(seed uint64) *rng { return rand.New(rand.NewPCG(seed, seed)) }
