package tools

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/words"
)

// An assistant prepares and a person decides: what an assistant asks for, and the policy does not allow, is stored as an approval
// until the person in whose name it would be done approves it. An approval is made once, as that person, with exactly the
// arguments that she was shown.

// Approvals stores approvals. Records contain personal data: it encrypts them.
type Approvals interface {
	// SaveApproval stores the record of an approval of owner if version is the stored one, 0 for a new approval. saved is false
	// if it was changed meanwhile. due is when it has to be looked at again, zero once it is decided; until is until when it is
	// open.
	SaveApproval(ctx context.Context, owner, id string, version int64, record []byte, due, until time.Time) (saved bool, err error)
	// Approval returns the record of an approval and its version, nil if there is none.
	Approval(ctx context.Context, id string) (record []byte, version int64, err error)
	// OpenApprovals returns the ids of the owner's open approvals, the first asked first.
	OpenApprovals(ctx context.Context, owner string) ([]string, error)
	// DueApprovals returns the ids of up to limit approvals that are due at a time, the first due first.
	DueApprovals(ctx context.Context, at time.Time, limit int64) ([]string, error)
	// DropApproval removes an approval that cannot be read from those that are due.
	DropApproval(ctx context.Context, id string) error
}

// ApprovalStatus is how far an approval has come.
type ApprovalStatus string

// The states of an approval.
const (
	ApprovalWaits     ApprovalStatus = "waiting"   // for the person
	ApprovalDraft     ApprovalStatus = "draft"     // for the person, who has to complete it first
	ApprovalApproved  ApprovalStatus = "approved"  // it is being made
	ApprovalDone      ApprovalStatus = "done"      // it was approved and made
	ApprovalFailed    ApprovalStatus = "failed"    // it was approved, and it cannot be made
	ApprovalRejected  ApprovalStatus = "rejected"  // by the person
	ApprovalWithdrawn ApprovalStatus = "retracted" // by the assistant
	ApprovalExpired   ApprovalStatus = "expired"   // nobody decided in time
	ApprovalRemoved   ApprovalStatus = "removed"   // an update of the program has removed its tool, and nothing was done
)

// Open reports whether the person can still decide.
func (s ApprovalStatus) Open() bool { return s == ApprovalWaits || s == ApprovalDraft }

// Decided reports whether nothing happens to the approval any more.
func (s ApprovalStatus) Decided() bool { return !s.Open() && s != ApprovalApproved }

// ApprovalLife is how long a person has to decide, by default.
const ApprovalLife = 4 * time.Hour

// maxOpenApprovals is the most approvals that wait for one person.
const maxOpenApprovals = 40

// Approval is a call that an assistant has asked for. It contains personal data, and a printed one shows none.
type Approval struct {
	ID      string         `json:"id"`
	Owner   string         `json:"owner"`  // the actor who decides, and in whose name the call is made
	Asker   string         `json:"asker"`  // the actor of the assistant
	Client  string         `json:"client"` // what the assistant's program calls itself; "" if unknown
	Lang    words.Lang     `json:"lang"`   // of the assistant
	Tool    string         `json:"tool"`
	Status  ApprovalStatus `json:"status"`
	Asked   time.Time      `json:"asked"`
	Expires time.Time      `json:"expires"`

	Args    json.RawMessage `json:"args"`             // as the assistant gave them, understood
	About   string          `json:"about,omitempty"`  // the process or simulation, if it is given by number or uuid
	State   string          `json:"state,omitempty"`  // a fingerprint of what it was made for; see [Review.Seen]
	Missing []string        `json:"missing"`          // of a draft: the paths of the fields that are missing or wrong
	Key     string          `json:"key,omitempty"`    // the idempotency key of the assistant
	Digest  string          `json:"digest,omitempty"` // of Args

	Final     json.RawMessage `json:"final,omitempty"`     // the arguments that were approved
	Confirmed []string        `json:"confirmed,omitempty"` // the marks of the warnings that were approved
	By        words.Lang      `json:"by,omitempty"`        // the language in which they were
	Changed   []string        `json:"changed,omitempty"`   // the paths of the fields that the person changed
	Reason    string          `json:"reason,omitempty"`    // of a rejection: what the person said
	Output    json.RawMessage `json:"output,omitempty"`    // of the call, unmasked
	Failure   ErrorKind       `json:"failure,omitempty"`   // of the call, also of one that may be tried again
	Problems  []Problem       `json:"problems,omitempty"`  // of a failure
	Decided   time.Time       `json:"decided,omitzero"`

	version int64
}

