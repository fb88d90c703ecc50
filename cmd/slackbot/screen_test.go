package main

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/addrtest"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/waittest"
)

// healthy are the settings with which the harness has nothing to correct.
var healthy = []string{"LANG=en", "PORTAL_USERS=T0BALCAO/U0ANA=rede.exemplo.a1", "TEAM_CHANNEL=C0EQUIPA", "ADMIN_USER=U0ANA"}

// waitForScreen waits until the whole screen of a start is printed, and returns it in one line.
func waitForScreen(t *testing.T, said *logtest.Log) string {
	t.Helper()
	waittest.Eventually(t, "the screen is printed", func() bool { return strings.Contains(said.String(), "/slack/events") })
	return oneLine(said.String())
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestAtStartTheScreenSaysThatAllAnswer(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	said, stop := h.runInProcess(t, healthy...)
	screen := waitForScreen(t, said)
	for _, want := range []string{
		"Balcão is running", "ok Redis Redis ", "What is written is kept", "ok Slack The bot token is accepted: workspace Balcão", "ok notifications The bot is in the channel C0EQUIPA",
		"ok bank http://127.0.0.1:", "accepts the login", "Slack's request URL: http://",
	} {
		if !strings.Contains(screen, want) {
			t.Errorf("it does not say %q but\n%s", want, said)
		}
	}
	if strings.Contains(screen, "doctor") {
		t.Errorf("it names the doctor, and nothing is wrong:\n%s", said)
	}
	if code := stop(); code != 0 {
		t.Errorf("it ends with %d", code)
	}
}

func TestAStartGoesOnWhileSomethingDoesNotWorkAndSaysSoInsteadOfRunning(t *testing.T) {
	t.Parallel()
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections, and answers nothing
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	for name, c := range map[string]struct {
		change      []string
		says, warns []string
	}{
		"another login": {[]string{"PORTAL_CLIENT_SECRET=another"},
			[]string{"does not work yet: bank.", "FAILS bank", "refuses the login", "Compare PORTAL_CLIENT_ID"}, []string{"the bank rejects the login"}},
		"a bank and a Slack that do not answer": {[]string{"PORTAL_URL=http://" + addrtest.Free(t), "SLACK_API_URL=http://" + addrtest.Free(t) + "/api/"},
			[]string{"does not work yet: Slack, bank.", "FAILS Slack Slack does not answer", "does not answer; it is asked again"}, []string{"the bank does not answer"}},
		"a bank that hangs": {[]string{"PORTAL_URL=http://" + deaf.Addr().String()}, []string{"does not work yet: bank.", "does not answer; it is asked again"}, nil},
		"a bot that is not in the channel": {[]string{"TEAM_CHANNEL=C0GERAL"},
			[]string{"does not work yet: notifications.", "The bot is not in the channel C0GERAL", "/invite @Balcão"}, nil},
		"in Portuguese": {[]string{"PORTAL_CLIENT_SECRET=another", "LANG=pt_PT.UTF-8"}, []string{"O Balcão arrancou", "mas há o que ainda não funciona: banco."}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			said, stop := h.runInProcess(t, append(slices.Clone(healthy), c.change...)...)
			screen := waitForScreen(t, said)
			for _, want := range append(c.says, "«slackbot doctor»") {
				if !strings.Contains(screen, want) {
					t.Errorf("it does not say %q but\n%s", want, said)
				}
			}
			if strings.Contains(screen, "is running") || strings.Contains(screen, "a funcionar") {
				t.Errorf("it says that it runs:\n%s", said)
			}
			for _, want := range c.warns {
				if !strings.Contains(h.logs.String(), want) {
					t.Errorf("the log does not say %q", want)
				}
			}
			if status, _ := get(t, "http://"+h.addr+"/healthz"); status != 200 {
				t.Errorf("/healthz answers %d", status)
			}
			if code := stop(); code != 0 {
				t.Errorf("it ends with %d", code)
			}
		})
	}
}

func TestReadinessNamesWhatDidNotAnswerAtStart(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	said, stop := h.runInProcess(t, append(slices.Clone(healthy), "PORTAL_URL=http://"+addrtest.Free(t), "SLACK_API_URL=http://"+addrtest.Free(t)+"/api/")...)
	waitForScreen(t, said)
	waittest.Eventually(t, "/readyz names both", func() bool {
		_, body := get(t, "http://"+h.addr+"/readyz")
		return strings.Contains(body, `"ready":true`) && strings.Contains(body, `"bank`) && strings.Contains(body, `"slack"`)
	})
	stop()
}

func TestAStartEndsWithWhatIsRefusedOnTheScreen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change []string
		before func(*harness)
		code   int
		says   []string
	}{
		"another bot token":    {[]string{"SLACK_BOT_TOKEN=xoxb-another"}, nil, 2, []string{"This does not work: Slack.", "Slack does not accept SLACK_BOT_TOKEN", "OAuth & Permissions"}},
		"a revoked bot token":  {nil, func(h *harness) { h.slack.Revoke() }, 2, []string{"This does not work: Slack.", "any more (token_revoked)", "Install the app again"}},
		"another app token":    {[]string{"SLACK_APP_TOKEN=xapp-another"}, nil, 2, []string{"This does not work: Slack.", "Slack does not accept SLACK_APP_TOKEN", "connections:write"}},
		"a dead Redis":         {nil, func(h *harness) { h.server.Stop() }, 1, []string{"This does not work: Redis.", "Nothing answers at 127.0.0.1:", "Start Redis"}},
		"a Redis that is full": {nil, func(h *harness) { h.server.Fill() }, 1, []string{"This does not work: Redis.", "refuses writes", "more memory"}},
		"another Redis's key":  {[]string{"STATE_KEY=" + stateKey(t)}, func(h *harness) { h.start(t); h.kill() }, 1, []string{"This does not work: Redis.", "in use with another STATE_KEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			if c.before != nil {
				c.before(h)
			}
			said, stop := h.runInProcess(t, append(slices.Clone(healthy), c.change...)...)
			waittest.Eventually(t, "it says why", func() bool { return strings.Contains(h.logs.String(), "Balcão has not started") })
			if code := stop(); code != c.code || said.String() != "" {
				t.Errorf("it ends with %d and says %q", code, said)
			}
			screen := oneLine(h.logs.String())
			for _, want := range append(c.says, "«slackbot doctor»") {
				if !strings.Contains(screen, want) {
					t.Errorf("it does not say %q but\n%s", want, h.logs)
				}
			}
		})
	}
}
