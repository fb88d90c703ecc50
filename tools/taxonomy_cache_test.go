package tools_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

const genders portal.OperationID = "gendersGet"

// movable is a clock that a test sets.
type movable struct {
	mu  sync.Mutex
	now time.Time
}

func (c *movable) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *movable) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// searched lists the genders in the actor's language. A search for a text reads the list in the other language too.
func searched(t *testing.T, e *testenv.Env, text string) {
	t.Helper()
	e.WantCard(t, "search_taxonomy", `{"taxonomy":"genders"}`, text)
}

func TestReplicasAskTheBankForAListOnce(t *testing.T) {
	t.Parallel()
	first := testenv.Start(t, testenv.Options{Redis: redistest.Start(t)})
	replicas := []*testenv.Env{first, first.Replica(t), first.Replica(t), first.Replica(t)}
	first.Bank.Inject(sandbox.Fault{Operation: genders, Times: 1, Latency: 300 * time.Millisecond}) // so that all ask meanwhile
	var all sync.WaitGroup
	for _, replica := range replicas {
		all.Go(func() { searched(t, replica, "Female") })
	}
	all.Wait()
	searched(t, first.Replica(t), "Female") // one that starts later
	if asked := first.Bank.Calls(genders); asked != 1 {
		t.Errorf("the bank was asked %d times", asked)
	}
}

func TestTheListOfAReplicaThatFailsIsReadByAnother(t *testing.T) {
	t.Parallel()
	first := testenv.Start(t, testenv.Options{Redis: redistest.Start(t)})
	second := first.Replica(t)
	first.Bank.Inject(sandbox.Fault{Operation: genders, Times: 1, Latency: 200 * time.Millisecond, Status: http.StatusServiceUnavailable})
	var all sync.WaitGroup
	failed := make(chan *tools.Error, 2)
	for _, replica := range []*testenv.Env{first, second} {
		all.Go(func() {
			_, failure := replica.Call(t, "search_taxonomy", `{"taxonomy":"genders"}`)
			failed <- failure
		})
	}
	all.Wait()
	if one, other := <-failed, <-failed; (one == nil) == (other == nil) || first.Bank.Calls(genders) != 2 {
		t.Errorf("%v and %v after %d calls", one, other, first.Bank.Calls(genders))
	}
}

func TestAListOutlivesTheBankForSevenDays(t *testing.T) {
	t.Parallel()
	for name, redis := range map[string]string{"Redis": redistest.Start(t), "the embedded store": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &movable{now: time.Now()}
			e := testenv.Start(t, testenv.Options{Redis: redis, Now: clock.Now})
			searched(t, e, "Female")
			clock.advance(23 * time.Hour)
			searched(t, e, "Female")
			if asked := e.Bank.Calls(genders); asked != 1 {
				t.Errorf("a fresh list was asked for %d times", asked)
			}
			e.Bank.Inject(sandbox.Fault{Operation: genders, Status: http.StatusServiceUnavailable})
			clock.advance(5 * 24 * time.Hour)
			searched(t, e, "Female")            // in memory
			searched(t, e.Replica(t), "Female") // in the store
			clock.advance(2 * 24 * time.Hour)
			for _, replica := range []*testenv.Env{e, e.Replica(t)} {
				if _, failure := replica.Call(t, "search_taxonomy", `{"taxonomy":"genders"}`); failure == nil || failure.Kind != tools.Unavailable {
					t.Errorf("after eight days: %v", failure)
				}
			}
		})
	}
}

func TestAListIsStoredForEachLanguageAndVersionOfTheProfile(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	searched(t, e, "Female")
	portuguese := func(r *tools.Request) { r.Actor.Lang = "pt-PT" }
	if result := e.MustCall(t, "search_taxonomy", `{"taxonomy":"genders"}`, portuguese); !strings.Contains(result.Card.Table.Rows[0][1], "Feminino") {
		t.Errorf("in Portuguese it is %v", result.Card.Table.Rows)
	}
	if asked := e.Bank.Calls(genders); asked != 2 {
		t.Errorf("the bank was asked %d times for two languages", asked)
	}
	other, err := portal.New(portal.Config{BaseURL: "http://127.0.0.1:1/other", ClientID: "x", ClientSecret: "y"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	if user := other.As(testenv.Login(sandbox.BrokerA), "en"); user.TaxonomyVersion() == e.User().TaxonomyVersion() {
		t.Error("another bank has the same version")
	}
}

func TestTheListsThatOnlyComeInsideTheirParentsAreUnderstood(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sandbox.Fault{
		"the bank has no such list": {Operation: "countiesGet", Status: http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			e := testenv.Start(t, testenv.Options{})
			e.Bank.Inject(fault)
			result := e.WantCard(t, "search_taxonomy", `{"taxonomy":"counties","text":"oeiras"}`, "Oeiras", "Lisbon")
			if len(result.Card.Table.Rows) != 1 {
				t.Errorf("%v", result.Card.Table.Rows)
			}
		})
	}
}
