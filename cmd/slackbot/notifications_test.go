package main

import (
	"context"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal/sandbox"
)

const testToken = "5e0c2f9ab7d1483e6c90fa21b8d74e63"

// newTeamHarness returns a harness whose bank sends callbacks to the bot, and whose team channel is notified.
func newTeamHarness(t *testing.T) *harness {
	t.Helper()
	h := newHarness(t)
	h.env = append(h.env, "CALLBACK_URL=http://"+h.addr, "CALLBACK_TOKENS="+testToken, "PORTAL_PARTNER_UID="+sandbox.BrokerA.Partner.String(),
		"TEAM_CHANNEL="+slacksim.TeamChannel, "ADMIN_USER="+slacksim.Ana)
	return h
}

// teamTexts returns all messages of the team's channel, threads included.
func (h *harness) teamTexts() (texts []string) {
	for _, message := range h.ana.Messages(slacksim.TeamChannel) {
		texts = append(texts, message.FullText())
	}
	return texts
}

// countInTeam counts the messages in the team's channel that contain all parts.
func (h *harness) countInTeam(parts ...string) (n int) {
	for _, text := range h.teamTexts() {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(text, part)
		}
		if all {
			n++
		}
	}
	return n
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// awaitRegistration waits until the bot is registered at the bank and the echo came back.
func (h *harness) awaitRegistration(t *testing.T) {
	t.Helper()
	waittest.Eventually(t, "the echo came back and the first reconciliation is done", func() bool {
		_, metrics := get(t, "http://"+h.addr+"/metrics")
		return strings.Contains(metrics, "\nbalcao_echo_age_seconds ") && strings.Contains(metrics, "\nbalcao_reconciliation_age_seconds ")
	})
}

var labels = regexp.MustCompile(`[{,][a-z_]+="([^"]*)"`)

func TestTheTeamIsNotifiedOnceOfAProcessThatChangedWhileTheBotWasStopped(t *testing.T) {
	t.Parallel()
	h := newTeamHarness(t)
	h.start(t)
	h.awaitRegistration(t)
	for range 2 {
		if err := h.bank.Advance(sandbox.SampleProcess(1042)); err != nil {
			t.Fatal(err)
		}
	}
	h.terminate(t) // with SIGTERM, in the middle of it
	if err := h.bank.Advance(sandbox.SampleProcess(1043)); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	waittest.Eventually(t, "both processes have cards", func() bool { return h.countInTeam("1042") > 0 && h.countInTeam("1043") > 0 })
	if err := h.bank.Advance(sandbox.SampleProcess(1044)); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the third process has a card and a reply", func() bool { return h.countInTeam("1044") >= 1 })

	t.Run("nothing is posted twice", func(t *testing.T) {
		said := map[string]bool{}
		for _, text := range h.teamTexts() {
			if said[text] {
				t.Errorf("posted twice: %q", text)
			}
			said[text] = true
		}
	})
	t.Run("no label of a metric comes from outside", func(t *testing.T) {
		status, metrics := get(t, "http://"+h.addr+"/metrics")
		if status != http.StatusOK || !strings.Contains(metrics, `balcao_posts_total{result="card"}`) {
			t.Fatalf("got %d:\n%s", status, metrics)
		}
		for _, label := range labels.FindAllStringSubmatch(metrics, -1) {
			if !regexp.MustCompile(`^[a-z_ ]+$|^[0-9.e+-]+$|^\+Inf$|^go1\.|^v\d[0-9a-z.+-]*$`).MatchString(label[1]) {
				t.Errorf("a label holds %q", label[1])
			}
		}
	})
	t.Run("the secret of the address is nowhere in the log", func(t *testing.T) {
		if strings.Contains(h.logs.String(), testToken) {
			t.Error("it is in the log")
		}
	})
	t.Run("readiness reports problems", func(t *testing.T) {
		if status, body := get(t, "http://"+h.addr+"/readyz"); status != http.StatusOK || strings.TrimSpace(body) != `{"ready":true}` {
			t.Errorf("got %d %s", status, body)
		}
	})
}

