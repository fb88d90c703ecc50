package notifications

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// How long the bank's lists of states and phases are used, and how long after a failure they are not read.
const (
	listTTL   = 6 * time.Hour
	listRetry = 30 * time.Second
)

// phases says what the state of a process or simulation means, and caches the bank's lists of states and phases for it. A cached list is
// used while the bank is down.
type phases struct {
	states profile.States
	// simulation returns what a state of a simulation means; nil for nothing.
	simulation func(id int32, descriptions ...string) (profile.SimulationMeaning, bool)
	unknown    func(state int32)                                                        // called for each state whose meaning is not known; may be nil
	read       func(context.Context, portal.TaxonomyKey) ([]portal.TaxonomyItem, error) // nil without a bank
	now        func() time.Time

	mu            sync.Mutex
	workflow      profile.Workflow
	ofSimulations map[int32]string // the bank's descriptions of the states of simulations
	cached        bool
	err           error // of the last read, while nothing is cached
	next          time.Time
}

// of returns the bank's phase of a process and what its state means. See [phases.phase].
func (p *phases) of(ctx context.Context, s Snapshot) (phase profile.Phase, meaning profile.Meaning, err error) {
	if s.Simulation != uuid.Nil {
		return profile.Phase{}, p.ofSimulation(ctx, s.StatusID, s.Status), nil
	}
	return p.phase(ctx, s.StatusID, s.Status, profile.Phase{ID: s.PhaseID, Description: s.Phase})
}

// phase returns the bank's phase of a state and what the state means, both the zero value if unknown. said is the phase in
// the same reply. It returns an error if the phase is unknown and the lists were never read.
func (p *phases) phase(ctx context.Context, id int32, status string, said profile.Phase) (phase profile.Phase, meaning profile.Meaning, err error) {
	workflow, err := p.lists(ctx)
	meaning, known := workflow.Meaning(id, status)
	if !known && err == nil && p.unknown != nil {
		p.unknown(id)
	}
	phase, ok := workflow.Phase(id, status, said)
	if ok {
		err = nil
	}
	return phase, meaning, err
}

// ofSimulation returns what the state of a simulation means. Simulations are in no phase.
func (p *phases) ofSimulation(ctx context.Context, id int32, status string) profile.Meaning {
	if p.simulation == nil {
		return profile.Meaning{}
	}
	_, _ = p.lists(ctx) // without lists, the status and the profile tell
	of, known := p.simulation(id, status, p.simulationStatus(id))
	if !known && p.unknown != nil {
		p.unknown(id)
	}
	meaning := profile.Meaning{Name: of.Name, Turn: of.Turn}
	if of.Ends {
		meaning.Ends = profile.Cancelled
	}
	return meaning
}

func (p *phases) simulationStatus(id int32) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ofSimulations[id]
}

// decided returns the name of what the state of a simulation means, "" if it is not known.
func (p *phases) decided(ctx context.Context, s Snapshot) string {
	return p.ofSimulation(ctx, s.StatusID, s.Status).Name
}

// describe returns the description of the state of a process or simulation, or else its id.
func (p *phases) describe(ctx context.Context, s Snapshot) string {
	if s.Simulation != uuid.Nil {
		_, _ = p.lists(ctx)
		return named(cmp.Or(s.Status, p.simulationStatus(s.StatusID)), s.StatusID)
	}
	workflow, _ := p.lists(ctx)
	return workflow.Description(s.StatusID, s.Status)
}

// ended reports whether a process or simulation in a state has ended.
func (p *phases) ended(ctx context.Context, of Subject, id int32, status string) bool {
	if of.Simulation != uuid.Nil {
		return p.ofSimulation(ctx, id, status).Ends != profile.Open
	}
	workflow, _ := p.lists(ctx) // without lists, the status and the profile tell
	meaning, _ := workflow.Meaning(id, status)
	return meaning.Ends != profile.Open
}

func (p *phases) lists(ctx context.Context) (profile.Workflow, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.cached {
		p.workflow = p.states.Workflow(nil, nil)
	}
	if p.read == nil || p.now().Before(p.next) {
		return p.workflow, p.err
	}
	groups, err := p.read(ctx, "workflowPhases")
	items, stateless := p.read(ctx, "workflowStatesProposal")
	if err = errors.Join(err, stateless); err != nil {
		p.next = p.now().Add(listRetry)
		if !p.cached {
			p.err = fmt.Errorf("reading the bank's phases: %w", err)
		}
		return p.workflow, p.err
	}
	if listed, err := p.read(ctx, "workflowStatesSimulation"); err == nil { // of use, and not needed
		p.ofSimulations = map[int32]string{}
		for _, item := range listed {
			p.ofSimulations[item.ID] = item.Description
		}
	}
	var states []profile.State
	for _, item := range items {
		states = append(states, profile.State{ID: item.ID, Description: item.Description, PhaseID: item.ParentID})
	}
	var phases []profile.Phase
	for _, item := range groups {
		phases = append(phases, profile.Phase{ID: item.ID, Description: item.Description})
	}
	p.workflow, p.cached, p.err, p.next = p.states.Workflow(states, phases), true, nil, p.now().Add(listTTL)
	return p.workflow, nil
}
