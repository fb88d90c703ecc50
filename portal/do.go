package portal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/balcao/balcao/internal/pause"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/shape"
)

// call is what a method of [User] sends.
type call struct {
	op    OperationID
	path  pathValues
	query url.Values
	body  any
	cap   int64 // bytes of the reply; 0 is the client's

	private []string // values that must not be kept of a refusal, beside those of query and body
}

// pathValues are the values of a path's placeholders.
type pathValues map[string]fmt.Stringer

// number is the value of a placeholder that is not a uuid.
type number int32

func (n number) String() string { return strconv.Itoa(int(n)) }

// do makes a call as the user and decodes the answer into reply.
func (u *User) do(ctx context.Context, call call, reply any) (err error) {
	defer func() { u.client.faults.note(u.client.rows[call.op].Operation, Login{}, err) }()
	ctx, cancel := context.WithTimeout(ctx, u.client.config.TotalTimeout)
	defer cancel()
	request, err := u.client.request(call)
	if err != nil {
		return fmt.Errorf("portal: %s: %w", call.op, err)
	}
	request.private = append(request.private, u.login.Username)
	if u.language != "" {
		request.header.Set("Accept-Language", u.language)
	}
	renewed := false
	err = u.client.repeat(ctx, request.op, func(attempt int) error {
		for {
			token, err := u.client.sessions.token(ctx, u.login)
			if err != nil {
				return err
			}
			request.header.Set("Authorization", "Bearer "+token)
			err = u.client.send(ctx, request, attempt, reply)
			if KindOf(err) != Unauthorized || renewed {
				return err
			}
			renewed = true // once for each call; a write too, since a 401 means that nothing was changed
			u.client.sessions.remove(u.login, token)
		}
	})
	if said := u.client.config.Described; err == nil && said != nil {
		if found := Descriptions(reply); len(found) > 0 {
			said(ctx, u.language, found)
		}
	}
	return err
}

// request is a call that can be sent any number of times.
type request struct {
	op      Operation
	url     string
	header  http.Header
	body    []byte
	cap     int64
	private []string // values that a logged or returned message must not repeat, beside those of the body
}

func (c *Client) request(call call) (request, error) {
	op := c.rows[call.op].Operation
	path := placeholder.ReplaceAllStringFunc(op.Path, func(placeholder string) string {
		return call.path[strings.Trim(placeholder, "{}")].String()
	})
	target := c.base.JoinPath(path)
	target.RawQuery = call.query.Encode()
	r := request{op: op, url: target.String(), cap: call.cap, private: slices.Clone(call.private), header: http.Header{
		"Accept":     {"application/json"},
		"User-Agent": {"balcao"},
	}}
	if r.cap == 0 {
		r.cap = c.config.MaxReply
	}
	for _, values := range call.query {
		for _, value := range values {
			r.private = append(r.private, value, url.QueryEscape(value))
		}
	}
	if call.body == nil {
		return r, nil
	}
	r.header.Set("Content-Type", "application/json")
	var err error
	if r.body, err = pii.MarshalClear(call.body); err != nil {
		return r, errors.New("writing the request as JSON") // without the cause, which may contain a value
	}
	return r, nil
}

// repeat calls try until it succeeds, the attempts are used up or ctx ends. A write is tried once.
func (c *Client) repeat(ctx context.Context, op Operation, try func(attempt int) error) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.Multiplier, pauses.MaxInterval = 200*time.Millisecond, 2, c.config.MaxPause
	for attempt := 1; ; attempt++ {
		err := try(attempt)
		failure, failed := errors.AsType[*Error](err)
		switch {
		case !failed || op.Writes || attempt == c.config.ReadAttempts:
			return err
		case failure.Operation != op.ID: // a login, which was already repeated
			return err
		case failure.notSent:
			return err
		case failure.Kind != TooMany && failure.Kind != Unavailable || failure.RetryAfter > c.config.MaxPause:
			return err
		}
		// The jitter keeps callers with the same Retry-After from returning at the same moment.
		if !pause.For(ctx, failure.RetryAfter+pauses.NextBackOff()) {
			return err
		}
	}
}

