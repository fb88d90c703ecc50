package simulations

import (
	"context"
	"reflect"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Validate asks the bank for the costs of a loan, or for what is wrong with it, without creating anything (Simulation Validate).
var Validate = tools.Define(Toolset, tools.Spec{
	Name: "validate_simulation", Effect: tools.Reads, Operations: []portal.OperationID{portal.SimulationValidate},
	Like: map[string]string{
		"loan": "loan of create_simulation", "property": "property of create_simulation", "borrower": "borrower of create_simulation",
		"secondBorrower": "borrower of create_simulation",
	},
	Next: tools.Next{"create_simulation": {}, "update_simulation": {"simulation"}},
	Example: `{"loan":{"loanAmount":180000,"loanDurationMonths":420,"indexTypeId":3,"loanPurposeId":1,"productPurposeId":1},` +
		`"property":{"estimatedValue":225000},"borrower":{"age":34,"income":2400}}`,
}, func(ctx context.Context, call *tools.Call, in Calculation) (Calculated, error) {
	request, err := in.request(ctx, call)
	if err != nil {
		return Calculated{}, err
	}
	validated, err := call.Bank.ValidateSimulation(ctx, request)
	if err != nil {
		return Calculated{}, err
	}
	calculated := Calculated{Costs: costsOf(ctx, call, validated.SimulationCosts), simulation: in.Simulation}
	problems, notes := call.Reasons(validated.Problems)
	calculated.Refusals = notes
	for _, problem := range problems {
		if call.Actor.Assistant { // the notes have the others
			calculated.Refusals = append(calculated.Refusals, problem.Text)
		}
	}
	say := call.Say(call.Actor.Lang)
	if loan := request.Loan; loan != nil && loan.LoanDurationMonths != nil {
		amount, _ := loan.LoanAmount.Reveal()
		calculated.facts = []tools.Fact{
			{Label: say("field.loanAmount.label"), Value: tools.Euros(say, amount)},
			{Label: say("label.term"), Value: months(say, *loan.LoanDurationMonths)},
		}
	}
	calculated.facts = append(calculated.facts, factsOf(ctx, call, validated.SimulationCosts)...)
	return calculated, nil
})

// Calculation has what the costs of a loan depend on, under the names of [SimulationDetails]; nobody is named. With a simulation
// of the bank, what is given replaces its data.
type Calculation struct {
	Simulation tools.SimulationRef `json:"simulation,omitzero" page:"-"`
	Loan       LoanTerms           `json:"loan,omitzero" page:"calculation"`
	Property   PropertyValue       `json:"property,omitzero" page:"calculation"`
	Borrower   PersonMeans         `json:"borrower,omitzero" page:"calculation"`
	Second     PersonMeans         `json:"secondBorrower,omitzero" page:"calculation"`
}

// LoanTerms has the fields of [LoanDetails].
type LoanTerms struct {
	LoanAmount             pii.Money `json:"loanAmount,omitzero" required:"form" validate:"omitempty,amount"`
	LoanDurationMonths     *int32    `json:"loanDurationMonths,omitzero" required:"form" pii:"open"`
	GracePeriodMonths      *int32    `json:"gracePeriodMonths,omitzero" page:"-" pii:"open"`
	IndexTypeID            *int32    `json:"indexTypeId,omitzero" required:"form" validate:"omitempty,choice" taxonomy:"indexTypes" pii:"open"`
	IndexTypeSubCategoryID *int32    `json:"indexTypeSubCategoryId,omitzero" page:"-" taxonomy:"indexTypeSubCategories" pii:"open"`
	MixedFixedPeriodID     *int32    `json:"mixedFixedPeriodId,omitzero" taxonomy:"mixedFixedPeriod" pii:"open"`
	FixedFixedPeriodID     *int32    `json:"fixedFixedPeriodId,omitzero" taxonomy:"fixedFixedPeriod" pii:"open"`
	ProductSchemeID        *int32    `json:"productSchemeId,omitzero" page:"-" taxonomy:"productSchemes" pii:"open"`
	LoanPurposeID          *int32    `json:"loanPurposeId,omitzero" validate:"omitempty,choice" taxonomy:"loanPurposes" pii:"open"`
	ProductPurposeID       *int32    `json:"productPurposeId,omitzero" validate:"omitempty,choice" taxonomy:"productPurposes" pii:"open"`
	HasCrossSelling        *bool     `json:"hasCrossSelling,omitzero" page:"-" pii:"open"`
	BranchID               *int32    `json:"branchId,omitzero" page:"-" pii:"open"`
}

// PropertyValue is what a property is worth, in euros.
type PropertyValue struct {
	EstimatedValue    pii.Money `json:"estimatedValue,omitzero" validate:"omitempty,amount"`
	AcquisitionAmount pii.Money `json:"acquisitionAmount,omitzero" validate:"omitempty,amount"`
}

// PersonMeans is what the costs depend on of a person.
type PersonMeans struct {
	BirthDate        pii.BirthDate `json:"birthDate,omitzero" page:"-" validate:"omitempty,date,adult"`
	Age              *int32        `json:"age,omitzero" pii:"id"`
	Income           pii.Money     `json:"income,omitzero" validate:"omitempty,amount"`
	InstallmentOther pii.Money     `json:"installmentOther,omitzero" validate:"omitempty,amount"`
	DependentsNumber *int32        `json:"dependentsNumber,omitzero" page:"-" validate:"omitempty,dependants" pii:"open"`
}

func (p PersonMeans) details() PersonDetails {
	return PersonDetails{
		BirthDate: p.BirthDate, Age: p.Age, Income: p.Income, InstallmentOther: p.InstallmentOther, DependentsNumber: p.DependentsNumber,
	}
}

// details returns the calculation as the details of a simulation.
func (c Calculation) details() SimulationDetails {
	return SimulationDetails{
		Loan: LoanDetails(c.Loan), Borrower: c.Borrower.details(), Second: c.Second.details(),
		Property: PropertyDetails{EstimatedValue: c.Property.EstimatedValue, AcquisitionAmount: c.Property.AcquisitionAmount},
	}
}

// CheckFields implements [tools.FieldChecker]. Without a simulation the bank needs a whole loan.
func (c Calculation) CheckFields(ctx context.Context, call *tools.Call) (problems []tools.Problem) {
	if c.Simulation != "" {
		return c.details().Loan.check(call)
	}
	for _, field := range Validate.Fields {
		if _, given := field.Value(c); field.Asked && !given {
			problems = append(problems, call.Problem(field.Path, "calculation.missing"))
		}
	}
	return append(problems, c.details().CheckFields(ctx, call)...)
}

// request returns the bank's request.
func (c Calculation) request(ctx context.Context, call *tools.Call) (portal.SimulationRequest, error) {
	if c.Simulation == "" {
		return c.details().request(ctx, call), nil
	}
	simulation, err := call.Simulation(ctx, c.Simulation)
	if err != nil {
		return portal.SimulationRequest{}, err
	}
	whole := detailsOf(simulation)
	overlay(reflect.ValueOf(&whole).Elem(), reflect.ValueOf(c.details()))
	return SimulationUpdate{SimulationDetails: whole, was: simulation}.request(ctx, call), nil
}

// overlay replaces the fields of a struct, and of those in it, by the ones that another of its type has.
func overlay(to, from reflect.Value) {
	for i := range from.NumField() {
		field := from.Field(i)
		switch _, isGroup := field.Interface().(pii.Classed); {
		case field.Kind() == reflect.Struct && !isGroup:
			overlay(to.Field(i), field)
		case !field.IsZero():
			to.Field(i).Set(field)
		}
	}
}

// Calculated are the costs of a loan, or what is wrong with it.
type Calculated struct {
	Refusals []string `json:"refusals,omitempty" pii:"open"` // why the bank would refuse the simulation; then nothing else is known
	Costs
	simulation tools.SimulationRef
	facts      []tools.Fact
}

// Card implements [tools.Carder].
func (c Calculated) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title"), Next: []tools.Step{tools.NextStep("create_simulation")}}
	if c.simulation != "" {
		card.Next = []tools.Step{tools.NextStep("update_simulation", "simulation", c.simulation)}
	}
	if len(c.Refusals) > 0 {
		card.Text = say("card.refused")
		for _, text := range c.Refusals {
			card.Text += "\n• " + text
		}
		return card
	}
	card.Text, card.Facts = say("card.text")+warnings(say, c.Warnings), c.facts
	return card
}
