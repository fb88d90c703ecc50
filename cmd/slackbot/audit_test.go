package main

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/redistest"
)

// newAuditLog returns an audit log with three entries, the second with a text.
func newAuditLog(t *testing.T) (environ map[string]string, db *redis.Client, ids []string) {
	t.Helper()
	environ = map[string]string{"REDIS_URL": redistest.Start(t), "STATE_KEY": stateKey(t), "LANG": "en"}
	sealing, err := keys.Parse(environ["STATE_KEY"])
	if err != nil {
		t.Fatal(err)
	}
	store, err := conversations.Open(t.Context(), environ["REDIS_URL"], sealing)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, text := range []string{"", "because Maria asked", ""} {
		if err := store.Append(t.Context(), []byte(`{"tool":"get_esis"}`), text); err != nil {
			t.Fatal(err)
		}
	}
	for entry, err := range store.AuditEntries(t.Context(), conversations.MonthOf(time.Now())) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, entry.ID)
	}
	options, err := redis.ParseURL(environ["REDIS_URL"])
	if err != nil {
		t.Fatal(err)
	}
	db = redis.NewClient(options)
	t.Cleanup(func() { _ = db.Close() })
	return environ, db, ids
}

func command(t *testing.T, environ map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err strings.Builder
	code = run(t.Context(), append([]string{"-playground"}, args...), maps.Clone(environ), &out, &err)
	return code, out.String(), err.String()
}

func TestTheAuditLogIsVerifiedListedAndErasedFromTheCommandLine(t *testing.T) {
	t.Parallel()
	environ, db, ids := newAuditLog(t)
	month := string(conversations.MonthOf(time.Now()))
	for _, step := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"audit", "verify"}, 0, []string{"3 entries", "Last hash: "}},
		{[]string{"audit", "list", month}, 0, []string{ids[0], `{"tool":"get_esis"}`, "because Maria asked"}},
		{[]string{"audit", "erase", ids[1]}, 0, []string{"is erased", ids[1]}},
		{[]string{"audit", "erase", ids[1]}, 1, []string{"no text to erase"}},
		{[]string{"audit", "list", month}, 0, []string{`"erased"`, `"tool":"audit_erase"`, `"actor":"operator`}},
		{[]string{"audit", "verify"}, 0, []string{ids[1], "its text was erased", "4 entries"}},
	} {
		code, stdout, stderr := command(t, environ, step.args...)
		for _, text := range step.says {
			if code != step.code || !strings.Contains(stdout, text) {
				t.Errorf("%q exits with %d and says\n%s%s\nwant %d and %q", step.args, code, stdout, stderr, step.code, text)
			}
		}
	}
	_, stdout, _ := command(t, environ, "audit", "verify")
	_, hash, _ := strings.Cut(strings.TrimSpace(stdout), "Last hash: ")
	if code, stdout, _ := command(t, environ, "audit", "verify", hash); code != 0 {
		t.Errorf("with the last hash it exits with %d and says %s", code, stdout)
	}
	if code, stdout, _ := command(t, environ, "audit", "verify", "3:"+hash); code != 1 || !strings.Contains(stdout, "Chain 3") || !strings.Contains(stdout, "whose hash was given") {
		t.Errorf("with a hash that is not there it exits with %d and says %s", code, stdout)
	}
	if err := db.XDel(t.Context(), "audit:{audit}:"+month, ids[1]).Err(); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := command(t, environ, "audit", "verify")
	at := strings.SplitN(ids[2], "-", 2)[0]
	millis, _ := time.ParseDuration(at + "ms")
	for _, text := range []string{"breaks in " + month, ids[2], time.Unix(0, 0).Add(millis).UTC().Format(time.RFC3339), "one was removed"} {
		if code != 1 || !strings.Contains(stdout, text) {
			t.Errorf("of a log without its second entry it says (exit %d)\n%s\nwant %q", code, stdout, text)
		}
	}
}

func TestAnUnknownCommandListsTheKnownOnes(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"audit"}, {"audit", "verify", "2026-11"}, {"audit", "erase"}, {"verify"}} {
		if code, _, stderr := command(t, map[string]string{"LANG": "en"}, args...); code != 2 || !strings.Contains(stderr, "slackbot audit verify") {
			t.Errorf("%q exits with %d and says %q", args, code, stderr)
		}
	}
}

func TestAStartOnARedisInUseWithAnotherStateKeySaysWhatToDo(t *testing.T) {
	t.Parallel()
	environ, _, _ := newAuditLog(t)
	environ["STATE_KEY"] = stateKey(t)
	for _, args := range [][]string{{"-addr", "127.0.0.1:0"}, {"audit", "verify"}} {
		code, _, stderr := command(t, environ, args...)
		if code != 1 || !strings.Contains(stderr, "in use with another STATE_KEY") || !strings.Contains(stderr, "-rotate-state-key") {
			t.Errorf("%q exits with %d and says\n%s", args, code, stderr)
		}
	}
}
