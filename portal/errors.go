package portal

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Kind says what a failure means for the caller. The set is closed.
type Kind string

// The kinds of failure.
const (
	Unauthorized Kind = "unauthorized" // the login was refused, or a fresh session was
	Refused      Kind = "refused"      // the bank read the call and said no; its messages say why
	NotFound     Kind = "not-found"
	TooMany      Kind = "too-many"    // RetryAfter says how long to wait, when the bank does; nothing took hold
	Unavailable  Kind = "unavailable" // nobody answered as they should, and nothing took hold
	Unclear      Kind = "unclear"     // a write went out and may or may not have taken hold: look before trying again
	Garbled      Kind = "garbled"     // a read was answered with something that is not understood
)

// Message is what the bank says about a failure. It is text from outside, and may hold personal data.
type Message struct {
	Code  string // six digits, by the bank's guide: category, field, error
	Field string // the JSON path of the field at fault, in the few envelopes that say it
	Text  string
}

// Error is the failure of a call.
type Error struct {
	Kind       Kind
	Operation  OperationID
	Status     int           // of HTTP; 0 when no reply came
	Reason     string        // what went wrong, in our words
	Messages   []Message     // the bank's words, for the person only: neither Error nor LogValue repeats their texts
	RetryAfter time.Duration // how long the bank asks to wait; 0 when it does not say

	body  string // the start of the reply to a refused call, scrubbed
	cause error
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

// Unwrap returns what made the call fail, such as [context.DeadlineExceeded].
func (e *Error) Unwrap() error { return e.cause }

// LogValue tells a log everything but the bank's texts in the clear.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", string(e.Kind)))
}
