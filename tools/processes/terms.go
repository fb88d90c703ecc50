package processes

import (
	"context"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/tools"
)

// Terms are what a process asks the bank for, with the names of [portal.ProcessUpdateRequest].
type Terms struct {
	LoanAmount         pii.Money       `json:"loanAmount,omitzero" page:"loan"`
	LoanDurationMonths *int32          `json:"loanDurationMonths,omitzero" page:"loan" pii:"open"`
	ProductPurposeID   *int32          `json:"productPurposeId,omitzero" page:"loan" taxonomy:"productPurposes" validate:"omitempty,choice" pii:"open"`
	LoanPurposeID      *int32          `json:"loanPurposeId,omitzero" page:"loan" taxonomy:"loanPurposes" validate:"omitempty,choice" pii:"open"`
	ProductSchemeID    *int32          `json:"productSchemeId,omitzero" page:"loan" taxonomy:"productSchemes" validate:"omitempty,choice" pii:"open"`
	HasCrossSelling    *bool           `json:"hasCrossSelling,omitzero" page:"loan" pii:"open"`
	BranchID           *tools.BranchID `json:"branchId,omitzero" page:"loan"`
}

// longestTerm is a term in months above which a number is taken to be a mistake.
const longestTerm = 600

// problems returns what is wrong with the terms in themselves. What the bank's rules may allow is left to the bank.
func (t Terms) problems(call *tools.Call) (problems []tools.Problem) {
	if amount, given := t.LoanAmount.Reveal(); given && !amount.IsPositive() {
		problems = append(problems, call.Problem("loanAmount", "terms.amount"))
	}
	switch months := t.LoanDurationMonths; {
	case months == nil:
	case *months < 1:
		problems = append(problems, call.Problem("loanDurationMonths", "terms.months"))
	case *months > longestTerm:
		problems = append(problems, call.Warning("loanDurationMonths", "terms.months_many", "max", longestTerm))
	}
	return problems
}

func (t Terms) request() portal.ProcessUpdateRequest {
	return portal.ProcessUpdateRequest{
		LoanAmount: t.LoanAmount, LoanDurationMonths: t.LoanDurationMonths, ProductSchemeID: t.ProductSchemeID, LoanPurposeID: t.LoanPurposeID,
		ProductPurposeID: t.ProductPurposeID, HasCrossSelling: t.HasCrossSelling, BranchID: (*int32)(t.BranchID),
	}
}

// termsOf is the inverse of request.
func termsOf(request portal.ProcessUpdateRequest) Terms {
	return Terms{
		LoanAmount: request.LoanAmount, LoanDurationMonths: request.LoanDurationMonths, ProductSchemeID: request.ProductSchemeID,
		LoanPurposeID: request.LoanPurposeID, ProductPurposeID: request.ProductPurposeID, HasCrossSelling: request.HasCrossSelling,
		BranchID: (*tools.BranchID)(request.BranchID),
	}
}

// target is what the calls that change a process have in common: one at a time reads the bank and sends.
func target(ctx context.Context, call *tools.Call, ref tools.ProcessRef) ([]string, error) {
	process, err := call.Process(ctx, ref)
	return []string{"process", process.ID.String()}, err
}

// now reads a process anew, also if the call has read it before.
func now(ctx context.Context, call *tools.Call, ref tools.ProcessRef) (portal.Process, profile.Meaning, error) {
	found, err := call.Process(ctx, ref)
	if err != nil {
		return portal.Process{}, profile.Meaning{}, err
	}
	process, err := call.Bank.Process(ctx, found.ID)
	if err != nil {
		return portal.Process{}, profile.Meaning{}, err
	}
	return process, call.State(ctx, tools.FoundProcess{
		ID: process.ProcessUniqueID, Number: process.ProcessNumber, StatusID: process.ProcessStatusID, Status: process.ProcessStatusDescription,
	}), nil
}
