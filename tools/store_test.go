package tools_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// onServer gives a runner its journal in a real Redis.
func onServer(t *testing.T, server *redistest.Server, change ...func(*tools.Config)) house {
	t.Helper()
	b := openBranches(t)
	b.redis = server.URL()
	return b.replica(t, change...)
}

// wantStore wants a failure of the store, told in words that are true: nothing was sent.
func wantStore(t *testing.T, failure *tools.Error, kind tools.ErrorKind) {
	t.Helper()
	if failure == nil || failure.Kind != kind || !failure.Store {
		t.Fatalf("got %v, want %s of the store", failure, kind)
	}
	for lang, never := range map[words.Lang][]string{
		words.English:    {"was sent", "The bank cannot be reached"},
		words.Portuguese: {"O pedido foi enviado", "falar com o banco"},
	} {
		for _, text := range never {
			if told := failure.What(lang) + failure.Next(lang); strings.Contains(told, text) {
				t.Errorf("%q is untrue in %q", text, told)
			}
		}
	}
}

func TestAFullRedisIsToldAsSuchAndNothingIsSent(t *testing.T) {
	server := redistest.StartServer(t)
	h := onServer(t, server)
	server.Fill()
	_, failure := h.click(t)
	wantStore(t, failure, tools.Unavailable)
	if calls := h.bank.Calls(portal.BorrowerCreate); calls != 0 {
		t.Errorf("%d calls were sent", calls)
	}
	server.Drain()
	if _, failure := h.click(t); failure != nil {
		t.Errorf("after it had room again: %v", failure)
	}
}

// deaf is a journal whose answers are lost from Begin on.
type deaf struct {
	tools.Journal
	begun bool
}

func (d *deaf) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) ([]byte, bool, error) {
	if _, _, err := d.Journal.Begin(ctx, key, intent, lease); err != nil {
		return nil, false, err
	}
	d.begun = true
	return nil, false, conversations.ErrUnavailable
}

func (d *deaf) Look(ctx context.Context, key string) ([]byte, int64, time.Duration, error) {
	if d.begun {
		return nil, 0, 0, conversations.ErrUnavailable
	}
	return d.Journal.Look(ctx, key)
}

func TestACallThatIsPerhapsJournalledIsToldAsNotSentYetAndIsMadeOnce(t *testing.T) {
	b := openBranches(t)
	h := b.replica(t, func(c *tools.Config) { c.Journal = &deaf{Journal: c.Journal} })
	_, failure := h.click(t)
	wantStore(t, failure, tools.Unclear)
	if failure.RetryAfter < lease || b.bank.Calls(portal.BorrowerCreate) != 0 {
		t.Errorf("told to wait %s after %d calls", failure.RetryAfter, b.bank.Calls(portal.BorrowerCreate))
	}
	other := b.replica(t)
	other.sweep(t)
	result, failure := other.click(t)
	if failure != nil {
		t.Fatal(failure)
	}
	b.wantOnce(t, result, 1)
}
