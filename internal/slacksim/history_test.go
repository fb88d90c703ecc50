package slacksim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
)

// post posts a message of the app in the team's channel, and returns its ts.
func (e *env) post(text, thread string) string {
	e.t.Helper()
	args := object{
		"channel": slacksim.TeamChannel, "text": text,
		"metadata": object{"event_type": "aviso", "event_payload": object{"id": text}},
	}
	if thread != "" {
		args["thread_ts"] = thread
	}
	return accepted(e.t, e.call("chat.postMessage", args))["ts"].(string)
}

// unlimited turns off the limit on messages.
func unlimited(cfg *slacksim.Config) { cfg.Rate.MessagesPerSecond = -1 }

// readPages calls a method until there is no cursor, and returns the texts of each page.
func (e *env) readPages(method string, args url.Values) (pages [][]string) {
	e.t.Helper()
	args.Set("channel", slacksim.TeamChannel)
	for range 20 {
		answer := accepted(e.t, e.form(method, args))
		var texts []string
		for _, m := range answer["messages"].([]any) {
			texts = append(texts, dig(m, "text").(string))
		}
		pages = append(pages, texts)
		cursor := dig(answer, "response_metadata", "next_cursor").(string)
		if more := answer["has_more"].(bool); more != (cursor != "") {
			e.t.Errorf("has_more is %v, but the cursor is %q", more, cursor)
		}
		if cursor == "" {
			return pages
		}
		args.Set("cursor", cursor)
	}
	e.t.Fatal("too many pages")
	return nil
}

