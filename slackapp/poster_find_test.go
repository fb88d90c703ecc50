package slackapp_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/slacksim"
)

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
