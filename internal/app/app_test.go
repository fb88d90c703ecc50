package app_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/tools/processes"
)

func load(t *testing.T, change map[string]string) settings.Settings {
	t.Helper()
	s, err := settings.Load(settings.MCPServer, settings.Playground(change))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func start(t *testing.T, s settings.Settings) *app.System {
	t.Helper()
	system, err := app.Start(t.Context(), s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Close(); err != nil {
			t.Error(err)
		}
	})
	return system
}

func find(t *testing.T, system *app.System, actor string) error {
	t.Helper()
	_, err := system.Runner.Run(t.Context(), tools.Request{
		Tool: processes.Find, Actor: tools.Actor{ID: actor, Lang: words.English}, Args: json.RawMessage(`{}`),
	})
	return err
}

func TestAPlaygroundStartsWorksAndStops(t *testing.T) {
	defer goleak.VerifyNone(t)
	system, err := app.Start(t.Context(), load(t, nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := find(t, system, app.Assistant); err != nil {
		t.Error(err)
	}
	if err := system.Close(); err != nil {
		t.Error(err)
	}
}

func TestAnActorWithoutASettingIsForbidden(t *testing.T) {
	system := start(t, load(t, nil))
	if err := find(t, system, "slack:T1/U1"); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("an actor who is not listed acts as a user of the bank: %v", err)
	}
}

func TestEverybodyActsAsOneUserOnlyIfTheSettingsSaySo(t *testing.T) {
	s := load(t, nil)
	s.PortalUsers = settings.People{
		{Accounts: []string{"T1/U1"}, User: "nobody@mediadora.example"}, {Accounts: []string{settings.Everybody}, User: "ana@mediadora.example"},
	}
	system := start(t, s)
	if err := find(t, system, "slack:T1/U2"); err != nil {
		t.Errorf("an actor who is not listed: %v", err)
	}
	if err := find(t, system, "slack:T1/U1"); err == nil {
		t.Error("an actor who is listed acts as everybody else")
	}
}

func TestWithListedPeopleEverybodyElseIsForbidden(t *testing.T) {
	system := start(t, load(t, map[string]string{"PORTAL_USERS": "T1/U1=ana@mediadora.example,T1/U2=nobody@mediadora.example"}))
	for actor, want := range map[string]string{"slack:T1/U1": "", app.Assistant: "", "slack:T1/U3": "forbidden", "slack:T1/U2": "login_refused"} {
		if err := find(t, system, actor); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", actor, err, want)
		}
	}
}

func TestAnAssistantCanBeReadOnly(t *testing.T) {
	s := load(t, nil)
	s.ReadOnly = true
	system := start(t, s)
	actor := tools.Actor{ID: app.Assistant}
	if system.Runner.Permits(t.Context(), actor, borrowers.Create) || !system.Runner.Permits(t.Context(), actor, borrowers.List) {
		t.Error("it may write, or may not read")
	}
}

func TestTheProfileIsThatOfTheSettings(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"a path that the bank does not have": {`operations.processList.path = "/elsewhere"`, "processList"},
		"the same path in other words":       {`{"prefix": "", "operations": {"processList": {"path": "/v1/processes"}, "authenticate": {"path": "/v1/authentication"}}}`, ""},
		"a broker with an integer":           {`forms.ids.broker = "integer"`, ""},
	} {
		file := filepath.Join(t.TempDir(), "profile")
		if err := os.WriteFile(file, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		environ := map[string]string{"PORTAL_PROFILE": file}
		if c.want == "" {
			environ["SANDBOX_PROFILE"] = file
		}
		err := find(t, start(t, load(t, environ)), app.Assistant)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAStateThatNobodyKnowsIsCountedByItsID(t *testing.T) {
	t.Parallel()
	system := start(t, load(t, nil))
	for range 2 {
		system.Runner.UnknownState(17)
	}
	answer := httptest.NewRecorder()
	system.Metrics.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		if strings.HasPrefix(line, "balcao_unknown_states_total{") {
			if !strings.Contains(line, `state="17"`) || !strings.HasSuffix(line, "} 2\n") {
				t.Errorf("got %s", line)
			}
			return
		}
	}
	t.Error("it is not counted")
}

func TestWhatAnAssistantAsksForIsDecidedByItsPersonInSlack(t *testing.T) {
	t.Parallel()
	system := start(t, load(t, map[string]string{"PORTAL_USERS": "T1/U1=mcp:ana@mediadora.example=ana@mediadora.example", "SLACK_BOT_TOKEN": "xoxb-synthetic"}))
	tool, _ := system.Runner.Catalogue.Named("create_borrower")
	asked, err := system.Runner.Run(t.Context(), tools.Request{
		Tool: tool, Actor: tools.Actor{ID: "mcp:T1/U1", Lang: words.English, Assistant: true}, Args: json.RawMessage(`{"process":"1042"}`),
	})
	if err != nil || asked.Pending == nil || asked.Pending.Owner != "slack:T1/U1" || asked.Pending.Asker != "mcp:T1/U1" {
		t.Errorf("got %v, %v", asked.Pending, err)
	}
}

func TestTheRateOfTheBankIsThatOfTheSettings(t *testing.T) {
	t.Parallel()
	system := start(t, load(t, map[string]string{"PORTAL_RATE": "0.1"}))
	hurried, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := system.Runner.Run(hurried, tools.Request{Tool: processes.Find, Actor: tools.Actor{ID: app.Assistant, Lang: words.English}, Args: json.RawMessage(`{}`)})
	if failure := tools.AsError(err); failure == nil || failure.Kind != tools.Busy {
		t.Errorf("a second request to the bank within ten seconds: %v", err)
	}
}
