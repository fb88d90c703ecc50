package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/validation"
)

// readTimeout is the time-out of a call that only reads.
const readTimeout = 30 * time.Second

// Request is one call of a tool.
type Request struct {
	Tool  *Tool
	Actor Actor
	Args  json.RawMessage // an object with the tool's fields
	// Confirmed are the marks of the warnings that a person has read in a form and confirms. Those of an assistant are
	// ignored: it has to return the Confirmation that came with the warnings.
	Confirmed    []string
	Confirmation string
	malformed    []Problem // of what is not understood, which Args no longer has
	decoded      *decoded  // nil of a call that changes something
	// Key is the idempotency key: a call that changes something is made once for it, and repeats return the same result.
	// "" for none.
	Key string
	// Page says that the front end of an assistant has a page on which a person without an account in Slack decides; see [Person].
	Page bool
	// Via says in the log how the call came: "slack", "http 2025-11-25"; "" if the front end does not say.
	Via string
	// Approval is the id of the approval whose call this is; "" for a call that needed none.
	Approval string
	giver    string // the actor who gave the files; "" for Actor
}

// Result is the result of a call.
type Result struct {
	ID     string // finds the log line
	Output Carder // of the tool's output type; encoding/json masks its personal data
	Card   Card
	// Choices are those of an assistant's call that changed something.
	Choices []Chosen
	// Earlier is the other call that made the change, if this one sent nothing.
	Earlier *Earlier
	// Pending is the approval that the call waits for. Nothing was sent, and Output is nil.
	Pending *Approval
}

// Close removes the content of the result's file. A front end calls it once the file is delivered, or will not be.
func (r Result) Close() {
	if r.Card.File != nil {
		_ = r.Card.File.Close()
	}
}

// Config configures a [Runner]. Every field up to Claims is required.
type Config struct {
	Catalogue   *Catalogue
	Bank        *portal.Client
	People      People
	Checks      *validation.Checker
	Journal     Journal
	AuditLog    AuditLog
	Fingerprint func([]byte) string // keyed and one-way
	Index       ProcessIndex
	Sealer      Sealer // of confirmations; without it, or without Claims, assistants cannot confirm anything
	Claims      Claims
	Log         *slog.Logger
	Now         func() time.Time
	// CallTimeout is the time-out of a call that changes something, and the length of its lease in the journal: 60 s by
	// default. Nothing is sent in its second half, so that no request is on its way when it is over.
	CallTimeout  time.Duration
	Destinations Destinations // without it, tools that need a destination are forbidden
	Updates      History      // without it, tools that need the history are forbidden
	Learnt       *Learnt      // what the bank calls its ids in replies; without it only its lists say so
	List         ListPace     // for [Runner.ReadLists]
	// Changed is called for every call that changed something at the bank, once its outcome is known: perhaps twice, and
	// not at all if the process crashes right then. A call waits for it two seconds at most; a failure is logged.
	Changed func(context.Context, Changed) error
	// Policy says what assistants may do; by default a person approves whatever changes something. Without Approvals, calls
	// that need one are refused.
	Policy       Policy
	Approvals    Approvals
	ApprovalLife time.Duration  // how long a person has to decide, [ApprovalLife] by default
	States       profile.States // what the states of a process mean; those of the built-in profile by default
	// SimulationStates returns what a state of a simulation means, by its id or its descriptions; see
	// [profile.Profile.SimulationMeaning]. It is that of the built-in profile by default.
	SimulationStates func(state int32, descriptions ...string) (profile.SimulationMeaning, bool)
	// UnknownState is called with the id of a state whose meaning is not known, each time that it matters.
	UnknownState func(state int32)
	// Counted is called for every call, with its tool, its outcome ("done", "already_done" or an [ErrorKind]) and its duration.
	Counted func(tool, outcome string, took time.Duration)
}

// Runner runs the tools of the catalogue: it authorises, checks, journals, calls the bank as the actor, and audits.
type Runner struct {
	Config
	now        func() time.Time
	taxonomies taxonomies
	lookups    lookups
	rights     rights
	indexes    brokerIndexes
	listWanted chan struct{} // wakes ReadLists
	files      fileSources
	uploads    uploadOpener
}

