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

// post puts a message of the app into the team's channel and gives its ts.
func (st *env) post(text, thread string) string {
	st.t.Helper()
	args := object{
		"channel": slacksim.TeamChannel, "text": text,
		"metadata": object{"event_type": "aviso", "event_payload": object{"id": text}},
	}
	if thread != "" {
		args["thread_ts"] = thread
	}
	return accepted(st.t, st.call("chat.postMessage", args))["ts"].(string)
}

// unhurried lets an app write as fast as it likes.
func unhurried(cfg *slacksim.Config) { cfg.Rate.MessagesPerSecond = -1 }

// read follows the pages of a method to their end and gives the texts on each.
func (st *env) read(method string, args url.Values) (pages [][]string) {
	st.t.Helper()
	args.Set("channel", slacksim.TeamChannel)
	for range 20 {
		answer := accepted(st.t, st.form(method, args))
		var texts []string
		for _, m := range answer["messages"].([]any) {
			texts = append(texts, dig(m, "text").(string))
		}
		pages = append(pages, texts)
		cursor := dig(answer, "response_metadata", "next_cursor").(string)
		if more := answer["has_more"].(bool); more != (cursor != "") {
			st.t.Errorf("has_more is %v, but the cursor is %q", more, cursor)
		}
		if cursor == "" {
			return pages
		}
		args.Set("cursor", cursor)
	}
	st.t.Fatal("the pages have no end")
	return nil
}

func TestHistoryIsReadPageByPageTheNewestFirstAndWithoutThreads(t *testing.T) {
	st := newEnv(t, unhurried)
	var sent []string
	for i := range 5 {
		sent = append(sent, st.post(fmt.Sprint(i), ""))
	}
	st.post("resposta", sent[1])
	accepted(t, st.call("chat.postEphemeral", object{"channel": slacksim.TeamChannel, "user": slacksim.Ana, "text": "só para si"}))
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
		if got := st.read("conversations.history", row.args); fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
	answer := st.form("conversations.history", url.Values{"channel": {slacksim.TeamChannel}, "latest": {sent[2]}})
	if first := dig(answer, "messages", "0"); dig(first, "reply_count") != 1.0 || dig(first, "thread_ts") != sent[1] {
		t.Errorf("what began a thread is %v", first)
	}
}

func TestAThreadIsReadTheOldestFirstAfterWhatBeganIt(t *testing.T) {
	st := newEnv(t, unhurried)
	root := st.post("cartão", "")
	st.post("outra coisa", "")
	var sent []string
	for i := range 3 {
		sent = append(sent, st.post(fmt.Sprint(i), root))
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
		if got := st.read("conversations.replies", row.args); fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
	refused(t, st.form("conversations.replies", url.Values{"channel": {slacksim.TeamChannel}, "ts": {"1.000001"}}), "thread_not_found")
	threads := st.Threads(slacksim.TeamChannel)
	if len(threads) != 2 || threads[0].Text != "cartão" || len(threads[0].Replies) != 3 || threads[0].Replies[2].Text != "2" || len(threads[1].Replies) != 0 {
		t.Errorf("the threads are %+v", threads)
	}
	if threads[0].EventType() != "aviso" || string(threads[0].Payload()) != `{"id":"cartão"}` {
		t.Errorf("the metadata are %s", threads[0].Metadata)
	}
}

func TestMetadataIsGivenBackWholeOnlyToWhoAsks(t *testing.T) {
	st := newEnv(t)
	root := st.post("um", "")
	for _, method := range []string{"conversations.history", "conversations.replies"} {
		for ask, want := range map[string]any{"1": "um", "0": nil} {
			answer := accepted(t, st.form(method, url.Values{"channel": {slacksim.TeamChannel}, "ts": {root}, "include_all_metadata": {ask}}))
			metadata := dig(answer, "messages", "0", "metadata")
			if dig(metadata, "event_type") != "aviso" || dig(metadata, "event_payload", "id") != want {
				t.Errorf("%s, include_all_metadata=%s: %v", method, ask, metadata)
			}
		}
	}
}

func TestHistoryIsAsStrictAsTheRest(t *testing.T) {
	st := newEnv(t)
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
			refused(t, st.form(method, row.args), row.want)
		}
	}
}

