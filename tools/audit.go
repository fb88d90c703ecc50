package tools

import (
	"context"
	"encoding/json"
	"regexp"
	"time"

	"github.com/google/uuid"
)

// AuditLog keeps the audit entries: append-only, each chained to the one before.
type AuditLog interface {
	// Append adds an entry, which is never removed. text is what a person typed; it may be erased later.
	Append(ctx context.Context, entry []byte, text string) error
}

// auditEntry is who did what, when, and the outcome, without personal data: it has a fingerprint of the arguments, which
// differs from call to call, and the process and the simulation if they are given by number or uuid. A reason, in the actor's words, is stored
// beside the entry.
type auditEntry struct {
	Call        string    `json:"call"`
	At          time.Time `json:"at"`
	Actor       string    `json:"actor"`
	Tool        string    `json:"tool"`
	Effect      Effect    `json:"effect"`
	Process     string    `json:"process,omitempty"`
	Simulation  string    `json:"simulation,omitempty"`
	Fields      []string  `json:"fields,omitempty"` // the names of the given fields
	Fingerprint string    `json:"digest,omitempty"`
	Consent     *Consent  `json:"consent,omitempty"`
	Approval    string    `json:"approval,omitempty"` // the approval that the entry is about
	Entry       string    `json:"entry,omitempty"`    // the entry whose text was erased
	Outcome     string    `json:"outcome"`            // done, the kind of a failure, begun, shown, asked, reviewed, changed, or an [ApprovalStatus]
}

// Consent is the consent of a person to the copy of her document, which Law 7/2007 asks for.
type Consent struct {
	Holder string `json:"holder"` // the uuid of a borrower
	Given  Day    `json:"given"`
}

// Consented is implemented by inputs that may have a consent.
type Consented interface {
	// Consent returns the consent, nil without one.
	Consent() *Consent
}

// Outcomes of entries that are not about the end of a call.
const (
	begun = "begun" // about to be sent to the bank
	shown = "shown" // client data was shown in a form

	reviewed = "reviewed" // what an assistant asked for was shown in a form in which the person may change it
)

// audit records a call, also a forbidden or failed one.
func (r *Runner) audit(ctx context.Context, id string, request Request, outcome string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	fields, reason, consent := given(request)
	process, simulation := subjectIn(request.Args)
	entry, err := json.Marshal(auditEntry{
		Consent: consent, Approval: request.Approval,
		Call: id, At: r.now().UTC(), Actor: request.Actor.ID, Tool: request.Tool.Name, Effect: request.Tool.Effect,
		Process: process, Simulation: simulation, Fields: fields, Fingerprint: r.Fingerprint(append([]byte(id+" "), request.Args...)), Outcome: outcome,
	})
	if err == nil {
		err = r.AuditLog.Append(ctx, entry, reason)
	}
	if err != nil {
		r.Log.ErrorContext(ctx, "writing an entry of the audit log failed", "call", id, "outcome", outcome, "error", err)
	}
	return err
}

// unaudited returns the failure of a call that shows and sends nothing because its entry could not be audited.
func unaudited(err error) *Error { return &Error{Kind: Unavailable, Store: true, err: err} }

// announce records that a call is about to be sent to the bank. If it fails, nothing may be sent.
func (r *Runner) announce(ctx context.Context, id string, call *Call, request Request) error {
	if err := r.audit(ctx, id, request, begun); err != nil {
		return unaudited(err)
	}
	call.announced = true
	return nil
}

// showing records that client data is about to be shown to an actor in the form of a tool.
func (r *Runner) showing(ctx context.Context, actor Actor, tool *Tool, answers map[string]string) error {
	args, _ := tool.Args(answers, actor.Lang)
	if err := r.audit(ctx, uuid.NewString(), Request{Tool: tool, Actor: actor, Args: args}, shown); err != nil {
		failure := unaudited(err)
		failure.Tool = tool
		return failure
	}
	return nil
}

// Erasure returns the audit entry of the erasure of another entry's text.
func Erasure(at time.Time, by, entry string) []byte {
	data, err := json.Marshal(auditEntry{
		Call: uuid.NewString(), At: at.UTC(), Actor: by, Tool: "audit_erase", Effect: Deletes, Entry: entry, Outcome: done,
	})
	if err != nil {
		panic(err) // strings marshal
	}
	return data
}

// Reasoned is implemented by inputs with a reason.
type Reasoned interface{ Reason() string }

// given returns the names of the fields in a request, its reason and its consent.
func given(request Request) (fields []string, reason string, consent *Consent) {
	in, _ := request.decode()
	if in == nil {
		return nil, "", nil
	}
	for _, field := range request.Tool.Fields {
		if _, given := field.Value(in); given {
			fields = append(fields, field.Path)
		}
	}
	if reasoned, ok := in.(Reasoned); ok {
		reason = Clean(reasoned.Reason())
	}
	if consented, ok := in.(Consented); ok {
		consent = consented.Consent()
	}
	return fields, reason, consent
}

// subjectIn returns the process and the simulation in arguments, each if it is a number or a uuid.
func subjectIn(args json.RawMessage) (process, simulation string) {
	var given struct {
		Process    any `json:"process"`
		Simulation any `json:"simulation"`
	}
	if json.Unmarshal(args, &given) != nil {
		return "", ""
	}
	return numberOrID(given.Process), numberOrID(given.Simulation)
}

func numberOrID(ref any) string {
	switch ref := ref.(type) {
	case float64:
		return FormatNumber(int64(ref))
	case string:
		if _, err := uuid.Parse(ref); err == nil || isNumber(ref) {
			return ref
		}
	}
	return ""
}

var digitsOnly = regexp.MustCompile(`^\d{1,18}$`)

func isNumber(s string) bool { return digitsOnly.MatchString(s) }
