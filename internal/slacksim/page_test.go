package slacksim_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
)

// page sends a call as the page does.
func (e *env) page(what string, body object) object {
	e.t.Helper()
	_, answer := e.request(http.MethodPost, "/sim/"+what, mustJSON(body), http.Header{"X-Requested-With": {"slacksim"}})
	return answer
}

// streamUntil reads the stream of one person until a snapshot satisfies want.
func (e *env) streamUntil(user string, want func(object) bool) object {
	e.t.Helper()
	ctx, cancel := context.WithCancel(timeoutContext(e.t))
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, e.url+"/sim/stream?user="+user, nil)
	resp, err := http.DefaultClient.Do(req)
	must(e.t, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		snapshot := object{}
		must(e.t, json.Unmarshal([]byte(data), &snapshot))
		if want(snapshot) {
			return snapshot
		}
	}
	e.t.Fatalf("the stream ended: %v", lines.Err())
	return nil
}

func TestThePagesCallsForACommandAModalAndAMessage(t *testing.T) {
	e := newEnv(t)
	e.handle("command", func(in object) any {
		accepted(t, e.call("views.open", object{"trigger_id": in["trigger_id"], "view": modal("Novo mutuário",
			textInput("nif"), selectInput("processo", "external_select", object{"min_query_length": 0}), actions("a", button("verificar")))}))
		return nil
	})
	accepted(t, e.page("command", object{"user": slacksim.Ana, "channel": slacksim.TeamChannel, "text": "/borrower-new 1042"}))
	snapshot := e.streamUntil(slacksim.Ana, func(s object) bool { return dig(s, "views", "0") != nil })
	view := dig(snapshot, "views", "0").(map[string]any)
	if view["title"] != "Novo mutuário" || view["submit"] != "Guardar" || len(view["blocks"].([]any)) != 3 {
		t.Errorf("the view is %v", view)
	}
	answer := e.page("submit", object{"user": slacksim.Ana, "view_id": view["id"], "values": object{}})
	if dig(answer, "errors", "nif") != "Preencha este campo obrigatório." {
		t.Errorf("an empty form gave %v", answer)
	}
	e.handle("block_suggestion", func(object) any { return object{"options": []object{choice("1042 · Porto", "p-1042")}} })
	query := "user=U0ANA&view_id=" + view["id"].(string) + "&block_id=processo&action_id=processo_chosen&value="
	_, found := e.request(http.MethodGet, "/sim/options?"+query, "", http.Header{})
	if dig(found, "options", "0", "value") != "p-1042" {
		t.Errorf("the options are %v", found)
	}
	state := object{"nif": object{"nif_typed": object{"type": "plain_text_input", "value": "123"}},
		"processo": object{"processo_chosen": object{"type": "external_select", "selected_option": choice("1042 · Porto", "p-1042")}}}
	accepted(t, e.page("action", object{"user": slacksim.Ana, "view_id": view["id"], "values": state,
		"action": object{"type": "button", "block_id": "a", "action_id": "verificar"}}))
	if in, _ := e.last(); dig(in, "state", "values", "nif", "nif_typed", "value") != "123" {
		t.Errorf("the action came as %v", in)
	}
	e.handle("view_submission", func(in object) any {
		return object{"response_action": "errors", "errors": object{"nif": "Confirme o NIF."}}
	})
	if answer := e.page("submit", object{"user": slacksim.Ana, "view_id": view["id"], "values": state}); dig(answer, "errors", "nif") != "Confirme o NIF." {
		t.Errorf("a wrong tax number gave %v", answer)
	}
	e.handle("view_submission", nil)
	accepted(t, e.page("submit", object{"user": slacksim.Ana, "view_id": view["id"], "values": state}))
	accepted(t, e.page("message", object{"user": slacksim.Ana, "channel": slacksim.TeamChannel, "text": "já está"}))
	snapshot = e.streamUntil(slacksim.Tom, func(s object) bool { return dig(s, "messages", slacksim.TeamChannel, "0") != nil })
	if m := dig(snapshot, "messages", slacksim.TeamChannel, "0"); dig(m, "username") != "Ana Exemplo" || dig(m, "text") != "já está" || dig(m, "app") != false {
		t.Errorf("Tom sees %v", m)
	}
}

