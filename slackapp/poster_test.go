package slackapp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
	ana.pressesIn(message, "step:d")
	ana.reads("Mensagens do processo 1042")
	ana.pressesIn(message, "step:e")
	process := sandbox.SampleProcess(sandbox.SampleOpen)
	h.wait("her to own the process", func() bool {
		owner, err := h.replica.store.Owner(h.ctx(), process)
		return err == nil && owner == anasID
	})
	ana.pressesIn(message, "step:f")
	ana.reads("silenciado só para si", "/balcao silenciar 1042")
	own, err := h.replica.store.Destination(h.ctx(), anaDirect)
	must(t, err)
	everybody, err := h.replica.store.Destination(h.ctx(), team)
	must(t, err)
	if _, muted := own.Mutes[process]; !muted || len(everybody.Mutes) > 0 {
		t.Errorf("muted are %v for her, and %v for all", own.Mutes, everybody.Mutes)
	}
	cancelled := card("cancelado")
	cancelled.Ends = "cancelled"
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
