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

	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/slackapp"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

const (
	team = "slack:" + slacksim.TeamChannel
	home = "slack:" + slacksim.GeneralChannel // which the bot has not joined
)

// aNotice is about process 1042, and has everything that a notice can show.
func aNotice(id string) destination.Notice {
	return destination.Notice{
		ID: id, Process: sandbox.SampleProcess(sandbox.SampleOpen), Lang: words.Portuguese,
		Title: "Processo 1042", Text: "O processo passou à avaliação.",
		Facts: [][2]string{{"Estado", "Em avaliação"}, {"Balcão", "Porto"}}, Lines: []string{"Estado: Aberto → Em avaliação"},
	}
}

func card(id string) destination.Notice {
	n := aNotice(id)
	n.Card = true
	return n
}

// newUnlimitedHarness starts a harness without a rate limit for messages.
func newUnlimitedHarness(t testing.TB) *harness {
	t.Helper()
	return newHarness(t, overHTTP, func(c *options) { c.Rate.MessagesPerSecond = -1 })
}

func (h *harness) post(dest, thread string, n destination.Notice) string {
	h.t.Helper()
	id, err := h.replica.app.Post(h.ctx(), dest, thread, n)
	must(h.t, err)
	return id
}

func (h *harness) find(dest, thread, notice string) string {
	h.t.Helper()
	id, found, err := h.replica.app.Find(h.ctx(), dest, thread, notice)
	must(h.t, err)
	if found != (id != "") {
		h.t.Errorf("found is %v, but the id is %q", found, id)
	}
	return id
}

func TestACardIsPostedAnsweredInItsThreadAndChangedInPlace(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	id := h.post(team, "", card("cartão"))
	for i := range 3 {
		h.post(team, id, aNotice(fmt.Sprint("resposta ", i)))
	}
	changed := card("outro aviso")
	changed.Text = "O processo foi aprovado."
	must(t, h.replica.app.Edit(h.ctx(), team, id, changed))
	h.post(team, "", aNotice("solto"))

	threads := h.sim.Threads(slacksim.TeamChannel)
	if len(threads) != 2 || len(threads[0].Replies) != 3 || len(threads[1].Replies) != 0 {
		t.Fatalf("the threads are %+v", threads)
	}
	shown := threads[0]
	if id != shown.Channel+"/"+shown.TS || !shown.Edited || !says(shown.FullText(), []string{"Processo 1042", "aprovado", "Em avaliação", "Aberto → Em avaliação"}) {
		t.Errorf("the card is %+v", shown)
	}
	if shown.Text != "Processo 1042\nO processo foi aprovado." {
		t.Errorf("a screen reader reads %q", shown.Text)
	}
	if shown.EventType() != "balcao_notice" || string(shown.Payload()) != `{"id":"cartão"}` {
		t.Errorf("an edit changed what the card is found by: %s", shown.Metadata)
	}
	if reply := shown.Replies[2]; string(reply.Payload()) != `{"id":"resposta 2"}` || strings.Contains(string(reply.Blocks), `"actions"`) {
		t.Errorf("the reply is %+v", reply)
	}
	for _, m := range append(shown.Replies, shown.Message) {
		if m.Unfurls {
			t.Error("what a notice links to is shown with it")
		}
	}
	h.checkNoRefusals()
}

func TestTheButtonsOfACardLeadToItsProcess(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	id := h.post(team, "", card("cartão"))
	message := h.sim.Threads(slacksim.TeamChannel)[0].Message
	if id == "" || !says(message.FullText(), []string{"Ver proponentes"}) {
		t.Fatalf("the card is %q", message.FullText())
	}
	ana := h.ana()
	ana.pressesIn(message, "step:a")
	ana.reads("Proponentes do processo 1042")
	ana.pressesIn(message, "step:c")
	process := sandbox.SampleProcess(sandbox.SampleOpen)
	h.wait("her to own the process", func() bool {
		owner, err := h.replica.store.Owner(h.ctx(), process)
		return err == nil && owner == anasID
	})
	ana.pressesIn(message, "step:d")
	ana.reads("silenciado só para si", "/balcao silenciar 1042")
	own, err := h.replica.store.Destination(h.ctx(), anaDirect)
	must(t, err)
	everybody, err := h.replica.store.Destination(h.ctx(), team)
	must(t, err)
	if _, muted := own.Mutes[process]; !muted || len(everybody.Mutes) > 0 {
		t.Errorf("muted are %v for her, and %v for all", own.Mutes, everybody.Mutes)
	}
	cancelled := card("cancelado")
	cancelled.Status = "Cancelado"
	h.post(team, "", cancelled)
	if offers := h.sim.Threads(slacksim.TeamChannel)[1].Message.FullText(); !says(offers, []string{"Ver proponentes"}) || says(offers, []string{"FINE"}) {
		t.Errorf("the card of a cancelled process offers %q", offers)
	}
	nobody := card("sem processo")
	nobody.Process = uuid.Nil
	h.post(team, "", nobody)
	if plain := h.sim.Threads(slacksim.TeamChannel)[2]; strings.Contains(string(plain.Blocks), `"actions"`) {
		t.Errorf("a card without a process has buttons: %s", plain.Blocks)
	}
	h.checkNoRefusals()
}

