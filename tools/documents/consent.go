package documents

import (
	"context"

	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// CopyConsent is the holder's consent to a copy of her citizen card: by Law 7/2007, article 5, nobody may copy one without. It
// is recorded in the audit log. A person gives it: an assistant cannot know.
type CopyConsent struct {
	Agreed bool              `json:"consent,omitzero" page:"document" pii:"open" only:"people"`
	Holder tools.BorrowerRef `json:"consentOf,omitzero" page:"document" only:"people"`
	Given  tools.Day         `json:"consentGiven,omitzero" page:"document" only:"people"`
}

// Consent implements [tools.Consented].
func (c CopyConsent) Consent() *tools.Consent {
	if !c.Agreed {
		return nil
	}
	return &tools.Consent{Holder: string(c.Holder), Given: c.Given}
}

// problems returns what is missing for a document of a type. Nothing is needed for most types.
func (c CopyConsent) problems(call *tools.Call, kind validation.Item) []tools.Problem {
	if call.Checks().File(kind) != validation.CitizenCardCopy {
		return nil
	}
	switch {
	case call.Actor.Assistant:
		return []tools.Problem{call.Problem("documentTypeId", "consent.people", "command", Add.Command(call.Actor.Lang))}
	case !c.Agreed:
		return []tools.Problem{call.Problem("consent", "consent.needed")}
	case c.Holder == "":
		return []tools.Problem{call.Problem("consentOf", "consent.holder")}
	case c.Given == "":
		return []tools.Problem{call.Problem("consentGiven", "consent.day")}
	case c.Given.Begins().After(call.Now()):
		return []tools.Problem{call.Problem("consentGiven", "consent.future")}
	}
	return nil
}

// isBorrower returns an error if the holder is no borrower of the process.
func (c CopyConsent) isBorrower(ctx context.Context, call *tools.Call, process tools.ProcessRef) error {
	if !c.Agreed || c.Holder == "" {
		return nil
	}
	_, _, err := call.Borrower(ctx, process, c.Holder)
	if failure := tools.AsError(err); err != nil && failure.Kind == tools.Invalid {
		return call.Invalid("consentOf", "consent.holder")
	}
	return err
}