// NewRunner returns a Runner.
func NewRunner(config Config) *Runner {
	runner := &Runner{
		Config: config, now: config.Now, taxonomies: taxonomies{lists: map[taxonomyLang]taxonomyList{}, unread: map[taxonomyLang]time.Time{}},
		lookups: lookups{until: map[string]time.Time{}}, listWanted: make(chan struct{}, 1),
	}
	if runner.now == nil {
		runner.now = time.Now
	}
	if runner.Checks != nil && !runner.Checks.Refuses(validation.Expected) {
		runner.Catalogue = runner.Catalogue.lenient()
	}
	runner.List = runner.List.withDefaults()
	runner.CallTimeout = cmp.Or(runner.CallTimeout, time.Minute)
	if runner.States.Meanings == nil {
		runner.States = profile.Builtin().States
	}
	if runner.SimulationStates == nil {
		runner.SimulationStates = profile.Builtin().SimulationMeaning
	}
	if runner.Log == nil {
		runner.Log = slog.New(slog.DiscardHandler)
	}
	return runner
}

// Permits reports whether the actor may use the tool. Front ends hide the others.
func (r *Runner) Permits(ctx context.Context, actor Actor, tool *Tool) bool {
	_, err := r.enter(ctx, actor, tool)
	return err == nil
}

// Allows reports whether the actor's person may have the effect of a tool, perhaps not through this front end.
func (r *Runner) Allows(ctx context.Context, actor Actor, tool *Tool) bool {
	_, err := r.admit(ctx, actor, tool, tool.Effect)
	return err == nil
}

// enter returns a call of a tool, if the actor may use it and the tool has what it needs.
func (r *Runner) enter(ctx context.Context, actor Actor, tool *Tool) (*Call, error) {
	call, err := r.admit(ctx, actor, tool, tool.Effect)
	switch {
	case err != nil:
		return nil, err
	case actor.Assistant && !tool.ForAssistants():
		return nil, &Error{Kind: PeopleOnly}
	case tool.NeedsDestination && (actor.Destination == "" || r.Destinations == nil) || tool.NeedsHistory && r.Updates == nil ||
		tool.AssistantsOnly && (!actor.Assistant || r.uploads.Load() == nil):
		return nil, &Error{Kind: Forbidden}
	case tool.Subscribes && actor.Outsiders:
		return nil, &Error{Kind: Exposed}
	}
	return call, nil
}

// admit returns a call, if the actor may have this effect.
func (r *Runner) admit(ctx context.Context, actor Actor, tool *Tool, effect Effect) (*Call, error) {
	person, known := r.People.Person(ctx, actor.ID)
	if !known || actor.Guest || actor.ReadOnly && effect.Writes() || !person.may(effect) {
		return nil, &Error{Kind: Forbidden}
	}
	return &Call{
		Actor: actor, login: person.Login, Bank: r.Bank.As(person.Login, string(actor.Lang)), index: r.IndexOf(person.Login.BrokerUID), runner: r, tool: tool,
	}, nil
}

// Run makes a call. Errors are [*Error].
func (r *Runner) Run(ctx context.Context, request Request) (Result, error) {
	started, id := r.now(), uuid.NewString()
	call, output, err := r.run(ctx, id, &request)
	defer call.closeFiles()
	result, outcome := Result{ID: id, Output: output}, done
	if by, ok := output.(sharedOutput); ok {
		result.Output, result.Earlier, outcome = by.Carder, &by.earlier, alreadyDone
	}
	if pending, waits := output.(askedFor); waits {
		request.Approval, outcome = pending.ID, asked
	}
	if err := r.finish(ctx, id, call, request, started, outcome, err); err != nil {
		if closer, ok := result.Output.(io.Closer); ok { // it has a file that nobody will get
			_ = closer.Close()
		}
		return Result{ID: id}, err
	}
	if pending, waits := output.(askedFor); waits {
		return Result{ID: id, Pending: &pending.Approval, Card: pending.Card(request.Tool.sayer(request.Actor.Lang))}, nil
	}
	if request.Tool.Effect.Writes() {
		call.dropFiles(ctx)
	}
	result.Card = result.Output.Card(request.Tool.sayer(request.Actor.Lang))
	result.Card.Next = call.offered(ctx, result.Card.Next)
	result.Card.Table.Steps = r.Catalogue.labelled(r.declared(ctx, request.Tool, result.Card.Table.Steps), request.Actor.Lang)
	if request.Actor.Assistant && request.Tool.Effect.Writes() {
		result.Choices = r.choices(ctx, request.Actor, request.Tool, request.Args)
		for _, choice := range result.Choices {
			result.Card.Facts = append(result.Card.Facts, Fact{choice.Field, choice.Label})
		}
	}
	if result.Earlier != nil {
		result.Card.Note = result.Earlier.Text(request.Actor.Lang, "")
	}
	return result, nil
}

