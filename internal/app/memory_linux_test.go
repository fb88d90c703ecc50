package app

import (
	"os"
	"strings"
	"testing"
)

func TestTheMappingsOfTheProgramAreReadAndReleased(t *testing.T) {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	code, data := 0, 0
	for _, m := range mappings() {
		switch {
		case m.path != program:
		case m.readOnly && !m.changed:
			code++
		case !m.readOnly:
			data++
		}
	}
	if code == 0 || data == 0 {
		t.Errorf("found %d parts of the code and %d of the data", code, data)
	}
	releaseCode()
	if got := strings.ToUpper("still here"); got != "STILL HERE" { // the code is mapped again
		t.Errorf("got %q", got)
	}
}
