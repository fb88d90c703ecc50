package doctor

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
)

// finds returns a check that finds these.
func finds(subject string, found ...finding.Finding) finding.Check {
	return finding.Check{Subject: subject, Run: func(context.Context) []finding.Finding { return found }}
}

func program(parts ...Part) Program {
	return Program{Name: settings.MCPServer, Parts: func(Setup) []Part { return parts }}
}

var playgroundEnviron = map[string]string{"LANG": "en", "PORTAL_URL": "sandbox", "REDIS_URL": "memory"}

func TestTheExitStatusIsThatOfTheSeverestFinding(t *testing.T) {
	for name, c := range map[string]struct {
		found []finding.Finding
		want  int
	}{
		"all is well":                     {finding.One(finding.OK, "redis.writes"), 0},
		"nothing was tried":               {finding.One(finding.NotTried, "redis.no_info"), 0},
		"a warning":                       {[]finding.Finding{finding.New(finding.Warn, "redis.evicts"), finding.New(finding.OK, "redis.writes")}, 1},
		"a failure":                       {[]finding.Finding{finding.New(finding.Fail, "redis.no_write"), finding.New(finding.Warn, "redis.evicts")}, 2},
		"the bank differs":                {finding.One(finding.Differs, "bank.operation"), 2},
		"no such part":                    {nil, 3},
		"a record that cannot be written": {nil, 3},
	} {
		args := map[string][]string{"no such part": {"-parts", "redis,nothing"}, "a record that cannot be written": {"-record", "/no/such/folder/file"}}[name]
		var stdout, stderr strings.Builder
		if got := program(Part{Name: "redis", Checks: []finding.Check{finds("x", c.found...)}}).Command(t.Context(), args, playgroundEnviron, &stdout, &stderr); got != c.want {
			t.Errorf("%s: exits with %d, want %d: %s%s", name, got, c.want, stdout.String(), stderr.String())
		}
		if strings.Contains(stderr.String(), "\r") {
			t.Errorf("%s: there is a progress bar without a terminal", name)
		}
	}
}

func TestArgumentsThatAreWrongAreAnsweredWith3(t *testing.T) {
	for _, args := range [][]string{{"-no-such-flag"}, {"redis"}, {"-parts", "bank"}} {
		var stdout, stderr strings.Builder
		if got := program().Command(t.Context(), args, playgroundEnviron, &stdout, &stderr); got != 3 || stdout.Len() > 0 || stderr.Len() == 0 {
			t.Errorf("%q: exits with %d and prints %q", args, got, stdout.String())
		}
	}
}

func TestOnlyTheChosenPartsAreChecked(t *testing.T) {
	closed := []string{}
	part := func(name string) Part {
		return Part{Name: name, Checks: []finding.Check{finds(name, finding.New(finding.OK, "redis.writes"))}, Close: func() { closed = append(closed, name) }}
	}
	var stdout, stderr strings.Builder
	program(part("redis"), part("slack")).Command(t.Context(), []string{"-json", "-parts", "slack"}, playgroundEnviron, &stdout, &stderr)
	var report jsonReport
	if err := json.Unmarshal([]byte(stdout.String()), &report); err != nil || len(report.Findings) != 1 || report.Findings[0].Part != "slack" {
		t.Errorf("got %s, %v", stdout.String(), err)
	}
	if slices.Sort(closed); !slices.Equal(closed, []string{"redis", "slack"}) {
		t.Errorf("%q were closed", closed)
	}
}

func TestAfterAVitalFailureTheOthersOfItsPartAreNotTried(t *testing.T) {
	ran := false
	vital := finds("REDIS_URL", finding.New(finding.Fail, "redis.unreachable", "address", "127.0.0.1:1"))
	vital.Vital = true
	later := finding.Check{Subject: "redis.latency", Run: func(context.Context) []finding.Finding { ran = true; return nil }}
	report := Run(t.Context(), words.English, []Part{
		{Name: "redis", Checks: []finding.Check{vital, later}},
		{Name: "slack", Checks: []finding.Check{finds("SLACK_BOT_TOKEN", finding.New(finding.OK, "slack.token"))}},
		{Name: "bank", Blocked: []string{"PORTAL_URL"}, Checks: []finding.Check{later}},
	}, nil)
	if ran {
		t.Error("a later check ran")
	}
	var got []string
	for _, f := range report.Findings {
		got = append(got, f.Part+" "+f.Subject+" "+string(f.Status)+" "+f.Code)
	}
	want := []string{
		"redis REDIS_URL fail redis.unreachable", "redis redis.latency not_tried not_tried.after",
		"slack SLACK_BOT_TOKEN ok slack.token", "bank redis.latency not_tried not_tried.settings",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestChecksThatHangEndAtTheirTimeoutAndTheRunAtItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := func(ctx context.Context) []finding.Finding {
			<-ctx.Done()
			return finding.One(finding.Fail, "slack.timeout")
		}
		checks := func(n int) []finding.Check {
			return slices.Repeat([]finding.Check{{Subject: "x", Run: hangs}}, n)
		}
		began := time.Now()
		report := Run(t.Context(), words.English, []Part{{Name: "redis", Checks: checks(2)}, {Name: "slack", Checks: checks(3)}}, nil)
		if took := time.Since(began); took != 3*defaultTimeout || len(report.Findings) != 5 {
			t.Errorf("two parts take %s and find %d", took, len(report.Findings))
		}
		began = time.Now()
		code := program(Part{Name: "redis", Checks: checks(100)}).Command(t.Context(), nil, playgroundEnviron, &strings.Builder{}, &strings.Builder{})
		if took := time.Since(began); took != totalTimeout || code != exitFailure {
			t.Errorf("a hundred take %s and exit with %d", took, code)
		}
	})
}

