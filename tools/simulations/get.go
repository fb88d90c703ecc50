package simulations

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Get shows a simulation: its state, loan, costs, property and borrowers, and its process (Simulation Detail).
var Get = tools.Define(Toolset, tools.Spec{
	Name: "get_simulation", Effect: tools.Reads, Operations: []portal.OperationID{portal.SimulationDetail}, Resource: "balcao://simulations/{simulation}", Example: `{"simulation":"2103"}`,
	Next: tools.Next{
		"get_simulation_esis": {"simulation"}, "update_simulation": {"simulation", "version"},
		"send_simulation_esis": {"simulation"}, "cancel_simulation": {"simulation"}, "get_process": {"process"}, "create_process": {"simulation"},
	},
}, func(ctx context.Context, call *tools.Call, in tools.OfSimulation) (SimulationFile, error) {
	simulation, err := call.Simulation(ctx, in.Simulation)
	if err != nil {
		return SimulationFile{}, err
	}
	record := SimulationUpdate{Simulation: in.Simulation}.of(call, simulation)
	file := SimulationFile{
		Simulation: simulation.SimulationUniqueID, Number: simulation.SimulationNumber, Version: record.Version,
		Status: call.Word(ctx, simulation, "SimulationStatusID"), Process: simulation.ProcessNumber,
		Costs: costsOf(ctx, call, simulation.SimulationCosts), Fields: map[string]map[string]string{},
		process: simulation.ProcessUniqueID,
	}
	say := call.Say(call.Actor.Lang)
	file.fact(say("label.status"), file.Status)
	file.fact(say("label.reason"), call.Word(ctx, simulation, "SimulationRejectReasonID"))
	if file.Process > 0 {
		file.fact(say("label.process"), tools.FormatNumber(file.Process))
	}
	var asked []tools.Fact
	for _, field := range Update.Fields {
		group, name, grouped := strings.Cut(field.Path, ".")
		text := file.text(ctx, call, field, record)
		if !grouped || text == "" {
			continue
		}
		if file.Fields[group] == nil {
			file.Fields[group] = map[string]string{}
		}
		file.Fields[group][name] = text
		if group == "loan" || group == "property" {
			asked = append(asked, tools.Fact{Label: field.Label(call.Actor.Lang), Value: text})
		}
	}
	first := min(len(asked), shownFirst)
	file.facts = slices.Concat(file.facts, asked[:first], factsOf(ctx, call, simulation.SimulationCosts), asked[first:])
	file.fact(say("label.expires"), tools.FormatDay(say, simulation.ExpirationDate.Time))
	file.fact(say("label.branch"), call.Word(ctx, simulation, "BranchID"))
	for i, borrower := range simulation.Borrowers {
		file.addPerson(ctx, call, i, borrower)
	}
	return file, nil
})

// shownFirst is the number of fields of a loan that are shown before its costs: the amount and the term.
const shownFirst = 2

// SimulationFile is a simulation. The data of people are masked, the loan and its costs are not.
type SimulationFile struct {
	Simulation uuid.UUID                    `json:"simulation"`
	Number     int64                        `json:"number"`
	Version    string                       `json:"version" pii:"open"` // for update_simulation
	Status     string                       `json:"status" pii:"open"`
	Process    int64                        `json:"process,omitzero"`  // the number of the one that was made of it
	Fields     map[string]map[string]string `json:"fields" pii:"open"` // by group and name as create_simulation has them
	Costs

	process uuid.UUID
	facts   []tools.Fact
	people  [][]string
}

func (f *SimulationFile) fact(label, value string) {
	if value != "" {
		f.facts = append(f.facts, tools.Fact{Label: label, Value: value})
	}
}

// text returns the value of a field as people read it, "" for none: amounts of the loan and the property in full, a term as people
// say it, the rest masked as its type is.
func (f *SimulationFile) text(ctx context.Context, call *tools.Call, field tools.Field, record SimulationUpdate) string {
	value, given := field.Value(record)
	if !given {
		return ""
	}
	say := call.Say(call.Actor.Lang)
	money, isMoney := value.Interface().(pii.Money)
	switch ofPerson := strings.Contains(field.Path, "orrower"); {
	case isMoney && !ofPerson:
		amount, _ := money.Reveal()
		return tools.Euros(say, amount)
	case strings.HasSuffix(field.Name(), "Months"):
		return months(say, int32(value.Int()))
	}
	return call.Shown(ctx, field, record)
}

// months returns a term as people say it: in years where it has no other months.
func months(say tools.Say, count int32) string {
	if count%12 == 0 {
		return say("card.years", "count", count/12)
	}
	return say("card.months", "count", count)
}

// addPerson adds a borrower to the table, and one whom no form shows to the fields.
func (f *SimulationFile) addPerson(ctx context.Context, call *tools.Call, at int, borrower portal.SimulationBorrower) {
	age := borrower.BirthDate.String()
	if borrower.Age != nil {
		age = strconv.Itoa(int(*borrower.Age))
	}
	role := call.Word(ctx, borrower, "BorrowerTypeID")
	f.people = append(f.people, []string{borrower.Name.String(), role, age, borrower.Income.String()})
	if at >= maxPeople {
		f.Fields[fmt.Sprint("borrower", at+1)] = map[string]string{"name": borrower.Name.String(), "age": age}
	}
}

// Card implements [tools.Carder].
func (f SimulationFile) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title", "number", f.Number), Text: strings.TrimSpace(warnings(say, f.Warnings)), Facts: f.facts,
		Next: []tools.Step{
			tools.NextStep("get_simulation_esis", "simulation", f.Simulation),
			tools.NextStep("create_process", "simulation", f.Simulation).Labelled(say("step.create_process")),
			tools.NextStep("update_simulation", "simulation", f.Simulation, "version", f.Version),
			tools.NextStep("send_simulation_esis", "simulation", f.Simulation),
			tools.NextStep("cancel_simulation", "simulation", f.Simulation),
		},
	}
	if f.Process > 0 {
		card.Next = append([]tools.Step{tools.NextStep("get_process", "process", f.process)}, card.Next...)
	}
	if len(f.people) > 0 {
		card.Table.Columns = []string{say("label.borrower"), say("label.role"), say("field.age.label"), say("field.income.label")}
		card.Table.Rows = f.people
	}
	return card
}
