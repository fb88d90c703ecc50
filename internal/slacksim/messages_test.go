package slacksim_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
)

func TestAnEphemeralMessageIsSeenByOneMemberAndNeverChanged(t *testing.T) {
	e := newEnv(t)
	send := func(channel, user string) object {
		return e.call("chat.postEphemeral", object{"channel": channel, "user": user, "text": "só para si"})
	}
	sent := accepted(t, send(slacksim.TeamChannel, slacksim.Ana))
	refused(t, send(slacksim.GeneralChannel, slacksim.Ana), "not_in_channel")
	refused(t, send("C0NADA", slacksim.Ana), "channel_not_found")
	refused(t, send(slacksim.TeamChannel, "U0NADA"), "user_not_found")
	refused(t, send(e.User(slacksim.Ana).DM(), slacksim.Tom), "user_not_in_channel")
	for _, method := range []string{"chat.update", "chat.delete"} {
		refused(t, e.call(method, object{"channel": slacksim.TeamChannel, "ts": sent["message_ts"], "text": "x"}), "message_not_found")
	}
	if seen := e.User(slacksim.Ana).Messages(slacksim.TeamChannel); len(seen) != 1 || !seen[0].Ephemeral {
		t.Errorf("Ana sees %v", seen)
	}
	if seen := e.User(slacksim.Tom).Messages(slacksim.TeamChannel); len(seen) != 0 {
		t.Errorf("Tom sees %v", seen)
	}
}

func TestAMessageIsPostedChangedAndDeletedOnlyByItsAuthor(t *testing.T) {
	e := newEnv(t)
	ana := e.User(slacksim.Ana)
	posted := accepted(t, e.call("chat.postMessage", object{
		"channel": slacksim.TeamChannel, "text": "um", "blocks": []object{section("bloco")},
		"metadata": object{"event_type": "processo", "event_payload": object{"id": "1042"}},
	}))
	reply := accepted(t, e.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "dois", "thread_ts": posted["ts"]}))
	change := func(more object) object {
		args := object{"channel": slacksim.TeamChannel, "ts": posted["ts"], "text": "novo"}
		for key, value := range more {
			args[key] = value
		}
		return e.call("chat.update", args)
	}
	accepted(t, change(nil))
	message, err := ana.WaitMessage(timeoutContext(t), slacksim.TeamChannel, func(m slacksim.Message) bool { return m.Text == "novo" })
	must(t, err)
	if message.FullText() != "bloco" || !message.Edited || !strings.Contains(string(message.Metadata), "1042") {
		t.Errorf("blocks and metadata were not kept: %+v", message)
	}
	accepted(t, change(object{"blocks": []object{}}))
	refused(t, change(object{"blocks": []object{{"type": "x"}}}), "invalid_blocks")
	refused(t, change(object{"ts": "1.2"}), "message_not_found")
	must(t, ana.Say(timeoutContext(t), slacksim.TeamChannel, "meu"))
	hers, _ := ana.WaitMessage(timeoutContext(t), slacksim.TeamChannel, func(m slacksim.Message) bool { return m.Text == "meu" })
	refused(t, change(object{"ts": hers.TS}), "cant_update_message")
	refused(t, e.call("chat.delete", object{"channel": slacksim.TeamChannel, "ts": hers.TS}), "cant_delete_message")
	accepted(t, e.call("chat.delete", object{"channel": slacksim.TeamChannel, "ts": posted["ts"]}))
	if seen := ana.Messages(slacksim.TeamChannel); len(seen) != 2 || seen[0].TS != reply["ts"] || seen[0].ThreadTS != posted["ts"] {
		t.Errorf("messages left: %v", seen)
	}
}

func TestABlockActionOfAMessageHasItsContainerAndResponseURL(t *testing.T) {
	e := newEnv(t)
	posted := accepted(t, e.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "cartão", "blocks": []object{
		actions("a", button("abrir"), selectInput("", "static_select", object{"options": options(3)})["element"].(object)),
	}}))
	ana := e.User(slacksim.Ana)
	ts := posted["ts"].(string)
	must(t, ana.ClickMessage(timeoutContext(t), slacksim.TeamChannel, ts, "_chosen", "opção 1"))
	must(t, ana.ClickMessage(timeoutContext(t), slacksim.TeamChannel, ts, "abrir"))
	in, _ := e.last()
	for path, want := range map[string]any{
		"type": "block_actions", "container/type": "message", "container/message_ts": ts, "container/channel_id": slacksim.TeamChannel,
		"channel/id": slacksim.TeamChannel, "message/text": "cartão", "state/values/a/_chosen/selected_option/value": "1",
	} {
		if got := dig(in, strings.Split(path, "/")...); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	status, _ := e.request(http.MethodPost, in["response_url"].(string), mustJSON(object{"replace_original": true, "text": "feito"}), asJSON())
	if seen := ana.Messages(slacksim.TeamChannel); status != http.StatusOK || len(seen) != 1 || seen[0].Text != "feito" {
		t.Errorf("status %d, messages %v", status, seen)
	}
}

