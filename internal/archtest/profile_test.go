package archtest

import (
	"regexp"
	"strings"
	"testing"
)

// fact matches what a file has if it states a fact about the bank that its reference does not print: a path of the API, or
// the word for such a fact.
var fact = regexp.MustCompile(`(?i)\binferred\b|"/v1/|"x-client-id|"xClientID`)

// TestOnlyTheProfileHasInferredFacts: the sandbox invents values, which its files say, and follows the profile in the rest.
func TestOnlyTheProfileHasInferredFacts(t *testing.T) {
	checked := 0
	eachFile(t, func(path string) {
		name := strings.TrimPrefix(path, top+"/")
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") ||
			strings.HasPrefix(name, "portal/profile/") || strings.HasPrefix(name, "portal/sandbox/") {
			return
		}
		checked++
		for i, line := range strings.Split(read(t, name), "\n") {
			if fact.MatchString(strings.ReplaceAll(line, "profile.Inferred", "")) { // the mark may be asked for
				t.Errorf("%s:%d: move it to portal/profile/bank.toml: %s", name, i+1, strings.TrimSpace(line))
			}
		}
	})
	if checked < 100 {
		t.Errorf("only %d files were checked", checked)
	}
}
