package subscriptions_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

func TestABranchThatTheFilterDoesNotFindIsFoundInTheList(t *testing.T) {
	t.Parallel()
	users := sandbox.BrokerA.Users
	findsNothing := func(bank http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if query := r.URL.Query(); query.Has("filterByText") {
				query.Set("filterByText", "nobody of that name")
				r = r.Clone(r.Context())
				r.URL.RawQuery = query.Encode()
			}
			bank.ServeHTTP(w, r)
		})
	}
	e := startWith(t, testenv.Options{Proxy: findsNothing}, func(c *tools.Config) {
		c.List.Login = portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: users[1]}
	})
	e.Actor.Lang = words.Portuguese
	e.Bank.Hide(users[0], sandbox.SampleProcess(1045), sandbox.SampleProcess(1048)) // all of Coimbra
	e.MustCall(t, "follow_processes", `{"branch":"LISBOA"}`)
	want := []destination.Subscription{{Kind: destination.ScopeBranch, Value: "101", Name: "Lisboa – Amostra", By: "ana"}}
	if got := e.settings[team].Subscriptions; !slices.Equal(got, want) {
		t.Errorf("stored is %+v", got)
	}
	for _, name := range []string{"nowhere", "coimbra"} {
		e.WantProblem(t, "follow_processes", `{"branch":"`+name+`"}`, "branch.unknown")
	}
	e.WantProblem(t, "follow_processes", `{"branch":"amostra"}`, "branch.several")
}
