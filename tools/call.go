package tools

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/validation"
)

// Call is one call under way: what a tool's function works with.
type Call struct {
	Actor  Actor
	Bank   *portal.User // acts as the actor's person
	runner *Runner
	tool   *Tool

	announced bool // the audit trail says that it is about to be sent

	mu        sync.Mutex // guards processes
	processes map[ProcessRef]FoundProcess
}

// FoundProcess is the process that a [ProcessRef] named.
type FoundProcess struct {
	ID     uuid.UUID
	Number int64
	Status string
}

// Note keeps a process that the bank has returned, for the rest of the call. Its number is kept for all calls.
func (c *Call) Note(process FoundProcess) {
	c.runner.numbers.put(process.Number, process.ID)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.processes == nil {
		c.processes = map[ProcessRef]FoundProcess{}
	}
	c.processes[ProcessRef(process.ID.String())] = process
	c.processes[ProcessRef(FormatNumber(process.Number))] = process
}

// known returns a process that the bank has returned in this call.
func (c *Call) known(ref ProcessRef) (FoundProcess, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	process, known := c.processes[ref]
	return process, known
}

// Process finds the process that ref names. The bank is asked once in a call.
func (c *Call) Process(ctx context.Context, ref ProcessRef) (FoundProcess, error) {
	if process, known := c.known(ref); known {
		return process, nil
	}
	process, err := c.findProcess(ctx, ref)
	if err == nil {
		c.Note(process)
	}
	return process, err
}

// findProcess asks the bank for a process by its uuid or, where only a number is known, for the list of processes.
func (c *Call) findProcess(ctx context.Context, ref ProcessRef) (FoundProcess, error) {
	if id, err := uuid.Parse(string(ref)); err == nil && len(ref) == len(id.String()) {
		return c.readProcess(ctx, id)
	}
	wanted, err := strconv.ParseInt(string(ref), 10, 64)
	if err != nil {
		return FoundProcess{}, &Error{Kind: Invalid, Problems: []Problem{problem(c.Actor.Lang, "process", "kind.process")}}
	}
	if id, known := c.runner.numbers.id(wanted); known {
		return c.readProcess(ctx, id)
	}
	page, err := c.Bank.ListProcesses(ctx, portal.ProcessQuery{Text: pii.New[pii.Name](FormatNumber(wanted)), Limit: MaxOptions})
	if err != nil {
		return FoundProcess{}, err
	}
	for _, process := range page.Processes {
		if process.ProcessNumber == wanted {
			return FoundProcess{process.ProcessUniqueID, process.ProcessNumber, process.ProcessStatusDescription}, nil
		}
	}
	return FoundProcess{}, &Error{Kind: NotFound}
}

func (c *Call) readProcess(ctx context.Context, id uuid.UUID) (FoundProcess, error) {
	process, err := c.Bank.Process(ctx, id)
	if err != nil {
		return FoundProcess{}, notFoundWhenRefused(err)
	}
	return FoundProcess{process.ProcessUniqueID, process.ProcessNumber, process.ProcessStatusDescription}, nil
}

// Borrower reads a borrower of a process.
func (c *Call) Borrower(ctx context.Context, process ProcessRef, ref BorrowerRef) (FoundProcess, portal.Borrower, error) {
	unknown := func(cause error) error {
		return &Error{Kind: Invalid, Problems: []Problem{problem(c.Actor.Lang, "borrower", "borrower.unknown")}, err: cause}
	}
	found, err := c.Process(ctx, process)
	if err != nil {
		return FoundProcess{}, portal.Borrower{}, err
	}
	id, err := uuid.Parse(string(ref))
	if err != nil {
		return found, portal.Borrower{}, unknown(nil)
	}
	borrower, err := c.Bank.Borrower(ctx, found.ID, id)
	if kind := portal.KindOf(err); kind == portal.Refused || kind == portal.NotFound {
		return found, portal.Borrower{}, unknown(err)
	}
	return found, borrower, err
}

// Borrowers reads every borrower of a process, four at a time.
func (c *Call) Borrowers(ctx context.Context, process uuid.UUID) ([]portal.Borrower, error) {
	summaries, err := c.Bank.ListBorrowers(ctx, process)
	if err != nil {
		return nil, err
	}
	borrowers := make([]portal.Borrower, len(summaries))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, summary := range summaries {
		group.Go(func() (err error) {
			borrowers[i], err = c.Bank.Borrower(ctx, process, summary.BorrowerUniqueID)
			return err
		})
	}
	return borrowers, group.Wait()
}

// notFoundWhenRefused reads a refusal of a call that names nothing but a process: the bank answers a process that is
// missing or another broker's with a validation error.
func notFoundWhenRefused(err error) error {
	if kind := portal.KindOf(err); kind == portal.Refused || kind == portal.NotFound {
		return &Error{Kind: NotFound, err: err}
	}
	return err
}

func FormatNumber(n int64) string { return strconv.FormatInt(n, 10) }

// day is the date in Lisbon as people write it, "" when unknown.
func FormatDay(say Say, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return written(validation.Today(t), say("format.day"))
}

// written is a date in the form of a layout.
func written(d validation.Date, layout string) string {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format(layout)
}

// convert gives a tool's failure the kind that doors know. It is the one place that reads the bank's kinds.
func convert(err error) *Error {
	var toolError *Error
	if errors.As(err, &toolError) {
		return toolError
	}
	var bankError *portal.Error
	if !errors.As(err, &bankError) {
		return &Error{Kind: Internal, err: err}
	}
	converted := &Error{RetryAfter: bankError.RetryAfter, err: err}
	switch bankError.Kind {
	case portal.Refused:
		converted.Kind = Refused // see explain
	case portal.NotFound:
		converted.Kind, converted.other = NotFound, true
	case portal.TooMany:
		converted.Kind = Busy
	case portal.Unavailable:
		converted.Kind = Unavailable
	case portal.Unclear:
		converted.Kind = Unclear
	default: // the bank does not know us (a matter for the operator), or answers what nobody understands
		converted.Kind = Internal
	}
	return converted
}

// Clean makes text from outside fit to be shown: one paragraph without personal data, and without characters that are
// invisible or turn the direction of writing.
func Clean(text string) string {
	text = strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case unicode.Is(unicode.C, c):
			return -1
		}
		return c
	}, text)
	runes := []rune(strings.TrimSpace(text))
	return pii.Scrub(string(runes[:min(len(runes), 500)]))
}

// Now returns the time.
func (c *Call) Now() time.Time { return c.runner.now() }

// BankAs returns the bank as another person sees it.
func (c *Call) BankAs(person Person) *portal.User {
	return c.runner.Bank.As(person.Login, string(c.Actor.Lang))
}

// Person finds who an actor is; ok is false for strangers.
func (c *Call) Person(ctx context.Context, actor string) (person Person, ok bool) {
	return c.runner.People.Person(ctx, actor)
}

// Destinations stores what destinations are notified of.
func (c *Call) Destinations() Destinations { return c.runner.Destinations }

// History is what has changed in processes.
func (c *Call) History() History { return c.runner.Updates }

// Checks are the rules on fields.
func (c *Call) Checks() *validation.Checker { return c.runner.Checks }

// Fingerprint is a keyed hash of data, in hex.
func (c *Call) Fingerprint(data []byte) string { return c.runner.Fingerprint(data) }

// Shown is a value of a field as people read it: the text of an option, and a mask for personal data.
func (c *Call) Shown(ctx context.Context, field Field, value any) string {
	return c.runner.shown(ctx, c.Actor, field, value, nil)
}
