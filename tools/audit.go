package tools

import (
	"context"
	"encoding/json"
	"regexp"
	"time"

	"github.com/google/uuid"
)

// Trail keeps the audit entries: append-only, each chained to the one before.
type Trail interface {
	Append(ctx context.Context, entry []byte) error
}

// auditEntry says who did what when, with which outcome, and nothing of the people concerned: of the arguments there
// is a keyed digest, to recognise them by, and the process when it is given in a form that names nobody.
type auditEntry struct {
	Call    string    `json:"call"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Tool    string    `json:"tool"`
	Effect  Effect    `json:"effect"`
	Process string    `json:"process,omitempty"`
	Fields  []string  `json:"fields,omitempty"` // the names of what was given
	Reason  string    `json:"reason,omitempty"` // in the actor's words, scrubbed
	Digest  string    `json:"digest"`
	Outcome string    `json:"outcome"`
}

// audit records a call, denied and failed ones too. A trail that cannot be written does not undo what happened: it is
// reported loudly.
func (r *Runner) audit(ctx context.Context, id string, request Request, outcome string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	fields, reason := given(request)
	entry, err := json.Marshal(auditEntry{
		Call: id, At: r.now().UTC(), Actor: request.Actor.ID, Tool: request.Tool.Name, Effect: request.Tool.Effect,
		Process: processIn(request.Args), Fields: fields, Reason: reason, Digest: r.Digest(request.Args), Outcome: outcome,
	})
	if err == nil {
		err = r.Trail.Append(ctx, entry)
	}
	if err != nil {
		r.Log.ErrorContext(ctx, "an entry is missing from the audit trail", "call", id, "error", err)
	}
}

// Reasoned is implemented by inputs that say why.
type Reasoned interface{ Reason() string }

// given tells which fields a request gives, and why.
func given(request Request) (fields []string, reason string) {
	in, _ := request.Tool.decode(request.Args, request.Actor.Lang)
	if in == nil {
		return nil, ""
	}
	for _, field := range request.Tool.Fields {
		if _, given := field.value(in); given {
			fields = append(fields, field.Path)
		}
	}
	if reasoned, ok := in.(Reasoned); ok {
		reason = clean(reasoned.Reason())
	}
	return fields, reason
}

// processIn gives the process that arguments name, if it is named by number or uuid.
func processIn(args json.RawMessage) string {
	var given struct {
		Process any `json:"process"`
	}
	if json.Unmarshal(args, &given) != nil {
		return ""
	}
	switch process := given.Process.(type) {
	case float64:
		return number(int64(process))
	case string:
		if _, err := uuid.Parse(process); err == nil || isNumber(process) {
			return process
		}
	}
	return ""
}

var digitsOnly = regexp.MustCompile(`^\d{1,18}$`)

func isNumber(s string) bool { return digitsOnly.MatchString(s) }
