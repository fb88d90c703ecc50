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

// env is a workspace and a small app, both over real HTTP. The app calls the handler of each kind of delivery, and records
// what it gets.
type env struct {
	*slacksim.Sim
	t   *testing.T
	url string

	mu         sync.Mutex
	handlers   map[string]func(in object) any
	deliveries []object
	headers    []http.Header
}

// newEnv starts a workspace whose app listens over HTTP. change may adjust its configuration.
func newEnv(t *testing.T, change ...func(*slacksim.Config)) *env {
	t.Helper()
	e := &env{t: t, handlers: map[string]func(object) any{}}
	app := httptest.NewServer(http.HandlerFunc(e.serveApp))
	t.Cleanup(app.Close)
	cfg := slacksim.Config{RequestURL: app.URL + "/slack/events"}
	for _, c := range change {
		c(&cfg)
	}
	e.Sim = slacksim.New(cfg)
	t.Cleanup(func() { _ = e.Sim.Close() })
	server := httptest.NewServer(e.Sim)
	t.Cleanup(server.Close)
	e.url = server.URL
	e.SetBaseURL(server.URL)
	return e
}

// handle sets the app's handler for a kind of delivery. It returns an object for JSON, a string for text, or a status.
func (e *env) handle(kind string, do func(in object) any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.handlers[kind] = do
}

func (e *env) serveApp(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	in := readDelivery(raw)
	kind, _ := in["type"].(string)
	if in["command"] != nil {
		kind = "command"
	}
	e.mu.Lock()
	e.deliveries, e.headers = append(e.deliveries, in), append(e.headers, r.Header.Clone())
	do := e.handlers[kind]
	e.mu.Unlock()
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

// last returns the newest delivery that the app got.
func (e *env) last() (object, http.Header) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.deliveries) == 0 {
		e.t.Fatal("the app got no delivery")
	}
	return e.deliveries[len(e.deliveries)-1], e.headers[len(e.headers)-1]
}

// call calls the Web API with JSON and the bot's token.
func (e *env) call(method string, args object) object {
	e.t.Helper()
	body, _ := json.Marshal(args)
	status, answer := e.request(http.MethodPost, "/api/"+method, string(body), http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {"Bearer " + slacksim.DefaultBotToken},
	})
	if status != http.StatusOK {
		answer["status"] = status
	}
	return answer
}

// form calls the Web API with a form, as clients do for methods that read.
func (e *env) form(method string, args url.Values) object {
	e.t.Helper()
	args.Set("token", slacksim.DefaultBotToken)
	_, answer := e.request(http.MethodPost, "/api/"+method, args.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	return answer
}

func (e *env) request(verb, path, body string, header http.Header) (int, object) {
	e.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = e.url + path
	}
	req, err := http.NewRequest(verb, path, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		e.t.Fatal(err)
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

// refused checks that a call failed with an error code.
func refused(t *testing.T, answer object, want string) {
	t.Helper()
	if answer["error"] != want {
		t.Errorf("error %v, want %s; the answer: %v", answer["error"], want, answer)
	}
}

// accepted checks that a call succeeded.
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dig returns the value at a path: dig(o, "view", "blocks", "0").
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

// Parts of views.

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

// openModal opens a modal for Ana with a command.
func (e *env) openModal(view object) *slacksim.User {
	e.t.Helper()
	e.handle("command", func(in object) any {
		accepted(e.t, e.call("views.open", object{"trigger_id": in["trigger_id"], "view": view}))
		return nil
	})
	ana := e.User(slacksim.Ana)
	must(e.t, ana.Command(timeoutContext(e.t), slacksim.TeamChannel, "/abrir"))
	return ana
}

// trigger returns a new trigger_id.
func (e *env) trigger() string {
	e.t.Helper()
	e.handle("command", nil)
	must(e.t, e.User(slacksim.Ana).Command(timeoutContext(e.t), slacksim.TeamChannel, "/trigger"))
	in, _ := e.last()
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