func asJSON() http.Header { return http.Header{"Content-Type": {"application/json"}} }

func TestAResponseURLWorksFiveTimesWithinHalfAnHour(t *testing.T) {
	c := newClock()
	e := newEnv(t, withClock(c))
	use := func(address string, body object) string {
		status, answer := e.request(http.MethodPost, address, mustJSON(body), asJSON())
		if status == http.StatusOK {
			return "ok"
		}
		return answer["error"].(string)
	}
	address := func() string {
		e.trigger()
		in, _ := e.last()
		return in["response_url"].(string)
	}
	first := address()
	if got := use(first, object{"text": ""}); got != "no_text" {
		t.Errorf("an empty response: %s", got)
	}
	for i := range 5 {
		if got := use(first, object{"text": strconv.Itoa(i), "replace_original": true}); got != "ok" {
			t.Fatalf("use %d: %s", i+1, got)
		}
	}
	if got := use(first, object{"text": "6"}); got != "used_url" {
		t.Errorf("the sixth use: %s", got)
	}
	if n := len(e.User(slacksim.Ana).Messages(slacksim.TeamChannel)); n != 5 {
		t.Errorf("%d messages, although there is none to replace after a command", n)
	}
	late := address()
	c.Add(30*time.Minute + time.Second)
	if got := use(late, object{"text": "tarde"}); got != "expired_url" {
		t.Errorf("after half an hour: %s", got)
	}
	if got := use(e.url+"/response/nada", object{"text": "x"}); got != "no_such_url" {
		t.Errorf("an unknown URL: %s", got)
	}
}

func TestOneMessageASecondAndChannelAfterAShortBurst(t *testing.T) {
	c := newClock()
	e := newEnv(t, withClock(c))
	post := func(channel string) object {
		return e.call("chat.postMessage", object{"channel": channel, "text": "x"})
	}
	for range 5 {
		accepted(t, post(slacksim.TeamChannel))
	}
	answer := post(slacksim.TeamChannel)
	refused(t, answer, "ratelimited")
	if answer["status"] != http.StatusTooManyRequests || answer["retry_after"] != "1" {
		t.Errorf("the answer is %v", answer)
	}
	accepted(t, post(slacksim.Tom)) // another conversation has its own allowance
	c.Add(time.Second)
	accepted(t, post(slacksim.TeamChannel))
	refused(t, post(slacksim.TeamChannel), "ratelimited")
}

func TestTiersAreEnforcedIfConfigured(t *testing.T) {
	c := newClock()
	e := newEnv(t, withClock(c), func(cfg *slacksim.Config) { cfg.Rate.Tiers = true })
	for range 20 {
		accepted(t, e.form("conversations.list", url.Values{}))
	}
	refused(t, e.form("conversations.list", url.Values{}), "ratelimited")
	accepted(t, e.form("auth.test", url.Values{}))
	c.Add(time.Minute)
	accepted(t, e.form("conversations.list", url.Values{}))
}

func TestAFileIsUploadedInThreeSteps(t *testing.T) {
	content := []byte("%PDF-1.7 FINE")
	raw := func(string) (string, http.Header) { return string(content), http.Header{} }
	inForm := func(tail string) func(string) (string, http.Header) {
		return func(string) (string, http.Header) {
			var b bytes.Buffer
			w := multipart.NewWriter(&b)
			part, _ := w.CreateFormFile("file", "fine.pdf")
			_, _ = part.Write(content)
			_ = w.Close()
			return b.String() + tail, http.Header{"Content-Type": {w.FormDataContentType()}}
		}
	}
	for name, body := range map[string]func(string) (string, http.Header){
		"as it is": raw, "in a form": inForm(""), "in a form that ends twice": inForm("\r\n--x--\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			ticket := accepted(t, e.form("files.getUploadURLExternal", url.Values{"filename": {"fine.pdf"}, "length": {strconv.Itoa(len(content))}}))
			id := ticket["file_id"].(string)
			complete := func(channel string) object {
				return e.form("files.completeUploadExternal", url.Values{"files": {mustJSON([]object{{"id": id, "title": "FINE 1042"}})}, "channel_id": {channel}, "initial_comment": {"Aqui está"}})
			}
			refused(t, complete(slacksim.TeamChannel), "file_not_found")
			payload, header := body("")
			if status, answer := e.request(http.MethodPost, ticket["upload_url"].(string), payload, header); status != http.StatusOK {
				t.Fatalf("the upload gave %d %v", status, answer)
			}
			refused(t, complete(slacksim.GeneralChannel), "not_in_channel")
			refused(t, complete(slacksim.Ana), "channel_not_found")
			accepted(t, complete(slacksim.TeamChannel))
			refused(t, complete(slacksim.TeamChannel), "file_not_found")
			seen := e.User(slacksim.Tom).Messages(slacksim.TeamChannel)
			if len(seen) != 1 || len(seen[0].Files) != 1 || seen[0].Files[0].Title != "FINE 1042" || seen[0].Files[0].MimeType != "application/pdf" {
				t.Fatalf("Tom sees %+v", seen)
			}
			if !bytes.Equal(e.File(id), content) {
				t.Error("the bytes changed")
			}
			status, answer := e.request(http.MethodGet, seen[0].Files[0].URL, "", http.Header{})
			if status != http.StatusOK || answer["body"] != string(content) {
				t.Errorf("the page reads %d %v", status, answer)
			}
		})
	}
}

