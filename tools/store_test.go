package tools_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/tools/documents"
)

// wantStore requires a failure of the store, with a text that says truly that nothing was sent.
func wantStore(t *testing.T, failure *tools.Error, kind tools.ErrorKind) {
	t.Helper()
	if failure == nil || failure.Kind != kind || !failure.Store {
		t.Fatalf("got %v, want %s of the store", failure, kind)
	}
	for lang, never := range map[words.Lang][]string{
		words.English:    {"was sent", "The bank cannot be reached"},
		words.Portuguese: {"O pedido foi enviado", "contactar o banco"},
	} {
		for _, untrue := range never {
			if text := failure.What(lang) + failure.Next(lang); strings.Contains(text, untrue) {
				t.Errorf("%q is untrue in %q", untrue, text)
			}
		}
	}
}

func TestAFullRedisIsReportedAndNothingIsSent(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	e := startClusterOn(t, server).replica(t, func(c *tools.Config) { c.AuditLog = c.Journal.(tools.AuditLog) })
	server.Fill()
	_, failure := e.create(t)
	wantStore(t, failure, tools.Unavailable)
	if calls := e.Bank.Calls(portal.BorrowerCreate); calls != 0 {
		t.Errorf("%d calls were sent", calls)
	}
	result, failure := e.Call(t, "list_borrowers", `{"process":"1042"}`)
	if wantStore(t, failure, tools.Unavailable); result.Output != nil {
		t.Errorf("client data is shown: %v", result.Output)
	}
	server.Drain()
	if _, failure := e.create(t); failure != nil {
		t.Errorf("after it had room again: %v", failure)
	}
}

func TestACallThatMayBeJournalledIsReportedAsNotSentYetAndIsMadeOnce(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	e := cluster.replica(t, withShortCalls, func(c *tools.Config) { c.Journal = &lostReplies{Journal: c.Journal} })
	_, failure := e.create(t)
	wantStore(t, failure, tools.Unclear)
	if failure.RetryAfter < e.CallTimeout || cluster.Bank.Calls(portal.BorrowerCreate) != 0 {
		t.Errorf("to retry after %s after %d calls", failure.RetryAfter, cluster.Bank.Calls(portal.BorrowerCreate))
	}
	other := cluster.replica(t)
	other.recoverOne(t)
	result, failure := other.create(t)
	if failure != nil {
		t.Fatal(failure)
	}
	cluster.wantOnce(t, result, 1)
}

func TestACallThatRedisRefusesToJournalIsReportedAsNotSent(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	e := startClusterOn(t, server).replica(t, func(c *tools.Config) { c.Journal = fullAtBegin{c.Journal, server} })
	_, failure := e.create(t)
	server.Drain()
	wantStore(t, failure, tools.Unavailable)
	if failure.RetryAfter != 0 || e.Bank.Calls(portal.BorrowerCreate) != 0 {
		t.Errorf("to retry after %s after %d calls", failure.RetryAfter, e.Bank.Calls(portal.BorrowerCreate))
	}
}

func TestWithoutAnAuditEntryNoClientDataIsShown(t *testing.T) {
	t.Parallel()
	e := start(t, withFailingAudit(""))
	for name, args := range map[string]string{
		"find_processes": `{}`, "list_borrowers": `{"process":"1042"}`, "get_esis": `{"process":"1042"}`,
	} {
		result, failure := e.Call(t, name, args)
		if wantStore(t, failure, tools.Unavailable); result.Output != nil || result.Card.Title != "" {
			t.Errorf("%s shows %+v", name, result)
		}
	}
	borrower, _ := documents.SendESIS.Field("borrower")
	process, _ := borrowers.List.Field("process")
	for _, field := range []tools.Field{process, borrower} {
		options, err := e.Options(t.Context(), e.Actor, field, "", map[string]string{"process": "1042"})
		if wantStore(t, tools.AsError(err), tools.Unavailable); len(options) > 0 {
			t.Errorf("%s offers %v", field.Path, options)
		}
	}
	key := e.Bank.Borrowers(sandbox.SampleProcess(1042))[0].String()
	if option, ok := e.Option(t.Context(), e.Actor, borrower, key, map[string]string{"process": "1042"}); ok {
		t.Errorf("a chosen borrower is shown as %v", option)
	}
	answers := map[string]string{"process": "1042", "borrower": key}
	before, _, err := e.Current(t.Context(), e.Actor, borrowers.Update, answers)
	if wantStore(t, tools.AsError(err), tools.Unavailable); before != nil {
		t.Errorf("a form is filled in with %v", before)
	}
	sections, _, err := e.Summary(t.Context(), e.Actor, borrowers.Delete, tools.Form{Answers: answers})
	if wantStore(t, tools.AsError(err), tools.Unavailable); sections != nil {
		t.Errorf("a summary shows %v", sections)
	}
	taxonomy, _ := borrowers.Create.Field("personal.genderId")
	if options, err := e.Options(t.Context(), e.Actor, taxonomy, "", nil); err != nil || len(options) == 0 {
		t.Errorf("the bank's lists, which are no client data: %v, %v", options, err)
	}
}

func TestWithoutAnAuditEntryNothingIsSent(t *testing.T) {
	t.Parallel()
	e := start(t, withFailingAudit("begun"))
	_, failure := e.create(t)
	if wantStore(t, failure, tools.Unavailable); e.Bank.Calls(portal.BorrowerCreate) != 0 {
		t.Errorf("%d calls were sent", e.Bank.Calls(portal.BorrowerCreate))
	}
}

func TestTheResultOfASentCallIsReturnedThoughItsOutcomeIsNotAudited(t *testing.T) {
	t.Parallel()
	e := start(t, withFailingAudit("done"))
	if result, failure := e.create(t); failure != nil || result.Output == nil {
		t.Errorf("got %v", failure)
	}
	if len(e.Audit.Entries()) != 1 || !strings.Contains(e.Audit.Entries()[0], `"outcome":"begun"`) {
		t.Errorf("the audit log is %s", e.Audit.Entries())
	}
}

func TestTheAuditLogLinksNoPersonAcrossCallsAndHasOneEntryForASearch(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.Call(t, "get_borrower", `{"process":"1042","borrower":"`+e.Bank.Borrowers(sandbox.SampleProcess(1042))[0].String()+`"}`)
	e.Call(t, "get_borrower", `{"process":"1042","borrower":"`+e.Bank.Borrowers(sandbox.SampleProcess(1042))[0].String()+`"}`)
	digests := regexp.MustCompile(`"digest":"(\w+)"`).FindAllStringSubmatch(e.Audit.String(), -1)
	if len(digests) != 2 || digests[0][1] == digests[1][1] {
		t.Errorf("two calls with the same arguments have the digests %v", digests)
	}
	process, _ := borrowers.List.Field("process")
	for _, typed := range []string{"", "1", "10", "104"} {
		if _, err := e.Options(t.Context(), e.Actor, process, typed, nil); err != nil {
			t.Fatal(err)
		}
	}
	if shown := strings.Count(e.Audit.String(), `"outcome":"shown"`); shown != 1 {
		t.Errorf("four letters are %d entries", shown)
	}
}
