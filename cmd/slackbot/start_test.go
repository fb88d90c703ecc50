package main

import (
	"net"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/version"
)

func TestAFailedStartSaysWhyAndExitsWithItsCode(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		args    []string
		environ map[string]string
		code    int
		says    []string
	}{
		"nothing is set":                       {nil, map[string]string{}, 2, []string{"PORTAL_URL is missing", "SLACK_BOT_TOKEN is missing", "REDIS_URL is missing", "STATE_KEY is missing", "PORTAL_USERS is missing", "*=portal user", "-new-state-key", "start it with -playground"}},
		"in Portuguese":                        {nil, map[string]string{"LANG": "pt_PT.UTF-8"}, 2, []string{"Falta PORTAL_URL", "peça-o ao banco"}},
		"a playground that others could reach": {[]string{"-playground", "-addr", "0.0.0.0:0"}, map[string]string{}, 2, []string{"loopback"}},
		"a playground with a real bank":        {[]string{"-playground"}, map[string]string{"PORTAL_URL": "https://bank.example", "PORTAL_CLIENT_ID": "id", "PORTAL_CLIENT_SECRET": "secret", "PORTAL_BROKER_UID": "3f2b8a52-6f0e-4f0c-9a1b-0a0b0c0d0e0f", "PORTAL_USERNAME": "ana", "PORTAL_USERS": "*=ana"}, 2, []string{"PORTAL_URL is a real bank", "-simulated-slack-with-real-bank"}},
		"one that was asked for":               {[]string{"-playground", "-simulated-slack-with-real-bank", "-addr", taken.Addr().String()}, map[string]string{"PORTAL_URL": "https://bank.example", "PORTAL_CLIENT_ID": "id", "PORTAL_CLIENT_SECRET": "secret", "PORTAL_BROKER_UID": "3f2b8a52-6f0e-4f0c-9a1b-0a0b0c0d0e0f", "PORTAL_USERNAME": "ana", "PORTAL_USERS": "*=ana"}, 1, []string{"is taken"}},
		"a toolset that does not exist":        {[]string{"-playground"}, map[string]string{"MCP_TOOLS": "nope"}, 2, []string{"MCP_TOOLS is not valid", "docs/tools.md"}},
		"a command that does not exist":        {[]string{"frobnicate"}, map[string]string{}, 2, []string{"slackbot manifest", "slackbot audit verify"}},
		"help":                                 {[]string{"-help"}, map[string]string{}, 0, []string{"-new-state-key"}},
		"a key to rotate that is none":         {[]string{"-rotate-state-key"}, map[string]string{"STATE_KEY": "hunter2"}, 1, []string{"keyset"}},
		"a flag that is none":                  {[]string{"-no-such-flag"}, map[string]string{}, 2, []string{"-playground"}},
		"an address that is taken":             {[]string{"-playground", "-addr", taken.Addr().String()}, map[string]string{}, 1, []string{"is taken"}},
		"an address that is none":              {[]string{"-playground", "-addr", "127.0.0.1:999999"}, map[string]string{}, 2, []string{"ADDR is not valid"}},
		"a Redis that does not answer":         {[]string{"-playground", "-addr", "127.0.0.1:0"}, map[string]string{"REDIS_URL": "redis://127.0.0.1:1", "STATE_KEY": stateKey(t)}, 1, []string{"REDIS_URL"}},
	} {
		var stdout, stderr strings.Builder
		if code := run(t.Context(), c.args, c.environ, &stdout, &stderr); code != c.code {
			t.Errorf("%s: exits with %d, want %d", name, code, c.code)
		}
		for _, text := range c.says {
			if !strings.Contains(stderr.String(), text) {
				t.Errorf("%s: does not say %q but\n%s", name, text, stderr.String())
			}
		}
	}
}

func TestANewStateKeyIsValid(t *testing.T) {
	t.Parallel()
	if _, err := keys.Parse(stateKey(t)); err != nil {
		t.Error(err)
	}
}

func TestARotatedStateKeyOpensWhatTheOldOneSealedAndSealsAnew(t *testing.T) {
	t.Parallel()
	old := stateKey(t)
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"-rotate-state-key"}, map[string]string{"STATE_KEY": old}, &stdout, &stderr); code != 0 {
		t.Fatalf("exits with %d: %s", code, stderr.String())
	}
	before, err := keys.Parse(old)
	after, failed := keys.Parse(stdout.String())
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	sealed, err := before.Seal([]byte("text"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := after.Open(sealed, nil); err != nil || string(text) != "text" {
		t.Errorf("the new one does not open it: %q, %v", text, err)
	}
	if sealed, err = after.Seal([]byte("text"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := before.Open(sealed, nil); err == nil {
		t.Error("the old one seals still")
	}
}

func stateKey(t *testing.T) string {
	t.Helper()
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"-new-state-key"}, map[string]string{}, &stdout, &stderr); code != 0 {
		t.Fatalf("exits with %d: %s", code, stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}

func TestTheVersionFlagPrintsTheVersion(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"-version"}, map[string]string{}, &stdout, &stderr); code != 0 || stdout.String() != version.String()+"\n" {
		t.Errorf("exits with %d and prints %q", code, stdout.String())
	}
}