func TestThePageGetsErrors(t *testing.T) {
	e := newEnv(t)
	e.handle("command", func(object) any { return 500 })
	for _, row := range []struct {
		what string
		body object
		want string
	}{
		{"command", object{"user": slacksim.Ana, "channel": slacksim.TeamChannel, "text": "/x"}, "dispatch_failed"},
		{"command", object{"user": slacksim.Ana, "channel": "C0NADA", "text": "/x"}, "channel_not_found"},
		{"command", object{"user": "U0NADA", "channel": slacksim.TeamChannel, "text": "/x"}, "channel_not_found"},
		{"command", object{"user": slacksim.Ana, "channel": slacksim.TeamChannel, "text": "x"}, "dispatch_unknown_command"},
		{"message", object{"user": slacksim.Ana, "channel": slacksim.TeamChannel, "text": " "}, "not_possible"},
		{"submit", object{"user": slacksim.Ana, "view_id": "V0"}, "not_possible"},
		{"action", object{"user": "U0NADA", "view_id": "V0"}, "not_possible"},
		{"action", object{"user": slacksim.Ana, "channel": slacksim.TeamChannel, "ts": "1.1"}, "not_possible"},
		{"close", object{"user": slacksim.Ana, "view_id": "V0"}, "not_possible"},
		{"home", object{"user": "U0NADA"}, "not_possible"},
	} {
		if answer := e.page(row.what, row.body); answer["ok"] != false || answer["error"] != row.want {
			t.Errorf("%s %v gave %v, want %s", row.what, row.body, answer, row.want)
		}
	}
}

func TestThePageIsServedOnlyToLoopbackAndItself(t *testing.T) {
	e := newEnv(t)
	if status, _ := e.request(http.MethodPost, "/sim/message", `{}`, http.Header{}); status != http.StatusForbidden {
		t.Errorf("another site's form gave %d", status)
	}
	for _, path := range []string{"/", "/sim/workspace", "/sim/stream?user=U0ANA"} {
		req, _ := http.NewRequest(http.MethodGet, e.url+path, nil)
		req.Host = "evil.example"
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s with another Host gave %d", path, resp.StatusCode)
		}
	}
}

func TestThePageAndItsWorkspaceAreServed(t *testing.T) {
	e := newEnv(t, func(cfg *slacksim.Config) {
		cfg.Manifest = []byte(`{"display_information":{"name":"Balcão"},"features":{"slash_commands":[{"command":"/esis","description":"FINE","usage_hint":"[processo]"}]}}`)
	})
	status, page := e.request(http.MethodGet, "/", "", http.Header{})
	if status != http.StatusOK || !strings.Contains(page["body"].(string), "<html") {
		t.Errorf("the page gave %d", status)
	}
	if status, _ := e.request(http.MethodGet, "/page/index.html", "", http.Header{}); status >= 400 {
		t.Errorf("its files gave %d", status)
	}
	_, space := e.request(http.MethodGet, "/sim/workspace", "", http.Header{})
	if dig(space, "commands", "0", "command") != "/esis" || dig(space, "users", "0", "real_name") != "Ana Exemplo" || dig(space, "channels", "0", "name") != "equipa" {
		t.Errorf("the workspace is %v", space)
	}
}

func TestClosingEndsStreamsSocketsAndDeliveries(t *testing.T) {
	e := newEnv(t, func(cfg *slacksim.Config) { cfg.RetryDelays = []time.Duration{time.Hour} })
	e.handle("event_callback", func(object) any { return 500 })
	must(t, e.User(slacksim.Ana).OpenHome(timeoutContext(t)))
	req, _ := http.NewRequestWithContext(timeoutContext(t), http.MethodGet, e.url+"/sim/stream?user=U0ANA", nil)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	must(t, e.Close())
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
	}
	if timeoutContext(t).Err() != nil {
		t.Error("the stream outlived the workspace")
	}
}

func TestEveryTextExistsInBothLanguages(t *testing.T) {
	book := words.Load(os.DirFS("words"))
	if missing := book.Missing("dispatch_failed", "dispatch_unknown_command", "operation_timeout", "trouble_connecting",
		"required", "too_long", "too_short", "not_a_number", "not_whole", "too_small", "too_large", "not_email", "not_url"); len(missing) > 0 {
		t.Errorf("missing: %v", missing)
	}
}