func TestHistoryWantsItsScope(t *testing.T) {
	st := newEnv(t, func(cfg *slacksim.Config) {
		cfg.Manifest = []byte(`{"oauth_config":{"scopes":{"bot":["chat:write","im:history"]}}}`)
	})
	answer := st.form("conversations.history", url.Values{"channel": {slacksim.TeamChannel}})
	refused(t, answer, "missing_scope")
	if answer["needed"] != "channels:history" || answer["provided"] != "chat:write,im:history" {
		t.Errorf("the refusal says %v", answer)
	}
	accepted(t, st.form("conversations.history", url.Values{"channel": {st.User(slacksim.Ana).DM()}}))
}

func TestAPermalinkLeadsToAMessageOrIntoItsThread(t *testing.T) {
	st := newEnv(t)
	root := st.post("um", "")
	reply := st.post("dois", root)
	link := func(ts string) object {
		return st.form("chat.getPermalink", url.Values{"channel": {slacksim.TeamChannel}, "message_ts": {ts}})
	}
	if got := accepted(t, link(root))["permalink"]; got != "https://balcao.slack.com/archives/C0EQUIPA/p"+strings.Replace(root, ".", "", 1) {
		t.Errorf("the link is %v", got)
	}
	if got := accepted(t, link(reply))["permalink"].(string); !strings.HasSuffix(got, "?thread_ts="+root+"&cid=C0EQUIPA") {
		t.Errorf("the link is %v", got)
	}
	refused(t, link("1.000001"), "message_not_found")
	refused(t, st.form("chat.getPermalink", url.Values{"channel": {"C0NADA"}, "message_ts": {root}}), "channel_not_found")
}

func TestTheOldestMessagesAreForgottenPastTheBound(t *testing.T) {
	st := newEnv(t, unhurried, func(cfg *slacksim.Config) { cfg.MaxMessages = 3 })
	root := st.post("0", "")
	for i := range 3 {
		st.post(fmt.Sprint(i+1), root)
	}
	var left []string
	for _, thread := range st.Threads(slacksim.TeamChannel) {
		left = append(left, thread.Text)
	}
	if !slices.Equal(left, []string{"1", "2", "3"}) {
		t.Errorf("what is left: %q", left)
	}
}

func TestThePageShowsTheNewestMessagesAndWhatBeganTheirThreads(t *testing.T) {
	st := newEnv(t, unhurried)
	root := st.post("cartão", "")
	for i := range 300 {
		st.post(fmt.Sprint(i), "")
	}
	st.post("resposta", root)
	snapshot := st.watch(slacksim.Ana, func(object) bool { return true })
	seen := dig(snapshot, "messages", slacksim.TeamChannel).([]any)
	if len(seen) != 301 || dig(seen[0], "text") != "cartão" || dig(seen[1], "text") != "1" || dig(seen[300], "thread_ts") != root {
		t.Errorf("%d messages, from %v and %v to %v", len(seen), seen[0], seen[1], seen[len(seen)-1])
	}
	if strings.Contains(mustJSON(snapshot), "aviso") {
		t.Error("the page is given the metadata, which nobody sees")
	}
}

func TestAStormFailsSomeCallsTheSameOnesForTheSameSeed(t *testing.T) {
	storm := func(seed uint64) (hit []bool) {
		st := newEnv(t, unhurried)
		st.FailRandomly("chat.postMessage", 0.5, seed, slacksim.RateLimited(1e9))
		for range 40 {
			answer := st.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "x"})
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
		st.FailRandomly("chat.postMessage", 0, 0, slacksim.Failure{})
		for range 10 {
			st.post("depois", "")
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
		t.Error("the same seed gave another storm")
	}
}
