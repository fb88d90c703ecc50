package tools_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
)

func TestAReadOfACallerWhoCancelledIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	e := testenv.Start(t, testenv.Options{Proxy: func(bank http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/borrower") {
				leave()
				<-r.Context().Done()
				return
			}
			bank.ServeHTTP(w, r)
		})
	}})
	_, err := e.Run(ctx, tools.Request{Tool: borrowers.List, Actor: e.Actor, Args: []byte(`{"process":"1042"}`)})
	failure := tools.AsError(err)
	if failure.Kind != tools.Cancelled || failure.What(e.Actor.Lang) == "" {
		t.Errorf("got %v", failure)
	}
	if last, _ := e.Audit.Last(); !strings.Contains(last, `"outcome":"cancelled"`) {
		t.Errorf("the audit log is %s", last)
	}
}

func TestACancelledCallOfAStrangerIsForbidden(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	leave()
	e := start(t)
	_, err := e.Run(ctx, tools.Request{Tool: borrowers.List, Actor: tools.Actor{ID: "stranger"}, Args: []byte(`{"process":"1042"}`)})
	if failure := tools.AsError(err); failure.Kind != tools.Forbidden {
		t.Errorf("got %v", failure)
	}
}
