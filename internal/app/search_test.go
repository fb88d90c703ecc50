package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/processes"
)

// withoutFilter returns the address of a bank that ignores the text filter of its list.
func withoutFilter(t *testing.T) string {
	t.Helper()
	bank := sandbox.New(sandbox.Config{})
	t.Cleanup(bank.Close)
	served := httptest.NewServer(bank)
	t.Cleanup(served.Close)
	target, err := url.Parse(served.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		query := r.Out.URL.Query()
		query.Del("filterByText")
		r.Out.URL.RawQuery = query.Encode()
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

func TestAProgramWithoutNotificationsFindsProcessesByTheIndex(t *testing.T) {
	system := start(t, load(t, map[string]string{
		"PORTAL_URL": withoutFilter(t), "PORTAL_CLIENT_ID": sandbox.SampleClientID, "PORTAL_CLIENT_SECRET": sandbox.SampleClientSecret,
		"PORTAL_BROKER_UID": sandbox.BrokerA.UID.String(), "PORTAL_USERNAME": sandbox.BrokerA.Users[0],
	}))
	run := func(tool *tools.Tool, args string) (tools.Result, error) {
		return system.Runner.Run(t.Context(), tools.Request{
			Tool: tool, Actor: tools.Actor{ID: app.Assistant, Lang: words.English}, Args: json.RawMessage(args),
		})
	}
	if err := system.SearchCheck().Run(context.Background()); err != nil {
		t.Errorf("before the bank was asked: %v", err)
	}
	result, err := run(processes.Find, `{"text":"prototipo"}`)
	if err != nil {
		t.Fatal(err)
	}
	if found := result.Output.(processes.ProcessList).Processes; len(found) != 1 || found[0].Number != sandbox.SampleFirst {
		t.Errorf("got %+v", found)
	}
	if _, err := run(processes.Get, `{"process":9999}`); tools.AsError(err).Kind != tools.NotFound {
		t.Errorf("got %v", err)
	}
	answer := httptest.NewRecorder()
	app.Ready(system.SearchCheck()).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if want := `{"ready":true,"failing":["search: filter_ignored"]}` + "\n"; answer.Body.String() != want {
		t.Errorf("got %s, want %s", answer.Body, want)
	}
}
