package tools

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// indexedSimulations is the table of the index with the ids of simulations by number.
const indexedSimulations = "simulations"

// indexedSimulation is an entry of the table of simulations.
type indexedSimulation struct {
	ID   uuid.UUID `json:"id"`
	Seen time.Time `json:"seen"`
}

// The limits of a search for the number of a simulation that was not seen before: the bank's filter does not look at numbers.
const (
	maxSimulationPages = 10
	simulationsAPage   = 100
)

// NoteSimulations stores the numbers of simulations that the bank has returned. A failure is logged.
func (c *Call) NoteSimulations(ctx context.Context, simulations ...portal.SimulationSummary) {
	values := map[string][]byte{}
	for _, simulation := range simulations {
		if simulation.SimulationNumber == 0 || simulation.SimulationUniqueID == uuid.Nil {
			continue
		}
		data, err := json.Marshal(indexedSimulation{simulation.SimulationUniqueID, c.Now().UTC()})
		if err != nil {
			panic(err) // an id and a time marshal
		}
		values[FormatNumber(simulation.SimulationNumber)] = data
	}
	if len(values) == 0 {
		return
	}
	if err := c.index.store().PutIndexed(ctx, c.index.key(), indexedSimulations, values); err != nil {
		c.runner.Log.WarnContext(ctx, "storing simulations in the index failed", "error", pii.Scrub(err.Error()))
	}
}

// Simulation returns the simulation that ref names, with all data that the bank has. The bank is asked once in a call.
func (c *Call) Simulation(ctx context.Context, ref SimulationRef) (portal.Simulation, error) {
	if simulation, read := c.knownSimulation(ref); read {
		return simulation, nil
	}
	return c.ReadSimulation(ctx, ref)
}

// knownSimulation returns a simulation that this call has read.
func (c *Call) knownSimulation(ref SimulationRef) (portal.Simulation, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	simulation, read := c.simulations[ref]
	return simulation, read
}

// ReadSimulation is [Call.Simulation] for what may have changed since this call has read it.
func (c *Call) ReadSimulation(ctx context.Context, ref SimulationRef) (portal.Simulation, error) {
	id, err := uuid.Parse(string(ref))
	if err != nil || len(ref) != len(id.String()) {
		number, err := strconv.ParseInt(string(ref), 10, 64)
		if err != nil {
			return portal.Simulation{}, &Error{Kind: Invalid, Problems: []Problem{problem(c.Actor.Lang, "simulation", "kind.simulation")}}
		}
		if id, err = c.simulationID(ctx, number); err != nil {
			return portal.Simulation{}, err
		}
	}
	simulation, err := c.Bank.Simulation(ctx, id)
	if err != nil {
		return portal.Simulation{}, simulationMissing(err)
	}
	c.mu.Lock()
	if c.simulations == nil {
		c.simulations = map[SimulationRef]portal.Simulation{}
	}
	c.simulations[ref] = simulation
	c.simulations[SimulationRef(simulation.SimulationUniqueID.String())] = simulation
	c.simulations[SimulationRef(FormatNumber(simulation.SimulationNumber))] = simulation
	c.mu.Unlock()
	c.NoteSimulations(ctx, simulation.SimulationSummary)
	return simulation, nil
}

// simulationID returns the id of the simulation with a number: from the index, or else from the bank's list, whose newest
// pages are read.
func (c *Call) simulationID(ctx context.Context, number int64) (uuid.UUID, error) {
	data, known, err := c.index.store().Indexed(ctx, c.index.key(), indexedSimulations, FormatNumber(number))
	if err != nil {
		return uuid.Nil, StoreError(err)
	}
	var entry indexedSimulation
	if known && json.Unmarshal(data, &entry) == nil && c.index.fresh(entry.Seen, indexLife) {
		return entry.ID, nil
	}
	query, read := portal.SimulationQuery{Limit: simulationsAPage}, 0
	for range maxSimulationPages {
		page, err := c.Bank.ListSimulations(ctx, query)
		if err != nil {
			return uuid.Nil, err
		}
		c.NoteSimulations(ctx, page.Simulations...)
		for _, simulation := range page.Simulations {
			if simulation.SimulationNumber == number {
				return simulation.SimulationUniqueID, nil
			}
		}
		read += len(page.Simulations)
		if page.Next == "" || page.Next == query.After {
			return uuid.Nil, &Error{Kind: NotFound, about: Simulation}
		}
		query.After = page.Next
	}
	return uuid.Nil, &Error{Kind: Unavailable, about: Simulation, list: listUnread, listed: read, err: errListUnread}
}

