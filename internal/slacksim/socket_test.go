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

// wire is an app's end of a Socket Mode connection.
type socketClient struct {
	*websocket.Conn
	t     *testing.T
	hello object
	pings chan struct{}
	write sync.Mutex
}

// newSockets opens a workspace in Socket Mode.
func newSockets(t *testing.T, change ...func(*slacksim.Config)) *env {
	return newEnv(t, append(change, func(cfg *slacksim.Config) { cfg.RequestURL = "" })...)
}

// dial opens a connection, as apps.connections.open says.
func (st *env) dial() *socketClient {
	st.t.Helper()
	_, answer := st.request(http.MethodPost, "/api/apps.connections.open", "", http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {"Bearer " + slacksim.DefaultAppToken},
	})
	accepted(st.t, answer)
	return st.connect(answer["url"].(string))
}

func (st *env) connect(address string) *socketClient {
	st.t.Helper()
	conn, _, err := websocket.DefaultDialer.DialContext(timeoutContext(st.t), address, nil)
	refuse(st.t, err)
	st.t.Cleanup(func() { _ = conn.Close() })
	w := &socketClient{Conn: conn, t: st.t, pings: make(chan struct{}, 100)}
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
	refuse(w.t, w.ReadJSON(&in))
	return in
}

// serve acknowledges everything with what answer says, until the connection ends.
func (w *socketClient) serve(heard chan<- object, answer func(in object) any) {
	for {
		in := object{}
		if w.ReadJSON(&in) != nil {
			return
		}
		if heard != nil {
			heard <- in
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

func TestASocketGreetsAndCarriesEveryKindOfDelivery(t *testing.T) {
	st := newSockets(t)
	w := st.dial()
	if w.hello["type"] != "hello" || dig(w.hello, "connection_info", "app_id") != slacksim.AppID || w.hello["num_connections"] != 1.0 {
		t.Errorf("the greeting is %v", w.hello)
	}
	heard := make(chan object, 10)
	go w.serve(heard, func(in object) any {
		switch in["type"] {
		case "slash_commands":
			answer := direct(st.Sim, "views.open", object{"trigger_id": dig(in, "payload", "trigger_id"), "view": modal("Olá", textInput("nome"))})
			if answer["ok"] != true {
				t.Errorf("refused: %v", answer)
			}
			return object{"text": "Um momento…"}
		case "interactive":
			return object{"response_action": "errors", "errors": object{"nome": "Confirme o nome."}}
		}
		return nil
	})
	ana := st.User(slacksim.Ana)
	refuse(t, st.WaitSockets(timeoutContext(t), 1))
	refuse(t, ana.Command(timeoutContext(t), slacksim.TeamChannel, "/borrower-new 1042"))
	if in := <-heard; in["accepts_response_payload"] != true || dig(in, "payload", "command") != "/borrower-new" || dig(in, "payload", "text") != "1042" {
		t.Errorf("the command came as %v", in)
	}
	if seen := ana.Messages(slacksim.TeamChannel); len(seen) != 1 || seen[0].Text != "Um momento…" {
		t.Errorf("she sees %v", seen)
	}
	result, err := ana.Submit(timeoutContext(t), slacksim.Values{"nome": "Maria Exemplo"})
	refuse(t, err)
	if in := <-heard; dig(in, "payload", "type") != "view_submission" || result.Errors["nome"] == "" {
		t.Errorf("the submission came as %v and gave %v", in, result)
	}
	refuse(t, ana.OpenHome(timeoutContext(t)))
	if in := <-heard; in["type"] != "events_api" || dig(in, "payload", "event", "type") != "app_home_opened" || in["accepts_response_payload"] != false || in["retry_attempt"] != 0.0 {
		t.Errorf("the event came as %v", in)
	}
	refuse(t, st.WaitEvents(timeoutContext(t)))
}

func TestAnAddressOpensOneSocketOnly(t *testing.T) {
	st := newSockets(t)
	_, answer := st.request(http.MethodPost, "/api/apps.connections.open", "", http.Header{"Authorization": {"Bearer " + slacksim.DefaultAppToken}})
	address := accepted(t, answer)["url"].(string)
	st.connect(address)
	for _, bad := range []string{address, strings.Replace(address, "ticket=", "ticket=0", 1)} {
		if _, resp, err := websocket.DefaultDialer.DialContext(timeoutContext(t), bad, nil); err == nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("an address used up or made up opened a socket: %v", err)
		}
	}
}

func TestSocketsArePinged(t *testing.T) {
	st := newSockets(t, func(cfg *slacksim.Config) { cfg.PingInterval = 200 * time.Millisecond })
	w := st.dial()
	go w.serve(nil, silent)
	for range 3 {
		select {
		case <-w.pings:
		case <-time.After(10 * time.Second):
			t.Fatal("no ping came")
		}
	}
}

func TestASocketThatDoesNotAnswerPingsIsGivenUp(t *testing.T) {
	st := newSockets(t, func(cfg *slacksim.Config) { cfg.PingInterval = 5 * time.Millisecond })
	w := st.dial()
	w.SetPingHandler(func(string) error { return nil })
	go w.serve(nil, silent)
	refuse(t, st.WaitSockets(timeoutContext(t), 0))
}

func TestDeliveriesGoToAnyOneOfSeveralSockets(t *testing.T) {
	st := newSockets(t)
	first, second := make(chan object, 100), make(chan object, 100)
	go st.dial().serve(first, silent)
	go st.dial().serve(second, silent)
	refuse(t, st.WaitSockets(timeoutContext(t), 2))
	for range 10 {
		refuse(t, st.User(slacksim.Ana).Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers"))
	}
	if a, b := len(first), len(second); a+b != 10 || a == 0 || b == 0 {
		t.Errorf("%d and %d deliveries, want ten in all and some on each", a, b)
	}
}

func TestTheEleventhSocketIsTurnedAway(t *testing.T) {
	st := newSockets(t)
	for i := range 10 {
		go st.dial().serve(nil, silent)
		refuse(t, st.WaitSockets(timeoutContext(t), i+1))
	}
	if w := st.dial(); w.hello["type"] != "disconnect" || w.hello["reason"] != "too_many_websockets" {
		t.Errorf("it was greeted with %v", w.hello)
	}
}

func TestADisconnectIsAnnouncedAndTheAppMayComeBack(t *testing.T) {
	st := newSockets(t)
	w := st.dial()
	refuse(t, st.WaitSockets(timeoutContext(t), 1))
	st.DisconnectSockets()
	if in := w.read(); in["type"] != "disconnect" || in["reason"] != "refresh_requested" {
		t.Errorf("announced as %v", in)
	}
	refuse(t, st.WaitSockets(timeoutContext(t), 0))
	ana := st.User(slacksim.Ana)
	if err := ana.Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers"); err == nil {
		t.Error("a command was acknowledged with nobody connected")
	}
	go st.dial().serve(nil, silent)
	refuse(t, st.WaitSockets(timeoutContext(t), 1))
	refuse(t, ana.Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers"))
}

func TestAnEventThatNobodyAcknowledgedIsRepeatedOnAnotherSocket(t *testing.T) {
	st := newSockets(t, func(cfg *slacksim.Config) {
		cfg.AckTimeout, cfg.RetryDelays = 700*time.Millisecond, []time.Duration{0, 0, 0}
	})
	deaf, heard := make(chan object, 10), make(chan object, 10)
	go st.dial().serve(deaf, nil)
	go st.dial().serve(heard, silent)
	refuse(t, st.WaitSockets(timeoutContext(t), 2))
	for range 2 { // they take turns, so one of two begins on the deaf one
		refuse(t, st.User(slacksim.Ana).OpenHome(timeoutContext(t)))
		refuse(t, st.WaitEvents(timeoutContext(t)))
	}
	lost := <-deaf
	id := dig(lost, "payload", "event_id")
	for deadline := timeoutContext(t); ; {
		var in object
		select {
		case in = <-heard:
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
	st := newSockets(t, func(cfg *slacksim.Config) { cfg.AckTimeout = 300 * time.Millisecond })
	w := st.dial()
	refuse(t, st.WaitSockets(timeoutContext(t), 1))
	go w.serve(nil, func(object) any { return object{"text": long(20 << 10)} })
	if err := st.User(slacksim.Ana).Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers"); err == nil {
		t.Error("an acknowledgement of more than 20 kB was taken")
	}
}