func TestAnUploadMustBeWhatWasAnnounced(t *testing.T) {
	e := newEnv(t)
	for _, args := range []url.Values{{"length": {"3"}}, {"filename": {"a.pdf"}}, {"filename": {"a.pdf"}, "length": {"0"}}, {"filename": {"a.pdf"}, "length": {"x"}}} {
		refused(t, e.form("files.getUploadURLExternal", args), "invalid_arguments")
	}
	refused(t, e.call("files.getUploadURLExternal", object{"filename": "a.pdf", "length": 3}), "invalid_arguments") // it takes no JSON
	ticket := accepted(t, e.form("files.getUploadURLExternal", url.Values{"filename": {"a.pdf"}, "length": {"3"}}))
	for _, body := range []string{"", "ab", "abcd"} {
		if status, _ := e.request(http.MethodPost, ticket["upload_url"].(string), body, http.Header{}); status != http.StatusBadRequest {
			t.Errorf("%d bytes instead of 3 gave %d", len(body), status)
		}
	}
	if status, _ := e.request(http.MethodPost, e.url+"/files/upload/F0/x", "abc", http.Header{}); status != http.StatusNotFound {
		t.Errorf("an unknown URL gave %d", status)
	}
}

func TestPeopleAndConversationsAreDescribed(t *testing.T) {
	e := newEnv(t)
	person := func(id string) any {
		return accepted(t, e.form("users.info", url.Values{"user": {id}, "include_locale": {"true"}}))["user"]
	}
	for _, row := range []struct {
		id, field string
		want      any
	}{
		{slacksim.Ana, "locale", "pt-PT"}, {slacksim.Tom, "locale", "en-GB"}, {slacksim.Ana, "real_name", "Ana Exemplo"},
		{slacksim.Guest, "is_restricted", true}, {slacksim.Stranger, "is_stranger", true}, {slacksim.Stranger, "team_id", "T0ALHEIO"},
		{slacksim.Stranger, "locale", nil}, {slacksim.BotUserID, "is_bot", true},
	} {
		if got := dig(person(row.id), row.field); got != row.want {
			t.Errorf("%s of %s is %v, want %v", row.field, row.id, got, row.want)
		}
	}
	refused(t, e.form("users.info", url.Values{"user": {"U0NADA"}}), "user_not_found")
	if dig(accepted(t, e.form("users.info", url.Values{"user": {slacksim.Ana}})), "user", "locale") != nil {
		t.Error("the locale was returned without include_locale")
	}
	opened := accepted(t, e.call("conversations.open", object{"users": slacksim.Ana}))
	if dig(opened, "channel", "id") != e.User(slacksim.Ana).DM() {
		t.Errorf("opened %v", opened)
	}
	refused(t, e.call("conversations.open", object{"users": "U0NADA"}), "user_not_found")
	if info := accepted(t, e.form("conversations.info", url.Values{"channel": {slacksim.GeneralChannel}})); dig(info, "channel", "is_member") != false {
		t.Errorf("#geral: %v", info)
	}
	listed := accepted(t, e.form("conversations.list", url.Values{"types": {"public_channel,im"}}))
	if n := len(listed["channels"].([]any)); n != 4 {
		t.Errorf("%d conversations are listed", n)
	}
	members := accepted(t, e.form("conversations.members", url.Values{"channel": {slacksim.TeamChannel}}))
	if n := len(members["members"].([]any)); n != 4 {
		t.Errorf("#equipa has %d members", n)
	}
}
