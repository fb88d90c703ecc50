package slacksim

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Limits of Socket Mode.
const (
	maxSockets     = 10
	maxAck         = 20 << 10 // larger acknowledgements are dropped silently
	ticketLifetime = 30 * time.Second
	writeTimeout   = 5 * time.Second
)

// sockets holds the open connections, and the tickets for opening more.
type sockets struct {
	open    []*socket
	next    int // index of the next connection to deliver on
	tickets map[string]time.Time
	acks    map[string]chan []byte // acknowledgements, by envelope_id
}

func newSockets() sockets {
	return sockets{tickets: map[string]time.Time{}, acks: map[string]chan []byte{}}
}

type socket struct {
	conn  *websocket.Conn
	write sync.Mutex
}

func (k *socket) send(value any) error {
	k.write.Lock()
	defer k.write.Unlock()
	_ = k.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	return k.conn.WriteJSON(value)
}

func (k *socket) close() {
	_ = k.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	_ = k.conn.Close()
}

// openConnection returns a URL that opens one connection.
func (s *Sim) openConnection(args) (response, *refusal) {
	ticket := randomHex(16)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets.tickets[ticket] = s.now()
	evictOldest(s.sockets.tickets, 100, func(at time.Time) time.Time { return at })
	base, secure := strings.CutPrefix(s.baseURL, "https://")
	scheme := "wss://"
	if !secure {
		base, scheme = strings.TrimPrefix(s.baseURL, "http://"), "ws://"
	}
	return response{"url": scheme + base + "/socket?ticket=" + ticket + "&app_id=" + AppID}, nil
}

var upgrader websocket.Upgrader // refuses other origins; everybody else is authenticated by the ticket

func (s *Sim) serveSocket(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	at, ok := s.sockets.tickets[r.URL.Query().Get("ticket")]
	delete(s.sockets.tickets, r.URL.Query().Get("ticket"))
	s.mu.Unlock()
	if !ok || s.now().Sub(at) > ticketLifetime {
		http.Error(w, "invalid ticket", http.StatusUnauthorized)
		return
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has written the error
	}
	s.runSocket(&socket{conn: conn})
}

// runSocket sends hello, pings the connection, and reads acknowledgements until it is closed.
func (s *Sim) runSocket(k *socket) {
	defer k.close()
	s.mu.Lock()
	count := len(s.sockets.open) + 1
	closed := s.ctx.Err() != nil
	s.mu.Unlock()
	if closed || count > maxSockets {
		_ = k.send(map[string]any{"type": "disconnect", "reason": "too_many_websockets", "debug_info": debugInfo()})
		return
	}
	hello := map[string]any{
		"type": "hello", "num_connections": count, "debug_info": debugInfo(),
		"connection_info": map[string]any{"app_id": AppID},
	}
	if k.send(hello) != nil {
		return
	}
	ended := make(chan struct{})
	s.mu.Lock()
	if s.ctx.Err() != nil {
		s.mu.Unlock()
		return
	}
	s.work.Add(1)
	s.work.Go(func() { s.ping(k, ended) })
	s.sockets.open = append(s.sockets.open, k)
	s.notifyChange()
	s.mu.Unlock()
	defer func() {
		close(ended)
		s.mu.Lock()
		s.sockets.open = slices.DeleteFunc(s.sockets.open, func(other *socket) bool { return other == k })
		s.notifyChange()
		s.mu.Unlock()
		s.work.Done()
	}()
	k.conn.SetReadLimit(maxAnswer)
	readTimeout := 3 * s.cfg.PingInterval
	alive := func(string) error { return k.conn.SetReadDeadline(time.Now().Add(readTimeout)) }
	k.conn.SetPongHandler(alive)
	for _ = alive(""); ; {
		_, raw, err := k.conn.ReadMessage()
		if err != nil {
			return
		}
		s.acknowledge(raw)
	}
}

func debugInfo() map[string]any {
	return map[string]any{"host": "slacksim", "build_number": 1, "approximate_connection_time": 18060}
}

func (s *Sim) ping(k *socket, ended <-chan struct{}) {
	tick := time.NewTicker(s.cfg.PingInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if k.conn.WriteControl(websocket.PingMessage, []byte("Ping from slacksim"), time.Now().Add(writeTimeout)) != nil {
				return
			}
		case <-ended:
			return
		case <-s.ctx.Done():
			return
		}
	}
}

// acknowledge passes an acknowledgement to the delivery that waits for it.
func (s *Sim) acknowledge(raw []byte) {
	var ack struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	if json.Unmarshal(raw, &ack) != nil || len(raw) >= maxAck {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if waiting := s.sockets.acks[ack.EnvelopeID]; waiting != nil {
		delete(s.sockets.acks, ack.EnvelopeID)
		waiting <- ack.Payload // never blocks: the channel is buffered, and gets one value
	}
}

// sendEnvelope delivers over the open connections in turn, and waits for the acknowledgement, which may come over any.
func (s *Sim) sendEnvelope(ctx context.Context, p payload, attempt int, reason string) DeliveryResult {
	id, ack := randomHex(16), make(chan []byte, 1)
	s.mu.Lock()
	done := DeliveryResult{At: s.now()}
	if len(s.sockets.open) == 0 {
		s.mu.Unlock()
		done.Failure = "connection_failed"
		return done
	}
	s.sockets.next++
	k := s.sockets.open[s.sockets.next%len(s.sockets.open)]
	s.sockets.acks[id] = ack
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.sockets.acks, id)
	}()
	envelope := map[string]any{
		"envelope_id": id, "type": p.envelope, "payload": p.object, "accepts_response_payload": p.envelope != "events_api",
	}
	if p.envelope == "events_api" {
		envelope["retry_attempt"], envelope["retry_reason"] = attempt, reason
	}
	start := time.Now()
	if k.send(envelope) != nil {
		done.Failure = "connection_failed"
		return done
	}
	select {
	case done.Body = <-ack:
		done.Status = http.StatusOK
		if string(done.Body) == "null" {
			done.Body = nil
		}
	case <-ctx.Done():
		done.Failure = "http_timeout"
	}
	done.Latency = time.Since(start)
	return done
}

// Sockets returns the number of open Socket Mode connections.
func (s *Sim) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets.open)
}

// WaitSockets waits until count connections are open.
func (s *Sim) WaitSockets(ctx context.Context, count int) error {
	_, err := wait(ctx, s, func() (int, bool) { n := s.Sockets(); return n, n == count })
	return err
}

// DisconnectSockets announces to the app that every connection is to be refreshed, then closes it, as Slack does
// regularly.
func (s *Sim) DisconnectSockets() {
	s.mu.Lock()
	open := slices.Clone(s.sockets.open)
	s.mu.Unlock()
	for _, k := range open {
		_ = k.send(map[string]any{"type": "disconnect", "reason": "refresh_requested", "debug_info": debugInfo()})
		k.close()
	}
}

// closeSockets closes every connection without an announcement.
func (s *Sim) closeSockets() {
	s.mu.Lock()
	open := slices.Clone(s.sockets.open)
	s.mu.Unlock()
	for _, k := range open {
		k.close()
	}
}