// send makes one attempt. Redirects are not followed: they would send the token, and a customer's data, to another host.
func (c *Client) send(ctx context.Context, r request, attempt int, reply any) (err error) {
	started, status := time.Now(), 0
	defer func() { c.log(ctx, r.op, attempt, status, time.Since(started), err) }()
	release, err := c.gate.acquire(ctx, r)
	if err != nil {
		return err
	}
	if err := r.checkBeforeWrite(ctx); err != nil {
		release(errInconclusive)
		return err
	}
	defer func() { release(err) }()
	started = time.Now() // without the time in the queue
	ctx, cancel := context.WithTimeout(ctx, c.config.AttemptTimeout)
	defer cancel()
	var trace connTrace
	req, err := http.NewRequestWithContext(trace.withTrace(ctx), r.op.Method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return fmt.Errorf("portal: %s: %w", r.op.ID, err)
	}
	req.Header = r.header.Clone()
	transport := c.reads
	if r.op.Writes {
		transport = c.writes
		req.GetBody = nil // without it no transport can resend the body
	}
	response, err := transport.RoundTrip(req)
	if err != nil {
		return r.broken(ctx, err, trace.mayHaveSent())
	}
	defer response.Body.Close()
	status = response.StatusCode
	body, err := io.ReadAll(io.LimitReader(response.Body, r.cap+1))
	switch {
	case status < 200 || status > 299:
		return r.refused(response, body)
	case err != nil:
		broken := r.broken(ctx, err, true)
		broken.replied = true
		return broken
	case int64(len(body)) > r.cap:
		return r.garbledReply(status, "the reply is too large")
	}
	if problem := read(body, reply); problem != "" {
		return r.garbledReply(status, problem)
	}
	return nil
}

// read decodes a reply. It returns what is wrong with it, by its shape and without quoting it, or "".
func read(body []byte, reply any) (problem string) {
	if r, ok := reply.(interface{ mayBeEmpty() bool }); ok && r.mayBeEmpty() && len(body) == 0 {
		return ""
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	err := json.Unmarshal(body, reply)
	came := "; came " + shape.Of(body)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		kind, _, _ := strings.Cut(wrong.Value, " ") // a number follows with its value
		return "the reply's field " + wrong.Field + " is of another type: " + kind + came
	}
	if lacks, ok := errors.AsType[lacking](err); ok {
		return lacks.Error() + came
	}
	if err != nil {
		return "the reply is not understood" + came
	}
	if r, ok := reply.(interface{ lacks() string }); ok && r.lacks() != "" {
		return lacking(r.lacks()).Error() + came
	}
	return ""
}

// lacking is the error of a reply in which something was not found: its name.
type lacking string

func (l lacking) Error() string { return "the reply has no " + string(l) }

// connTrace records whether an attempt got a connection.
type connTrace struct{ requested, connected atomic.Bool }

func (w *connTrace) withTrace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { w.requested.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.connected.Store(true) },
	})
}

// mayHaveSent reports whether the bank may have received the request. It is false only if a connection was requested and
// none was made.
func (w *connTrace) mayHaveSent() bool { return w.connected.Load() || !w.requested.Load() }

func (c *Client) log(ctx context.Context, op Operation, attempt, status int, took time.Duration, err error) {
	attrs := []slog.Attr{slog.String("operation", string(op.ID)), slog.Int("attempt", attempt), slog.Duration("duration", took)}
	if status != 0 {
		attrs = append(attrs, slog.Int("status", status))
	}
	if failure, ok := errors.AsType[*Error](err); ok {
		c.config.Log.LogAttrs(ctx, slog.LevelWarn, "bank call failed", append(attrs, slog.Any("failure", failure))...)
		return
	}
	c.config.Log.LogAttrs(ctx, slog.LevelDebug, "bank call", attrs...)
}
