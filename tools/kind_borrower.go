package tools

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// BorrowerRef names a borrower of a process by the bank's uuid.
type BorrowerRef string

// Class returns [pii.Open].
func (BorrowerRef) Class() pii.Class { return pii.Open }

// borrowerChoices are the borrowers of the process beside a field.
type borrowerChoices struct{}

// List implements [Choices].
func (borrowerChoices) List(ctx context.Context, call *Call, field Field, query string, answers map[string]string) ([]Option, error) {
	_, borrowers, err := call.BorrowerNames(ctx, ProcessRef(field.beside(Process, answers)))
	if err != nil {
		return nil, err
	}
	var options []Option
	for _, borrower := range borrowers {
		if option := call.BorrowerOption(ctx, borrower); strings.Contains(Fold(option.Text+" "+option.Note), Fold(query)) {
			options = append(options, option)
		}
	}
	return options, nil
}

// Find implements [Choices].
func (borrowerChoices) Find(ctx context.Context, call *Call, field Field, value string, answers map[string]string) (Option, bool) {
	_, borrower, err := call.Borrower(ctx, ProcessRef(field.beside(Process, answers)), BorrowerRef(value))
	if err != nil {
		return Option{}, false
	}
	return call.BorrowerOption(ctx, borrower), true
}

// BorrowerOption returns the option of a borrower: the masked name and tax number, and the role.
func (c *Call) BorrowerOption(ctx context.Context, borrower portal.Borrower) Option {
	role := c.Word(ctx, borrower, "BorrowerTypeID")
	option := Option{Value: borrower.BorrowerUniqueID.String(), Text: role, Note: role, Clear: pii.New[pii.Private](role)}
	if p := borrower.Personal; p != nil && !p.Name.IsZero() {
		option.Text = p.Name.String() + " · " + p.TaxID.String()
		option.Clear = pii.New[pii.Private](p.Name.Reveal() + " · " + p.TaxID.Reveal())
	}
	return option
}

func parseUUID(text string) (any, bool) {
	id, err := uuid.Parse(text)
	return id.String(), err == nil
}
