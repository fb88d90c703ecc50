package slackapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/gorilla/websocket"

	"github.com/balcao/balcao/internal/pause"
)

// This is our own client for Socket Mode. slack-go's does not open a connection before the old one is closed, does not
// acknowledge what it cannot parse, and may delay an acknowledgement until the next connection. We must not lose a
// delivery when Slack refreshes connections, every few hours.

const (
	sockets           = 2                // open at the same time, so that one is left when the other ends
	maxInFlight       = 32               // deliveries of one connection that are handled at the same time
	readTimeout       = 45 * time.Second // without a ping from Slack, which sends one every few seconds
	drainTimeout      = 30 * time.Second // for a connection that Slack is about to close
	writeTimeout      = 5 * time.Second
	maxReconnectDelay = 30 * time.Second // between two attempts to connect
)

// RunSocket receives deliveries over Socket Mode until ctx ends. It returns an error at once if Slack refuses the app
// token; it recovers from all other errors.
func (a *App) RunSocket(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	for range sockets {
		running.Go(func() { cancel(a.keepConnected(ctx)) })
	}
	running.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// keepConnected keeps one connection open, and opens the next one as soon as Slack announces that it will close this
// one.
func (a *App) keepConnected(ctx context.Context) error {
	var old sync.WaitGroup
	defer old.Wait()
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = 200*time.Millisecond, maxReconnectDelay
	for ctx.Err() == nil {
		conn, err := a.connect(ctx)
		if isPermanent(err) {
			return err
		}
		if err != nil {
			a.log.WarnContext(ctx, "opening a socket failed", "error", logged(err))
			pause.For(ctx, pauses.NextBackOff())
			continue
		}
		opened, leaving := time.Now(), make(chan struct{})
		old.Go(func() { a.serveSocket(ctx, conn, leaving) })
		select {
		case <-leaving:
		case <-ctx.Done():
		}
		if time.Since(opened) > maxReconnectDelay {
			pauses.Reset()
		} else { // it was closed at once: do not reconnect without a delay
			pause.For(ctx, pauses.NextBackOff())
		}
	}
	return nil
}

// isPermanent reports whether trying again is of no use.
func isPermanent(err error) bool {
	failed, ok := errors.AsType[*slackError](err)
	if !ok {
		return false
	}
	switch failed.code {
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "missing_scope", "link_disabled":
		return true
	}
	return false
}

// connect opens a connection.
func (a *App) connect(ctx context.Context) (*websocket.Conn, error) {
	address, err := a.slack.openSocket(ctx)
	if err != nil {
		return nil, err
	}
	// Slack does not join the fragments of a message, so the buffer holds the largest one.
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: background.timeout, WriteBufferSize: 2 * maxAck}
	conn, response, err := dialer.DialContext(ctx, address, nil)
	if err != nil {
		return nil, errors.New("dialling the socket failed") // the cause may contain the address, which is a secret
	}
	_ = response.Body.Close() // empty after a handshake
	conn.SetReadLimit(maxBody)
	return conn, nil
}

// envelope is a message that Slack sends over a socket.
type envelope struct {
	Type    string          `json:"type"`
	ID      string          `json:"envelope_id"`
	Reason  string          `json:"reason"` // of a disconnect
	Payload json.RawMessage `json:"payload"`
}

var envelopeKinds = map[string]deliveryKind{"slash_commands": commandDelivery, "interactive": interactionDelivery, "events_api": eventDelivery}

// serveSocket answers deliveries on a connection until it ends. It closes leaving as soon as another connection is
// needed.
func (a *App) serveSocket(ctx context.Context, conn *websocket.Conn, leaving chan<- struct{}) {
	s := &socket{App: a, conn: conn, inFlight: make(chan struct{}, maxInFlight), draining: make(chan struct{})}
	leave := sync.OnceFunc(func() {
		close(s.draining)
		close(leaving)
	})
	stopReading := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends read
	defer stopReading()
	s.handling.Go(s.writeOrphans)
	err := s.read(ctx, leave)
	leave()
	s.handling.Wait()
	_ = conn.Close()
	if ctx.Err() == nil {
		a.log.InfoContext(ctx, "socket closed", "error", logged(err))
	}
}

// socket is one connection.
type socket struct {
	*App
	conn     *websocket.Conn
	writes   sync.Mutex
	inFlight chan struct{}
	draining chan struct{} // closed when Slack announces that it closes the connection, or has closed it
	handling sync.WaitGroup
}

func (s *socket) read(ctx context.Context, leave func()) error {
	alive := func() error { return s.conn.SetReadDeadline(time.Now().Add(readTimeout)) }
	pong := s.conn.PingHandler()
	s.conn.SetPingHandler(func(data string) error { return errors.Join(alive(), pong(data)) })
	if err := alive(); err != nil {
		return err
	}
	for {
		_, message, err := s.conn.ReadMessage()
		if err != nil {
			return err
		}
		var e envelope
		if json.Unmarshal(message, &e) != nil {
			s.log.WarnContext(ctx, "malformed message on a socket")
			continue
		}
		if e.Type == "disconnect" {
			leave()
			alive = func() error { return nil }
			if err := s.conn.SetReadDeadline(time.Now().Add(drainTimeout)); err != nil {
				return err
			}
			continue
		}
		if e.ID == "" { // hello
			continue
		}
		s.inFlight <- struct{}{} // each delivery has a timeout, so this wait ends
		s.handling.Go(func() {
			defer func() { <-s.inFlight }()
			if err := s.answer(ctx, e); err != nil {
				s.log.WarnContext(ctx, "delivery on a socket not acknowledged", "type", e.Type, "error", logged(err))
			}
		})
	}
}

// answer handles a delivery and acknowledges it, unless it failed and must be delivered again.
func (s *socket) answer(ctx context.Context, e envelope) error {
	payload, err := json.RawMessage(nil), error(nil)
	if kind, known := envelopeKinds[e.Type]; known {
		payload, err = s.dispatch(ctx, delivery{kind, e.Payload})
	}
	if err != nil && !errors.Is(err, errMalformed) {
		return err
	}
	ack := encode(struct {
		ID      string          `json:"envelope_id"`
		Payload json.RawMessage `json:"payload,omitempty"`
	}{e.ID, payload})
	select {
	case <-s.draining:
	default:
		if err = s.write(ack); err == nil {
			return nil
		}
	}
	select {
	case s.orphanedAcks <- ack:
		return nil
	default:
		return fmt.Errorf("acknowledging: %w", err)
	}
}

// writeOrphans writes the acknowledgements that closed sockets could not write, until this one is closed.
func (s *socket) writeOrphans() {
	for {
		select {
		case ack := <-s.orphanedAcks:
			if s.write(ack) != nil {
				select {
				case s.orphanedAcks <- ack:
				default: // Slack delivers it again and gets the same answer
				}
				return
			}
		case <-s.draining:
			return
		}
	}
}

func (s *socket) write(message []byte) error {
	s.writes.Lock()
	defer s.writes.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.TextMessage, message)
}
