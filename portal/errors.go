package portal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Kind is the kind of a failed call. The set is closed.
type Kind string

// The kinds of failure.
const (
	Refused     Kind = "refused"     // the bank refused the call; its messages say why
	NotFound    Kind = "not-found"   // the bank says that what the call names does not exist
	TooMany     Kind = "too-many"    // too many calls at the bank, or in the client's queue; nothing was changed
	Unavailable Kind = "unavailable" // the bank did not answer, or failed, or its circuit is open; nothing was changed
	Unclear     Kind = "unclear"     // a write was sent and may have been made: read before repeating it

	// Those of an operator: the bank is not what the client takes it to be, and no caller can do anything about it. Nothing
	// was changed. [Client.Faults] has those that hold.
	LoginRefused Kind = "login-refused" // of a user, or of everybody
	Unauthorized Kind = "unauthorized"  // a session that was just opened was refused
	WrongPath    Kind = "wrong-path"    // the bank has no such operation at this address
	Mismatch     Kind = "mismatch"      // the bank refused what the client adds to a request by itself
	Garbled      Kind = "garbled"       // the reply to a read is not understood
)

// ErrorMessage is a message of the bank's refusal.
type ErrorMessage struct {
	Code   string // "" if it has not the form of a code; by the bank's guide six digits: category, field, error
	Field  string // the request's field at fault, "" if the bank names none that exists
	Reason Reason // by the text or else by the code; "" if it is not known
	Known  bool   // Text is the text of a [Reason]
	// Text is the bank's text, without values that were sent and what looks personal. Unless it is Known it may still name
	// somebody: show it only to the person who made the call.
	Text string
}

// Error is the error of a call.
type Error struct {
	Kind       Kind
	Operation  OperationID
	Status     int            // of HTTP; 0 if there was no reply
	Reason     string         // what went wrong, for the log
	Messages   []ErrorMessage // the bank's; neither Error nor LogValue repeats a text
	RetryAfter time.Duration  // how long to wait: as the bank says, or until the circuit lets a call through; 0 if not known
	Unread     bool           // the bank said something in its refusal, in a form in which no message was found

	traces  []string // uuids of the refusal, which the bank can find in its own log
	cause   error
	notSent bool // the client did not send it
	reached bool // a connection was made; for an error without a complete reply
	replied bool // a part of the reply came
	garbled bool // the whole reply came and is not understood; for [Garbled] and [Unclear]
}

// KindOf returns the kind of err, "" if it is not an [Error].
func KindOf(err error) Kind {
	if failure, ok := errors.AsType[*Error](err); ok {
		return failure.Kind
	}
	return ""
}

// Error returns operation, kind, reason and status, without any text of the bank's.
func (e *Error) Error() string {
	text := fmt.Sprintf("portal: %s: %s: %s", e.Operation, e.Kind, e.Reason)
	if e.Status != 0 {
		text += fmt.Sprintf(" (status %d)", e.Status)
	}
	return text
}

// Format writes Error for every verb, so that %#v does not print the bank's texts either.
func (e *Error) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.Error()) }

// Unwrap returns the cause, such as [context.DeadlineExceeded], nil if the bank answered.
func (e *Error) Unwrap() error { return e.cause }

// LogValue returns what comes from a closed set: of the bank's messages their codes and known reasons. Other text of a
// refusal may name anybody.
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
	if e.Unread {
		attrs = append(attrs, slog.Bool("unread", true))
	}
	if e.RetryAfter > 0 {
		attrs = append(attrs, slog.Duration("retry_after", e.RetryAfter))
	}
	if e.traces != nil {
		attrs = append(attrs, slog.Any("traces", e.traces))
	}
	return slog.GroupValue(attrs...)
}

// broken returns the error of an attempt without a complete reply. Sent says whether the bank may have received the request.
func (r request) broken(ctx context.Context, cause error, sent bool) *Error {
	e := &Error{Kind: Unavailable, Operation: r.op.ID, Reason: "no connection", cause: cause, reached: sent}
	if sent {
		e.Reason = "the connection broke"
	}
	switch ctx.Err() {
	case context.DeadlineExceeded:
		e.Reason, e.cause = "no reply in time", context.DeadlineExceeded
	case context.Canceled:
		e.Reason, e.cause = "cancelled by the caller", context.Canceled
	}
	if r.op.Writes && sent {
		e.Kind = Unclear
	}
	return e
}

// garbledReply returns the error of an attempt whose successful reply is not understood. A write may have been made, or a
// proxy may have answered instead of the bank.
func (r request) garbledReply(status int, reason string) *Error {
	e := &Error{Kind: Garbled, Operation: r.op.ID, Status: status, Reason: reason, garbled: true}
	if r.op.Writes {
		e.Kind = Unclear
	}
	return e
}

// refused returns the error of an attempt that was answered with a status other than 2xx.
func (r request) refused(response *http.Response, body []byte) *Error {
	said := parseMessages(r.errors, body)
	e := &Error{Operation: r.op.ID, Status: response.StatusCode, Messages: r.errorMessages(said), traces: r.traces(body)}
	e.Kind, e.Reason = r.op.classify(e.Status)
	switch {
	case e.Kind == WrongPath && saysMissing(e.Messages) != "":
		e.Kind, e.Reason = NotFound, "not found, as the bank says"
	case e.Kind == Refused && r.refusesOwn(said, e.Messages):
		e.Kind, e.Reason = Mismatch, "the bank refused what the client adds to the request"
	case len(e.Messages) == 0:
		e.Unread = !saysNothing(body)
	}
	if e.Kind == TooMany || e.Status == http.StatusServiceUnavailable {
		e.RetryAfter = retryAfter(response.Header)
	}
	return e
}

// classify returns the kind and the reason for a status other than 2xx.
func (op Operation) classify(status int) (Kind, string) {
	switch {
	case slices.Contains(op.Missing, status):
		return NotFound, "not found"
	case slices.Contains(noOperation, status):
		return WrongPath, "no such operation at this address"
	case status == http.StatusTooManyRequests:
		return TooMany, "too many calls"
	case status == http.StatusRequestTimeout: // the request did not arrive completely
		return Unavailable, "the request did not arrive in time"
	case op.ID == Authenticate && (status == http.StatusUnauthorized || status == http.StatusForbidden):
		return LoginRefused, "the login was refused"
	case op.ID == Authenticate && status >= 400 && status < 500:
		return LoginRefused, "the login was refused: a header may be missing or have another name"
	case status == http.StatusUnauthorized:
		return Unauthorized, "the session was refused"
	case slices.Contains(otherForm, status):
		return Mismatch, "the bank does not take requests of this form"
	case status >= 400 && status < 500:
		return Refused, "the bank refused"
	case op.Writes:
		return Unclear, "the bank failed; the change may have been made"
	case status >= 500:
		return Unavailable, "the bank failed"
	default:
		return Garbled, "a redirect, which is not followed"
	}
}

var (
	// noOperation are the statuses of an address without an operation. For an operation that documents one of them as
	// «does not exist», see [Operation.Missing].
	noOperation = []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented}
	// otherForm are the statuses of a request whose headers, encoding or length are at fault, and not what it says.
	otherForm = []int{
		http.StatusNotAcceptable, http.StatusLengthRequired, http.StatusUnsupportedMediaType, http.StatusMisdirectedRequest,
		http.StatusUpgradeRequired, http.StatusRequestHeaderFieldsTooLarge,
	}
)

// retryAfter returns the reply's Retry-After, which is in seconds or a date, and at most a day. A date is compared with the
// reply's Date if it has one, since the bank's clock and ours may differ.
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
