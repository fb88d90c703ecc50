package subscriptions

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// OfEither names a process or a simulation. Exactly one field is set.
type OfEither struct {
	Process    tools.ProcessRef    `json:"process,omitzero" page:"subject"`
	Simulation tools.SimulationRef `json:"simulation,omitzero" page:"subject"`
}

// CheckFields implements [tools.FieldChecker].
func (o OfEither) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	switch {
	case o.Process == "" && o.Simulation == "":
		return []tools.Problem{call.Problem("process", "subject.missing")}
	case o.Process != "" && o.Simulation != "":
		return []tools.Problem{call.Problem("process", "subject.several")}
	}
	return nil
}

// About is a process or a simulation that a setting is about.
type About struct {
	Process          uuid.UUID `json:"process,omitzero"`
	ProcessNumber    int64     `json:"processNumber,omitzero"`
	Simulation       uuid.UUID `json:"simulation,omitzero"`
	SimulationNumber int64     `json:"simulationNumber,omitzero"`
}

// about finds at the bank, as the actor's person, what the input names.
func (o OfEither) about(ctx context.Context, call *tools.Call) (About, error) {
	if o.Simulation != "" {
		simulation, err := call.Simulation(ctx, o.Simulation)
		return About{Simulation: simulation.SimulationUniqueID, SimulationNumber: simulation.SimulationNumber}, err
	}
	process, err := call.Process(ctx, o.Process)
	return About{Process: process.ID, ProcessNumber: process.Number}, err
}

// lookUp returns what an id is of, with its number. What the bank does not show counts as a process without a number.
func lookUp(ctx context.Context, call *tools.Call, id uuid.UUID) About {
	process, err := call.Bank.Process(ctx, id)
	if err == nil {
		return About{Process: id, ProcessNumber: process.ProcessNumber}
	}
	if portal.IsMissing(err) {
		if simulation, err := call.Bank.Simulation(ctx, id); err == nil {
			return About{Simulation: id, SimulationNumber: simulation.SimulationNumber}
		}
	}
	return About{Process: id}
}

// id returns the id of the process or simulation.
func (a About) id() uuid.UUID {
	if a.isSimulation() {
		return a.Simulation
	}
	return a.Process
}

func (a About) isSimulation() bool { return a.Simulation != uuid.Nil }

// name returns the number, or the id if that is unknown.
func (a About) name() string {
	if number := a.ProcessNumber + a.SimulationNumber; number != 0 {
		return tools.FormatNumber(number)
	}
	return a.id().String()
}

// text returns what it is, for a sentence: «o processo 1042».
func (a About) text(say tools.Say) string {
	if a.isSimulation() {
		return say("scope.simulation", "name", a.name())
	}
	return say("scope.process", "name", a.name())
}

// say returns a text about it, which says its number and, in a sentence, what it is.
func (a About) say(say tools.Say, key string, args ...any) string {
	return say(key, append([]any{"number", a.name(), "what", a.text(say), "simulation", a.isSimulation()}, args...)...)
}

// step returns a step to a tool that takes the process or simulation.
func (a About) step(tool string) tools.Step {
	if a.isSimulation() {
		return tools.NextStep(tool, "simulation", a.Simulation)
	}
	return tools.NextStep(tool, "process", a.Process)
}

// command returns what a person types to call a tool that takes the process or simulation.
func (a About) command(say tools.Say, t *tools.Tool) string {
	if a.isSimulation() {
		return command(say, t, say("word.simulation")+" "+a.name())
	}
	return command(say, t, a.name())
}
