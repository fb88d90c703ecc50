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

func TestTheCodeStaysWhileADebuggerIsAttached(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]bool{
		"Name:\tmcpserver\nTracerPid:\t0\nUid:\t0\n":   false,
		"Name:\tmcpserver\nTracerPid:\t417\nUid:\t0\n": true,
		"Name:\tmcpserver\n":                           false,
	} {
		if got := isTraced(status); got != want {
			t.Errorf("%q is traced: %v", status, got)
		}
	}
}
