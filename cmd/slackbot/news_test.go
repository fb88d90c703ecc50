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
	"github.com/balcao/balcao/portal/sandbox"
)

const testToken = "5e0c2f9ab7d1483e6c90fa21b8d74e63"

// newsTown is a town whose bank calls the bot, and whose team hears of everything.
func newsTown(t *testing.T) *town {
	t.Helper()
	w := newTown(t)
	w.env = append(w.env, "CALLBACK_URL=http://"+w.addr, "CALLBACK_TOKENS="+testToken, "PORTAL_PARTNER_UID="+sandbox.BrokerA.Partner.String(),
		"TEAM_CHANNEL="+slacksim.TeamChannel, "ADMIN_USER="+slacksim.Ana)
	return w
}

// team is all that stands in the team's channel, threads included.
func (w *town) team() (texts []string) {
	for _, message := range w.ana.Messages(slacksim.TeamChannel) {
		texts = append(texts, message.FullText())
	}
	return texts
}

// tells counts the messages in the team's channel that say all of this.
func (w *town) tells(parts ...string) (n int) {
	for _, text := range w.team() {
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

// registered waits until the bank has been told where to call, and the echo came back.
func (w *town) registered(t *testing.T) {
	t.Helper()
	await(t, "the echo and the first walk", func() bool {
		_, metrics := get(t, "http://"+w.addr+"/metrics")
		return strings.Contains(metrics, "\nbalcao_echo_age_seconds ") && strings.Contains(metrics, "\nbalcao_walk_age_seconds ")
	})
}

var labels = regexp.MustCompile(`[{,][a-z_]+="([^"]*)"`)

func TestTheTeamHearsOnceOfAProcessThatMovedWhileTheBotWasEnded(t *testing.T) {
	w := newsTown(t)
	w.start(t)
	w.registered(t)
	for range 2 {
		if err := w.bank.Move(sandbox.SampleProcess(1042)); err != nil {
			t.Fatal(err)
		}
	}
	w.end(t) // with SIGTERM, in the middle of it
	if err := w.bank.Move(sandbox.SampleProcess(1043)); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	await(t, "both cards", func() bool { return w.tells("1042") > 0 && w.tells("1043") > 0 })
	if err := w.bank.Move(sandbox.SampleProcess(1044)); err != nil {
		t.Fatal(err)
	}
	await(t, "a third card and its reply", func() bool { return w.tells("1044") >= 1 })

	t.Run("nothing is told twice", func(t *testing.T) {
		said := map[string]bool{}
		for _, text := range w.team() {
			if said[text] {
				t.Errorf("told twice: %q", text)
			}
			said[text] = true
		}
	})
	t.Run("no label of a metric comes from outside", func(t *testing.T) {
		status, metrics := get(t, "http://"+w.addr+"/metrics")
		if status != http.StatusOK || !strings.Contains(metrics, `balcao_posts_total{result="card"}`) {
			t.Fatalf("got %d:\n%s", status, metrics)
		}
		for _, label := range labels.FindAllStringSubmatch(metrics, -1) {
			if !regexp.MustCompile(`^[a-z_ ]+$|^[0-9.e+-]+$|^\+Inf$|^go1\.`).MatchString(label[1]) {
				t.Errorf("a label holds %q", label[1])
			}
		}
	})
	t.Run("the secret of the address is nowhere in the log", func(t *testing.T) {
		if strings.Contains(w.logs.String(), testToken) {
			t.Error("it is in the log")
		}
	})
	t.Run("readiness tells what is not well", func(t *testing.T) {
		if status, body := get(t, "http://"+w.addr+"/readyz"); status != http.StatusOK || strings.TrimSpace(body) != `{"ready":true}` {
			t.Errorf("got %d %s", status, body)
		}
	})
}

func TestWhatWaitsIsToldOnceTheBotIsInvited(t *testing.T) {
	ctx, w := minute(t), newTown(t)
	w.env = append(w.env, "TEAM_CHANNEL="+slacksim.GeneralChannel, "ADMIN_USER="+slacksim.Ana, "TEAM_LANG=en", "CALLBACK_URL=http://"+w.addr,
		"CALLBACK_TOKENS="+testToken, "PORTAL_PARTNER_UID="+sandbox.BrokerA.Partner.String())
	w.start(t)
	w.registered(t)
	if err := w.bank.Move(sandbox.SampleProcess(1042)); err != nil {
		t.Fatal(err)
	}
	heard := func(channel, text string) bool {
		return slices.ContainsFunc(w.ana.Messages(channel), func(m slacksim.Message) bool { return strings.Contains(m.FullText(), text) })
	}
	await(t, "the administrator to hear what to do", func() bool { return heard("D"+slacksim.Ana[1:], "/invite") })
	if heard(slacksim.GeneralChannel, "1042") {
		t.Fatal("a channel without the bot heard of it")
	}
	if err := w.ana.Invite(ctx, slacksim.GeneralChannel); err != nil {
		t.Fatal(err)
	}
	await(t, "the card", func() bool { return heard(slacksim.GeneralChannel, "1042") })
}

func TestLettersAreListedAndReplayed(t *testing.T) {
	ctx, w := minute(t), newsTown(t)
	w.start(t)
	w.registered(t)
	options, err := redis.ParseURL(w.redis)
	if err != nil {
		t.Fatal(err)
	}
	db := redis.NewClient(options)
	defer db.Close()
	if err := db.XAdd(ctx, &redis.XAddArgs{Stream: "hints", Values: []any{"what", "is this"}}).Err(); err != nil {
		t.Fatal(err)
	}
	var listed string
	await(t, "the letter", func() bool {
		listed = w.run(t, ctx, "-letters")
		return strings.Contains(listed, "undecodable")
	})
	id, _, _ := strings.Cut(listed, " ")
	if said := w.run(t, ctx, "-replay", "7-7"); !strings.Contains(said, "0 letters") {
		t.Errorf("one that is none: %s", said)
	}
	if said := w.run(t, ctx, "-replay", id); !strings.Contains(said, "One letter is looked at again") {
		t.Errorf("said %s", said)
	}
	await(t, "it to be put aside again, as it still is no hint", func() bool {
		listed := w.run(t, ctx, "-letters")
		return strings.Contains(listed, "undecodable") && !strings.HasPrefix(listed, id)
	})
	if said := w.run(t, ctx, "-replay", "all"); !strings.Contains(said, "One letter is looked at again") {
		t.Errorf("said %s", said)
	}
}

// run runs the program beside the bot, for what it says.
func (w *town) run(t *testing.T, ctx context.Context, args ...string) string {
	t.Helper()
	program := exec.CommandContext(ctx, w.path, args...)
	program.Env, program.Stderr = append(w.env, "LANG=en"), w.logs
	out, err := program.Output()
	if err != nil {
		t.Fatalf("%s: %v", args, err)
	}
	return string(out)
}

// end ends the program as an operator does, and waits for it.
func (w *town) end(t *testing.T) {
	t.Helper()
	if err := w.bot.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.bot.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended badly: %v\n%s", err, w.logs)
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	w.bot = nil
}

func TestThePlaygroundsBankMovesByItselfAndItsTeamHears(t *testing.T) {
	slack := playground(t, "SANDBOX_PACE=fast")
	await(t, "a callback, and a card for it", func() bool {
		_, metrics := get(t, slack+"/metrics")
		return strings.Contains(metrics, `balcao_hints_total{result="accepted"}`) && strings.Contains(metrics, `balcao_posts_total{result="card"}`)
	})
	if status, body := get(t, slack+"/readyz"); status != http.StatusOK || strings.TrimSpace(body) != `{"ready":true}` {
		t.Errorf("got %d %s", status, body)
	}
}
