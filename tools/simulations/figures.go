package simulations

import (
	"context"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Costs are what the bank computes of a loan: the figures by the names of [figures], and what they are made of by what the bank
// calls it. They are in euros and percent. They are what a person asks for, and so not masked.
type Costs struct {
	Figures    map[string]float64 `json:"figures,omitempty"`
	Insurances map[string]float64 `json:"insurances,omitempty"` // a month
	Charges    map[string]float64 `json:"charges,omitempty"`    // once
	Warnings   []string           `json:"warnings,omitempty" pii:"open"`
}

// figure is a result of the bank and how it is shown: its text is label.<name>.
type figure struct {
	name  string
	money func(portal.SimulationResults) pii.Money // or share
	share func(portal.SimulationResults) portal.Percent
	write func(tools.Say, decimal.Decimal) string
}

// figures are the results in the order in which people want them. Later is what follows the fixed years of a mixed rate.
var figures = []figure{
	{"instalment", func(r portal.SimulationResults) pii.Money { return r.InstallmentAmount }, nil, monthly},
	{"laterInstalment", func(r portal.SimulationResults) pii.Money { return r.LaterInstallmentAmount }, nil, monthly},
	{"nominalRate", nil, func(r portal.SimulationResults) portal.Percent { return r.NominalRate }, tools.Percent},
	{"laterNominalRate", nil, func(r portal.SimulationResults) portal.Percent { return r.LaterNominalRate }, tools.Percent},
	{"indexRate", nil, func(r portal.SimulationResults) portal.Percent { return r.IndexRate }, tools.Percent},
	{"spread", nil, func(r portal.SimulationResults) portal.Percent { return r.Spread }, tools.Percent},
	{"taeg", nil, func(r portal.SimulationResults) portal.Percent { return r.TAEG }, tools.Percent},
	{"mtic", func(r portal.SimulationResults) pii.Money { return r.MTIC }, nil, tools.Euros},
	{"monthlyInsurance", func(r portal.SimulationResults) pii.Money { return r.MonthlyInsurance }, nil, monthly},
	{"initialCharges", func(r portal.SimulationResults) pii.Money { return r.InitialCharges }, nil, tools.Euros},
	{"totalInterest", func(r portal.SimulationResults) pii.Money { return r.TotalInterest }, nil, tools.Euros},
	{"stressedInstalment", func(r portal.SimulationResults) pii.Money { return r.StressedInstallmentAmount }, nil, monthly},
	{"loanToValue", nil, func(r portal.SimulationResults) portal.Percent { return r.LoanToValue }, tools.Percent},
	{"debtServiceToIncome", nil, func(r portal.SimulationResults) portal.Percent { return r.DebtServiceToIncome }, tools.Percent},
}

func (f figure) of(results portal.SimulationResults) (value decimal.Decimal, known bool) {
	if f.money != nil {
		return f.money(results).Reveal()
	}
	return f.share(results).Value()
}

func monthly(say tools.Say, amount decimal.Decimal) string {
	return say("card.monthly", "amount", tools.Euros(say, amount))
}

func costsOf(ctx context.Context, call *tools.Call, costs portal.SimulationCosts) Costs {
	c := Costs{Figures: map[string]float64{}, Insurances: map[string]float64{}, Charges: map[string]float64{}}
	for _, figure := range figures {
		if costs.Results == nil {
			break
		}
		if value, known := figure.of(*costs.Results); known {
			c.Figures[figure.name] = value.InexactFloat64()
		}
	}
	for _, insurance := range costs.Insurances {
		if cost, known := insurance.MonthlyCost.Reveal(); known {
			c.Insurances[call.Word(ctx, insurance, "InsuranceTypeID")] += cost.InexactFloat64()
		}
	}
	for _, charge := range costs.BankCharges {
		if amount, known := charge.Amount.Reveal(); known {
			c.Charges[call.Word(ctx, charge, "BankChargeTypeID")] += amount.InexactFloat64()
		}
	}
	for _, warning := range costs.Warnings {
		if text := tools.Clean(warning.Message); text != "" {
			c.Warnings = append(c.Warnings, text)
		}
	}
	return c
}

// factsOf returns the costs as text: the figures, and each insurance and charge.
func factsOf(ctx context.Context, call *tools.Call, costs portal.SimulationCosts) (facts []tools.Fact) {
	say := call.Say(call.Actor.Lang)
	for _, figure := range figures {
		if costs.Results == nil {
			break
		}
		if value, known := figure.of(*costs.Results); known {
			facts = append(facts, tools.Fact{Label: say("label." + figure.name), Value: figure.write(say, value)})
		}
	}
	for _, insurance := range costs.Insurances {
		if cost, known := insurance.MonthlyCost.Reveal(); known {
			facts = append(facts, tools.Fact{Label: call.Word(ctx, insurance, "InsuranceTypeID"), Value: monthly(say, cost)})
		}
	}
	for _, charge := range costs.BankCharges {
		if amount, known := charge.Amount.Reveal(); known {
			facts = append(facts, tools.Fact{Label: call.Word(ctx, charge, "BankChargeTypeID"), Value: tools.Euros(say, amount)})
		}
	}
	return facts
}

// warnings returns what the bank warns of, each on a line of its own.
func warnings(say tools.Say, texts []string) (lines string) {
	for _, text := range texts {
		lines += "\n" + say("card.warning", "text", text)
	}
	return lines
}

// Essentials are the figures that a person is told of a simulation that was created or changed, 0 if the bank has not said them.
type Essentials struct {
	Instalment  float64 `json:"instalment,omitzero"`  // euros a month
	NominalRate float64 `json:"nominalRate,omitzero"` // percent, as the next one
	TAEG        float64 `json:"taeg,omitzero"`
	MTIC        float64 `json:"mtic,omitzero"` // euros
}

func essentialsOf(results *portal.SimulationResults) (e Essentials) {
	if results == nil {
		return e
	}
	for _, figure := range figures {
		to := map[string]*float64{"instalment": &e.Instalment, "nominalRate": &e.NominalRate, "taeg": &e.TAEG, "mtic": &e.MTIC}[figure.name]
		if value, known := figure.of(*results); known && to != nil {
			*to = value.InexactFloat64()
		}
	}
	return e
}

func (e Essentials) facts(say tools.Say) (facts []tools.Fact) {
	values := map[string]float64{"instalment": e.Instalment, "nominalRate": e.NominalRate, "taeg": e.TAEG, "mtic": e.MTIC}
	for _, figure := range figures {
		if value := values[figure.name]; value != 0 {
			facts = append(facts, tools.Fact{Label: say("label." + figure.name), Value: figure.write(say, decimal.NewFromFloat(value))})
		}
	}
	return facts
}
