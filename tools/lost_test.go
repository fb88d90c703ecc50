package tools_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// insistAs repeats a call under its key until its caller knows: it is done, or the bank has the borrower already, of
// which the journal has forgotten by whom.
func (h house) insistAs(t *testing.T, key string) {
	t.Helper()
	eventually(t, "the caller knows", func() bool {
		_, failure := h.run(t, "create_borrower", rui(nil), keyed(key))
		if failure == nil || failure.Kind == tools.Invalid && failure.Problems[0].Code == "borrower.duplicate" {
			return true
		}
		if failure.Kind != tools.Unavailable && failure.Kind != tools.Busy && failure.Kind != tools.Unclear {
			t.Fatal(failure)
		}
		return false
	})
}

// hasty is a configuration whose calls are short, so that the rest after a loss of data is short too.
func hasty(c *tools.Config) { c.CallTimeout = 4 * time.Second }

func TestARedisThatLosesItsDataWhileACallIsAtTheBankCostsNoSecondBorrower(t *testing.T) {
	server := redistest.StartServer(t)
	b := openBranches(t)
	b.redis = server.URL()
	h, other := b.replica(t, hasty), b.replica(t, hasty)
	b.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: 1500 * time.Millisecond, Times: 1})
	var group sync.WaitGroup
	group.Go(func() {
		if _, failure := h.click(t); failure != nil {
			t.Errorf("who was on the way: %v", failure)
		}
	})
	eventually(t, "the call is at the bank", func() bool { return b.bank.Calls(portal.BorrowerCreate) == 1 })
	server.Lose()
	eventually(t, "it is known that nothing may be sent", func() bool {
		_, failure := other.click(t)
		return failure != nil && failure.Kind == tools.Unavailable && failure.Store && failure.RetryAfter > 0
	})
	other.insistAs(t, "a click")
	other.insistAs(t, "another click")
	group.Wait()
	b.wantSettled(t, other, 1)
	if calls := b.bank.Calls(portal.BorrowerCreate); calls != 1 {
		t.Errorf("sent %d times", calls)
	}
}

// after is a journal after whose Begin something happens, once.
type after struct {
	tools.Journal
	then func()
}

func (a *after) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) ([]byte, bool, error) {
	prior, first, err := a.Journal.Begin(ctx, key, intent, lease)
	if then := a.then; then != nil {
		a.then = nil
		then()
	}
	return prior, first, err
}

func TestWhatRedisLosesBeforeItIsSentIsNotSentUntilTheBankWasLookedAtAgain(t *testing.T) {
	server := redistest.StartServer(t)
	b := openBranches(t)
	b.redis = server.URL()
	h := b.replica(t, hasty, func(c *tools.Config) { c.Journal = &after{c.Journal, server.Lose} })
	_, failure := h.click(t)
	if failure == nil || failure.Kind != tools.Unavailable || !failure.Store || failure.RetryAfter <= 0 {
		t.Errorf("got %v", failure)
	}
	if calls := b.bank.Calls(portal.BorrowerCreate); calls != 0 {
		t.Errorf("sent %d times", calls)
	}
	h.insistAs(t, "a click")
	b.wantSettled(t, h, 1)
}

func TestWhoLostTheSubjectNeitherSendsNorRecords(t *testing.T) {
	for name, sent := range map[string]int{"before sending": 0, "before recording": 1} {
		t.Run(name, func(t *testing.T) {
			b := openBranches(t)
			h := b.replica(t, unhurried, func(c *tools.Config) { c.Journal = brief{c.Journal} })
			taker := b.replica(t, unhurried)
			stop := func() { // the holder stands still, until another has the subject
				eventually(t, "somebody else did it", func() bool {
					_, failure := taker.run(t, "create_borrower", rui(nil), by("bruno"))
					return failure == nil || failure.Kind == tools.Invalid
				})
			}
			h.Config.Journal = &after{h.Config.Journal, stop}
			if sent == 1 {
				h.Config.Journal = &before{h.Config.Journal.(*after).Journal, stop}
			}
			result, failure := h.click(t)
			if sent == 0 && (failure == nil || failure.Kind != tools.Unclear) || sent == 1 && failure != nil {
				t.Errorf("got %v", failure)
			}
			if calls := b.bank.Calls(portal.BorrowerCreate); calls != 1 {
				t.Errorf("sent %d times", calls)
			}
			_ = result
			taker.insistAs(t, "a click")
			b.wantSettled(t, taker, 1)
		})
	}
}

// before is a journal before whose Finish something happens, once.
type before struct {
	tools.Journal
	then func()
}

func (b *before) Finish(ctx context.Context, key string, token int64, outcome []byte) error {
	if then := b.then; then != nil {
		b.then = nil
		then()
	}
	return b.Journal.Finish(ctx, key, token, outcome)
}