func TestTheTableFitsAndNamesEveryFix(t *testing.T) {
	for _, lang := range words.Langs {
		var found []finding.Finding
		args := map[string]any{"address": "redis.internal.example.com:6379", "commands": "xadd, xack", "settings": "REDIS_URL", "count": 2, "total": 10, "subject": "REDIS_URL"}
		for _, key := range texts.Keys(lang) {
			if strings.HasPrefix(key, "redis.") || strings.HasPrefix(key, "slack.") {
				if !strings.HasSuffix(key, ".fix") {
					found = append(found, finding.Finding{Subject: key, Status: finding.Fail, Code: key, Args: args})
				}
			}
		}
		var table strings.Builder
		Run(t.Context(), lang, []Part{{Name: "redis", Checks: []finding.Check{finds("x", found...)}}}, nil).WriteTable(&table)
		for line := range strings.Lines(table.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > tableWidth {
				t.Errorf("%s: %d characters: %s", lang, n, line)
			}
		}
		if fixes := strings.Count(table.String(), "→ "); fixes < len(found)/2 {
			t.Errorf("%s: %d findings and %d fixes", lang, len(found), fixes)
		}
	}
}

func TestLinesForTheProfileAreWholeAndPrintedOnce(t *testing.T) {
	long := `[operations.processList]` + strings.Repeat(" # a comment", 12)
	differs := finding.New(finding.Differs, "redis.writes")
	differs.Lines = []string{long, `path = "/v2/processes"`}
	var table strings.Builder
	Run(t.Context(), words.English, []Part{{Name: "bank", Checks: []finding.Check{finds("processList", differs), finds("processGet", differs)}}}, nil).WriteTable(&table)
	if strings.Count(table.String(), "\n"+long+"\npath = \"/v2/processes\"\n") != 1 {
		t.Errorf("it prints\n%s", table.String())
	}
}

func TestARecordHasShapesAndNoTexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	if err := os.WriteFile(path, []byte("an earlier one, for everybody"), 0o644); err != nil {
		t.Fatal(err)
	}
	differs := finding.New(finding.Differs, "redis.unreachable", "address", "redis.internal.example.com:6379")
	differs.Shapes = []finding.Shape{{Of: "GET /v1/processes", Text: "200 array[12] of {id:uuid}"}}
	var stdout, stderr strings.Builder
	part := Part{Name: "bank", Checks: []finding.Check{finds("processList", differs)}}
	if code := program(part).Command(t.Context(), []string{"-record", path}, playgroundEnviron, &stdout, &stderr); code != exitFailure {
		t.Fatalf("exits with %d: %s", code, stderr.String())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	var kept recording
	if err := json.Unmarshal(text, &kept); err != nil || len(kept.Shapes) != 1 || kept.Shapes[0] != differs.Shapes[0] || kept.Program != "mcpserver" {
		t.Errorf("it holds %s, %v", text, err)
	}
	if strings.Contains(string(text), "example.com") || !strings.Contains(stdout.String(), "example.com") {
		t.Errorf("the record holds a text, or the table none:\n%s\n%s", text, stdout.String())
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("it leaves %v, %v", files, err)
	}
}

func TestSettingsAreReportedAllAtOnceWithTheirWarnings(t *testing.T) {
	environ := map[string]string{"LANG": "en", "PORTAL_URL": "http://bank.example", "REDIS_URL": "memory", "PORTAL_CLIENT_SECRET": "hunter2-is-not-a-secret"}
	var stdout, stderr strings.Builder
	if code := program().Command(t.Context(), []string{"-json"}, environ, &stdout, &stderr); code != exitFailure {
		t.Errorf("exits with %d", code)
	}
	for _, want := range []string{
		`"subject": "PORTAL_BROKER_UID"`, `"subject": "PORTAL_CLIENT_ID"`, `"code": "settings.missing"`, `"status": "warn"`, `"code": "settings.plain"`, "ask the bank",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%s is not in\n%s", want, stdout.String())
		}
	}
	if strings.Contains(stdout.String(), "hunter2") {
		t.Error("it prints a secret")
	}
}
