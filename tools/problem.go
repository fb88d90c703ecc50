package tools

import (
	"errors"
	"fmt"
	"time"

	"github.com/balcao/balcao/internal/pii"
)

// Severity says how much a problem weighs.
type Severity string

// The severities: an error blocks, a warning may be confirmed by a person, a hint only informs.
const (
	Blocks Severity = "error"
	Warns  Severity = "warning"
	Hints  Severity = "hint"
)

// Problem is something wrong or odd with one field, said without the value.
type Problem struct {
	Path     string   `json:"path"` // of a field of the tool, or of a group of fields; "" when it concerns all
	Code     string   `json:"code"` // stable, such as "nif.check_digit"
	Severity Severity `json:"severity"`
	Text     string   `json:"text"` // in the actor's language
	// Clear is Text with the personal data in it unmasked, for a review; absent where Text says it all.
	Clear pii.Private `json:"-"`
	// AuditEntry stands for a warning with all that it says; who confirms it gives it back.
	Mark string `json:"-"`
}

// ErrorKind is what a door has to know of an error to answer well.
type ErrorKind string

// The kinds. Every door switches on them in one place.
const (
	Invalid     ErrorKind = "invalid"     // the input has problems: Problems names each
	Unconfirmed ErrorKind = "unconfirmed" // nothing is wrong but Problems holds warnings that a person has to confirm; see Confirmation
	Closed      ErrorKind = "closed"      // the process is at a stage at which the bank refuses it: Steps holds what still works
	NotFound    ErrorKind = "not_found"   // no such process, or not this broker's
	Forbidden   ErrorKind = "forbidden"   // the actor may not
	PeopleOnly  ErrorKind = "people_only" // an assistant may not; a person may
	Exposed     ErrorKind = "exposed"     // people from outside the team would read it
	Refused     ErrorKind = "refused"     // the bank said no: Notes and Problems hold why
	Busy        ErrorKind = "busy"        // the same call is under way, or the bank asks to slow down
	Unavailable ErrorKind = "unavailable" // the bank cannot be reached; nothing changed
	Cancelled   ErrorKind = "cancelled"   // its caller left before a read was answered
	Unclear     ErrorKind = "unclear"     // sent, and no answer came: it may or may not have happened
	Internal    ErrorKind = "internal"    // our fault
)

// Error is why a call did not give a result. Its Error text is safe to log.
type Error struct {
	Kind     ErrorKind
	Tool     *Tool
	ID       string // finds the log line
	Problems []Problem
	// Confirmation is what an assistant gives back with the same call, once its person has agreed to the warnings.
	Confirmation string
	Steps        []Step
	Notes        []string      // the bank's reasons, see explain: text from outside
	RetryAfter   time.Duration // when it is worth trying again; 0 when unknown
	Store        bool          // what failed is Balcão's own store, not the bank; says so with Unavailable and Unclear
	Earlier      *Earlier      // the call for the same thing that this one waits for; nil without one
	process      FoundProcess  // of Closed
	other        bool          // of NotFound: what is missing is not the process that the call is about
	err          error
}

// Error names the kind and the tool, and nothing of the input.
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

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.err }

// AsError gives err as an [*Error]; one that is none yet is Internal.
func AsError(err error) *Error {
	var toolError *Error
	if errors.As(err, &toolError) {
		return toolError
	}
	return &Error{Kind: Internal, err: err}
}
