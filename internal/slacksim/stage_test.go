package slacksim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
)

// object is a JSON object.
type object map[string]any

// stage is a workspace with a tiny app in it, both over real HTTP. The app does what do says for each kind of delivery,
// and keeps what it heard.
type env struct {
	*slacksim.Sim
	t   *testing.T
	url string

	mu         sync.Mutex
	handlers   map[string]func(in object) any
	deliveries []object
	headers    []http.Header
}

// newStage opens a workspace whose app listens over HTTP. change may adjust its configuration.
func newEnv(t *testing.T, change ...func(*slacksim.Config)) *env {
	t.Helper()
	st := &env{t: t, handlers: map[string]func(object) any{}}
	app := httptest.NewServer(http.HandlerFunc(st.serveApp))
	t.Cleanup(app.Close)
	cfg := slacksim.Config{RequestURL: app.URL + "/slack/events"}
	for _, c := range change {
		c(&cfg)
	}
	st.Sim = slacksim.New(cfg)
	t.Cleanup(func() { _ = st.Sim.Close() })
	server := httptest.NewServer(st.Sim)
	t.Cleanup(server.Close)
	st.url = server.URL
	st.SetBaseURL(server.URL)
	return st
}

// on says what the app answers to a kind of delivery: an object becomes JSON, a string text, a number a status.
func (st *env) handle(kind string, do func(in object) any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.handlers[kind] = do
}

func (st *env) serveApp(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	in := readDelivery(raw)
	kind, _ := in["type"].(string)
	if in["command"] != nil {
		kind = "command"
	}
	st.mu.Lock()
	st.deliveries, st.headers = append(st.deliveries, in), append(st.headers, r.Header.Clone())
	do := st.handlers[kind]
	st.mu.Unlock()
	if do == nil {
		return
	}
	switch answer := do(in).(type) {
	case nil:
	case int:
		w.WriteHeader(answer)
	case string:
		_, _ = io.WriteString(w, answer)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func readDelivery(raw []byte) object {
	in := object{}
	if json.Unmarshal(raw, &in) == nil {
		return in
	}
	form, _ := url.ParseQuery(string(raw))
	if form.Has("payload") {
		_ = json.Unmarshal([]byte(form.Get("payload")), &in)
		return in
	}
	for key := range form {
		in[key] = form.Get(key)
	}
	return in
}

// last is the newest delivery that the app heard.
func (st *env) last() (object, http.Header) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.deliveries) == 0 {
		st.t.Fatal("the app heard nothing")
	}
	return st.deliveries[len(st.deliveries)-1], st.headers[len(st.headers)-1]
}

// call makes a call of the Web API, in JSON and with the bot's token.
func (st *env) call(method string, args object) object {
	st.t.Helper()
	body, _ := json.Marshal(args)
	status, answer := st.request(http.MethodPost, "/api/"+method, string(body), http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {"Bearer " + slacksim.DefaultBotToken},
	})
	if status != http.StatusOK {
		answer["status"] = status
	}
	return answer
}

// form makes a call with a form, as clients do for the methods that read.
func (st *env) form(method string, args url.Values) object {
	st.t.Helper()
	args.Set("token", slacksim.DefaultBotToken)
	_, answer := st.request(http.MethodPost, "/api/"+method, args.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	return answer
}

func (st *env) request(verb, path, body string, header http.Header) (int, object) {
	st.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = st.url + path
	}
	req, err := http.NewRequest(verb, path, strings.NewReader(body))
	if err != nil {
		st.t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		st.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	answer := object{}
	if json.Unmarshal(raw, &answer) != nil {
		answer["body"] = string(raw)
	}
	if after := resp.Header.Get("Retry-After"); after != "" {
		answer["retry_after"] = after
	}
	return resp.StatusCode, answer
}

// refused wants a call to have failed with an error.
func refused(t *testing.T, answer object, want string) {
	t.Helper()
	if answer["error"] != want {
		t.Errorf("error %v, want %s; the answer: %v", answer["error"], want, answer)
	}
}

// accepted wants a call to have succeeded.
func accepted(t *testing.T, answer object) object {
	t.Helper()
	if answer["ok"] != true {
		t.Fatalf("refused: %v", answer)
	}
	return answer
}

func timeoutContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func refuse(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at digs into an object: at(o, "view", "blocks", "0").
func dig(value any, path ...string) any {
	for _, step := range path {
		switch v := value.(type) {
		case object:
			value = v[step]
		case map[string]any:
			value = v[step]
		case []any:
			i := int(step[0] - '0')
			if i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// Pieces of views.

func plain(text string) object { return object{"type": "plain_text", "text": text} }

func textInput(block string, more ...object) object {
	element := object{"type": "plain_text_input", "action_id": block + "_typed"}
	for _, m := range more {
		for key, value := range m {
			element[key] = value
		}
	}
	return object{"type": "input", "block_id": block, "label": plain(block), "element": element}
}

func selectInput(block, kind string, more object) object {
	element := object{"type": kind, "action_id": block + "_chosen"}
	for key, value := range more {
		element[key] = value
	}
	return object{"type": "input", "block_id": block, "label": plain(block), "element": element}
}

func choice(text, value string) object { return object{"text": plain(text), "value": value} }

func actions(block string, elements ...object) object {
	return object{"type": "actions", "block_id": block, "elements": elements}
}

func button(action string) object {
	return object{"type": "button", "action_id": action, "text": plain(action), "value": "pressed"}
}

func section(text string) object { return object{"type": "section", "text": plain(text)} }

func modal(title string, blocks ...object) object {
	if blocks == nil {
		blocks = []object{}
	}
	return object{"type": "modal", "title": plain(title), "submit": plain("Guardar"), "close": plain("Fechar"), "blocks": blocks}
}

func with(o object, key string, value any) object {
	copied := object{}
	for k, v := range o {
		copied[k] = v
	}
	copied[key] = value
	return copied
}

// opened has Ana open a modal by a command.
func (st *env) openModal(view object) *slacksim.User {
	st.t.Helper()
	st.handle("command", func(in object) any {
		accepted(st.t, st.call("views.open", object{"trigger_id": in["trigger_id"], "view": view}))
		return nil
	})
	ana := st.User(slacksim.Ana)
	refuse(st.t, ana.Command(timeoutContext(st.t), slacksim.TeamChannel, "/abrir"))
	return ana
}

// trigger gives a fresh trigger_id.
func (st *env) trigger() string {
	st.t.Helper()
	st.handle("command", nil)
	refuse(st.t, st.User(slacksim.Ana).Command(timeoutContext(st.t), slacksim.TeamChannel, "/trigger"))
	in, _ := st.last()
	return in["trigger_id"].(string)
}

func mustJSON(value any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(err)
	}
	return b.String()
}