func TestADirectMessageReachesAPersonByEitherID(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	for _, dest := range []string{"slack:" + slacksim.Ana, "slack:" + slacksim.TeamID + "/" + slacksim.Ana} {
		id := h.post(dest, "", card(dest))
		h.post(dest, id, aNotice("resposta a "+dest))
		must(t, h.replica.app.Edit(h.ctx(), dest, id, card("x")))
		if found := h.find(dest, "", dest); found != id {
			t.Errorf("%s: found %q, posted %q", dest, found, id)
		}
	}
	if threads := h.sim.Threads(h.ana().DM()); len(threads) != 2 || len(threads[1].Replies) != 1 || !threads[1].Edited {
		t.Errorf("Ana sees %+v", threads)
	}
	if calls := h.sim.Calls("conversations.open"); calls != 4 { // replies and edits know where their message is
		t.Errorf("her conversation was opened %d times", calls)
	}
	h.checkNoRefusals()
}

func TestOnlyTheOwnerIsMentionedAndEverythingElseIsText(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	hostile := "<!channel> <@U0TOM> & <https://exemplo.pt|clique>"
	n := destination.Notice{
		ID: "x", Lang: words.English, Title: hostile, Text: hostile, Facts: [][2]string{{hostile, hostile}}, Lines: []string{hostile},
		Mention: anasID,
	}
	h.post(team, "", n)
	for _, actor := range []string{"", "mcp:local", "slack:T0/<!here>", "slack:" + slacksim.TeamChannel} {
		n.Mention = actor
		h.post(team, "", n)
	}
	for i, thread := range h.sim.Threads(slacksim.TeamChannel) {
		mentions := strings.Count(string(thread.Blocks), "<@"+slacksim.Ana+">") + strings.Count(string(thread.Blocks), `\u003c@`+slacksim.Ana+`\u003e`)
		if want := map[bool]int{true: 1}[i == 0]; mentions != want {
			t.Errorf("message %d mentions Ana %d times: %s", i, mentions, thread.Blocks)
		}
		rest := strings.NewReplacer("<@"+slacksim.Ana+">", "", `\u003c@`+slacksim.Ana+`\u003e`, "").Replace(string(thread.Blocks) + thread.Text)
		if strings.ContainsAny(rest, "<") || strings.Contains(rest, `\u003c`) {
			t.Errorf("message %d holds markup: %s", i, rest)
		}
	}
	h.checkNoRefusals()
}

func TestTheSubjectOfANoticeIsNamedAndNotMentioned(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	n := aNotice("um")
	n.Owner, n.About = anasID, home
	n.Facts = [][2]string{{"Responsável", anasID}, {"Onde", home}}
	id := h.post(team, "", n)
	must(t, h.replica.app.Edit(h.ctx(), team, id, n))
	shown := h.sim.Threads(slacksim.TeamChannel)[0]
	if !says(shown.FullText(), []string{"*Responsável*\nAna Exemplo", "*Onde*\n<#" + slacksim.GeneralChannel + ">"}) || says(shown.FullText(), []string{"@"}) {
		t.Errorf("the notice says %q", shown.FullText())
	}
	if calls := h.sim.Calls("users.info"); calls != 1 {
		t.Errorf("Slack was asked %d times for her name", calls)
	}
	n.Owner, n.Facts[0][1] = "slack:U0NADA", "slack:U0NADA"
	h.post(team, "", n)
	n.Owner, n.Facts[0][1] = "mcp:local", "mcp:local"
	h.post(team, "", n)
	for i, want := range []string{"*Responsável*\n–", "*Responsável*\nmcp:local"} {
		if text := h.sim.Threads(slacksim.TeamChannel)[i+1].FullText(); !says(text, []string{want}) {
			t.Errorf("the notice says %q, want %q", text, want)
		}
	}
}

