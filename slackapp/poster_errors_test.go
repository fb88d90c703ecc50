package slackapp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
)

// notSent, retryAfter, unreachableReason and gone return what an error of a call to Slack reports.
func notSent(err error) bool {
	var says interface{ NotSent() bool }
	return errors.As(err, &says) && says.NotSent()
}

func retryAfter(err error) time.Duration {
	var says interface{ RetryAfter() time.Duration }
	if errors.As(err, &says) {
		return says.RetryAfter()
	}
	return 0
}

func unreachableReason(err error) string {
	var says interface{ Unreachable() string }
	if errors.As(err, &says) {
		return says.Unreachable()
	}
	return ""
}

func gone(err error) bool {
	var says interface{ Gone() bool }
	return errors.As(err, &says) && says.Gone()
}

// unsharedSlack is a Slack whose channels are read by the team alone. do answers all other calls.
func unsharedSlack(do http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/auth.test":
			_, _ = fmt.Fprintf(w, `{"ok":true,"team_id":%q,"user_id":%q,"bot_id":%q}`, slacksim.TeamID, slacksim.BotUserID, slacksim.BotID)
		case "/api/conversations.info":
			_, _ = fmt.Fprintf(w, `{"ok":true,"channel":{"shared_team_ids":[%q]}}`, slacksim.TeamID)
		default:
			do(w, r)
		}
	})
}

func TestEveryRefusalOfSlackSaysWhatToDo(t *testing.T) {
	t.Parallel()
	type said struct {
		certain bool
		wait    time.Duration
		blocked string
		missing bool
	}
	for _, row := range []struct {
		name   string
		status int
		header string
		body   string
		want   said
	}{
		{"too many, with a time", 429, "7", `{"ok":false,"error":"ratelimited"}`, said{certain: true, wait: 7 * time.Second}},
		{"too many, with no time", 429, "", `{"ok":false,"error":"ratelimited"}`, said{certain: true, wait: 30 * time.Second}},
		{"too many, with no body", 429, "2", ``, said{certain: true, wait: 2 * time.Second}},
		{"too many, at once", 429, "0", ``, said{certain: true, wait: time.Second}},
		{"too many, for a day", 429, "86400", ``, said{certain: true, wait: 15 * time.Minute}},
		{"too many, with a good status", 200, "", `{"ok":false,"error":"ratelimited"}`, said{certain: true, wait: 30 * time.Second}},
		{"no reason", 200, "", `{"ok":false}`, said{}},
		{"errors of an unknown kind", 200, "", `{"ok":false,"error":"is_archived","errors":[{"new":{"kind":1}}]}`, said{certain: true, blocked: "is_archived"}},
		{"not invited", 200, "", `{"ok":false,"error":"not_in_channel"}`, said{certain: true, blocked: "not_in_channel"}},
		{"no such channel", 200, "", `{"ok":false,"error":"channel_not_found"}`, said{certain: true, blocked: "channel_not_found"}},
		{"archived, when edited", 200, "", `{"ok":false,"error":"is_inactive"}`, said{certain: true, blocked: "is_archived"}},
		{"not allowed there", 200, "", `{"ok":false,"error":"restricted_action_read_only_channel"}`, said{certain: true, blocked: "restricted_action"}},
		{"revoked", 200, "", `{"ok":false,"error":"token_revoked"}`, said{certain: true, blocked: "token_revoked"}},
		{"deactivated", 200, "", `{"ok":false,"error":"account_inactive"}`, said{certain: true, blocked: "account_inactive"}},
		{"a wrong token", 200, "", `{"ok":false,"error":"invalid_auth"}`, said{certain: true, blocked: "invalid_auth"}},
		{"a missing scope", 200, "", `{"ok":false,"error":"missing_scope","needed":"x"}`, said{certain: true, blocked: "missing_scope"}},
		{"a message that was deleted", 200, "", `{"ok":false,"error":"message_not_found"}`, said{certain: true, missing: true}},
		{"a thread that was deleted", 200, "", `{"ok":false,"error":"thread_not_found"}`, said{certain: true, missing: true}},
		{"blocks that it does not like", 200, "", `{"ok":false,"error":"invalid_blocks"}`, said{certain: true}},
		{"a fault of its own", 200, "", `{"ok":false,"error":"internal_error"}`, said{}},
		{"another", 200, "", `{"ok":false,"error":"fatal_error"}`, said{}},
		{"a status", 503, "", `{"ok":false,"error":"not_in_channel"}`, said{}},
		{"a page of somebody else's", 200, "", `<html>`, said{}},
		{"success without a message", 200, "", `{"ok":true}`, said{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			slack := httptest.NewServer(unsharedSlack(func(w http.ResponseWriter, _ *http.Request) {
				calls++
				if row.header != "" {
					w.Header().Set("Retry-After", row.header)
				}
				w.WriteHeader(row.status)
				_, _ = w.Write([]byte(row.body))
			}))
			defer slack.Close()
			h := &harness{t: t, replica: newIdleReplica(t)}
			_, err := h.newApp(t, slack.URL+"/api/").Post(t.Context(), team, "", aNotice("um"))
			if err == nil {
				t.Fatal("there is no error")
			}
			if got := (said{notSent(err), retryAfter(err), unreachableReason(err), gone(err)}); got != row.want {
				t.Errorf("%v says %+v, want %+v", err, got, row.want)
			}
			if calls != 1 {
				t.Errorf("Slack was called %d times", calls)
			}
			if strings.Contains(err.Error(), "1042") || strings.Contains(err.Error(), slacksim.DefaultBotToken) {
				t.Errorf("the error says too much: %v", err)
			}
		})
	}
}

