package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/balcao/balcao/internal/browsertest"
)

// programDir is where build puts the program; TestMain removes it.
var programDir string

// build builds the program once for all tests.
var build = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(programDir, "slackbot")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building: %w\n%s", err, out)
	}
	return path, nil
})

// buildProgram returns the path of the program.
func buildProgram(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "slackbot")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programDir = dir
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil { // tests wait for programs more than they compute
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	browsertest.Main(m, func() { _ = os.RemoveAll(dir) })
}