// run makes a call, and sets the arguments to those that were understood. call is nil if the actor may not make it.
func (r *Runner) run(ctx context.Context, id string, request *Request) (call *Call, output Carder, err error) {
	if call, err = r.enter(ctx, request.Actor, request.Tool); err != nil {
		return nil, nil, err
	}
	request.Args, request.malformed = r.understand(ctx, call, *request)
	if !request.Tool.Effect.Writes() {
		request.decoded = &decoded{}
		ctx, cancel := context.WithTimeout(ctx, readTimeout)
		defer cancel()
		found, err := r.accept(ctx, call, *request, func(found checked) error { return decide(found.problems, request.Confirmed) })
		if err != nil {
			return call, nil, err
		}
		output, err = request.Tool.call(ctx, call, found.sent)
		return call, output, err
	}
	if request.Actor.Assistant {
		switch r.Policy.Of(request.Tool) {
		case Deny:
			return call, nil, &Error{Kind: PeopleOnly}
		case Approve, Elicit:
			output, err = r.park(ctx, call, *request)
			return call, output, err
		}
	}
	call.approved, call.giver = request.Approval != "", request.giver
	// It continues when its caller is gone: the outcome of a request to the bank has to be recorded.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.CallTimeout)
	defer cancel()
	output, err = r.once(ctx, id, call, *request)
	return call, output, err
}

// decoded is the input of a call that only reads, which is read once for the call and its entry in the audit log.
type decoded struct {
	in       any
	problems []Problem
	known    bool
}

// decode returns the input of the call; see [Tool.decode].
func (r Request) decode() (in any, problems []Problem) {
	if r.decoded != nil && r.decoded.known {
		return r.decoded.in, r.decoded.problems
	}
	in, problems = r.Tool.decode(r.Args, r.Actor.Lang)
	if r.decoded != nil {
		*r.decoded = decoded{in, problems, true}
	}
	return in, problems
}

// accept decodes and checks the arguments, and calls confirm with what was found. Its result may be sent.
func (r *Runner) accept(ctx context.Context, call *Call, request Request, confirm func(checked) error) (checked, error) {
	in, malformed := request.decode()
	malformed = append(slices.Clone(request.malformed), malformed...)
	if in == nil {
		return checked{}, decide(malformed, nil)
	}
	found, err := r.check(ctx, call, request.Tool, in, malformed)
	if err == nil {
		err = confirm(found)
	}
	return found, err
}

// call runs the function of the tool and turns a panic into an error.
func (t *Tool) call(ctx context.Context, call *Call, in any) (out Carder, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("a panic of type %T", caught)
		}
	}()
	result, err := t.run(ctx, call, in)
	if err != nil {
		return nil, err
	}
	return result.(Carder), nil
}

// finish audits and logs a call, with this outcome unless it failed, and completes its error for front ends. A call whose
// outcome cannot be audited fails, because its output may contain client data. A call that was sent is in the audit log
// already, and its outcome is returned all the same.
func (r *Runner) finish(ctx context.Context, id string, call *Call, request Request, started time.Time, outcome string, err error) error {
	var failure *Error
	if err != nil {
		failure = convert(err)
		if !request.Tool.Effect.Writes() && ctx.Err() == context.Canceled && errors.Is(err, context.Canceled) {
			failure = &Error{Kind: Cancelled, err: err} // whichever error the cancellation has caused
		}
		outcome = string(failure.Kind)
	}
	if err := r.audit(ctx, id, request, outcome); err != nil && (call == nil || !call.announced) {
		failure = unaudited(err)
		outcome = string(failure.Kind)
	}
	if failure != nil {
		failure.Tool, failure.ID = request.Tool, id
		failure.explain(request.Actor, request.Tool)
		if failure.Kind == Unconfirmed && request.Actor.Assistant {
			failure.Choices = r.choices(ctx, request.Actor, request.Tool, request.Args)
		}
	}
	took := r.now().Sub(started)
	attrs := []any{"call", id, "tool", request.Tool.Name, "actor", request.Actor.ID, "outcome", outcome, "took", took, "via", request.Via}
	if r.Counted != nil {
		r.Counted(request.Tool.Name, outcome, took)
	}
	switch {
	case failure == nil:
		r.Log.InfoContext(ctx, "call", attrs...)
		return nil
	case failure.Kind == Internal || failure.Kind == Unclear: // of the bank's faults the client logs each as an error once
		r.Log.ErrorContext(ctx, "call", append(attrs, "error", pii.Scrub(failure.Error()))...)
	default:
		r.Log.WarnContext(ctx, "call", append(attrs, "error", pii.Scrub(failure.Error()))...)
	}
	return failure
}
