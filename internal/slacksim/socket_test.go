package slacksim_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/balcao/balcao/internal/slacksim"
)

// socketClient is the app's end of a Socket Mode connection.
type socketClient struct {
	*websocket.Conn
	t     *testing.T
	hello object
	pings chan struct{}
	write sync.Mutex
}

// newSockets starts a workspace in Socket Mode.
func newSockets(t *testing.T, change ...func(*slacksim.Config)) *env {
	return newEnv(t, append(change, func(cfg *slacksim.Config) { cfg.RequestURL = "" })...)
}

// dial opens a connection with apps.connections.open.
func (e *env) dial() *socketClient {
	e.t.Helper()
	_, answer := e.request(http.MethodPost, "/api/apps.connections.open", "", http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {"Bearer " + slacksim.DefaultAppToken},
	})
	accepted(e.t, answer)
	return e.connect(answer["url"].(string))
}

func (e *env) connect(address string) *socketClient {
	e.t.Helper()
	conn, _, err := websocket.DefaultDialer.DialContext(timeoutContext(e.t), address, nil)
	must(e.t, err)
	e.t.Cleanup(func() { _ = conn.Close() })
	w := &socketClient{Conn: conn, t: e.t, pings: make(chan struct{}, 100)}
	conn.SetPingHandler(func(data string) error {
		w.pings <- struct{}{}
		return conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
	})
	w.hello = w.read()
	return w
}

func (w *socketClient) read() object {
	w.t.Helper()
	_ = w.SetReadDeadline(time.Now().Add(10 * time.Second))
	in := object{}
	must(w.t, w.ReadJSON(&in))
	return in
}

// serve acknowledges every envelope with the result of answer, until the connection is closed.
func (w *socketClient) serve(got chan<- object, answer func(in object) any) {
	for {
		in := object{}
		if w.ReadJSON(&in) != nil {
			return
		}
		if got != nil {
			got <- in
		}
		if in["envelope_id"] == nil || answer == nil {
			continue
		}
		ack := object{"envelope_id": in["envelope_id"]}
		if payload := answer(in); payload != nil {
			ack["payload"] = payload
		}
		w.write.Lock()
		_ = w.WriteJSON(ack)
		w.write.Unlock()
	}
}

func silent(object) any { return nil }

func TestASocketDeliversEveryKindOfPayload(t *testing.T) {
	e := newSockets(t)
	w := e.dial()
	if w.hello["type"] != "hello" || dig(w.hello, "connection_info", "app_id") != slacksim.AppID || w.hello["num_connections"] != 1.0 {
		t.Errorf("hello is %v", w.hello)
	}
	got := make(chan object, 10)
	go w.serve(got, func(in object) any {
		switch in["type"] {
		case "slash_commands":
			answer := handlerCall(e.Sim, "views.open", object{"trigger_id": dig(in, "payload", "trigger_id"), "view": modal("Olá", textInput("nome"))})
			if answer["ok"] != true {
				t.Errorf("refused: %v", answer)
			}
			return object{"text": "Um momento…"}
		case "interactive":
			return object{"response_action": "errors", "errors": object{"nome": "Confirme o nome."}}
		}
		return nil
	})
	ana := e.User(slacksim.Ana)
	must(t, e.WaitSockets(timeoutContext(t), 1))
	must(t, ana.Command(timeoutContext(t), slacksim.TeamChannel, "/borrower-new 1042"))
	if in := <-got; in["accepts_response_payload"] != true || dig(in, "payload", "command") != "/borrower-new" || dig(in, "payload", "text") != "1042" {
		t.Errorf("the command came as %v", in)
	}
	if seen := ana.Messages(slacksim.TeamChannel); len(seen) != 1 || seen[0].Text != "Um momento…" {
		t.Errorf("Ana sees %v", seen)
	}
	result, err := ana.Submit(timeoutContext(t), slacksim.Values{"nome": "Maria Exemplo"})
	must(t, err)
	if in := <-got; dig(in, "payload", "type") != "view_submission" || result.Errors["nome"] == "" {
		t.Errorf("the submission came as %v and gave %v", in, result)
	}
	must(t, ana.OpenHome(timeoutContext(t)))
	if in := <-got; in["type"] != "events_api" || dig(in, "payload", "event", "type") != "app_home_opened" || in["accepts_response_payload"] != false || in["retry_attempt"] != 0.0 {
		t.Errorf("the event came as %v", in)
	}
	must(t, e.WaitEvents(timeoutContext(t)))
}

