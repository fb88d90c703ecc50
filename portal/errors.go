package portal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// Kind says what a failure means for the caller. The set is closed.
type Kind string

// The kinds of failure.
const (
	Unauthorized Kind = "unauthorized" // the login was refused, or a session just opened was
	Refused      Kind = "refused"      // the bank read the call and said no; its messages say why
	NotFound     Kind = "not-found"
	TooMany      Kind = "too-many"    // the bank is called too often, or too many calls wait here; nothing took hold
	Unavailable  Kind = "unavailable" // nobody answered as they should, or the bank is known to be down; nothing took hold
	Unclear      Kind = "unclear"     // a write went out and may or may not have taken hold: look before trying again
	Garbled      Kind = "garbled"     // a read was answered with something that is not understood
)

// ErrorMessage is what the bank says about a failure.
type ErrorMessage struct {
	Code   string // "" when what came has not the form of a code; by the bank's guide six digits: category, field, error
	Field  string // the name of the request's field at fault, where the bank names one that exists
	Reason Reason // what it means, by its text or else by its code; "" when that is not known
	Known  bool   // Text is a text that is known whole
	// Text is the bank's words, without what was sent and what looks personal. It is text from outside and may still
	// name somebody, unless it is Known: it is for the person who asked, and for nobody else.
	Text string
}

// Error is the failure of a call.
type Error struct {
	Kind       Kind
	Operation  OperationID
	Status     int            // of HTTP; 0 when no reply came
	Reason     string         // what went wrong, in our words, for a log
	Messages   []ErrorMessage // what the bank says; neither Error nor LogValue repeats a text
	RetryAfter time.Duration  // how long to wait: the bank's word, or until it is asked again; 0 when nobody knows

	traces  []string // uuids of the refusal, by which the bank finds it in its own log
	cause   error
	notSent bool // on this side of the wire
	reached bool // there was a connection, where no whole reply came
	replied bool // a reply had begun
}

var errNotUnderstood = errors.New("not understood")

// KindOf returns the kind of failure that err is, "" when it is not one of a call.
func KindOf(err error) Kind {
	if failure, ok := errors.AsType[*Error](err); ok {
		return failure.Kind
	}
	return ""
}

// Error says what failed, without a word from outside.
func (e *Error) Error() string {
	text := fmt.Sprintf("portal: %s: %s: %s", e.Operation, e.Kind, e.Reason)
	if e.Status != 0 {
		text += fmt.Sprintf(" (status %d)", e.Status)
	}
	return text
}

// Format writes Error for every verb, so that %#v does not print the bank's words either.
func (e *Error) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.Error()) }

// Unwrap returns what cut the call off, such as [context.DeadlineExceeded], nil when the bank has answered.
func (e *Error) Unwrap() error { return e.cause }

// LogValue tells a log all there is that comes from a closed set: of the bank's words their codes and what they are known
// to mean. What else a refusal says may name anybody.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("kind", string(e.Kind)), slog.String("reason", e.Reason)}
	unknown := 0
	for _, message := range e.Messages {
		if message.Code != "" {
			attrs = append(attrs, slog.String("code", message.Code))
		}
		if message.Reason != "" {
			attrs = append(attrs, slog.String("refusal", string(message.Reason)))
		} else {
			unknown++
		}
		if message.Field != "" {
			attrs = append(attrs, slog.String("field", message.Field))
		}
	}
	if unknown > 0 {
		attrs = append(attrs, slog.Int("messages_unknown", unknown))
	}
	if e.RetryAfter > 0 {
		attrs = append(attrs, slog.Duration("retry_after", e.RetryAfter))
	}
	if e.traces != nil {
		attrs = append(attrs, slog.Any("traces", e.traces))
	}
	return slog.GroupValue(attrs...)
}

// broken is the failure of a try that got no whole reply. Out tells whether the bank may have seen the request.
func (r request) broken(ctx context.Context, cause error, out bool) *Error {
	e := &Error{Kind: Unavailable, Operation: r.op.ID, Reason: "no connection", cause: cause, reached: out}
	if out {
		e.Reason = "the connection broke"
	}
	switch ctx.Err() {
	case context.DeadlineExceeded:
		e.Reason, e.cause = "no reply in time", context.DeadlineExceeded
	case context.Canceled:
		e.Reason, e.cause = "the caller gave up", context.Canceled
	}
	if r.op.Writes && out {
		e.Kind = Unclear
	}
	return e
}

// garbled is the failure of a try that was answered with success, in a way that is not understood. A write may have
// taken hold, or something before the bank may have answered in its place.
func (r request) garbled(status int, reason string) *Error {
	e := &Error{Kind: Garbled, Operation: r.op.ID, Status: status, Reason: reason}
	if r.op.Writes {
		e.Kind = Unclear
	}
	return e
}

// refused is the failure of a try that was answered with anything but success.
func (r request) refused(response *http.Response, body []byte) *Error {
	e := &Error{Operation: r.op.ID, Status: response.StatusCode, Messages: r.errorMessages(parseMessages(body)), traces: r.traces(body)}
	e.Kind, e.Reason = r.op.classify(e.Status)
	if e.Kind == TooMany || e.Status == http.StatusServiceUnavailable {
		e.RetryAfter = retryAfter(response.Header)
	}
	return e
}

// classify says what a status other than 2xx means.
func (op Operation) classify(status int) (Kind, string) {
	switch {
	case status == http.StatusTooManyRequests:
		return TooMany, "too many calls"
	case status == http.StatusRequestTimeout: // the request did not arrive whole
		return Unavailable, "the request did not arrive in time"
	case status >= 400 && status < 500 && op.ID == Authenticate:
		return Unauthorized, "the login was refused"
	case status == http.StatusUnauthorized:
		return Unauthorized, "the session was refused"
	case status == http.StatusNotFound || status == http.StatusGone:
		return NotFound, "not found"
	case status >= 400 && status < 500:
		return Refused, "the bank refused"
	case op.Writes:
		return Unclear, "the bank did not say whether it took hold"
	case status >= 500:
		return Unavailable, "the bank failed"
	default:
		return Garbled, "a redirect, which is not followed"
	}
}

// retryAfter reads how long a reply asks to wait, in seconds or until a date, as at most a day. A date is the bank's, and
// so it is compared with the bank's clock where the reply tells it: ours may be wrong, or the bank's.
func retryAfter(header http.Header) (wait time.Duration) {
	const most = 24 * time.Hour
	given := header.Get("Retry-After")
	seconds, err := strconv.ParseUint(given, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(most/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(given); err == nil {
		now, err := http.ParseTime(header.Get("Date"))
		if err != nil {
			now = time.Now()
		}
		wait = date.Sub(now)
	}
	return min(max(wait, 0), most)
}
