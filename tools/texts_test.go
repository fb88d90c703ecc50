package tools

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/balcao/balcao/internal/words"
)

func TestEveryTextThatTheEngineNeedsIsThere(t *testing.T) {
	t.Parallel()
	var want []string
	for _, kind := range []ErrorKind{Invalid, Unconfirmed, Closed, NotFound, Forbidden, PeopleOnly, Exposed, Refused, Busy, Unavailable, Cancelled, Unclear, Internal, LoginRefused, Misconfigured} {
		want = append(want, "error."+string(kind)+".what", "error."+string(kind)+".next")
	}
	for _, kind := range []ErrorKind{Unavailable, Unclear} {
		want = append(want, "error."+string(kind)+".store.what", "error."+string(kind)+".store.next")
	}
	for _, refusal := range []string{"unknown", "expired", "arguments", "warnings", "used"} {
		want = append(want, "problem.confirmation."+refusal)
	}
	want = append(want, "error.not_found.other.what", "error.not_found.other.next", "error.refused.unread.what", "error.refused.unread.next")
	for _, part := range []string{"operation", "list", "login"} {
		for _, what := range []string{"path", "session", "request", "reply"} {
			want = append(want, "differs."+part+"."+what)
		}
	}
	for _, reason := range []string{"known", "by_code", "unknown_code", "unknown"} {
		want = append(want, "refusal."+reason)
	}
	if missing := engineWords.Missing(want...); missing != nil {
		t.Errorf("missing: %q", missing)
	}
}

var said = regexp.MustCompile(`(?:say\(|engineWords\.Say\([^",]+, )"([^"]+)"[,)]|(?:problem|warning|wrong)\([^,]+, (?:"[^"]*"|[^",]+), "([^"]+)"`)

func TestEveryTextThatTheSourcesNameIsThere(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		code, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range said.FindAllStringSubmatch(string(code), -1) {
			key := match[1]
			if match[2] != "" {
				key = "problem." + match[2]
			}
			for _, lang := range words.Langs {
				if key[len(key)-1] != '.' && !engineWords.Has(lang, key) {
					t.Errorf("%s: %s has no text in %s", source, key, lang)
				}
			}
		}
	}
}
