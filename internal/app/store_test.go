package app_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/tools"
)

func newKey(t *testing.T) string {
	t.Helper()
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// onRedis returns the settings of a playground on a real Redis.
func onRedis(t *testing.T, url, key string) settings.Settings {
	t.Helper()
	return load(t, map[string]string{"SANDBOX_PACE": "off", "REDIS_URL": url, "STATE_KEY": key})
}

// frontEnds returns the readiness handler of each program.
func frontEnds(system *app.System) map[string]http.Handler {
	return map[string]http.Handler{"slackbot": app.Ready(system.Checks()...), "mcpserver": app.Ready(system.StoreCheck())}
}

func wantReady(t *testing.T, system *app.System, what, failing string) {
	t.Helper()
	for name, handler := range frontEnds(system) {
		status, body := ask(t.Context(), handler)
		if failing == "" && status != http.StatusOK || failing != "" && (status != http.StatusServiceUnavailable || !strings.Contains(body, `"`+failing+`"`)) {
			t.Errorf("%s, %s: got %d %s, want %q", what, name, status, body, failing)
		}
	}
}

func TestWithoutWritesToRedisBothProgramsAreNotReadyAndShowNoClient(t *testing.T) {
	server := redistest.StartServer(t)
	system := start(t, onRedis(t, server.URL(), newKey(t)))
	if err := system.StartNotifications(t.Context(), destination.NopPoster{}); err != nil {
		t.Fatal(err)
	}
	wantReady(t, system, "at first", "")
	for failing, refuse := range map[string]struct{ begin, end func() }{
		"store: full":      {server.Fill, server.Drain},
		"store: read_only": {server.Demote, server.Promote},
	} {
		refuse.begin()
		wantReady(t, system, "while it refuses", failing)
		err := find(t, system, app.Assistant)
		if failure, _ := errors.AsType[*tools.Error](err); failure == nil || failure.Kind != tools.Unavailable || !failure.Store {
			t.Errorf("%s: processes are shown, or the error is wrong: %v", failing, err)
		}
		refuse.end()
		waittest.Eventually(t, "Redis accepts writes again", func() bool { return system.Store.Ready(t.Context()) == nil })
		if err := find(t, system, app.Assistant); err != nil {
			t.Error(err)
		}
	}
	wantReady(t, system, "in the end", "")
}

func TestAnotherStateKeyKeepsAReplicaFromStartingAndFromBeingReady(t *testing.T) {
	url := redistest.Start(t)
	system := start(t, onRedis(t, url, newKey(t)))
	other := onRedis(t, url, newKey(t))
	if _, err := app.Start(t.Context(), other, slog.New(slog.DiscardHandler)); !errors.Is(err, conversations.ErrOtherKey) {
		t.Errorf("a replica with another key: %v", err)
	}
	wantReady(t, system, "after the other left", "")
	if err := system.Store.Client().FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	start(t, other)
	wantReady(t, system, "after the other took its Redis", "store: other_key")
}
