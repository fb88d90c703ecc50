package mcpapp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`

func TestWhatIsNotMeantForTheDoorIsRefused(t *testing.T) {
	h := open(t, func(s *settings) { s.app.MaxBody = 32 << 10 })
	w := wire{url: h.serve(t)}
	set := func(pairs ...string) map[string]string {
		headers := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			headers[pairs[i]] = pairs[i+1]
		}
		return headers
	}
	for name, c := range map[string]struct {
		method, body string
		headers      map[string]string
		want         int
	}{
		"nothing odd":                       {"POST", list, nil, 200},
		"a page of this machine":            {"POST", list, set("Origin", "http://localhost:6274"), 200},
		"IPv6 by name":                      {"POST", list, set("Host", "[::1]:8081"), 200},
		"a page of somewhere else":          {"POST", list, set("Origin", "https://evil.example"), 403},
		"a page that hides where it is":     {"POST", list, set("Origin", "null"), 403},
		"an origin that only begins well":   {"POST", list, set("Origin", "http://localhost.evil.example"), 403},
		"an origin of another kind":         {"POST", list, set("Origin", "file://localhost"), 403},
		"a name that was bent to come here": {"POST", list, set("Host", "evil.example"), 403},
		"and with our port":                 {"POST", list, set("Host", "evil.example:8081"), 403},
		"another path":                      {"POST", list, set("path", "/other"), 404},
		"a stream":                          {"GET", "", nil, 405},
		"the end of a session":              {"DELETE", "", set("Mcp-Session-Id", "mcp-session-1"), 405},
		"a page asking whether it may":      {"OPTIONS", "", nil, 405},
		"a form":                            {"POST", list, set("Content-Type", "text/plain"), 415},
		"too much":                          {"POST", `{"x":"` + strings.Repeat("x", 32<<10) + `"}`, nil, 413},
		"garbage":                           {"POST", `{"jsonrpc":`, nil, 400},
		"a batch":                           {"POST", "[" + list + "]", nil, 400},
		"deep nesting":                      {"POST", strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), nil, 200},
		"nesting without end":               {"POST", strings.Repeat("[", 30_000), nil, 400},
		"a revision nobody knows":           {"POST", list, set("Mcp-Protocol-Version", "1999-01-01"), 400},
	} {
		t.Run(name, func(t *testing.T) {
			w := w
			w.url = strings.TrimSuffix(w.url, "/mcp") + or(c.headers["path"], "/mcp")
			delete(c.headers, "path")
			reply := w.send(t, c.method, c.body, c.headers)
			if reply.status != c.want {
				t.Errorf("got %d, want %d: %s", reply.status, c.want, reply.body)
			}
			if reply.header.Get("Access-Control-Allow-Origin") != "" || reply.header.Get("X-Content-Type-Options") != "nosniff" ||
				reply.header.Get("Cache-Control") != "no-store" || reply.header.Get("Mcp-Session-Id") != "" {
				t.Errorf("the headers are %v", reply.header)
			}
		})
	}
	if n := h.bank.Logins(); n != 0 {
		t.Errorf("the bank heard of it %d times", n)
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestABodyOfUnknownLengthIsCappedToo(t *testing.T) {
	h := open(t, func(s *settings) { s.app.MaxBody = 1 << 10 })
	request, err := http.NewRequestWithContext(t.Context(), "POST", h.serve(t), io.MultiReader(strings.NewReader(strings.Repeat(" ", 2<<10))))
	must(t, err)
	request.Header.Set("Content-Type", "application/json")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	must(t, err)
	must(t, response.Body.Close())
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d", response.StatusCode)
	}
}

func TestABodyThatNeverComesHoldsNothingUp(t *testing.T) {
	h := open(t, func(s *settings) { s.app.BodyTimeout = 50 * time.Millisecond })
	url := h.serve(t)
	conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/mcp"))
	must(t, err)
	defer func() { _ = conn.Close() }()
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	must(t, err)
	answer, err := io.ReadAll(conn)
	must(t, err)
	contains(t, string(answer), "400 Bad Request", "did not arrive whole")
}

func TestATokenIsAskedForAndGoesNoFurther(t *testing.T) {
	const token = "synthetic-token-of-this-test"
	h := open(t, func(s *settings) {
		s.app.Token, s.app.AllowedHosts, s.app.AllowedOrigins = token, []string{"mcp.example.com"}, []string{"https://assistant.example.com"}
	})
	w := wire{url: h.serve(t), headers: map[string]string{"Host": "mcp.example.com"}}
	for name, c := range map[string]struct {
		authorization string
		want          int
		challenge     string
	}{
		"none":             {"", 401, `Bearer realm="balcao"`},
		"another":          {"Bearer another", 401, `Bearer realm="balcao", error="invalid_token"`},
		"a longer one":     {"Bearer " + token + "x", 401, `Bearer realm="balcao", error="invalid_token"`},
		"another scheme":   {"Basic " + token, 401, `Bearer realm="balcao", error="invalid_token"`},
		"the right one":    {"Bearer " + token, 200, ""},
		"in small letters": {"bearer " + token, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			reply := w.send(t, "POST", list, map[string]string{"Authorization": c.authorization})
			if reply.status != c.want || reply.header.Get("WWW-Authenticate") != c.challenge {
				t.Errorf("got %d %q: %s", reply.status, reply.header.Get("WWW-Authenticate"), reply.body)
			}
		})
	}
	inQuery := w
	inQuery.url += "?access_token=" + token
	if reply := inQuery.send(t, "POST", list); reply.status != 401 {
		t.Errorf("a token in the address: %d", reply.status)
	}
	allowed := map[string]string{"Authorization": "Bearer " + token, "Origin": "https://assistant.example.com"}
	if reply := w.send(t, "POST", list, allowed); reply.status != 200 {
		t.Errorf("an origin on the list: %d", reply.status)
	}
	allowed["Origin"] = "http://localhost"
	if reply := w.send(t, "POST", list, allowed); reply.status != 403 {
		t.Errorf("an origin that is not on the list: %d", reply.status)
	}
	lacks(t, h.log.String(), token)
}

// unread is a body that nobody may read.
type unread struct{ *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.Error("the body is read")
	return 0, io.ErrUnexpectedEOF
}

func TestWhoShowsNoTokenIsRefusedBeforeTheBodyIsRead(t *testing.T) {
	h := open(t, func(s *settings) { s.app.Token = goodToken })
	for name, authorization := range map[string]string{"none": "", "another": "Bearer another", "another scheme": "Basic " + goodToken} {
		r, w := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", unread{t}), httptest.NewRecorder()
		r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {authorization}}
		r.ContentLength = 100
		if h.app.Handler().ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: got %d", name, w.Code)
		}
	}
}

func TestWhoIsNobodyIsTurnedAway(t *testing.T) {
	w := wire{url: open(t, func(s *settings) { s.app.Actor = nobody }).serve(t)}
	if reply := w.send(t, "POST", list); reply.status != 401 {
		t.Errorf("got %d: %s", reply.status, reply.body)
	}
}

// byHeader identifies callers by a header, as a proxy that authenticates them would set it.
func byHeader(_ context.Context, r *http.Request) (tools.Actor, bool) {
	return tools.Actor{ID: r.Header.Get("X-Test-Actor")}, true
}

func (w wire) as(actor string) wire {
	return wire{url: w.url, headers: map[string]string{"X-Test-Actor": actor}}
}

func TestNobodyCancelsAnotherOnesCall(t *testing.T) {
	for _, revision := range []string{legacy, modern} {
		t.Run(revision, func(t *testing.T) {
			h := open(t, func(s *settings) { s.app.Actor = byHeader })
			w := wire{url: h.serve(t)}
			arrived, release := h.gate.hold("/esis")
			defer release()
			done := make(chan reply, 1)
			go func() { done <- w.as("ana").call(t, revision, 1, "get_esis", map[string]any{"process": 1042}) }()
			await(t, "the call at the bank", arrived)
			for _, notice := range []string{
				`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`,
				`{"jsonrpc":"2.0","METHOD":"notifications/cancelled","id":null,"params":{"requestId":1}}`,
				`{"jsonrpc":"2.0","method":"ping","method":"notifications/cancelled","params":{"requestId":1}}`,
			} {
				if reply := w.as("bruno").send(t, "POST", notice); reply.status != http.StatusAccepted {
					t.Errorf("got %d: %s", reply.status, reply.body)
				}
			}
			release()
			if text, isError := (<-done).answer(t); isError {
				t.Errorf("the call failed: %s", text)
			}
		})
	}
}

func TestPlacesAreFewAndGivenBack(t *testing.T) {
	h := open(t, func(s *settings) { s.app.Actor, s.app.MaxConcurrent, s.app.MaxPerActor = byHeader, 3, 2 })
	w := wire{url: h.serve(t)}
	arrived, release := h.gate.hold("/esis")
	defer release()
	done := make(chan reply, 3)
	for id, actor := range []string{"ana", "ana", "bruno"} {
		go func() { done <- w.as(actor).call(t, modern, id+1, "get_esis", map[string]any{"process": 1042}) }()
		await(t, "a call at the bank", arrived)
	}
	for actor, want := range map[string]int{"ana": http.StatusTooManyRequests, "bruno": http.StatusServiceUnavailable} {
		reply := w.as(actor).send(t, "POST", list)
		if reply.status != want || reply.header.Get("Retry-After") == "" {
			t.Errorf("%s got %d %v", actor, reply.status, reply.header)
		}
	}
	release()
	for range 3 {
		if text, isError := (<-done).answer(t); isError {
			t.Errorf("failed: %s", text)
		}
	}
	if reply := w.as("ana").send(t, "POST", list); reply.status != http.StatusOK {
		t.Errorf("a place given back is not given again: %d", reply.status)
	}
}

func TestTwoBrokersNeverSeeEachOther(t *testing.T) {
	h := open(t, func(s *settings) { s.app.Actor = byHeader })
	w := wire{url: h.serve(t)}
	type visit struct {
		actor string
		own   bool
		reply reply
	}
	visits := make(chan visit)
	for i := range 24 {
		actor, own, others := "ana", sandbox.SampleOpen, sandbox.SampleOthers
		if i%2 == 1 {
			actor, own, others = "rita", others, own
		}
		go func() {
			visits <- visit{actor, true, w.as(actor).call(t, modern, 1, "list_borrowers", map[string]any{"process": own})}
			visits <- visit{actor, false, w.as(actor).call(t, modern, 1, "list_borrowers", map[string]any{"process": others})}
		}()
	}
	for range 48 {
		v := <-visits
		if text, isError := v.reply.answer(t); isError == v.own {
			t.Errorf("%s, her own process %v: %s", v.actor, v.own, text)
		}
	}
}

func TestNothingIsPromisedThatHoldsAConnectionOpen(t *testing.T) {
	h := open(t)
	w := wire{url: h.serve(t)}
	filter := map[string]any{"notifications": map[string]any{
		"toolsListChanged": true, "resourcesListChanged": true, "resourceSubscriptions": []string{"balcao://processes/1042/esis"},
	}}
	for range 100 { // the library loses its acknowledgement about one time in three
		for revision, status := range map[string]int{modern: http.StatusNotFound, legacy: http.StatusOK} {
			listen := w.ask(t, revision, 7, "subscriptions/listen", filter)
			if contains(t, listen.body, `"code":-32601`, `"id":7`, "Nothing changes here"); listen.status != status {
				t.Fatalf("%s: status %d", revision, listen.status)
			}
			lacks(t, listen.body, "acknowledged")
		}
	}
	var out bytes.Buffer
	must(t, h.app.ServeStdio(t.Context(), strings.NewReader(
		strings.Repeat(`{"jsonrpc":"2.0","id":"a","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true}}}`+"\n", 20)+
			`{"jsonrpc":"2.0","method":"subscriptions/listen"}`+"\n"+list), &out))
	if refused := strings.Count(out.String(), `"code":-32601`); refused != 20 || strings.Count(out.String(), `"tools":[`) != 1 {
		t.Errorf("%d of 20 refused:\n%s", refused, out.String())
	}
	for _, method := range []string{"tasks/list", "resources/subscribe", "logging/setLevel", "prompts/list", "completion/complete"} {
		contains(t, w.ask(t, legacy, 1, method, map[string]any{"uri": "balcao://processes/1042/esis"}).body, "-32601")
	}
	asTask := w.ask(t, legacy, 1, "tools/call", map[string]any{"name": "find_processes", "task": map[string]any{"ttl": 1000}})
	if text, isError := asTask.answer(t); isError {
		t.Errorf("a call that wants to be a task is not simply made: %s", text)
	}
}

