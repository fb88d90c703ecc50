package tools

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// filterLife is how long it is stored whether the bank's text filter works.
const filterLife = time.Hour

// listFilter is what is known of the bank's text filter.
type listFilter struct {
	flight singleflight.Group

	mu      sync.Mutex
	works   bool
	checked time.Time
}

func (f *listFilter) state(now time.Time) (works, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.works, !f.checked.IsZero() && now.Sub(f.checked) < filterLife
}

func (f *listFilter) set(works bool, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.works, f.checked = works, now
}

// filterWorks reports whether the bank's list is filtered by a text. A bank that does not know the parameter may ignore it and
// return every process.
func (b *BrokerIndex) filterWorks(ctx context.Context, bank *portal.User) (bool, error) {
	if works, known := b.filter.state(b.runner.now()); known {
		return works, nil
	}
	// One asks for all callers, without the deadline of the first; each waits until its own.
	answer := b.filter.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		return b.checkFilter(ctx, bank)
	})
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case result := <-answer:
		works, _ := result.Val.(bool)
		return works, result.Err
	}
}

// checkFilter asks the bank for a random text, which no process has.
func (b *BrokerIndex) checkFilter(ctx context.Context, bank *portal.User) (works bool, err error) {
	const kind, working, ignored = "list_filter", "works", "ignored"
	if data, ok, err := b.store().Get(ctx, kind, b.key()); err == nil && ok {
		works = string(data) == working
		b.filter.set(works, b.runner.now())
		return works, nil
	}
	page, err := bank.ListProcesses(ctx, portal.ProcessQuery{Text: pii.New[pii.Name](strings.ToLower(rand.Text())), Limit: 1})
	if err != nil {
		return false, err
	}
	works = len(page.Processes) == 0
	b.filter.set(works, b.runner.now())
	state := working
	if !works {
		state = ignored
		b.runner.Log.WarnContext(ctx, "the bank ignores the text filter of its list of processes: searches use the index only")
	}
	if err := b.store().Put(ctx, kind, b.key(), []byte(state), filterLife); err != nil {
		b.runner.Log.WarnContext(ctx, "storing whether the bank's filter works failed", "error", pii.Scrub(err.Error()))
	}
	return works, nil
}

// FilterIgnored reports whether the bank was last seen to ignore the text filter of its list.
func (b *BrokerIndex) FilterIgnored() bool {
	b.filter.mu.Lock()
	defer b.filter.mu.Unlock()
	return !b.filter.checked.IsZero() && !b.filter.works
}
