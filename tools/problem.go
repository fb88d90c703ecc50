package tools

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// Severity is the severity of a problem.
type Severity string

// The severities: an error blocks, a warning needs a confirmation, a hint only informs.
const (
	Blocks Severity = "error"
	Warns  Severity = "warning"
	Hints  Severity = "hint"
)

// Problem is something wrong or unusual about a field. It does not contain the value.
type Problem struct {
	Path     string   `json:"path"` // of a field of the tool, or of a group of fields; "" for all
	Code     string   `json:"code"` // stable, such as "nif.check_digit"
	Severity Severity `json:"severity"`
	Text     string   `json:"text"` // in the actor's language
	// Clear is Text with its personal data unmasked, for a review; zero if Text has none.
	Clear pii.Private `json:"-"`
	// Facts is what Clear says of this case, in no language.
	Facts pii.Private `json:"-"`
	// statement is Text without the question of a warning, if Text has one.
	statement string
	// Mark identifies a warning and its unmasked text. It is returned to confirm the warning.
	Mark string `json:"-"`
}

// Statement returns the text without the question of a warning, for one who is asked in another way.
func (p Problem) Statement() string { return cmp.Or(p.statement, p.Text) }

// ErrorKind is the kind of an error.
type ErrorKind string

// The kinds. Each front end switches on them in one place.
const (
	Invalid     ErrorKind = "invalid"     // the input has problems: Problems names each
	Unconfirmed ErrorKind = "unconfirmed" // Problems are warnings that a person has to confirm; see Confirmation
	Closed      ErrorKind = "closed"      // the process or simulation is in a state in which the bank refuses it: Steps holds what still works
	NotFound    ErrorKind = "not_found"   // no such process or simulation, or not this broker's
	Forbidden   ErrorKind = "forbidden"   // the actor may not
	PeopleOnly  ErrorKind = "people_only" // an assistant may not; a person may
	Exposed     ErrorKind = "exposed"     // people from outside the team would read it
	Refused     ErrorKind = "refused"     // the bank refused it: Notes and Problems have the reasons, if it gave any that are understood
	Busy        ErrorKind = "busy"        // the same call is under way, or the bank asks to slow down
	Unavailable ErrorKind = "unavailable" // the bank cannot be reached; nothing changed
	Cancelled   ErrorKind = "cancelled"   // the caller cancelled a read
	Unclear     ErrorKind = "unclear"     // sent without a reply: the change may or may not have been made
	Internal    ErrorKind = "internal"    // a fault of Balcão

	LoginRefused  ErrorKind = "login_refused" // the bank does not let the person in, or nobody; nothing changed
	Misconfigured ErrorKind = "misconfigured" // the bank is not as Balcão takes it to be, which an operator corrects; nothing changed
)

// Error is the failure of a call. Its Error text is safe to log.
type Error struct {
	Kind     ErrorKind
	Tool     *Tool
	ID       string // finds the log line
	Problems []Problem
	// Confirmation is returned by an assistant with the same call, once its person has confirmed the warnings.
	Confirmation string
	Choices      []Chosen // of Unconfirmed: those of the call
	Steps        []Step
	Notes        []string      // the bank's reasons, see explain: text from outside
	RetryAfter   time.Duration // 0 if unknown
	Store        bool          // Balcão's store failed, not the bank; for Unavailable and Unclear
	Earlier      *Earlier      // the call for the same thing that this one waits for; nil without one
	stage        Stage         // of Closed
	about        *Kind         // what the error is about, where its tool does not say; nil for what the tool is about
	other        bool          // of NotFound: what is missing is not the process or simulation that the call is about
	bank         *portal.Error // of Refused and Misconfigured: what the bank answered
	list         listState     // of Busy and Unavailable: why it is not known whether a process exists
	listed       int           // processes that were read for list
	err          error
}

// listState is why it is not known what the bank's list of processes has. It is a part of the keys of the texts.
type listState string

const (
	listBeingRead  listState = "reading"    // it is being read
	listUnread     listState = "unread"     // it cannot be read to its end
	listUnfiltered listState = "unfiltered" // the bank ignores the filter, and only the bank knows what is searched for
)

// ReadingList reports whether the answer is not known yet, because the bank's list of processes is being read.
func (e *Error) ReadingList() bool { return e.list == listBeingRead }

// Error returns the kind, the tool and the cause, without the input.
func (e *Error) Error() string {
	text := string(e.Kind)
	if e.Tool != nil {
		text = e.Tool.Name + ": " + text
	}
	for _, problem := range e.Problems {
		text += fmt.Sprintf(" [%s %s]", problem.Path, problem.Code)
	}
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.err }

// AsError returns err as an [*Error], of the kind Internal if it is of another type.
func AsError(err error) *Error {
	var toolError *Error
	if errors.As(err, &toolError) {
		return toolError
	}
	return &Error{Kind: Internal, err: err}
}