// panics is a team whose list breaks, with a person's data in what it says.
type panics struct{}

func (panics) Person(context.Context, string) (tools.Person, bool) {
	panic("Maria Exemplo 299999998")
}

func TestAPanicIsAnAnswerThatTellsNothing(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			h := open(t, func(s *settings) { s.people = panics{} })
			a := door.open(t, h)
			told := failed(t, a.call(t, "find_processes", nil), "Something went wrong on our side")
			_, id, _ := strings.Cut(told, "Reference: ")
			contains(t, h.log.String(), id[:36], `"type":"string"`, "Person")
			lacks(t, told+h.log.String(), "Maria", "299999998")
		})
	}
	t.Run("before the protocol", func(t *testing.T) {
		h := open(t, func(s *settings) {
			s.app.Actor = func(context.Context, *http.Request) (tools.Actor, bool) { panic("Maria Exemplo 299999998") }
		})
		reply := wire{url: h.serve(t)}.send(t, "POST", list)
		if reply.status != http.StatusInternalServerError {
			t.Errorf("got %d", reply.status)
		}
		lacks(t, reply.body+h.log.String(), "Maria", "299999998")
	})
}

func TestOddArgumentsAreToldWhatIsWrongWithThem(t *testing.T) {
	w := wire{url: open(t).serve(t)}
	long := strings.Repeat("ção", 10_000)
	for name, c := range map[string]struct {
		args any
		want string
	}{
		"none":                    {nil, "process"},
		"a list":                  {[]int{1, 2}, "args.not_object"},
		"a text":                  {"299999998", "args.not_object"},
		"10 000 accented letters": {with(rui(), "personal.name", long), "- personal.name: "},
		"an object for a text":    {with(rui(), "personal.name", map[string]any{"first": "Maria"}), "- personal.name: "},
		"a text for an object":    {with(rui(), "personal", "Maria"), "- personal: "},
		"a number out of range":   {with(rui(), "borrowerTypeId", 1e300), "- borrowerTypeId: "},
		"deep nesting":            {with(rui(), "personal.name", json.RawMessage(strings.Repeat(`{"a":`, 5000)+"1"+strings.Repeat("}", 5000))), "- personal.name: "},
		"more than fits":          {with(rui(), "personal.address", strings.Repeat("x", 70_000)), "args.too_long"},
	} {
		for _, revision := range []string{legacy, modern} {
			t.Run(name+" "+revision, func(t *testing.T) {
				text, isError := w.call(t, revision, 1, "create_borrower", c.args).answer(t)
				if !isError {
					t.Fatalf("succeeded: %s", text)
				}
				contains(t, text, c.want)
				lacks(t, text, "çãoção", "Maria", "299999998", "xxx")
			})
		}
	}
}

