// Package conformance runs what others have written to hold a server of the Model Context Protocol against its specification:
// the official test suite, the inspector, and the official clients. It is for tests only.
package conformance

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// files has the npm packages, pinned, and the scripts that use them.
//
//go:embed npm
var files embed.FS

// tools is a folder with the installed npm packages and our scripts.
type tools struct {
	dir  string
	node string // the program
}

// install returns the npm packages. They are installed once for each state of the lock file, below the user's cache, because
// that takes longer than the tests. The test fails if npm is not in PATH.
func install(t testing.TB) tools {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatal("npm is not in PATH: script/test installs it")
	}
	dir, err := installed()
	if err != nil {
		t.Fatalf("installing the npm packages: %v", err)
	}
	node := filepath.Join(dir, "node_modules", "node-linux-"+map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH], "bin", "node")
	if _, err := os.Stat(node); err != nil { // npm has it for Linux only
		node = "node"
	}
	return tools{dir, node}
}

func installed() (dir string, err error) {
	names := []string{"package.json", "package-lock.json", "clients.mjs"}
	sum := sha256.New()
	for _, name := range names {
		data, err := files.ReadFile("npm/" + name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(data), data)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	parent := filepath.Join(cache, "balcao-conformance")
	dir = filepath.Join(parent, hex.EncodeToString(sum.Sum(nil))[:16])
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(parent, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close() // which unlocks it
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	partial, err := os.MkdirTemp(parent, "partial")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(partial)
	for _, name := range names {
		data, err := files.ReadFile("npm/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(partial, name), data, 0o600)
		}
		if err != nil {
			return "", err
		}
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = partial
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return dir, os.Rename(partial, dir)
}