func TestHistoryIsReadPageByPageTheNewestFirstAndWithoutThreads(t *testing.T) {
	e := newEnv(t, unlimited)
	var sent []string
	for i := range 5 {
		sent = append(sent, e.post(fmt.Sprint(i), ""))
	}
	e.post("resposta", sent[1])
	accepted(t, e.call("chat.postEphemeral", object{"channel": slacksim.TeamChannel, "user": slacksim.Ana, "text": "só para si"}))
	for _, row := range []struct {
		name string
		args url.Values
		want [][]string
	}{
		{"all at once", url.Values{}, [][]string{{"4", "3", "2", "1", "0"}}},
		{"two by two", url.Values{"limit": {"2"}}, [][]string{{"4", "3"}, {"2", "1"}, {"0"}}},
		{"after one", url.Values{"oldest": {sent[3]}}, [][]string{{"4"}}},
		{"from one on", url.Values{"oldest": {sent[3]}, "inclusive": {"1"}}, [][]string{{"4", "3"}}},
		{"before one", url.Values{"latest": {sent[2]}, "limit": {"1"}}, [][]string{{"1"}, {"0"}}},
		{"just one", url.Values{"oldest": {sent[2]}, "latest": {sent[2]}, "inclusive": {"true"}}, [][]string{{"2"}}},
	} {
		if got := e.readPages("conversations.history", row.args); fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
	answer := e.form("conversations.history", url.Values{"channel": {slacksim.TeamChannel}, "latest": {sent[2]}})
	if first := dig(answer, "messages", "0"); dig(first, "reply_count") != 1.0 || dig(first, "thread_ts") != sent[1] {
		t.Errorf("the first message of the thread is %v", first)
	}
}

func TestAThreadIsReadTheOldestFirstAfterItsFirstMessage(t *testing.T) {
	e := newEnv(t, unlimited)
	root := e.post("cartão", "")
	e.post("outra coisa", "")
	var sent []string
	for i := range 3 {
		sent = append(sent, e.post(fmt.Sprint(i), root))
	}
	for _, row := range []struct {
		name string
		args url.Values
		want [][]string
	}{
		{"all at once", url.Values{"ts": {root}}, [][]string{{"cartão", "0", "1", "2"}}},
		{"two by two", url.Values{"ts": {root}, "limit": {"2"}}, [][]string{{"cartão", "0", "1"}, {"cartão", "2"}}},
		{"after one", url.Values{"ts": {root}, "oldest": {sent[1]}}, [][]string{{"cartão", "2"}}},
	} {
		if got := e.readPages("conversations.replies", row.args); fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
	refused(t, e.form("conversations.replies", url.Values{"channel": {slacksim.TeamChannel}, "ts": {"1.000001"}}), "thread_not_found")
	threads := e.Threads(slacksim.TeamChannel)
	if len(threads) != 2 || threads[0].Text != "cartão" || len(threads[0].Replies) != 3 || threads[0].Replies[2].Text != "2" || len(threads[1].Replies) != 0 {
		t.Errorf("the threads are %+v", threads)
	}
	if threads[0].EventType() != "aviso" || string(threads[0].Payload()) != `{"id":"cartão"}` {
		t.Errorf("the metadata are %s", threads[0].Metadata)
	}
}

func TestMetadataIsReturnedWholeOnlyOnRequest(t *testing.T) {
	e := newEnv(t)
	root := e.post("um", "")
	for _, method := range []string{"conversations.history", "conversations.replies"} {
		for ask, want := range map[string]any{"1": "um", "0": nil} {
			answer := accepted(t, e.form(method, url.Values{"channel": {slacksim.TeamChannel}, "ts": {root}, "include_all_metadata": {ask}}))
			metadata := dig(answer, "messages", "0", "metadata")
			if dig(metadata, "event_type") != "aviso" || dig(metadata, "event_payload", "id") != want {
				t.Errorf("%s, include_all_metadata=%s: %v", method, ask, metadata)
			}
		}
	}
}

func TestInvalidHistoryArgumentsAreRefused(t *testing.T) {
	e := newEnv(t)
	for _, row := range []struct {
		args url.Values
		want string
	}{
		{url.Values{"channel": {"C0NADA"}}, "channel_not_found"},
		{url.Values{"channel": {slacksim.GeneralChannel}}, "not_in_channel"},
		{url.Values{"limit": {"1001"}}, "invalid_limit"},
		{url.Values{"limit": {"0"}}, "invalid_limit"},
		{url.Values{"limit": {"dez"}}, "invalid_limit"},
		{url.Values{"cursor": {"não é"}}, "invalid_cursor"},
		{url.Values{"cursor": {"MTc5NQ=="}}, "invalid_cursor"},
		{url.Values{"oldest": {"ontem"}}, "invalid_ts_oldest"},
		{url.Values{"latest": {"1.1234567"}}, "invalid_ts_latest"},
	} {
		if row.args.Get("channel") == "" {
			row.args.Set("channel", slacksim.TeamChannel)
		}
		for _, method := range []string{"conversations.history", "conversations.replies"} {
			refused(t, e.form(method, row.args), row.want)
		}
	}
}

func TestHistoryNeedsItsScope(t *testing.T) {
	e := newEnv(t, func(cfg *slacksim.Config) {
		cfg.Manifest = []byte(`{"oauth_config":{"scopes":{"bot":["chat:write","im:history"]}}}`)
	})
	answer := e.form("conversations.history", url.Values{"channel": {slacksim.TeamChannel}})
	refused(t, answer, "missing_scope")
	if answer["needed"] != "channels:history" || answer["provided"] != "chat:write,im:history" {
		t.Errorf("the refusal says %v", answer)
	}
	accepted(t, e.form("conversations.history", url.Values{"channel": {e.User(slacksim.Ana).DM()}}))
}

func TestAPermalinkLeadsToAMessageOrIntoItsThread(t *testing.T) {
	e := newEnv(t)
	root := e.post("um", "")
	reply := e.post("dois", root)
	link := func(ts string) object {
		return e.form("chat.getPermalink", url.Values{"channel": {slacksim.TeamChannel}, "message_ts": {ts}})
	}
	if got := accepted(t, link(root))["permalink"]; got != "https://balcao.slack.com/archives/C0EQUIPA/p"+strings.Replace(root, ".", "", 1) {
		t.Errorf("the link is %v", got)
	}
	if got := accepted(t, link(reply))["permalink"].(string); !strings.HasSuffix(got, "?thread_ts="+root+"&cid=C0EQUIPA") {
		t.Errorf("the link is %v", got)
	}
	refused(t, link("1.000001"), "message_not_found")
	refused(t, e.form("chat.getPermalink", url.Values{"channel": {"C0NADA"}, "message_ts": {root}}), "channel_not_found")
}

func TestTheOldestMessagesAreDeletedBeyondMaxMessages(t *testing.T) {
	e := newEnv(t, unlimited, func(cfg *slacksim.Config) { cfg.MaxMessages = 3 })
	root := e.post("0", "")
	for i := range 3 {
		e.post(fmt.Sprint(i+1), root)
	}
	var left []string
	for _, thread := range e.Threads(slacksim.TeamChannel) {
		left = append(left, thread.Text)
	}
	if !slices.Equal(left, []string{"1", "2", "3"}) {
		t.Errorf("messages left: %q", left)
	}
}

func TestThePageShowsTheNewestMessagesAndTheFirstOfTheirThreads(t *testing.T) {
	e := newEnv(t, unlimited)
	root := e.post("cartão", "")
	for i := range 300 {
		e.post(fmt.Sprint(i), "")
	}
	e.post("resposta", root)
	snapshot := e.streamUntil(slacksim.Ana, func(object) bool { return true })
	seen := dig(snapshot, "messages", slacksim.TeamChannel).([]any)
	if len(seen) != 301 || dig(seen[0], "text") != "cartão" || dig(seen[1], "text") != "1" || dig(seen[300], "thread_ts") != root {
		t.Errorf("%d messages, from %v and %v to %v", len(seen), seen[0], seen[1], seen[len(seen)-1])
	}
	if strings.Contains(mustJSON(snapshot), "aviso") {
		t.Error("the page gets the metadata")
	}
}

func TestRandomFailuresAreTheSameForTheSameSeed(t *testing.T) {
	storm := func(seed uint64) (hit []bool) {
		e := newEnv(t, unlimited)
		e.FailRandomly("chat.postMessage", 0.5, seed, slacksim.RateLimited(1e9))
		for range 40 {
			answer := e.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "x"})
			if limited := answer["error"] == "ratelimited"; limited {
				hit = append(hit, true)
				if answer["status"] != http.StatusTooManyRequests || answer["retry_after"] != "1" {
					t.Fatalf("the refusal is %v", answer)
				}
			} else {
				accepted(t, answer)
				hit = append(hit, false)
			}
		}
		e.FailRandomly("chat.postMessage", 0, 0, slacksim.Failure{})
		for range 10 {
			e.post("depois", "")
		}
		return hit
	}
	first := storm(7)
	count := 0
	for _, limited := range first {
		if limited {
			count++
		}
	}
	if count < 10 || count > 30 {
		t.Errorf("%d of 40 calls failed", count)
	}
	if again := storm(7); !slices.Equal(first, again) {
		t.Error("the same seed gave other failures")
	}
}