// simulationMissing turns the bank's answer that a simulation does not exist, or is another broker's, into NotFound.
func simulationMissing(err error) error {
	if portal.IsMissing(err) {
		return &Error{Kind: NotFound, about: Simulation, err: err}
	}
	return err
}

// SimulationFilter is what the simulations of a search have in common. An empty field admits every simulation.
type SimulationFilter struct {
	Text  pii.Name `json:"text,omitzero"`  // a number, a borrower's name or tax number, or a branch
	State int32    `json:"state,omitzero"` // taxonomy workflowStatesSimulation
}

// FoundSimulations is a page of a search for simulations, newest first.
type FoundSimulations struct {
	Simulations []portal.SimulationSummary
	Total       int    // 0 if the bank does not say
	Next        string // the cursor of the page that follows; "" if this is the last
}

// simulationSearch is where a page of a search ends; see [Call.storeSearch].
type simulationSearch struct {
	Filter SimulationFilter `json:"filter"`
	After  string           `json:"after"` // the bank's cursor
}

// SearchSimulations returns a page of the simulations that a filter admits, at most limit. With a cursor the search continues
// where that page ended, with its filter; cursors are as those of [Call.SearchProcesses].
func (c *Call) SearchSimulations(ctx context.Context, filter SimulationFilter, cursor string, limit int) (found FoundSimulations, err error) {
	at := simulationSearch{Filter: filter}
	if cursor != "" {
		if err := c.readSearch(ctx, cursor, &at); err != nil {
			return found, err
		}
	}
	found, err = c.findSimulations(ctx, at, limit)
	if err != nil || found.Next == "" {
		return found, err
	}
	found.Next, err = c.storeSearch(ctx, simulationSearch{at.Filter, found.Next})
	return found, err
}

// findSimulations reads the page of the bank's list after a search ended. A text that is only a number also finds the simulation with
// it, which the bank's filter does not look for.
func (c *Call) findSimulations(ctx context.Context, at simulationSearch, limit int) (found FoundSimulations, err error) {
	query := portal.SimulationQuery{Text: at.Filter.Text, Limit: limit, After: at.After}
	if at.Filter.State != 0 {
		query.StatusID = &at.Filter.State
	}
	text := strings.TrimSpace(at.Filter.Text.Reveal())
	if isNumber(text) && !isTaxNumber(text) && query.StatusID == nil && at.After == "" {
		simulation, err := c.Simulation(ctx, SimulationRef(text))
		switch {
		case err == nil:
			return FoundSimulations{Simulations: []portal.SimulationSummary{simulation.SimulationSummary}, Total: 1}, nil
		case convert(err).Kind != NotFound:
			return found, err
		}
	}
	page, err := c.Bank.ListSimulations(ctx, query)
	if err != nil {
		return found, err
	}
	c.NoteSimulations(ctx, page.Simulations...)
	return FoundSimulations{Simulations: page.Simulations, Total: page.TotalRecords, Next: page.Next}, nil
}

// SimulationState returns what the state of a simulation means, the zero value if that is not known. The bank's list is read
// if the status does not tell.
func (c *Call) SimulationState(ctx context.Context, simulation portal.SimulationSummary) profile.SimulationMeaning {
	means := c.runner.SimulationStates
	meaning, known := means(simulation.SimulationStatusID, simulation.SimulationStatusDescription)
	if !known {
		for _, item := range c.listed(ctx, "workflowStatesSimulation") {
			if item.ID == simulation.SimulationStatusID {
				meaning, _ = means(item.ID, item.Description)
			}
		}
	}
	return meaning
}