func TestARefusedConnectionIsNotSentAndATimeoutIsUncertain(t *testing.T) {
	t.Parallel()
	stuck := make(chan struct{})
	var leave atomic.Pointer[context.CancelFunc] // ends the call that has arrived
	slack := httptest.NewServer(unsharedSlack(func(_ http.ResponseWriter, r *http.Request) {
		(*leave.Load())()
		select {
		case <-r.Context().Done():
		case <-stuck:
		}
	}))
	h := &harness{t: t, replica: newIdleReplica(t)}
	app := h.newApp(t, slack.URL+"/api/")
	unanswered := func(dest string) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		leave.Store(&cancel)
		_, err := app.Post(ctx, dest, "", aNotice("um"))
		return err
	}
	if err := unanswered(team); err == nil || notSent(err) || unreachableReason(err) != "" || retryAfter(err) != 0 {
		t.Errorf("no answer gave %v", err)
	}
	if err := unanswered(anasID); err == nil || !notSent(err) {
		t.Errorf("a conversation that was not opened gave %v", err)
	}
	close(stuck)
	slack.Close()
	if _, err := app.Post(t.Context(), team, "", aNotice("um")); err == nil || !notSent(err) {
		t.Errorf("nobody there gave %v", err)
	}
	for _, dest := range []string{"", "mcp:local", "slack:", "slack:equipa", "email:x"} {
		if _, err := app.Post(t.Context(), dest, "", aNotice("um")); unreachableReason(err) != "channel_not_found" {
			t.Errorf("the destination %q gave %v", dest, err)
		}
	}
}

func TestErrorsOfTheWorkspaceSayWhatToCorrect(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	ana, app := h.ana(), h.replica.app
	id := h.post(team, "", card("um"))
	fails := func(dest, want string) {
		t.Helper()
		_, err := app.Post(h.ctx(), dest, "", aNotice("dois"))
		if unreachableReason(err) != want || !notSent(err) {
			t.Errorf("posting to %s gave %v, want %s", dest, err, want)
		}
	}
	fails(home, "not_in_channel")
	fails("slack:C0NADA", "channel_not_found")
	fails("slack:U0NADA", "user_not_found")
	must(t, ana.Archive(h.ctx(), slacksim.TeamChannel))
	fails(team, "is_archived")
	if err := app.Edit(h.ctx(), team, id, card("um")); unreachableReason(err) != "is_archived" {
		t.Errorf("editing gave %v", err)
	}
	must(t, ana.Unarchive(h.ctx(), slacksim.TeamChannel))
	must(t, ana.Remove(h.ctx(), slacksim.TeamChannel))
	fails(team, "not_in_channel")
	if _, _, err := app.Find(h.ctx(), team, "", "um"); unreachableReason(err) != "not_in_channel" {
		t.Errorf("finding gave %v", err)
	}
	must(t, ana.Invite(h.ctx(), slacksim.TeamChannel))
	h.sim.Revoke()
	fails(team, "token_revoked")
	h.sim.Restore()
	h.post(team, id, aNotice("dois"))
	if err := app.Edit(h.ctx(), team, slacksim.TeamChannel+"/1.000001", card("um")); !gone(err) {
		t.Errorf("editing what is not there gave %v", err)
	}
	if _, err := app.Post(h.ctx(), team, slacksim.TeamChannel+"/1.000001", aNotice("um")); !gone(err) || !notSent(err) {
		t.Errorf("answering what is not there gave %v", err)
	}
}

func TestUnderRateLimitsNothingIsRetriedAndNothingPostedTwice(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	h.sim.FailRandomly("chat.postMessage", 0.5, 42, slacksim.RateLimited(3*time.Second))
	tries := 0
	for i := range 20 {
		for {
			tries++
			_, err := h.replica.app.Post(h.ctx(), team, "", aNotice(fmt.Sprint(i)))
			if err == nil {
				break
			}
			if retryAfter(err) != 3*time.Second || !notSent(err) {
				t.Fatalf("try %d gave %v", tries, err)
			}
		}
	}
	if calls := h.sim.Calls("chat.postMessage"); calls != tries || tries == 20 {
		t.Errorf("%d calls for %d tries", calls, tries)
	}
	var seen []string
	for _, thread := range h.sim.Threads(slacksim.TeamChannel) {
		seen = append(seen, string(thread.Payload()))
	}
	if len(seen) != 20 || len(slices.Compact(slices.Sorted(slices.Values(seen)))) != 20 {
		t.Errorf("the channel holds %q", seen)
	}
}
