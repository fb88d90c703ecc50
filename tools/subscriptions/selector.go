package subscriptions

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Selector names the scope of a subscription. Exactly one field is set.
type Selector struct {
	Process    tools.ProcessRef    `json:"process,omitzero" page:"follow"`
	Simulation tools.SimulationRef `json:"simulation,omitzero" page:"follow"`
	Branch     string              `json:"branch,omitzero" page:"follow" validate:"omitempty,text=100" pii:"open"` // the bank has no list of them
	Phase      int32               `json:"phaseId,omitzero" page:"follow" taxonomy:"workflowPhases" pii:"open"`
	Mine       bool                `json:"mine,omitzero" page:"follow" pii:"open"` // the processes that the actor owns
	Everything bool                `json:"everything,omitzero" page:"follow" pii:"open"`
}

// CheckFields implements [tools.FieldChecker].
func (s Selector) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	given := 0
	for _, each := range []bool{s.Process != "", s.Simulation != "", strings.TrimSpace(s.Branch) != "", s.Phase != 0, s.Mine, s.Everything} {
		if each {
			given++
		}
	}
	switch given {
	case 0:
		return []tools.Problem{call.Problem("process", "subscription.missing")}
	case 1:
		return nil
	}
	return []tools.Problem{call.Problem("process", "subscription.several")}
}

// subscription returns the subscription to store, with names as the actor's person sees them at the bank.
func (s Selector) subscription(ctx context.Context, call *tools.Call) (destination.Subscription, error) {
	switch {
	case s.Process != "":
		process, err := call.Process(ctx, s.Process)
		return destination.Subscription{Kind: destination.ScopeProcess, Value: process.ID.String(), Name: tools.FormatNumber(process.Number)}, err
	case s.Simulation != "":
		simulation, err := call.Simulation(ctx, s.Simulation)
		return destination.Subscription{
			Kind: destination.ScopeSimulation, Value: simulation.SimulationUniqueID.String(), Name: tools.FormatNumber(simulation.SimulationNumber),
		}, err
	case s.Phase != 0:
		id, phase := call.Described(ctx, phases, &s.Phase)
		return destination.Subscription{Kind: destination.ScopePhase, Value: tools.FormatNumber(int64(id)), Name: phase}, nil
	case s.Mine:
		return destination.Subscription{Kind: destination.ScopePerson, Value: call.Actor.ID}, nil
	case s.Everything:
		return destination.Subscription{Kind: destination.ScopeAll}, nil
	}
	return branch(ctx, call, s.Branch)
}

const phases portal.TaxonomyKey = "workflowPhases"

// branch finds a branch by its name, or the only one whose name contains it.
func branch(ctx context.Context, call *tools.Call, name string) (destination.Subscription, error) {
	found, err := call.FindBranches(ctx, name)
	if err != nil {
		return destination.Subscription{}, err
	}
	if len(found) > 1 && tools.Fold(found[0].Description) != tools.Fold(name) {
		var names []string
		for _, branch := range found[:min(len(found), 5)] {
			names = append(names, tools.Clean(branch.Description))
		}
		return destination.Subscription{}, call.Invalid("branch", "branch.several", "names", strings.Join(names, ", "))
	}
	if len(found) == 0 {
		return destination.Subscription{}, call.Invalid("branch", "branch.unknown")
	}
	return destination.Subscription{Kind: destination.ScopeBranch, Value: strconv.Itoa(int(found[0].ID)), Name: tools.Clean(found[0].Description)}, nil
}

// matches reports whether a subscription has the scope of the selector. It does not ask the bank, so that subscriptions to
// what the bank no longer shows can be removed.
func (s Selector) matches(w destination.Subscription, actor string) bool {
	switch w.Kind {
	case destination.ScopeProcess:
		return s.Process != "" && (string(s.Process) == w.Value || string(s.Process) == w.Name)
	case destination.ScopeSimulation:
		return s.Simulation != "" && (string(s.Simulation) == w.Value || string(s.Simulation) == w.Name)
	case destination.ScopeBranch:
		return s.Branch != "" && tools.Fold(s.Branch) == tools.Fold(w.Name)
	case destination.ScopePhase:
		return s.Phase != 0 && tools.FormatNumber(int64(s.Phase)) == w.Value
	case destination.ScopePerson:
		return s.Mine && w.Value == actor
	case destination.ScopeAll:
		return s.Everything
	}
	return false
}

// SubscriptionView is a subscription as the actor reads it.
type SubscriptionView struct {
	Kind destination.Scope `json:"kind" pii:"open"`
	Name string            `json:"name,omitempty" pii:"open"` // the number of a process or simulation, or the name of a branch or phase
	Mine bool              `json:"mine,omitempty"`
}

// viewOf returns a subscription as the actor reads it.
func viewOf(ctx context.Context, call *tools.Call, w destination.Subscription) SubscriptionView {
	name := w.Name
	if id, err := strconv.ParseInt(w.Value, 10, 32); err == nil && w.Kind == destination.ScopePhase {
		phase := int32(id)
		if _, described := call.Described(ctx, phases, &phase); described != "" {
			name = described
		}
	}
	if name == "" && w.Kind != destination.ScopePerson {
		name = w.Value
	}
	return SubscriptionView{Kind: w.Kind, Name: name, Mine: w.Kind == destination.ScopePerson && w.Value == call.Actor.ID}
}

func (h SubscriptionView) text(say tools.Say) string {
	if h.Mine {
		return say("scope.mine")
	}
	return say("scope."+string(h.Kind), "name", h.Name)
}

// stop returns what a person types to stop following the process or simulation.
func (h SubscriptionView) stop(say tools.Say) string {
	if h.Kind == destination.ScopeSimulation {
		return command(say, StopFollowing, say("word.simulation")+" "+h.Name)
	}
	return command(say, StopFollowing, h.Name)
}

// publicText returns the text of the subscription for other people.
func (h SubscriptionView) publicText(say tools.Say) string {
	if h.Mine {
		return say("scope.theirs")
	}
	return h.text(say)
}

var errUnchanged = errors.New("nothing to change")

// changeSettings changes the settings of a destination. Its language is that of its first subscriber. If change returns
// errUnchanged, nothing changes.
func changeSettings(ctx context.Context, call *tools.Call, settings string, change func(*destination.Settings) error) error {
	_, err := call.Destinations().Change(ctx, settings, func(settings *destination.Settings) error {
		if settings.Lang == "" {
			settings.Lang = call.Actor.Lang
		}
		for process, until := range settings.Mutes {
			if destination.Ended(until, call.Now()) {
				delete(settings.Mutes, process)
			}
		}
		return change(settings)
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return tools.StoreError(err)
}

// settings returns the settings of the actor's destination.
func settings(ctx context.Context, call *tools.Call) (destination.Settings, error) {
	settings, err := call.Destinations().Settings(ctx, call.Actor.Destination)
	return settings, tools.StoreError(err)
}

// command returns what a person types to call a tool.
func command(say tools.Say, t *tools.Tool, text string) string {
	return strings.TrimSpace("/" + say(t.Name+".command") + " " + text)
}
