package archtest

import (
	"regexp"
	"strings"
	"testing"
)

// testName matches the name of a test or a fuzz target.
var testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w*`)

// The last column of the threat model names the tests that show what it claims.
func TestEachThreatNamesATestThatExists(t *testing.T) {
	existing := map[string]bool{}
	grep := output(t, "git", "-C", top, "grep", "-hoE", "--untracked", `^func (Test|Fuzz)\w+`, "--", "*_test.go")
	for _, name := range testName.FindAllString(string(grep), -1) {
		existing[name] = true
	}
	rows := 0
	for line := range strings.Lines(read(t, "SECURITY.md")) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || strings.Trim(cells[0], " -") == "" || strings.TrimSpace(cells[3]) == "Tests" {
			continue
		}
		rows++
		named := testName.FindAllString(cells[3], -1)
		if len(named) == 0 {
			t.Errorf("no test is named for: %s", strings.TrimSpace(line))
		}
		for _, name := range named {
			if !existing[name] {
				t.Errorf("%s is named and does not exist", name)
			}
		}
	}
	if rows == 0 {
		t.Error("SECURITY.md has no table of four columns")
	}
}
