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
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/balcao/balcao/internal/content"
	"github.com/balcao/balcao/internal/pause"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/shape"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/portal/profile"
)

// call is what a method of [User] sends.
type call struct {
	op    OperationID
	path  pathValues
	query url.Values // by canonical name
	body  any
	cap   int64 // bytes of the reply; 0 is the client's

	content *spool.File // for the mark in body; nil for none
	mark    content.Mark

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
	renewed := false
	err = u.client.repeat(ctx, request.op, func(attempt int) error {
		for {
			token, err := u.client.sessions.token(ctx, u.login)
			if err != nil {
				return err
			}
			request.fill(u.client.config.Profile.Headers, u.values(token))
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
	content *content.Body // the body with a content; nil for none
	cap     int64
	private []string // values that a logged or returned message must not repeat, beside those of the body
	wire    *profile.Wire
	errors  *profile.Errors
	keep    *Probe // gets the reply as it came; may be nil
}

func (c *Client) request(call call) (request, error) {
	return c.requestFor(c.rows[call.op], &c.config.Profile.Errors, call)
}

// requestFor is request for a row that may be another profile's.
func (c *Client) requestFor(row row, refusals *profile.Errors, call call) (request, error) {
	ids := map[string]string{}
	for name, value := range call.path {
		ids[name] = value.String()
		if !row.wire.HasForm(name, ids[name]) { // an id that the bank cannot have given
			return request{}, &Error{Kind: NotFound, Operation: call.op, Reason: "an id in another form than the bank's", notSent: true}
		}
	}
	path, query := row.wire.Target(ids, call.query)
	target := c.base.JoinPath(path)
	target.RawQuery = query.Encode()
	r := request{op: row.Operation, wire: row.wire, errors: refusals, url: target.String(), cap: call.cap,
		private: slices.Clone(call.private), header: http.Header{"Accept": {"application/json"}, "User-Agent": {"balcao"}}}
	if r.cap == 0 {
		r.cap = c.config.MaxReply
	}
	for _, values := range call.query {
		for _, value := range values {
			r.private = append(r.private, value, url.QueryEscape(value))
		}
	}
	var body []byte
	var err error
	if call.body != nil {
		if body, err = pii.MarshalClear(call.body); err != nil {
			return r, errors.New("writing the request as JSON") // without the cause, which may contain a value
		}
	}
	if r.body, err = row.wire.Body(body, ids); err != nil {
		return r, errors.New("writing the request as JSON")
	}
	if r.body != nil {
		r.header.Set("Content-Type", "application/json")
	}
	if call.content != nil {
		var ok bool
		if r.content, ok = content.NewBody(r.body, call.mark, call.content); !ok {
			return r, errors.New("the profile has no name for the content")
		}
		r.header.Set("Expect", "100-continue") // a refusal comes before the content is sent
	}
	return r, nil
}

// values are what the templates of headers may have, by name.
type values map[string]string

func (u *User) values(token string) values {
	all := u.client.values(u.client.config.Profile, u.login)
	all["language"], all["token"] = u.language, token
	return all
}

func (c *Client) values(p *profile.Profile, login Login) values {
	return values{
		"client_id": c.config.ClientID, "client_secret": c.config.ClientSecret, "username": login.Username,
		"broker": profile.FormatID(p.Forms.IDs["broker"], login.BrokerUID),
	}
}

// fill sets headers from templates. The names keep their case. A header whose template is empty, or has a value that is
// not known, is not sent.
func (r *request) fill(templates map[string]string, values values) {
	for name, template := range templates {
		unknown := template == ""
		value := profile.Placeholder.ReplaceAllStringFunc(template, func(placeholder string) string {
			name := strings.Trim(placeholder, "{}")
			if unknown = unknown || values[name] == ""; name != "language" {
				r.private = append(r.private, values[name])
			}
			return values[name]
		})
		if delete(r.header, name); !unknown {
			r.header[name] = []string{value}
		}
	}
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
	timeout := c.config.AttemptTimeout
	withContent, hasContent := reply.(contentReply)
	if hasContent || r.content != nil {
		timeout = max(timeout, c.config.ContentTimeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var trace connTrace
	req, err := r.newRequest(trace.withTrace(ctx))
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
	var body []byte
	var found content.Files
	if hasContent && status >= 200 && status <= 299 {
		body, found, err = content.Read(response.Body, r.wire.ReplyNames(withContent.contentField()), r.cap, c.config.MaxContent)
		withContent.attach(found)
		defer func() {
			kept := withContent.file()
			if err != nil {
				kept = nil
			}
			found.Close(kept)
		}()
	} else {
		body, err = io.ReadAll(io.LimitReader(response.Body, r.cap+1))
	}
	if r.keep != nil {
		r.keep.Status, r.keep.Header, r.keep.Body = status, response.Header, body
	}
	switch {
	case status < 200 || status > 299:
		return r.refused(response, body)
	case errors.Is(err, spool.ErrTooLarge):
		garbled := r.garbledReply(status, "the document is too large")
		garbled.cause = spool.ErrTooLarge
		return garbled
	case errors.Is(err, content.ErrRest):
		return r.garbledReply(status, "the reply is too large")
	case errors.Is(err, content.ErrBase64), errors.Is(err, content.ErrJSON), errors.Is(err, spool.ErrFull):
		return r.garbledReply(status, err.Error())
	case err != nil:
		broken := r.broken(ctx, err, true)
		broken.replied = true
		return broken
	case int64(len(body)) > r.cap:
		return r.garbledReply(status, "the reply is too large")
	}
	if r.errors.Inside(body) {
		return r.refused(&http.Response{StatusCode: http.StatusBadRequest}, body)
	}
	if problem := r.read(body, reply); problem != "" {
		return r.garbledReply(status, problem)
	}
	return nil
}

// newRequest returns the request of an attempt.
func (r request) newRequest(ctx context.Context) (*http.Request, error) {
	if r.content == nil {
		return http.NewRequestWithContext(ctx, r.op.Method, r.url, bytes.NewReader(r.body))
	}
	body, err := r.content.Open()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, r.op.Method, r.url, body)
	if err != nil {
		_ = body.Close()
		return nil, err
	}
	req.ContentLength = r.content.Size()
	return req, nil
}

// read decodes a reply. It returns what is wrong with it, by its shape and without quoting it, or "".
func (r request) read(body []byte, reply any) (problem string) {
	if may, ok := reply.(interface{ mayBeEmpty() bool }); ok && may.mayBeEmpty() && len(body) == 0 {
		return ""
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if wrong := r.decode(body, reply); wrong != nil {
		return problemOf(wrong) + "; came " + shape.Of(body)
	}
	return ""
}

// decode decodes a reply with the bank's names.
func (r request) decode(body []byte, reply any) error {
	canonical, err := r.wire.Reply(body)
	if err != nil {
		return lacking(err.Error())
	}
	err = json.Unmarshal(canonical, reply)
	if err != nil || bytes.Contains(canonical, []byte(midnight)) {
		if formed := inForm(canonical, reflect.TypeOf(reply).Elem()); formed != nil {
			err = json.Unmarshal(formed, reply)
		}
	}
	if r, ok := reply.(interface{ lacks() string }); err == nil && ok && r.lacks() != "" {
		return lacking("the reply has no " + r.lacks())
	}
	return err
}

// problemOf says what is wrong with a reply, without quoting it.
func problemOf(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		kind, _, _ := strings.Cut(wrong.Value, " ") // a number follows with its value
		return "the reply's field " + wrong.Field + " is of another type: " + kind
	}
	if lacks, ok := errors.AsType[lacking](err); ok {
		return lacks.Error()
	}
	return "the reply is not understood"
}

// lacking is the error of a reply in which something was not found. It quotes nothing of the reply.
type lacking string

func (l lacking) Error() string { return string(l) }

// contentReply is a reply with a document.
type contentReply interface {
	contentField() string // canonical
	attach(content.Files) // before the reply is decoded
	file() *spool.File    // that the decoded reply has; nil if it has none
}

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