// Version counts how often the approval was stored: a front end that has shown it says so with its version.
func (a Approval) Version() int64 { return a.version }

// Format prints an approval without its arguments.
func (a Approval) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "approval %s of %s, %s", a.ID, a.Tool, a.Status)
}

// LogValue implements slog.LogValuer.
func (a Approval) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(a)) }

// asked is the outcome of a call that waits for a person.
const asked = "asked"

// askedFor is the output of a call that waits for a person, in place of the output of its tool.
type askedFor struct{ Approval }

// Card implements [Carder].
func (a askedFor) Card(say Say) Card {
	text, args := "approval.asked", []any{"id", a.ID, "time", a.Expires.In(lisbon.Zone).Format(say("format.moment"))}
	if a.Status == ApprovalDraft {
		text, args = "approval.draft", append(args, "fields", strings.Join(a.Missing, ", "))
	}
	return Card{Title: say("approval.title"), Text: say(text, args...)}
}

// park stores a call of an assistant for the person to decide. A call that lacks parts to create something becomes a draft; any
// other call with a problem is refused, as it would be without a person. The same call asked for again is the same approval; with
// the key of an open one it replaces what was asked.
func (r *Runner) park(ctx context.Context, call *Call, request Request) (Carder, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if r.Approvals == nil {
		return nil, &Error{Kind: PeopleOnly}
	}
	person, _ := r.People.Person(ctx, request.Actor.ID)
	if person.Account == "" && !request.Page {
		return nil, &Error{Kind: PeopleOnly, Problems: []Problem{problem(request.Actor.Lang, "", "approval.nowhere")}}
	}
	a := Approval{
		ID: strings.ToLower(rand.Text()), Owner: cmp.Or(person.Account, request.Actor.ID), Asker: request.Actor.ID, Client: request.Actor.Client,
		Lang: request.Actor.Lang, Tool: request.Tool.Name, Status: ApprovalWaits, Asked: r.now().UTC(), Args: request.Args, Key: request.Key,
		Digest: r.Fingerprint(request.Args),
	}
	a.Expires = a.Asked.Add(cmp.Or(r.ApprovalLife, ApprovalLife))
	process, simulation := subjectIn(request.Args)
	a.About = cmp.Or(process, simulation)
	found, err := r.examineFor(ctx, call, request, a)
	if err == nil {
		err = r.keepFiles(ctx, request, found.given, a.Expires)
	}
	if err != nil {
		return nil, err
	}
	if blocked(found.problems) {
		a.Status, a.Missing = ApprovalDraft, blockedPaths(found.problems)
	} else if a.State, err = r.state(found); err != nil {
		return nil, err
	}
	return r.ask(ctx, a)
}

// examineFor checks a call of an assistant as the person would make it.
func (r *Runner) examineFor(ctx context.Context, call *Call, request Request, a Approval) (checked, error) {
	in, malformed := request.Tool.decode(request.Args, request.Actor.Lang)
	malformed = append(slices.Clone(request.malformed), malformed...)
	if in != nil {
		malformed = append(malformed, r.forPeople(call, request.Tool, in)...)
	}
	if in == nil || blocked(malformed) { // the assistant can correct it
		return checked{}, decide(malformed, nil)
	}
	theirs, err := r.callOf(ctx, a, request.Tool, a.Lang)
	if err != nil {
		return checked{}, err
	}
	found, err := r.check(ctx, theirs, request.Tool, in, nil)
	if err == nil && blocked(found.problems) && (request.Tool.Effect != Creates || request.Tool.Edits) {
		err = decide(found.problems, nil)
	}
	return found, err
}

