package version

import (
	"runtime/debug"
	"testing"
)

func TestTheVersionIsThatOfTheMainModule(t *testing.T) {
	for recorded, want := range map[string]string{
		"": devel, "(devel)": devel, "v1.2.0": "v1.2.0",
		"v0.0.0-20261126143242-7590079c1f2e+dirty": "v0.0.0-20261126143242-7590079c1f2e+dirty",
	} {
		if got := of(&debug.BuildInfo{Main: debug.Module{Version: recorded}}); got != want {
			t.Errorf("%q: got %q, want %q", recorded, got, want)
		}
	}
	if String() == "" {
		t.Error("a test has no version")
	}
}
