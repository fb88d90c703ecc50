package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheProfileIsCheckedWithoutOtherSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bank.toml")
	if err := os.WriteFile(file, []byte("[rules]\n\"nif.check_digit\" = \"warn\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	if status := run(t.Context(), []string{"profile", "check", file}, map[string]string{}, &stdout, &stderr); status != 0 || !strings.HasPrefix(stdout.String(), "Fine: ") {
		t.Errorf("status %d: %s%s", status, stdout.String(), stderr.String())
	}
}
