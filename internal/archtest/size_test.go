package archtest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// maxTracked is the size in bytes above which a tracked file must be listed in large. Everybody who clones downloads
// every version of every tracked file.
const maxTracked = 500_000

// large lists the tracked files that may be larger, by their paths from the root, each with the reason.
var large = map[string]string{}

func TestNoTrackedFileIsLargeUnlessItIsListed(t *testing.T) {
	sizes := trackedSizes(t)
	for path, size := range sizes {
		if _, listed := large[path]; size > maxTracked && !listed {
			t.Errorf("%s has %d bytes, over %d: remove it, or list it in large with the reason", path, size, maxTracked)
		}
	}
	for path := range large {
		if sizes[path] <= maxTracked {
			t.Errorf("%s is listed as large and is not: remove it from the list", path)
		}
	}
}

// trackedSizes gives the size in bytes of every file that git tracks.
func trackedSizes(t *testing.T) map[string]int64 {
	t.Helper()
	sizes := map[string]int64{}
	for path := range bytes.SplitSeq(output(t, "git", "-C", top, "ls-files", "-z"), []byte{0}) {
		if len(path) == 0 {
			continue
		}
		info, err := os.Lstat(filepath.Join(top, string(path)))
		if errors.Is(err, fs.ErrNotExist) { // deleted, and not committed yet
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		sizes[string(path)] = info.Size()
	}
	if len(sizes) == 0 {
		t.Fatal("git lists no file")
	}
	return sizes
}

func output(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return out
}
