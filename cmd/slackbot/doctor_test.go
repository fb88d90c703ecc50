package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/slacksim"
)

var update = flag.Bool("update", false, "write the golden files of the doctor")

// volatile are the parts of the doctor's output that differ from one run to another, and what the golden files have instead.
var volatile = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d{5}`), "127.0.0.1:00000"},
	{regexp.MustCompile(`(Redis|Valkey) \d+\.\d+\.\d+`), "Redis 7.0.0"},
	{regexp.MustCompile(`\d+([.,])\d ms`), "0${1}1 ms"},
	{regexp.MustCompile(`(differ by|diferem) \d s`), "$1 0 s"}, // the header has whole seconds
	{regexp.MustCompile(`"seconds": [\d.]+`), `"seconds": 0.1`},
	{regexp.MustCompile(`"version": "[^"]*"`), `"version": "devel"`},
}

// doctor runs «slackbot doctor» as a process, with the settings of the harness and changes to them.
func (h *harness) doctor(t *testing.T, args []string, change ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	program := exec.CommandContext(testContext(t), buildProgram(t), append([]string{"doctor"}, args...)...)
	program.Env, program.Stdout, program.Stderr = slices.Concat(h.env, healthy, change), &out, &err
	if failed, is := errors.AsType[*exec.ExitError](program.Run()); is {
		code = failed.ExitCode()
	}
	return code, out.String(), err.String()
}

func TestTheDoctorsOutputIsThatOfItsGoldenFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   []string
		change []string
		before func(*harness)
		code   int
	}{
		"healthy.en.txt":       {nil, nil, nil, 0},
		"healthy.pt-PT.txt":    {nil, []string{"LANG=pt_PT.UTF-8", "SLACK_APP_TOKEN=" + slacksim.DefaultAppToken}, nil, 0},
		"healthy.json":         {[]string{"-json"}, nil, nil, 0},
		"dead-redis.en.txt":    {nil, nil, func(h *harness) { h.server.Stop() }, 2},
		"dead-redis.pt-PT.txt": {nil, []string{"LANG=pt_PT.UTF-8"}, func(h *harness) { h.server.Stop() }, 2},
		"revoked.en.txt":       {nil, nil, func(h *harness) { h.slack.Revoke() }, 2},
		"revoked.pt-PT.txt":    {nil, []string{"LANG=pt_PT.UTF-8"}, func(h *harness) { h.slack.Revoke() }, 2},
		"revoked.json":         {[]string{"-json", "-parts", "slack"}, nil, func(h *harness) { h.slack.Revoke() }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			if c.before != nil {
				c.before(h)
			}
			code, got, stderr := h.doctor(t, c.args, c.change...)
			if code != c.code || stderr != "" {
				t.Errorf("exits with %d, and says %q", code, stderr)
			}
			for _, v := range volatile {
				got = v.pattern.ReplaceAllString(got, v.instead)
			}
			wantGolden(t, filepath.Join("testdata", "doctor", name), got)
		})
	}
}

func TestTheDoctorPrintsNothingSecretAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.bank.Close()
	path := filepath.Join(t.TempDir(), "record.json")
	secrets := []string{slacksim.DefaultBotToken, slacksim.DefaultSigningSecret, slacksim.DefaultAppToken, "simulated-password", "rede.exemplo"}
	redis := strings.Replace(h.redis, "redis://", "redis://default:simulated-password@", 1) // a server without a password accepts any
	for _, change := range [][]string{{"REDIS_URL=" + redis}, {"REDIS_URL=" + redis, "SLACK_APP_TOKEN=" + slacksim.DefaultAppToken + "x"}, {"PORTAL_USERNAME="}} {
		for _, args := range [][]string{nil, {"-json", "-record", path}} {
			_, stdout, stderr := h.doctor(t, args, change...)
			text := stdout + stderr
			if kept, err := os.ReadFile(path); err == nil {
				text += string(kept)
			}
			for _, secret := range append(secrets, h.env...) {
				if _, value, set := strings.Cut(secret, "="); set {
					secret = value
				}
				if len(secret) > 16 && !strings.HasPrefix(secret, "http") && !strings.HasPrefix(secret, "/") && !strings.HasPrefix(secret, "redis://127") && strings.Contains(text, secret) {
					t.Errorf("%q %q prints %q", args, change, secret)
				}
			}
		}
	}
	for _, request := range h.slack.Requests() {
		if strings.HasPrefix(request.Method, "chat.") || strings.HasPrefix(request.Method, "views.") {
			t.Errorf("it calls %s", request.Method)
		}
	}
	if left := h.server.Keys(); !slices.Equal(left, []string{"ready"}) {
		t.Errorf("it leaves %q in Redis", left)
	}
}

func TestTheDoctorsJSONHasTheDocumentedNames(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, stdout, _ := h.doctor(t, []string{"-json"})
	var report struct {
		Program, Version, Status string
		Exit                     *int
		Findings                 []struct{ Part, Subject, Status, Code, What string }
	}
	decoder := json.NewDecoder(strings.NewReader(stdout))
	if err := decoder.Decode(&report); err != nil || report.Program != "slackbot" || report.Status != "ok" || report.Exit == nil {
		t.Fatalf("got %s, %v", stdout, err)
	}
	for _, f := range report.Findings {
		if f.Part == "" || f.Subject == "" || f.Status == "" || f.Code == "" || f.What == "" || f.What == f.Code {
			t.Errorf("a name is missing: %+v", f)
		}
	}
}

func TestTheDoctorComparesHostsThatOthersReach(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hosts []string
		url   string
		want  []string
		host  string
	}{
		"nothing":      {},
		"this machine": {hosts: []string{"localhost", "127.0.0.1", "::1"}, url: "http://localhost:3001"},
		"others":       {hosts: []string{"localhost", " Balcao.example.com "}, url: "https://balcao.example.com:8443", want: []string{"balcao.example.com"}, host: "balcao.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hosts, host := hostsOf(settings.Settings{MCPHosts: c.hosts, MCPURL: c.url})
			if !slices.Equal(hosts, c.want) || host != c.host {
				t.Errorf("got %q and %q, want %q and %q", hosts, host, c.want, c.host)
			}
		})
	}
}
