package tools_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
)

func TestTheSameKeyReturnsTheSameAndCreatesOneBorrower(t *testing.T) {
	t.Parallel()
	e := start(t)
	withKey := testenv.WithKey("a click")
	first, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil), withKey)
	if failure != nil {
		t.Fatal(failure)
	}
	second, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil), withKey)
	if failure != nil {
		t.Fatal(failure)
	}
	if first.Output != second.Output || e.Bank.Calls(portal.BorrowerCreate) != 1 {
		t.Errorf("got %v and %v with %d calls", first.Output, second.Output, e.Bank.Calls(portal.BorrowerCreate))
	}
	if _, failure := e.Call(t, "create_borrower", testenv.NewBorrower(map[string]string{"name": `"Outra Amostra"`}), withKey); failure == nil || failure.Problems[0].Code != "key_reused" {
		t.Errorf("the key with other arguments gives %v", failure)
	}
}

func TestAKeyMayBeTriedAgainAfterAFailureThatChangedNothing(t *testing.T) {
	t.Parallel()
	e := start(t)
	withKey := testenv.WithKey("a click")
	if _, failure := e.Call(t, "create_borrower", testenv.NewBorrower(map[string]string{"taxId": `"299999990"`}), withKey); failure == nil || failure.Kind != tools.Invalid {
		t.Fatalf("got %v", failure)
	}
	if _, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil), withKey); failure != nil {
		t.Errorf("corrected, it fails with %v", failure)
	}
}

func TestAnUnclearOutcomeIsNotRepeatedUnderItsKeyWhileTheRequestMayLive(t *testing.T) {
	t.Parallel()
	e := start(t)
	withKey := testenv.WithKey("a click")
	remove := e.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropBefore: true, Times: 1})
	defer remove()
	for range 2 {
		if _, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil), withKey); failure == nil || failure.Kind != tools.Unclear {
			t.Errorf("got %v", failure)
		}
	}
	if calls := e.Bank.Calls(portal.BorrowerCreate); calls != 1 {
		t.Errorf("the bank was called %d times", calls)
	}
}

func TestACreationIsFoundThoughItsReplyWasLost(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropAfter: true, Times: 1})
	result, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil))
	if failure != nil {
		t.Fatal(failure)
	}
	created := result.Output.(borrowers.BorrowerCreated)
	if there := e.Bank.Borrowers(sandbox.SampleProcess(1042)); !slices.Contains(there, created.Borrower) || e.Bank.Calls(portal.BorrowerCreate) != 1 {
		t.Errorf("%s is not among %v", created.Borrower, there)
	}
}

func TestAFailureOfTheBankHasItsKind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault sandbox.Fault
		want  tools.ErrorKind
	}{
		"an error of the bank's on a write leaves it unclear": {sandbox.Fault{Operation: portal.BorrowerCreate, Status: 500}, tools.Unclear},
		"a request that may have been dropped is unclear":     {sandbox.Fault{Operation: portal.BorrowerCreate, DropBefore: true}, tools.Unclear},
		"too many requests mean wait":                         {sandbox.Fault{Operation: portal.BorrowerCreate, Status: 429, RetryAfter: time.Second}, tools.Busy},
		"an error of the bank's on a read changed nothing":    {sandbox.Fault{Operation: portal.BorrowerList, Status: 503}, tools.Unavailable},
		"a wrong path of a write is a wrong setting":          {sandbox.Fault{Operation: portal.BorrowerCreate, Status: 404}, tools.Misconfigured},
		"a wrong path of a read is a wrong setting":           {sandbox.Fault{Operation: portal.BorrowerList, Status: 404}, tools.Misconfigured},
		"a wrong method is a wrong setting":                   {sandbox.Fault{Operation: portal.BorrowerCreate, Status: 405}, tools.Misconfigured},
		"another reply to a read is a wrong setting":          {sandbox.Fault{Operation: portal.BorrowerList, Body: sandbox.HTML}, tools.Misconfigured},
		"another reply to a write leaves it unclear":          {sandbox.Fault{Operation: portal.BorrowerCreate, Status: 200, Reply: `{"id": "x"}`}, tools.Unclear},
		"a session that is not taken is a wrong setting":      {sandbox.Fault{Operation: portal.BorrowerList, Status: 401}, tools.Misconfigured},
		"a refused login is one":                              {sandbox.Fault{Operation: portal.Authenticate, Status: 401}, tools.LoginRefused},
		"a wrong path of the login is a wrong setting":        {sandbox.Fault{Operation: portal.Authenticate, Status: 404}, tools.Misconfigured},
		"a refusal in other words is no unknown process":      {sandbox.Fault{Operation: portal.ProcessDetail, Status: 400, Reply: `{"message":"Not today"}`}, tools.Refused},
		"a refusal of a write has the bank's reason":          {sandbox.Fault{Operation: portal.BorrowerCreate, Status: 400, Reply: `{"message":"Not today"}`}, tools.Refused},
		"a process that the bank says does not exist":         {sandbox.Fault{Operation: portal.BorrowerList, Status: 400, Reply: `{"message":"The process does not exist or does not belong to the broker."}`}, tools.NotFound},
	} {
		e := start(t)
		e.Bank.Inject(c.fault)
		borrower := testenv.NewBorrower(map[string]string{"process": `"` + sandbox.SampleProcess(1042).String() + `"`})
		if _, failure := e.Call(t, "create_borrower", borrower); failure == nil || failure.Kind != c.want {
			t.Errorf("%s: got %v, want %s", name, failure, c.want)
		}
	}
}

func TestAForbiddenCallDoesNotReachTheBank(t *testing.T) {
	t.Parallel()
	for name, actor := range map[string]tools.Actor{
		"a stranger":                        {ID: "nobody", Lang: words.English},
		"a guest":                           {ID: "ana", Lang: words.English, Guest: true},
		"who only reads":                    {ID: "reader", Lang: words.English},
		"credentials that are for reading":  {ID: "ana", Lang: words.English, ReadOnly: true},
		"an assistant's that are for reads": {ID: "ana", Lang: words.English, ReadOnly: true, Assistant: true},
	} {
		e := start(t)
		create, _ := catalogue.New().Named("create_borrower")
		if e.Permits(t.Context(), actor, create) {
			t.Errorf("%s is permitted", name)
		}
		_, failure := e.Call(t, "create_borrower", testenv.NewBorrower(nil), func(r *tools.Request) { r.Actor = actor })
		if failure == nil || failure.Kind != tools.Forbidden || e.Bank.Logins() != 0 {
			t.Errorf("%s: got %v after %d logins", name, failure, e.Bank.Logins())
		}
	}
}

func TestTheAuditLogHasWhoDidWhatAndNoPersonalData(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.Call(t, "create_borrower", testenv.NewBorrower(nil))
	e.Call(t, "create_borrower", testenv.NewBorrower(map[string]string{"taxId": `"299999990"`}))
	e.Call(t, "list_borrowers", `{"process":"1042"}`, testenv.By("nobody"))
	audited := e.Audit.String()
	for _, outcome := range []string{`"outcome":"done"`, `"outcome":"invalid"`, `"outcome":"forbidden"`, `"process":"1042"`} {
		if !strings.Contains(audited, outcome) {
			t.Errorf("%s is missing from\n%s", outcome, audited)
		}
	}
	for _, clear := range []string{"299999998", "299999990", "Rui", "rui@", "912345678", "1985-04", "04/1985"} {
		if strings.Contains(audited, clear) {
			t.Errorf("%s is in\n%s", clear, audited)
		}
	}
}
