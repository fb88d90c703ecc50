package tools_test

import (
	"testing"
	"time"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
)

func TestWhileTheBankIsDownErrorsSayWhenToRetryAndCachedListsAreUsed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	e := start(t, func(c *tools.Config) { c.Now = func() time.Time { return now } })
	status, _ := borrowers.Create.Field("personal.maritalStatusId")
	if _, err := e.Options(t.Context(), e.Actor, status, "", nil); err != nil {
		t.Fatal(err)
	}
	now = now.Add(3 * 24 * time.Hour) // the list is old by now, and would be read again
	remove := e.Bank.Inject(sandbox.Fault{Status: 503})
	defer remove()
	failed := func() *tools.Error {
		_, failure := e.Call(t, "list_borrowers", `{"process":1042}`)
		if failure == nil || failure.Kind != tools.Unavailable {
			t.Fatalf("got %v", failure)
		}
		return failure
	}
	asked := func() int { return e.Bank.Calls(portal.ProcessList) + e.Bank.Calls(portal.Authenticate) }
	for before := -1; asked() != before; { // until the bank is not asked any more
		before = asked()
		failed()
	}
	if failure := failed(); failure.RetryAfter <= 0 {
		t.Error("RetryAfter is not set")
	}
	options, err := e.Options(t.Context(), e.Actor, status, "", nil)
	if err != nil || len(options) == 0 {
		t.Errorf("the cached list has %d options, %v", len(options), err)
	}
	now = now.Add(5 * 24 * time.Hour)
	if options, err := e.Options(t.Context(), e.Actor, status, "", nil); err == nil {
		t.Errorf("a list of eight days still gives %d options", len(options))
	}
}
