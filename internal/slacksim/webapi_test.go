package slacksim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
)

func TestACallIsRefusedForItsTokenAndItsForm(t *testing.T) {
	const jsonType, formType = "application/json; charset=utf-8", "application/x-www-form-urlencoded"
	bot, app := "Bearer "+slacksim.DefaultBotToken, "Bearer "+slacksim.DefaultAppToken
	rows := []struct {
		name, verb, method, mime, token, body string
		want                                  string
	}{
		{"no token", "POST", "auth.test", formType, "", "", "not_authed"},
		{"a wrong token", "POST", "auth.test", formType, "Bearer xoxb-errado", "", "invalid_auth"},
		{"the app's token for a bot's method", "POST", "auth.test", formType, app, "", "not_allowed_token_type"},
		{"the bot's token for a connection", "POST", "apps.connections.open", formType, bot, "", "not_allowed_token_type"},
		{"the app's token in the body", "POST", "apps.connections.open", formType, "", "token=" + slacksim.DefaultAppToken, "not_authed"},
		{"a token inside JSON", "POST", "chat.postMessage", jsonType, "", `{"token":"` + slacksim.DefaultBotToken + `"}`, "not_authed"},
		{"a token in the address", "GET", "auth.test?token=" + slacksim.DefaultBotToken, "", "", "", "not_authed"},
		{"a token in a form", "POST", "auth.test", formType, "", "token=" + slacksim.DefaultBotToken, ""},
		{"a GET that reads", "GET", "auth.test", "", bot, "", ""},
		{"a GET that writes", "GET", "chat.postMessage", "", bot, "", "invalid_arguments"},
		{"a PUT", "PUT", "auth.test", formType, bot, "", "invalid_arguments"},
		{"an unknown method", "POST", "chat.shout", formType, bot, "", "unknown_method"},
		{"broken JSON", "POST", "chat.postMessage", jsonType, bot, `{"text":`, "invalid_json"},
		{"JSON that is no object", "POST", "chat.postMessage", jsonType, bot, `[]`, "invalid_json"},
		{"a broken form", "POST", "chat.postMessage", formType, bot, "text=%zz", "invalid_form_data"},
		{"another type", "POST", "chat.postMessage", "text/xml", bot, "<x/>", "invalid_post_type"},
		{"no type", "POST", "chat.postMessage", "", bot, "text=x", "missing_post_type"},
		{"another charset", "POST", "chat.postMessage", "application/json; charset=iso-8859-1", bot, "{}", "invalid_charset"},
		{"bytes that are no UTF-8", "POST", "chat.postMessage", jsonType, bot, "{\"text\":\"\xe7\"}", "invalid_charset"},
		{"JSON for a method that reads", "POST", "users.info", jsonType, bot, `{"user":"U0ANA"}`, "user_not_found"},
	}
	e := newEnv(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			header := http.Header{}
			if row.mime != "" {
				header.Set("Content-Type", row.mime)
			}
			if row.token != "" {
				header.Set("Authorization", row.token)
			}
			_, answer := e.request(row.verb, "/api/"+row.method, row.body, header)
			if row.want == "" {
				accepted(t, answer)
				return
			}
			refused(t, answer, row.want)
		})
	}
	_, answer := e.request("POST", "/api/chat.postMessage", `{"channel":"U0ANA","text":"x"}`, http.Header{"Content-Type": {"application/json"}, "Authorization": {bot}})
	if accepted(t, answer)["warning"] != "missing_charset" {
		t.Errorf("no warning about the charset: %v", answer)
	}
}

func TestFailuresApplyInOrder(t *testing.T) {
	e := newEnv(t)
	post := func() object {
		return e.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "x"})
	}
	e.Fail("chat.postMessage", 1, slacksim.RateLimited(7*time.Second))
	e.Fail("chat.postMessage", 1, slacksim.Failure{Error: "internal_error"})
	e.Fail("chat.postMessage", 1, slacksim.Failure{Status: http.StatusBadGateway})
	e.Fail("chat.postMessage", 1, slacksim.Failure{Error: "fatal_error", AfterEffect: true})
	limited := post()
	if refused(t, limited, "ratelimited"); limited["status"] != 429 || limited["retry_after"] != "7" {
		t.Errorf("the rate limit gives %v", limited)
	}
	refused(t, post(), "internal_error")
	if broken := post(); broken["status"] != http.StatusBadGateway {
		t.Errorf("the gateway error is %v", broken)
	}
	refused(t, post(), "fatal_error")
	if n := len(e.User(slacksim.Ana).Messages(slacksim.TeamChannel)); n != 1 {
		t.Errorf("%d messages were posted, want the one whose answer was lost", n)
	}
	accepted(t, post())
	e.Fail("chat.postMessage", 1, slacksim.Failure{Drop: true})
	req, _ := http.NewRequest(http.MethodPost, e.url+"/api/chat.postMessage", http.NoBody)
	if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
		resp.Body.Close()
		t.Error("the connection was not closed")
	}
	if n := e.Calls("chat.postMessage"); n < 6 {
		t.Errorf("%d calls were counted", n)
	}
	if all := e.Requests(); all[len(all)-1].Method != "chat.postMessage" || len(e.Refusals()) != 0 {
		t.Errorf("the log: %v", all)
	}
}