// callOf returns the call of an approval, as its owner makes it.
func (r *Runner) callOf(ctx context.Context, a Approval, tool *Tool, lang words.Lang) (*Call, error) {
	call, err := r.enter(ctx, Actor{ID: a.Owner, Lang: lang}, tool)
	if err == nil {
		call.approved, call.giver = true, a.Asker
	}
	return call, err
}

// blockedPaths returns the paths of problems that block, each once.
func blockedPaths(problems []Problem) []string {
	var paths []string
	for _, p := range problems {
		if p.Severity == Blocks && !slices.Contains(paths, p.Path) {
			paths = append(paths, p.Path)
		}
	}
	return paths
}

// ask stores a new approval, or what replaces an open one.
func (r *Runner) ask(ctx context.Context, a Approval) (Carder, error) {
	earlier, err := r.openApprovals(ctx, a.Owner)
	if err != nil {
		return nil, err
	}
	for _, e := range earlier {
		switch {
		case e.Asker != a.Asker || e.Tool != a.Tool || !e.Status.Open():
		case e.Digest == a.Digest && e.Key == a.Key:
			return askedFor{e}, nil
		case a.Key != "" && (e.Key == a.Key || e.ID == a.Key):
			a.ID, a.Key, a.version = e.ID, e.Key, e.version
		}
	}
	if a.version == 0 && len(earlier) >= maxOpenApprovals {
		return nil, &Error{Kind: Invalid, Problems: []Problem{problem(a.Lang, "", "approval.too_many")}}
	}
	switch saved, err := r.saveApproval(ctx, &a); {
	case err != nil:
		return nil, err
	case !saved:
		return nil, &Error{Kind: Busy}
	}
	return askedFor{a}, nil
}

// saveApproval stores an approval as it is now. saved is false if it was changed meanwhile.
func (r *Runner) saveApproval(ctx context.Context, a *Approval) (saved bool, err error) {
	record, err := json.Marshal(a)
	if err != nil {
		return false, &Error{Kind: Internal, err: err}
	}
	due := a.Expires
	switch {
	case a.Status == ApprovalApproved: // if this replica crashes
		due = r.now().Add(r.CallTimeout)
	case a.Status == ApprovalRemoved && r.now().Before(a.Expires): // her front end shows it until then
	case a.Status.Decided():
		due = time.Time{}
	}
	saved, err = r.Approvals.SaveApproval(ctx, a.Owner, a.ID, a.version, record, due, a.Expires)
	if err != nil { // if it was stored all the same, a repetition finds it
		return false, &Error{Kind: Unavailable, Store: true, err: err}
	}
	a.version++
	return saved, nil
}

// readApproval reads an approval. One whose time is over is returned as expired.
func (r *Runner) readApproval(ctx context.Context, id string) (a Approval, found bool, err error) {
	record, version, err := r.Approvals.Approval(ctx, id)
	if err != nil {
		return Approval{}, false, &Error{Kind: Unavailable, Store: true, err: err}
	}
	if record == nil {
		return Approval{}, false, nil
	}
	if err := json.Unmarshal(record, &a); err != nil {
		return Approval{}, false, &Error{Kind: Internal, err: errors.New("an approval is not understood")}
	}
	a.version = version
	if a.Status.Open() && !r.now().Before(a.Expires) {
		a.Status = ApprovalExpired
	}
	return a, true, nil
}

// openApprovals returns the approvals of an owner that wait for a decision or are being made, the first asked first, and until they
// would have expired those whose tools were removed.
func (r *Runner) openApprovals(ctx context.Context, owner string) ([]Approval, error) {
	ids, err := r.Approvals.OpenApprovals(ctx, owner)
	if err != nil {
		return nil, &Error{Kind: Unavailable, Store: true, err: err}
	}
	var open []Approval
	for _, id := range ids {
		a, found, err := r.readApproval(ctx, id)
		if err != nil {
			return nil, err
		}
		if found && (!a.Status.Decided() || a.Status == ApprovalRemoved && r.now().Before(a.Expires)) {
			open = append(open, a)
		}
	}
	return open, nil
}