func TestANoticeOfAnyLengthIsAccepted(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	long := strings.Repeat("<ção&🏠> ", 2000)
	n := destination.Notice{ID: strings.Repeat("x", 200), Process: uuid.New(), Lang: words.Portuguese, Title: long, Text: long, Mention: anasID, Card: true}
	for range 300 {
		n.Facts, n.Lines = append(n.Facts, [2]string{long, long}), append(n.Lines, long)
	}
	id := h.post(team, "", n)
	n.Card = false
	h.post(team, id, n)
	short := destination.Notice{ID: "curto", Lang: words.Portuguese}
	for range 300 {
		short.Facts, short.Lines = append(short.Facts, [2]string{"a", ""}), append(short.Lines, "")
	}
	h.post(team, id, short)
	h.post(team, id, destination.Notice{ID: "nada"})
	must(t, h.replica.app.Edit(h.ctx(), team, id, n))
	if text := h.sim.Threads(slacksim.TeamChannel)[0].Replies[1].FullText(); !says(text, []string{"…e mais 280", "…e mais 270"}) {
		t.Errorf("what was left out is not said: %q", text)
	}
	h.checkNoRefusals()
}

func TestANoticeThatMayHaveBeenPostedIsFoundAndNoOther(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	h.sim.Fail("chat.postMessage", 1, slacksim.Failure{Drop: true, AfterEffect: true})
	if _, err := h.replica.app.Post(h.ctx(), team, "", card("um")); err == nil || notSent(err) {
		t.Fatalf("a connection that was cut gave %v", err)
	}
	card1 := h.find(team, "", "um")
	if threads := h.sim.Threads(slacksim.TeamChannel); len(threads) != 1 || card1 != slacksim.TeamChannel+"/"+threads[0].TS {
		t.Fatalf("found %q among %+v", card1, threads)
	}
	h.sim.Fail("chat.postMessage", 1, slacksim.Failure{Drop: true, AfterEffect: true})
	if _, err := h.replica.app.Post(h.ctx(), team, card1, aNotice("dois")); err == nil {
		t.Fatal("a connection that was cut gave no error")
	}
	reply := h.find(team, card1, "dois")
	if want := slacksim.TeamChannel + "/" + h.sim.Threads(slacksim.TeamChannel)[0].Replies[0].TS; reply != want {
		t.Errorf("found %q, posted %q", reply, want)
	}
	for _, row := range [][2]string{{"", "dois"}, {card1, "um"}, {card1, "três"}, {"", ""}, {slacksim.TeamChannel + "/1.000001", "dois"}} {
		if id := h.find(team, row[0], row[1]); id != "" {
			t.Errorf("%q under %q was found as %q", row[1], row[0], id)
		}
	}
}

func TestANoticeIsFoundBehindManyOthers(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	first := h.post(team, "", card("primeiro"))
	var replies []string
	for i := range 450 {
		thread := first
		if i%2 == 0 {
			thread = ""
		}
		replies = append(replies, h.post(team, thread, destination.Notice{ID: fmt.Sprint(i), Text: "x"}))
	}
	if found := h.find(team, "", "primeiro"); found != first {
		t.Errorf("found %q, posted %q", found, first)
	}
	if found := h.find(team, first, "449"); found != replies[449] {
		t.Errorf("found %q, posted %q", found, replies[449])
	}
}

func TestFindIgnoresMessagesOfOthers(t *testing.T) {
	t.Parallel()
	other := `{"ok":true,"has_more":false,"messages":[
		{"ts":"1.000001","bot_id":"B0OUTRO","metadata":{"event_type":"balcao_notice","event_payload":{"id":"um"}}},
		{"ts":"1.000002","user":"U0ANA","blocks":"not blocks","metadata":{"event_type":"balcao_notice","event_payload":{"id":"um"}}},
		{"ts":"1.000003","bot_id":"B0BALCAO","metadata":{"event_type":"balcao_notice","event_payload":["um"]}},
		{"ts":"1.000004","bot_id":"B0BALCAO","metadata":{"event_type":"outro","event_payload":{"id":"um"}}}]}`
	h := newUnlimitedHarness(t)
	app := h.appBehind(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/conversations.history" {
			return false
		}
		_, _ = w.Write([]byte(other))
		return true
	})
	if id, found, err := app.Find(h.ctx(), team, "", "um"); found || err != nil {
		t.Errorf("found %q: %v", id, err)
	}
}

