package notifications

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
)

// fakePoster is a strict destination.Poster: it stores what is posted, and fails the test if it is used wrongly.
type fakePoster struct {
	t           testing.TB
	minInterval time.Duration

	mu           sync.Mutex
	destinations map[string]*conversation
	calls        atomic.Int64
	inFlight     atomic.Int64 // calls under way
	maxInFlight  atomic.Int64

	fault func(dest, method string) error // returns the result of a call; see errLost
	block func(ctx context.Context)       // delays a call
}

type conversation struct {
	messages []*message
	busy     bool
	last     time.Time // when a message was last posted, edited or refused
}

type message struct {
	id, thread string
	notice     destination.Notice
	edits      int
	deleted    bool
}

// Errors that implement one method of [destination.Poster]'s failures each.
type (
	rateLimited      time.Duration
	unreachableError string
	deletedError     struct{}
	notSentError     struct{}
)

func (a rateLimited) Error() string             { return "too many" }
func (a rateLimited) RetryAfter() time.Duration { return time.Duration(a) }
func (u unreachableError) Error() string        { return string(u) }
func (u unreachableError) Unreachable() string  { return string(u) }
func (deletedError) Error() string              { return "message_not_found" }
func (deletedError) Gone() bool                 { return true }
func (notSentError) Error() string              { return "invalid_blocks" }
func (notSentError) NotSent() bool              { return true }

// lateError is the error of a post that times out, and whose message appears later.
type lateError time.Duration

func (lateError) Error() string { return "the time is over" }

// errLost is the error of a call that was done and whose reply was lost.
var errLost = errors.New("the connection ended")

func newFakePoster(t testing.TB) *fakePoster {
	n := &fakePoster{t: t, destinations: map[string]*conversation{}}
	t.Cleanup(n.checkNoPersonalData)
	return n
}

// secrets are in every snapshot, and must be nowhere else.
var secrets = []string{"3c0ffee0-0000-4000-8000-00000000beef", "digest-of-maria-exemplo", "Maria Exemplo", "299999998"}

func (p *fakePoster) checkNoPersonalData() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for dest, board := range p.destinations {
		for _, m := range board.messages {
			text, err := json.Marshal(m.notice)
			if err != nil {
				p.t.Error(err)
			}
			for _, secret := range secrets {
				if strings.Contains(string(text), secret) {
					p.t.Errorf("%s got personal data: %s", dest, text)
				}
			}
		}
	}
}

// begin begins a call. It fails the test if another call to the destination is under way, or the last message is too
// recent. A call whose context has ended fails without being made, as over HTTP.
func (p *fakePoster) begin(ctx context.Context, dest, method string) (b *conversation, leave func(), err error) {
	if ctx.Err() != nil {
		return nil, func() {}, ctx.Err()
	}
	p.mu.Lock()
	b = p.destinations[dest]
	if b == nil {
		b = &conversation{}
		p.destinations[dest] = b
	}
	if b.busy {
		p.t.Errorf("two calls for %s at once", dest)
	}
	if gap := time.Since(b.last); method != "find" && gap < p.minInterval {
		p.t.Errorf("%s is called %s after the last message at %s", method, gap, dest)
	}
	b.busy = true
	p.mu.Unlock()
	p.calls.Add(1)
	under := p.inFlight.Add(1)
	for most := p.maxInFlight.Load(); under > most && !p.maxInFlight.CompareAndSwap(most, under); most = p.maxInFlight.Load() {
	}
	if p.block != nil {
		p.block(ctx)
	}
	if p.fault != nil {
		err = p.fault(dest, method)
	}
	p.mu.Lock()
	return b, func() {
		b.busy = false
		if method != "find" {
			b.last = time.Now()
		}
		p.inFlight.Add(-1)
		p.mu.Unlock()
	}, err
}

func (p *fakePoster) Post(ctx context.Context, dest, thread string, notice destination.Notice) (string, error) {
	b, leave, err := p.begin(ctx, dest, "post")
	defer leave()
	switch late := lateError(0); {
	case errors.As(err, &late):
		time.AfterFunc(time.Duration(late), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			b.add(p.t, dest, thread, notice)
		})
		return "", err
	case err != nil && !errors.Is(err, errLost):
		return "", err
	case thread != "" && b.find(thread) == nil:
		return "", deletedError{}
	}
	m := b.add(p.t, dest, thread, notice)
	if err != nil {
		return "", err
	}
	return m.id, nil
}

func (b *conversation) add(t testing.TB, dest, thread string, notice destination.Notice) *message {
	for _, m := range b.messages {
		if m.notice.ID == notice.ID && !m.deleted {
			t.Errorf("%s was posted twice at %s", notice.ID, dest)
		}
	}
	m := &message{id: fmt.Sprintf("%s#%d", dest, len(b.messages)+1), thread: thread, notice: notice}
	b.messages = append(b.messages, m)
	return m
}

func (p *fakePoster) Edit(ctx context.Context, dest, id string, notice destination.Notice) error {
	b, leave, err := p.begin(ctx, dest, "edit")
	defer leave()
	if err != nil && !errors.Is(err, errLost) {
		return err
	}
	m := b.find(id)
	if m == nil {
		return deletedError{}
	}
	m.notice, m.edits = notice, m.edits+1
	return err
}

func (p *fakePoster) Find(ctx context.Context, dest, thread, noticeID string) (string, bool, error) {
	b, leave, err := p.begin(ctx, dest, "find")
	defer leave()
	if err != nil {
		return "", false, err
	}
	for _, m := range b.messages {
		if m.notice.ID == noticeID && m.thread == thread && !m.deleted {
			return m.id, true, nil
		}
	}
	return "", false, nil
}

func (b *conversation) find(id string) *message {
	for _, m := range b.messages {
		if m.id == id && !m.deleted {
			return m
		}
	}
	return nil
}

// messages returns the messages at a destination that were not deleted.
func (p *fakePoster) messages(dest string) (all []message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.destinations[dest]; b != nil {
		for _, m := range b.messages {
			if !m.deleted {
				all = append(all, *m)
			}
		}
	}
	return all
}

// replies returns the lines of all replies at a destination about a process, in order.
func (p *fakePoster) replies(dest string, process uuid.UUID) (lines []string) {
	for _, m := range p.messages(dest) {
		switch {
		case m.thread == "" || m.notice.Process != process:
		case len(m.notice.Lines) > 0:
			for _, line := range m.notice.Lines {
				_, text, _ := strings.Cut(line, " · ")
				lines = append(lines, text)
			}
		default:
			lines = append(lines, m.notice.Text)
		}
	}
	return lines
}

// card returns the card of a process at a destination, and how many there are.
func (p *fakePoster) card(dest string, process uuid.UUID) (card message, many int) {
	for _, m := range p.messages(dest) {
		if m.notice.Card && m.notice.Process == process {
			card, many = m, many+1
		}
	}
	return card, many
}

func (m message) fact(label string) string {
	for _, fact := range m.notice.Facts {
		if fact[0] == say(m.notice.Lang, label) {
			return fact[1]
		}
	}
	return ""
}
