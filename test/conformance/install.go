// Package conformance runs what others have written to hold a server of the Model Context Protocol against its specification:
// the official test suite, the inspector, and the official clients. It is for tests only.
package conformance

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
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

// packages names the files that say what is installed.
var packages = []string{"package.json", "package-lock.json"}

const installTimeout = 5 * time.Minute

// install returns the npm packages. They are installed once for each state of the lock file, below the user's cache, because
// that takes longer than the tests. The test fails if npm is not in PATH.
func install(t testing.TB) tools {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatal("npm is not in PATH: script/test installs it")
	}
	modules, err := installed()
	if err != nil {
		t.Fatalf("installing the npm packages: %v", err)
	}
	dir := t.TempDir()
	script, err := files.ReadFile("npm/clients.mjs")
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(dir, "clients.mjs"), script, 0o600), os.Symlink(modules, filepath.Join(dir, "node_modules")))
	}
	if err != nil {
		t.Fatal(err)
	}
	node := filepath.Join(modules, "node-linux-"+map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH], "bin", "node")
	if _, err := os.Stat(node); err != nil { // npm has it for Linux only
		node = "node"
	}
	return tools{dir, node}
}

// installed returns the folder node_modules with the packages.
func installed() (modules string, err error) {
	sum := sha256.New()
	for _, name := range packages {
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
	dir := filepath.Join(parent, hex.EncodeToString(sum.Sum(nil))[:16])
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
	modules = filepath.Join(dir, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules, nil
	}
	partial, err := os.MkdirTemp(parent, "partial")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(partial)
	for _, name := range packages {
		data, err := files.ReadFile("npm/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(partial, name), data, 0o600)
		}
		if err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), installTimeout)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = partial
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return modules, os.Rename(partial, dir)
}