// appBehind returns an app whose calls to Slack go through a handler, which may answer them.
func (h *harness) appBehind(t *testing.T, answer func(http.ResponseWriter, *http.Request) bool) *slackapp.App {
	t.Helper()
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answer(w, r) {
			h.sim.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(between.Close)
	return h.newApp(t, between.URL+"/api/")
}

// newApp returns an app that calls Slack at an address.
func (h *harness) newApp(t *testing.T, url string) *slackapp.App {
	t.Helper()
	app, err := slackapp.New(slackapp.Config{
		Runner: h.replica.runner, Store: h.replica.store, BotToken: slacksim.DefaultBotToken, SigningSecret: "x", APIURL: url,
	})
	must(t, err)
	t.Cleanup(func() { must(t, app.Close(context.Background())) })
	return app
}

// newIdleReplica has a runner and a store that are not used.
func newIdleReplica(t *testing.T) *replica {
	t.Helper()
	keys, err := keys.Ephemeral()
	must(t, err)
	store, err := conversations.Open(t.Context(), "memory", keys)
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	return &replica{runner: tools.NewRunner(tools.Config{Catalogue: catalogue.New()}), store: store}
}

// What an error says of itself.
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

func TestReachableIsCalledAfterAnInvitationOrUnarchiving(t *testing.T) {
	t.Parallel()
	for _, way := range []transport{overHTTP, overSocket} {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, way)
			ana := h.ana()
			expectReachable := func(dest string) {
				t.Helper()
				select {
				case got := <-h.reachable:
					if got != dest {
						t.Errorf("%s may be posted to again, not %s", got, dest)
					}
				case <-h.ctx().Done():
					t.Fatalf("Reachable was not called for %s\n%s", dest, h.log)
				}
			}
			must(t, ana.Invite(h.ctx(), slacksim.GeneralChannel))
			expectReachable(home)
			must(t, ana.Archive(h.ctx(), slacksim.TeamChannel))
			must(t, ana.Unarchive(h.ctx(), slacksim.TeamChannel))
			expectReachable(team)
			h.sim.Event(map[string]any{"type": "member_joined_channel", "user": slacksim.Tom, "channel": slacksim.GeneralChannel})
			must(t, h.sim.WaitEvents(h.ctx()))
			if len(h.reachable) != 0 {
				t.Error("somebody else's joining was taken for ours")
			}
		})
	}
}

func TestAnAnnouncementHasAnUndoButtonAndMentionsNobody(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	ana := h.ana()
	ana.types("/balcao digest 09:00")
	ana.reads("Resumo diário")
	last, known, err := destinations{h.replica.store}.LastChange(h.ctx(), team)
	if err != nil || !known || last.Text != "Ana Exemplo juntou as atualizações deste canal num resumo, de segunda a sexta às 09:00." {
		t.Fatalf("announced is %+v, %v", last, err)
	}
	h.post(team, "", destination.Notice{ID: last.ID, Lang: last.Lang, Title: last.Title, Text: "<!channel> <@" + slacksim.Tom + "> " + last.Text, Undo: last.ID})
	announcement := h.sim.Threads(slacksim.TeamChannel)[0].Message
	if !says(announcement.FullText(), []string{"Ana Exemplo", "Desfazer"}) || strings.Contains(announcement.FullText()+announcement.Text, "<@") || strings.Contains(announcement.FullText(), "<!") {
		t.Errorf("it is announced as %q", announcement.FullText())
	}
	tom := h.user(slacksim.Tom)
	tom.pressesIn(announcement, "step:a")
	tom.reads("Undo a change", "as it was before")
	settings, err := h.replica.store.Destination(h.ctx(), team)
	must(t, err)
	if settings.Digest != "" {
		t.Errorf("the digest is still at %s", settings.Digest)
	}
	tom.pressesIn(announcement, "step:a")
	tom.reads("undone already")
	h.checkNoRefusals()
}