func TestPendingNotificationsArePostedOnceTheBotIsInvited(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newHarness(t)
	h.env = append(h.env, "TEAM_CHANNEL="+slacksim.GeneralChannel, "ADMIN_USER="+slacksim.Ana, "TEAM_LANG=en", "CALLBACK_URL=http://"+h.addr,
		"CALLBACK_TOKENS="+testToken, "PORTAL_PARTNER_UID="+sandbox.BrokerA.Partner.String())
	h.start(t)
	h.awaitRegistration(t)
	if err := h.bank.Advance(sandbox.SampleProcess(1042)); err != nil {
		t.Fatal(err)
	}
	posted := func(channel, text string) bool {
		return slices.ContainsFunc(h.ana.Messages(channel), func(m slacksim.Message) bool { return strings.Contains(m.FullText(), text) })
	}
	waittest.Eventually(t, "the administrator is notified", func() bool { return posted("D"+slacksim.Ana[1:], "/invite") })
	if posted(slacksim.GeneralChannel, "1042") {
		t.Fatal("it was posted in a channel without the bot")
	}
	if err := h.ana.Invite(ctx, slacksim.GeneralChannel); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the card is posted", func() bool { return posted(slacksim.GeneralChannel, "1042") })
}

func TestDeadLettersAreListedAndReplayed(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newTeamHarness(t)
	h.start(t)
	h.awaitRegistration(t)
	options, err := redis.ParseURL(h.redis)
	if err != nil {
		t.Fatal(err)
	}
	db := redis.NewClient(options)
	defer db.Close()
	if err := db.XAdd(ctx, &redis.XAddArgs{Stream: "triggers", Values: []any{"what", "is this"}}).Err(); err != nil {
		t.Fatal(err)
	}
	var listed string
	waittest.Eventually(t, "the dead letter is listed", func() bool {
		listed = h.output(t, ctx, "-dead-letters")
		return strings.Contains(listed, "undecodable")
	})
	_, metrics := get(t, "http://"+h.addr+"/metrics")
	for _, line := range []string{"\nbalcao_dead_letters 1\n", "\nbalcao_dead_letters_total{reason=\"undecodable\"} 1\n"} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %q", line)
		}
	}
	id, _, _ := strings.Cut(listed, " ")
	if said := h.output(t, ctx, "-replay", "7-7"); !strings.Contains(said, "0 notifications") {
		t.Errorf("one that is none: %s", said)
	}
	if said := h.output(t, ctx, "-replay", id); !strings.Contains(said, "One notification is processed again") {
		t.Errorf("said %s", said)
	}
	waittest.Eventually(t, "it is a dead letter again, since it still cannot be decoded", func() bool {
		listed := h.output(t, ctx, "-dead-letters")
		return strings.Contains(listed, "undecodable") && !strings.HasPrefix(listed, id)
	})
	if said := h.output(t, ctx, "-replay", "all"); !strings.Contains(said, "One notification is processed again") {
		t.Errorf("said %s", said)
	}
}

// output runs the program with arguments while the bot runs, and returns what it prints.
func (h *harness) output(t *testing.T, ctx context.Context, args ...string) string {
	t.Helper()
	program := exec.CommandContext(ctx, buildProgram(t), args...)
	program.Env, program.Stderr = append(h.env, "LANG=en"), h.logs
	out, err := program.Output()
	if err != nil {
		t.Fatalf("%s: %v", args, err)
	}
	return string(out)
}

// terminate stops the program with SIGTERM, as an operator does, and waits until it has ended.
func (h *harness) terminate(t *testing.T) {
	t.Helper()
	if err := h.bot.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- h.bot.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended badly: %v\n%s", err, h.logs)
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	h.bot = nil
}

func TestThePlaygroundsProcessesAdvanceAndItsTeamIsNotified(t *testing.T) {
	t.Parallel()
	slack := playground(t, "SANDBOX_PACE=fast")
	waittest.Eventually(t, "a callback is received and a card posted", func() bool {
		_, metrics := get(t, slack+"/metrics")
		return strings.Contains(metrics, `balcao_callbacks_total{result="accepted"}`) && strings.Contains(metrics, `balcao_posts_total{result="card"}`)
	})
	waittest.Eventually(t, "nothing fails, once the first reconciliation is done", func() bool {
		status, body := get(t, slack+"/readyz")
		return status == http.StatusOK && strings.TrimSpace(body) == `{"ready":true}`
	})
}
