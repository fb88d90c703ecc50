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
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/validation"
)

// Call is one call under way, as the function of a tool gets it.
type Call struct {
	Actor  Actor
	Bank   *portal.User   // acts as the actor's person
	login  portal.Login   // of the person
	given  map[string]any // the arguments, while they are understood
	index  *BrokerIndex   // of the person's broker
	runner *Runner
	tool   *Tool

	recovered bool      // it is finished for a replica that has crashed, perhaps of another program
	approved  bool      // it is that of an approval: a person was shown what it does
	giver     string    // the actor who gave its files; "" for Actor
	announced bool      // the audit log says that it is about to be sent
	begun     time.Time // when the call that it makes or finishes was begun; zero for a read

	mu         sync.Mutex // guards all below
	processes  map[ProcessRef]FoundProcess
	details    map[uuid.UUID]portal.Process
	states     map[FoundProcess]profile.Meaning
	lists      map[portal.TaxonomyKey][]portal.TaxonomyItem // nil for one that cannot be read
	unfound    map[ProcessRef]error                         // why a process was not found
	properties map[uuid.UUID][]portal.Property
	hidden     map[uuid.UUID]bool   // processes that the bank does not show to the person
	files      map[string]GivenFile // by the id of their reference; closed when the call ends

	simulations map[SimulationRef]portal.Simulation
}

// FoundProcess is the process that a [ProcessRef] named.
type FoundProcess struct {
	ID       uuid.UUID
	Number   int64
	StatusID int32
	Status   string
}

// Note stores processes that the bank has returned: for the rest of the call, and in the index.
func (c *Call) Note(ctx context.Context, processes ...portal.ProcessSummary) {
	c.mu.Lock()
	if c.processes == nil {
		c.processes = map[ProcessRef]FoundProcess{}
	}
	for _, process := range processes {
		found := found(process)
		c.processes[ProcessRef(found.ID.String())] = found
		c.processes[ProcessRef(FormatNumber(found.Number))] = found
		c.runner.rights.store(c.login, Subject{Process: found.ID}, true, c.Now())
	}
	c.mu.Unlock()
	if err := c.index.add(ctx, processes, false); err != nil {
		c.runner.Log.WarnContext(ctx, "storing processes in the index failed", "error", pii.Scrub(err.Error()))
	}
}

func found(process portal.ProcessSummary) FoundProcess {
	return FoundProcess{process.ProcessUniqueID, process.ProcessNumber, process.ProcessStatusID, process.ProcessStatusDescription}
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
	c.mu.Lock()
	err := c.unfound[ref]
	c.mu.Unlock()
	if err != nil {
		return FoundProcess{}, err
	}
	return c.findProcess(ctx, ref)
}

// findProcess asks the bank for a process by its uuid. Where only a number is known, the index has the uuid; else the bank's
// filter is asked, which may not look at numbers; else the whole list is read in the background.
func (c *Call) findProcess(ctx context.Context, ref ProcessRef) (FoundProcess, error) {
	if id, err := uuid.Parse(string(ref)); err == nil && len(ref) == len(id.String()) {
		return c.readProcess(ctx, id)
	}
	wanted, err := strconv.ParseInt(string(ref), 10, 64)
	if err != nil {
		return FoundProcess{}, &Error{Kind: Invalid, Problems: []Problem{problem(c.Actor.Lang, "process", "kind.process")}}
	}
	id, known, err := c.index.id(ctx, wanted)
	switch {
	case err != nil:
		return FoundProcess{}, StoreError(err)
	case known:
		return c.readProcess(ctx, id)
	}
	page, err := c.Bank.ListProcesses(ctx, portal.ProcessQuery{Text: pii.New[pii.Name](FormatNumber(wanted)), Limit: MaxOptions})
	if err != nil {
		return FoundProcess{}, err
	}
	c.Note(ctx, page.Processes...)
	for _, process := range page.Processes {
		if process.ProcessNumber == wanted {
			return found(process), nil
		}
	}
	err = c.index.await(ctx, c.Bank, "number "+FormatNumber(wanted), c.runner.List.Wait, func() (bool, error) {
		id, known, err = c.index.id(ctx, wanted)
		return known, StoreError(err)
	})
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.unfound == nil {
			c.unfound = map[ProcessRef]error{}
		}
		c.unfound[ref] = err
		return FoundProcess{}, err
	}
	return c.readProcess(ctx, id)
}

// ProcessDetail reads all that the bank says of the process that ref names. The bank is asked once in a call.
func (c *Call) ProcessDetail(ctx context.Context, ref ProcessRef) (portal.Process, error) {
	found, err := c.Process(ctx, ref)
	if err != nil {
		return portal.Process{}, err
	}
	c.mu.Lock()
	process, read := c.details[found.ID]
	c.mu.Unlock()
	if read {
		return process, nil
	}
	return c.Bank.Process(ctx, found.ID)
}