func TestAURLOpensOneSocket(t *testing.T) {
	e := newSockets(t)
	_, answer := e.request(http.MethodPost, "/api/apps.connections.open", "", http.Header{"Authorization": {"Bearer " + slacksim.DefaultAppToken}})
	address := accepted(t, answer)["url"].(string)
	e.connect(address)
	for _, bad := range []string{address, strings.Replace(address, "ticket=", "ticket=0", 1)} {
		if _, resp, err := websocket.DefaultDialer.DialContext(timeoutContext(t), bad, nil); err == nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("a used or unknown URL opened a socket: %v", err)
		}
	}
}

func TestSocketsArePinged(t *testing.T) {
	e := newSockets(t, func(cfg *slacksim.Config) { cfg.PingInterval = 200 * time.Millisecond })
	w := e.dial()
	go w.serve(nil, silent)
	for range 3 {
		select {
		case <-w.pings:
		case <-time.After(10 * time.Second):
			t.Fatal("no ping came")
		}
	}
}

func TestASocketWithoutPongsIsClosed(t *testing.T) {
	e := newSockets(t, func(cfg *slacksim.Config) { cfg.PingInterval = 5 * time.Millisecond })
	w := e.dial()
	w.SetPingHandler(func(string) error { return nil })
	go w.serve(nil, silent)
	must(t, e.WaitSockets(timeoutContext(t), 0))
}

func TestDeliveriesAreSpreadOverTheSockets(t *testing.T) {
	e := newSockets(t)
	first, second := make(chan object, 100), make(chan object, 100)
	go e.dial().serve(first, silent)
	go e.dial().serve(second, silent)
	must(t, e.WaitSockets(timeoutContext(t), 2))
	for range 10 {
		must(t, e.User(slacksim.Ana).Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers"))
	}
	if a, b := len(first), len(second); a+b != 10 || a == 0 || b == 0 {
		t.Errorf("%d and %d deliveries, want ten in all and some on each", a, b)
	}
}

func TestTheEleventhSocketIsRefused(t *testing.T) {
	e := newSockets(t)
	for i := range 10 {
		go e.dial().serve(nil, silent)
		must(t, e.WaitSockets(timeoutContext(t), i+1))
	}
	if w := e.dial(); w.hello["type"] != "disconnect" || w.hello["reason"] != "too_many_websockets" {
		t.Errorf("the first message is %v", w.hello)
	}
}

func TestADisconnectIsAnnouncedAndTheAppMayReconnect(t *testing.T) {
	e := newSockets(t)
	w := e.dial()
	must(t, e.WaitSockets(timeoutContext(t), 1))
	e.DisconnectSockets()
	if in := w.read(); in["type"] != "disconnect" || in["reason"] != "refresh_requested" {
		t.Errorf("disconnect is %v", in)
	}
	must(t, e.WaitSockets(timeoutContext(t), 0))
	ana := e.User(slacksim.Ana)
	if err := ana.Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers"); err == nil {
		t.Error("a command was acknowledged without a connection")
	}
	go e.dial().serve(nil, silent)
	must(t, e.WaitSockets(timeoutContext(t), 1))
	must(t, ana.Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers"))
}

func TestAnEventWithoutAcknowledgementIsRetriedOnAnotherSocket(t *testing.T) {
	e := newSockets(t, func(cfg *slacksim.Config) {
		cfg.AckTimeout, cfg.RetryDelays = 700*time.Millisecond, []time.Duration{0, 0, 0}
	})
	unanswered, answered := make(chan object, 10), make(chan object, 10)
	go e.dial().serve(unanswered, nil)
	go e.dial().serve(answered, silent)
	must(t, e.WaitSockets(timeoutContext(t), 2))
	for range 2 { // connections are used in turn, so one of two is sent first over the silent one
		must(t, e.User(slacksim.Ana).OpenHome(timeoutContext(t)))
		must(t, e.WaitEvents(timeoutContext(t)))
	}
	lost := <-unanswered
	id := dig(lost, "payload", "event_id")
	for deadline := timeoutContext(t); ; {
		var in object
		select {
		case in = <-answered:
		case <-deadline.Done():
			t.Fatal("the event was lost")
		}
		if dig(in, "payload", "event_id") != id {
			continue
		}
		if in["retry_attempt"] != 1.0 || in["retry_reason"] != "http_timeout" || in["envelope_id"] == lost["envelope_id"] {
			t.Errorf("repeated as %v", in)
		}
		return
	}
}

func TestAnAcknowledgementThatIsTooLargeIsDropped(t *testing.T) {
	e := newSockets(t, func(cfg *slacksim.Config) { cfg.AckTimeout = 300 * time.Millisecond })
	w := e.dial()
	must(t, e.WaitSockets(timeoutContext(t), 1))
	go w.serve(nil, func(object) any { return object{"text": long(20 << 10)} })
	if err := e.User(slacksim.Ana).Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers"); err == nil {
		t.Error("an acknowledgement of more than 20 kB was taken")
	}
}