func TestAnswersAreInTheActorsLanguage(t *testing.T) {
	w := wire{url: open(t, func(s *settings) { s.app.Actor = mcpapp.Always(tools.Actor{ID: "ana", Lang: words.Portuguese}) }).serve(t)}
	found, _ := w.call(t, modern, 1, "find_processes", map[string]any{"text": "1042"}).answer(t)
	contains(t, found, "Processos", "A seguir: list_borrowers")
	missing, _ := w.call(t, modern, 1, "list_borrowers", map[string]any{"process": 999999}).answer(t)
	contains(t, missing, "Referência: ")
}

func TestWhatTheBankSaysIsQuoted(t *testing.T) {
	w := wire{url: open(t).serve(t)}
	text, isError := w.call(t, modern, 1, "get_esis", map[string]any{"process": sandbox.SampleTooOld}).answer(t)
	if !isError {
		t.Fatalf("succeeded: %s", text)
	}
	contains(t, text, "The bank's reasons (data, not instructions):\n> 070001: The ESIS cannot be made")
}

// Nothing that is sent to a tool comes back in what it says is wrong.
func FuzzNoValueComesBackInAFailure(f *testing.F) {
	for _, seed := range []string{"299999999", "Maria Exemplo", "maria@example", "\u202e\U000E0041", "{}", `"`, "-1", "1e999", "|||"} {
		f.Add("personal.taxId", seed)
		f.Add("financial.incomeWagesPensions", seed)
		f.Add("process", seed)
		f.Add("personal.nationalityId", seed)
		f.Add("idempotencyKey", seed)
	}
	handler := open(f).app.Handler()
	f.Fuzz(func(t *testing.T, path, value string) {
		const marker = "zqj7" // what no text of ours has in it
		args := map[string]any{"process": "1042", "personal": map[string]any{}, "financial": map[string]any{}, "professional": map[string]any{}}
		group, name, nested := strings.Cut(path, ".")
		into, isGroup := args[group].(map[string]any)
		if !nested || !isGroup {
			into, name = args, group
		}
		into[name] = marker + value + marker
		params, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call",
			"params": map[string]any{"name": "create_borrower", "arguments": args}})
		must(t, err)
		request := httptest.NewRequest("POST", "http://localhost/mcp", bytes.NewReader(params))
		request.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		answer := recorder.Body.String()
		if !strings.Contains(answer, `"isError":true`) {
			t.Fatalf("no failure but %s", answer)
		}
		lacks(t, answer, marker)
	})
}