func (c *Call) readProcess(ctx context.Context, id uuid.UUID) (FoundProcess, error) {
	process, err := c.Bank.Process(ctx, id)
	if err != nil {
		return FoundProcess{}, processMissing(err)
	}
	c.mu.Lock()
	if c.details == nil {
		c.details = map[uuid.UUID]portal.Process{}
	}
	c.details[process.ProcessUniqueID] = process
	c.mu.Unlock()
	c.Note(ctx, process.ProcessSummary)
	return found(process.ProcessSummary), nil
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
	switch {
	case portal.MissingReason(err) == portal.ProcessMissing:
		err = processMissing(err)
	case portal.IsMissing(err):
		err = unknown(err)
	}
	if err == nil {
		c.index.addBorrowers(ctx, found.ID, []portal.Borrower{borrower}, false)
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
	calling := ctx
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, summary := range summaries {
		group.Go(func() (err error) {
			borrowers[i], err = c.Bank.Borrower(ctx, process, summary.BorrowerUniqueID)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	c.index.AddBorrowers(calling, process, borrowers)
	if details, read := c.readBefore(process); read {
		c.index.addHousehold(calling, details, borrowers)
	}
	return borrowers, nil
}

// processMissing turns the bank's answer that a process does not exist, or is another broker's, into NotFound. Any other
// refusal stays one, with the bank's reasons.
func processMissing(err error) error {
	if portal.IsMissing(err) {
		return &Error{Kind: NotFound, err: err}
	}
	return err
}

func FormatNumber(n int64) string { return strconv.FormatInt(n, 10) }

// FormatDay returns the date of t in Lisbon as people write it, "" if t is zero.
func FormatDay(say Say, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return written(validation.Today(t), say("format.day"))
}

// written formats a date with a layout.
func written(d validation.Date, layout string) string {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format(layout)
}

// convert returns a failure of a tool as an [*Error]. Only this function reads the kinds of the bank's errors.
func convert(err error) *Error {
	var toolError *Error
	if errors.As(err, &toolError) {
		return toolError
	}
	var bankError *portal.Error
	if !errors.As(err, &bankError) {
		return &Error{Kind: Internal, err: err}
	}
	converted := &Error{RetryAfter: bankError.RetryAfter, bank: bankError, err: err}
	switch bankError.Kind {
	case portal.Refused:
		converted.Kind = Refused // see explain
		if subjectMissing(err) {
			converted.Kind = NotFound
		}
	case portal.NotFound:
		converted.Kind, converted.other = NotFound, !subjectMissing(err)
	case portal.TooMany:
		converted.Kind = Busy
	case portal.Unavailable:
		converted.Kind = Unavailable
	case portal.Unclear:
		converted.Kind = Unclear
	case portal.LoginRefused:
		converted.Kind = LoginRefused
	default: // not as Balcão takes it to be
		converted.Kind = Misconfigured
	}
	return converted
}

// subjectMissing reports whether the bank says that the process or simulation of a call is missing.
func subjectMissing(err error) bool {
	missing := portal.MissingReason(err)
	return missing == portal.ProcessMissing || missing == portal.SimulationMissing
}

// Clean prepares text from outside for display: one paragraph without personal data, and without characters that are
// invisible or change the direction of writing.
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

// maxLines is the most characters that [CleanLines] keeps.
const maxLines = 20_000

// CleanLines is [Clean] for a text of several lines, which it keeps.
func CleanLines(text string) string {
	text = strings.Map(func(c rune) rune {
		switch {
		case c == '\n':
			return c
		case unicode.IsSpace(c):
			return ' '
		case unicode.Is(unicode.C, c):
			return -1
		}
		return c
	}, strings.ReplaceAll(text, "\r\n", "\n"))
	runes := []rune(strings.TrimSpace(text))
	return pii.Scrub(string(runes[:min(len(runes), maxLines)]))
}

// Reason returns in a line why something failed that is a part of a call.
func (c *Call) Reason(err error) string {
	failure := convert(err)
	failure.Tool = c.tool
	failure.explain(c.Actor, c.tool)
	texts := []string{failure.What(c.Actor.Lang)}
	if len(failure.Problems)+len(failure.Notes) > 0 {
		texts = failure.Notes
		for _, p := range failure.Problems {
			texts = append(texts, p.Text)
		}
	}
	return strings.Join(texts, " ")
}

// Now returns the time.
func (c *Call) Now() time.Time { return c.runner.now() }

// Begun returns when a call that changes something was begun, perhaps by another replica: nothing was sent for it before.
func (c *Call) Begun() time.Time { return c.begun }

// BankAs returns the bank as another person uses it.
func (c *Call) BankAs(person Person) *portal.User {
	return c.runner.Bank.As(person.Login, string(c.Actor.Lang))
}

// Person returns the person of an actor; ok is false for strangers.
func (c *Call) Person(ctx context.Context, actor string) (person Person, ok bool) {
	return c.runner.People.Person(ctx, actor)
}

// Destinations returns the store of destinations.
func (c *Call) Destinations() Destinations { return c.runner.Destinations }

// History returns the changes of processes.
func (c *Call) History() History { return c.runner.Updates }

// Checks returns the rules on fields.
func (c *Call) Checks() *validation.Checker { return c.runner.Checks }

// Fingerprint returns a keyed hash of data, in hex.
func (c *Call) Fingerprint(data []byte) string { return c.runner.Fingerprint(data) }

// Shown returns the value of a field in an input as people read it: what a choice is called, personal data masked; "" for none.
func (c *Call) Shown(ctx context.Context, field Field, in any) string {
	return c.runner.shown(ctx, c.Actor, field, in, nil)
}
