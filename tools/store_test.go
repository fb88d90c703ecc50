package tools_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/tools/documents"
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
		words.Portuguese: {"O pedido foi enviado", "contactar o banco"},
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
	h := onServer(t, server, func(c *tools.Config) { c.AuditLog = c.Journal.(tools.AuditLog) })
	server.Fill()
	_, failure := h.click(t)
	wantStore(t, failure, tools.Unavailable)
	if calls := h.bank.Calls(portal.BorrowerCreate); calls != 0 {
		t.Errorf("%d calls were sent", calls)
	}
	result, failure := h.run(t, "list_borrowers", `{"process":"1042"}`)
	if wantStore(t, failure, tools.Unavailable); result.Output != nil {
		t.Errorf("client data is shown: %v", result.Output)
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
	if failure.RetryAfter < heldCall || b.bank.Calls(portal.BorrowerCreate) != 0 {
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

// filling is a journal whose Redis is full once a call is about to be written down.
type filling struct {
	tools.Journal
	server *redistest.Server
}

func (f filling) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) ([]byte, bool, error) {
	f.server.Fill()
	return f.Journal.Begin(ctx, key, intent, lease)
}

func TestACallThatRedisRefusesToJournalIsToldAsNotSentForGood(t *testing.T) {
	server := redistest.StartServer(t)
	h := onServer(t, server, func(c *tools.Config) { c.Journal = filling{c.Journal, server} })
	_, failure := h.click(t)
	server.Drain()
	wantStore(t, failure, tools.Unavailable)
	if failure.RetryAfter != 0 || h.bank.Calls(portal.BorrowerCreate) != 0 {
		t.Errorf("told to wait %s after %d calls", failure.RetryAfter, h.bank.Calls(portal.BorrowerCreate))
	}
}

// deadTrail is an audit trail that takes nothing of a certain outcome.
type deadTrail struct {
	tools.AuditLog
	refuses string
}

func (d deadTrail) Append(ctx context.Context, entry []byte, text string) error {
	if strings.Contains(string(entry), `"outcome":"`+d.refuses) {
		return conversations.ErrUnavailable
	}
	return d.AuditLog.Append(ctx, entry, text)
}

func withoutTrail(refuses string) func(*tools.Config) {
	return func(c *tools.Config) { c.AuditLog = deadTrail{c.AuditLog, refuses} }
}

func TestWithoutAnAuditEntryNoClientDataIsShown(t *testing.T) {
	h := open(t, withoutTrail(""))
	for name, args := range map[string]string{
		"find_processes": `{}`, "list_borrowers": `{"process":"1042"}`, "get_esis": `{"process":"1042"}`,
	} {
		result, failure := h.run(t, name, args)
		if wantStore(t, failure, tools.Unavailable); result.Output != nil || result.Card.Title != "" {
			t.Errorf("%s shows %+v", name, result)
		}
	}
	borrower, _ := documents.SendESIS.Field("borrower")
	process, _ := borrowers.List.Field("process")
	for _, field := range []tools.Field{process, borrower} {
		options, err := h.Options(t.Context(), h.ana, field, "", map[string]string{"process": "1042"})
		if wantStore(t, tools.AsError(err), tools.Unavailable); len(options) > 0 {
			t.Errorf("%s offers %v", field.Path, options)
		}
	}
	key := h.bank.Borrowers(sandbox.SampleProcess(1042))[0].String()
	if option, ok := h.Option(t.Context(), h.ana, borrower, key, map[string]string{"process": "1042"}); ok {
		t.Errorf("a chosen borrower is shown as %v", option)
	}
	answers := map[string]string{"process": "1042", "borrower": key}
	before, _, err := h.Current(t.Context(), h.ana, borrowers.Update, answers)
	if wantStore(t, tools.AsError(err), tools.Unavailable); before != nil {
		t.Errorf("a form is filled in with %v", before)
	}
	sections, _, err := h.Summary(t.Context(), h.ana, borrowers.Delete, tools.Form{Answers: answers})
	if wantStore(t, tools.AsError(err), tools.Unavailable); sections != nil {
		t.Errorf("a summary shows %v", sections)
	}
	taxonomy, _ := borrowers.Create.Field("personal.genderId")
	if options, err := h.Options(t.Context(), h.ana, taxonomy, "", nil); err != nil || len(options) == 0 {
		t.Errorf("the bank's lists, which are no client data: %v, %v", options, err)
	}
}

func TestWithoutAnAuditEntryNothingIsSent(t *testing.T) {
	h := open(t, withoutTrail("begun"))
	_, failure := h.click(t)
	if wantStore(t, failure, tools.Unavailable); h.bank.Calls(portal.BorrowerCreate) != 0 {
		t.Errorf("%d calls were sent", h.bank.Calls(portal.BorrowerCreate))
	}
}

func TestWhatWasSentIsToldThoughItsOutcomeIsMissingFromTheAuditTrail(t *testing.T) {
	h := open(t, withoutTrail("done"))
	if result, failure := h.click(t); failure != nil || result.Output == nil {
		t.Errorf("got %v", failure)
	}
	if len(h.trail.entries) != 1 || !strings.Contains(h.trail.entries[0], `"outcome":"begun"`) {
		t.Errorf("the trail says %s", h.trail.entries)
	}
}

func TestTheAuditTrailLinksNoPersonAcrossCallsAndTakesOneEntryForASearch(t *testing.T) {
	h := open(t)
	h.run(t, "get_borrower", `{"process":"1042","borrower":"`+h.bank.Borrowers(sandbox.SampleProcess(1042))[0].String()+`"}`)
	h.run(t, "get_borrower", `{"process":"1042","borrower":"`+h.bank.Borrowers(sandbox.SampleProcess(1042))[0].String()+`"}`)
	digests := regexp.MustCompile(`"digest":"(\w+)"`).FindAllStringSubmatch(strings.Join(h.trail.entries, ""), -1)
	if len(digests) != 2 || digests[0][1] == digests[1][1] {
		t.Errorf("two calls with the same arguments have the digests %v", digests)
	}
	process, _ := borrowers.List.Field("process")
	for _, typed := range []string{"", "1", "10", "104"} {
		if _, err := h.Options(t.Context(), h.ana, process, typed, nil); err != nil {
			t.Fatal(err)
		}
	}
	if shown := strings.Count(strings.Join(h.trail.entries, ""), `"outcome":"shown"`); shown != 1 {
		t.Errorf("four letters are %d entries", shown)
	}
}
