package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The revisions of the protocol.
const (
	Legacy = "2025-11-25"
	Modern = "2026-07-28"
)

// scenarios is how many the suite has for a revision, scored or not.
var scenarios = map[string]int{Legacy: 33, Modern: 50}

// suiteTimeout is for all scenarios of a revision, of which each has 30 seconds by itself.
const suiteTimeout = 2 * time.Minute

// Known lists what does not pass, by the reason: a scenario, or one of its checks as «scenario:check».
type Known map[string][]string

// reasonOf returns the reason why a check does not pass, and the entry that has it; both are "" if it has to pass.
func (k Known) reasonOf(scenario, check string) (reason, entry string) {
	for reason, entries := range k {
		for _, entry := range []string{scenario, scenario + ":" + check} {
			if slices.Contains(entries, entry) {
				return reason, entry
			}
		}
	}
	return "", ""
}

// check is one check of a scenario as the suite stores it.
type check struct {
	ID           string
	Status       string // SUCCESS, FAILURE, WARNING, SKIPPED or INFO
	ErrorMessage string
}

// failed reports whether a check found something. A warning is about what a server should do, and counts too.
func (c check) failed() bool { return c.Status == "FAILURE" || c.Status == "WARNING" }

// Run runs all scenarios of a revision against the server at url, and logs a line for each. The test fails if a check fails or
// warns that is not known to, or if all checks pass that an entry of known is about.
func Run(t *testing.T, url, revision string, known Known) {
	t.Helper()
	node := install(t)
	results := node.suite(t, url, "--requirements", revision)
	if len(results) != scenarios[revision] {
		t.Errorf("%s: %d scenarios ran, want %d", revision, len(results), scenarios[revision])
	}
	seen := map[string]bool{}
	for _, scenario := range slices.Sorted(maps.Keys(results)) {
		outcome, reasons := judge(scenario, results[scenario], known, seen)
		if outcome == "FAIL" { // once more alone: some of its deadlines are half a second
			again := node.suite(t, url, "--spec-version", revision, "--scenario", scenario)
			outcome, reasons = judge(scenario, again[scenario], known, seen)
		}
		line := strings.TrimSpace(outcome + " " + revision + " " + scenario + ": " + strings.Join(reasons, "; "))
		if outcome == "FAIL" {
			t.Error(line)
		} else {
			t.Log(strings.TrimSuffix(line, ":"))
		}
	}
	for _, entries := range known {
		for _, entry := range entries {
			if !seen[entry] {
				t.Errorf("FAIL %s %s: is listed as known, but passes", revision, entry)
			}
		}
	}
}

// judge returns «ok», «known» or «FAIL» for a scenario, with the reasons. It adds to seen the entries of known that apply.
func judge(scenario string, checks []check, known Known, seen map[string]bool) (outcome string, reasons []string) {
	if len(checks) == 0 {
		return "FAIL", []string{"it has no checks"}
	}
	var expected, unexpected []string
	for _, c := range checks {
		if !c.failed() {
			continue
		}
		reason, entry := known.reasonOf(scenario, c.ID)
		if reason == "" {
			unexpected = append(unexpected, c.ID+": "+cmp.Or(c.ErrorMessage, c.Status))
			continue
		}
		seen[entry] = true
		if !slices.Contains(expected, reason) {
			expected = append(expected, reason)
		}
	}
	switch {
	case unexpected != nil:
		return "FAIL", unexpected
	case expected != nil:
		return "known", expected
	}
	return "ok", nil
}

// resultFolder matches the name of the folder with the results of a scenario.
var resultFolder = regexp.MustCompile(`^server-(.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z$`)

// suite runs the suite and returns the checks of each scenario.
func (tools tools) suite(t *testing.T, url string, args ...string) map[string][]check {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), suiteTimeout)
	defer cancel()
	out := t.TempDir()
	args = append([]string{"node_modules/@modelcontextprotocol/conformance/dist/index.js", "server", "--url", url, "-o", out}, args...)
	suite := exec.CommandContext(ctx, tools.node, args...)
	suite.Dir = tools.dir
	said, err := suite.CombinedOutput() // it exits with 1 if a check fails
	folders, _ := os.ReadDir(out)
	if len(folders) == 0 {
		t.Fatalf("the suite stored no results: %v\n%s", err, said)
	}
	results := map[string][]check{}
	for _, folder := range folders {
		match := resultFolder.FindStringSubmatch(folder.Name())
		if match == nil {
			t.Fatalf("the suite stored results as %s", folder.Name())
		}
		data, err := os.ReadFile(filepath.Join(out, folder.Name(), "checks.json"))
		if err != nil {
			t.Fatal(err)
		}
		var checks []check
		if err := json.Unmarshal(data, &checks); err != nil {
			t.Fatal(err)
		}
		results[match[1]] = append(results[match[1]], checks...)
	}
	return results
}
