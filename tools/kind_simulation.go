package tools

import (
	"context"
	"strconv"
	"strings"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// SimulationRef names a simulation as people do: by its number ("2017") or by its uuid.
type SimulationRef string

// Class returns [pii.Open].
func (SimulationRef) Class() pii.Class { return pii.Open }

// simulationChoices are the broker's simulations.
type simulationChoices struct{}

// List implements [Choices].
func (simulationChoices) List(ctx context.Context, call *Call, _ Field, query string, _ map[string]string) ([]Option, error) {
	found, err := call.findSimulations(ctx, simulationSearch{Filter: SimulationFilter{Text: pii.New[pii.Name](query)}}, MaxOptions)
	if err != nil {
		return nil, err
	}
	var options []Option
	for _, simulation := range found.Simulations {
		options = append(options, Option{
			Value: simulation.SimulationUniqueID.String(),
			Text:  FormatNumber(simulation.SimulationNumber) + " · " + simulation.BorrowerName.String(),
			Note:  call.Word(ctx, simulation, "SimulationStatusID"),
		})
	}
	return options, nil
}

// Find implements [Choices]. The option of a single simulation does not name the client.
func (simulationChoices) Find(ctx context.Context, call *Call, _ Field, value string, _ map[string]string) (Option, bool) {
	simulation, err := call.Simulation(ctx, SimulationRef(value))
	if err != nil {
		return Option{}, false
	}
	return Option{
		Value: simulation.SimulationUniqueID.String(), Text: FormatNumber(simulation.SimulationNumber),
		Note: call.Word(ctx, simulation, "SimulationStatusID"),
	}, true
}

// Stage implements staged.
func (simulationChoices) Stage(ctx context.Context, call *Call, ref string) (Stage, error) {
	simulation, err := call.Simulation(ctx, SimulationRef(ref))
	if err != nil {
		return Stage{}, err
	}
	return call.stageOfSimulation(ctx, simulation), nil
}

// Known implements staged.
func (simulationChoices) Known(ctx context.Context, call *Call, ref string) (Stage, bool) {
	simulation, known := call.knownSimulation(SimulationRef(ref))
	if !known {
		return Stage{}, false
	}
	return call.stageOfSimulation(ctx, simulation), true
}

func (c *Call) stageOfSimulation(ctx context.Context, simulation portal.Simulation) Stage {
	meaning := c.SimulationState(ctx, simulation.SimulationSummary)
	state := StateMeaning{Name: meaning.Name, Editable: meaning.Editable, Cancelable: meaning.Cancelable, Convertible: meaning.Convertible}
	if meaning.Ends {
		state.Ends = profile.Cancelled
	}
	return Stage{
		Subject: Subject{Simulation: simulation.SimulationUniqueID}, Number: simulation.SimulationNumber,
		StatusID: simulation.SimulationStatusID, Status: c.Word(ctx, simulation, "SimulationStatusID"), Meaning: state,
	}
}

// SimulationPersonRef names a person of a simulation by the position among its borrowers, from 1: the bank has no ids for them.
type SimulationPersonRef string

// Class returns [pii.Open].
func (SimulationPersonRef) Class() pii.Class { return pii.Open }

// simulationPeople are the borrowers of the simulation beside a field.
type simulationPeople struct{}

// List implements [Choices].
func (simulationPeople) List(ctx context.Context, call *Call, field Field, query string, answers map[string]string) ([]Option, error) {
	simulation, err := call.Simulation(ctx, SimulationRef(field.beside(Simulation, answers)))
	if err != nil {
		return nil, err
	}
	var options []Option
	for i, borrower := range simulation.Borrowers {
		if option := call.simulationPerson(ctx, i, borrower); strings.Contains(Fold(option.Text+" "+option.Note), Fold(query)) {
			options = append(options, option)
		}
	}
	return options, nil
}

// Find implements [Choices].
func (simulationPeople) Find(ctx context.Context, call *Call, field Field, value string, answers map[string]string) (Option, bool) {
	_, borrower, err := call.SimulationBorrower(ctx, SimulationRef(field.beside(Simulation, answers)), SimulationPersonRef(value))
	if err != nil {
		return Option{}, false
	}
	at, _ := strconv.Atoi(value)
	return call.simulationPerson(ctx, at-1, borrower), true
}

// simulationPerson returns the option of a person of a simulation: the masked name, and the role.
func (c *Call) simulationPerson(ctx context.Context, at int, borrower portal.SimulationBorrower) Option {
	role := c.Word(ctx, borrower, "BorrowerTypeID")
	option := Option{Value: strconv.Itoa(at + 1), Text: strconv.Itoa(at+1) + " · " + role, Note: role}
	if !borrower.Name.IsZero() {
		option.Text = strconv.Itoa(at+1) + " · " + borrower.Name.String()
		option.Clear = pii.New[pii.Private](borrower.Name.Reveal())
	}
	return option
}

// SimulationBorrower returns a person of a simulation.
func (c *Call) SimulationBorrower(ctx context.Context, ref SimulationRef, person SimulationPersonRef) (portal.Simulation, portal.SimulationBorrower, error) {
	simulation, err := c.Simulation(ctx, ref)
	if err != nil {
		return portal.Simulation{}, portal.SimulationBorrower{}, err
	}
	at, err := strconv.Atoi(string(person))
	if err != nil || at < 1 || at > len(simulation.Borrowers) {
		return simulation, portal.SimulationBorrower{}, &Error{Kind: Invalid, Problems: []Problem{problem(c.Actor.Lang, "borrower", "kind.simulation_person")}}
	}
	return simulation, simulation.Borrowers[at-1], nil
}
