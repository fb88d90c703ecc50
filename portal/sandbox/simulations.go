package sandbox

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

func init() {
	serve(portal.SimulationList, (*Bank).listSimulations)
	serve(portal.SimulationDetail, (*Bank).simulationDetail)
	serve(portal.SimulationValidate, (*Bank).validateSimulation)
	// The codes of the bank's table of production codes (confirmed).
	serveWrite(portal.SimulationCreate, "010101", (*Bank).createSimulation)
	serveWrite(portal.SimulationUpdate, "010201", (*Bank).updateSimulation)
	serveWrite(portal.SimulationCancel, "010401", (*Bank).cancelSimulation)
	serve(portal.SimulationsMessageList, (*Bank).listSimulationMessages)
	serveWrite(portal.SimulationsMessageCreate, "020101", (*Bank).createSimulationMessage)
}

// simulation returns the simulation that the path names. One of another broker, or hidden from the user, is refused as one that
// does not exist. The caller holds the bank's lock.
func (b *Bank) simulation(c *call) (*simulation, error) {
	id, err := pathID(c, "simulationUniqueId")
	if err != nil {
		return nil, err
	}
	s, ok := b.store.simulations[id]
	if !ok || !b.sees(c.session, s) {
		return nil, refused(http.StatusBadRequest, "simulation.missing")
	}
	s.expire(c.now)
	return s, nil
}

type simulationPage struct {
	TotalRecords   int                        `json:"totalRecords"`
	HasMoreResults bool                       `json:"hasMoreResults"`
	List           []portal.SimulationSummary `json:"list"`
}

// listSimulations is Simulation List. Its parameters are confirmed; that the newest comes first, and that nextRecord is the last
// of the page before, is ours.
func (b *Bank) listSimulations(c *call) (any, error) {
	filter, err := readFilter(c, "filterSimulationStatus", "workflowStatesSimulation")
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var matching []*simulation
	var ids []uuid.UUID
	for _, s := range b.store.simulationsOf(c.session.broker.UID) {
		s.expire(c.now)
		if b.sees(c.session, s) && filter.match(s.record(), c.lang) {
			matching, ids = append(matching, s), append(ids, s.id)
		}
	}
	start, end, err := filter.window(ids)
	if err != nil {
		return nil, err
	}
	page := simulationPage{TotalRecords: len(matching), HasMoreResults: end < len(matching), List: []portal.SimulationSummary{}}
	for _, s := range matching[start:end] {
		page.List = append(page.List, s.summary(c.lang))
	}
	return page, nil
}

func (b *Bank) simulationDetail(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := b.simulation(c)
	if err != nil {
		return nil, err
	}
	return b.detailOf(s, c), nil
}

// simulationCreated is the reply to Simulation Create, with a status as in [written].
type simulationCreated struct {
	Status operationStatus `json:"operationStatus"`
	Data   struct {
		SimulationUniqueID uuid.UUID `json:"simulationUniqueID"`
		SimulationNumber   int64     `json:"simulationNumber"`
	} `json:"additionalData"`
}

// createSimulation creates a simulation of the broker (confirmed), unless a rule forbids it.
func (b *Bank) createSimulation(c *call) (any, error) {
	var data portal.SimulationRequest
	if err := decode(c.body, &data); err != nil {
		return nil, err
	}
	if problems := b.checkSimulation(data, c); len(problems) > 0 {
		return nil, &refusal{http.StatusBadRequest, problems}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.store.simulated++
	s := &simulation{
		id: uuid.New(), number: int64(firstSimulation + b.store.simulated - 1), broker: c.session.broker.UID, created: c.now, last: c.now,
		branch: defaultBranch, values: b.values,
	}
	s.set(data, c.now)
	b.store.simulations[s.id] = s
	b.tellState(s)
	reply := simulationCreated{Status: success(c, map[string]any{"id": s.id})}
	reply.Data.SimulationUniqueID, reply.Data.SimulationNumber = s.id, s.number
	return reply, nil
}

// updateSimulation changes what the body has and leaves the rest, as the guide says of PATCH (confirmed). Arrays are replaced.
func (b *Bank) updateSimulation(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := b.simulation(c)
	if err != nil {
		return nil, err
	}
	var changes portal.SimulationRequest
	if err := decode(c.body, &changes); err != nil {
		return nil, err
	}
	if !s.meaning().Editable {
		return nil, refused(http.StatusBadRequest, "simulation.state")
	}
	data := merged(s.data, changes)
	if problems := b.checkSimulation(data, c); len(problems) > 0 {
		return nil, &refusal{http.StatusBadRequest, problems}
	}
	before := s.state
	s.set(data, c.now)
	if s.state != before {
		b.tellState(s)
	}
	return simulationWritten(c, s), nil
}

// simulationWritten is the reply to a write whose text has the id (confirmed).
func simulationWritten(c *call, s *simulation) written {
	return written{success(c, map[string]any{"id": s.id})}
}

// simulationCosts is the reply to Simulation Validate.
type simulationCosts struct{ portal.SimulationCosts }

// validateSimulation computes a simulation that does not exist, or refuses it as Simulation Create would. It changes nothing, and
// needs no code (confirmed: the bank's table has none).
func (b *Bank) validateSimulation(c *call) (any, error) {
	var data portal.SimulationRequest
	if err := decode(c.body, &data); err != nil {
		return nil, err
	}
	if problems := b.checkSimulation(data, c); len(problems) > 0 {
		return nil, &refusal{http.StatusBadRequest, problems}
	}
	s := &simulation{values: b.values}
	s.set(data, c.now)
	return simulationCosts{b.costsOf(s, c)}, nil
}

// cancelSimulation ends a simulation in a state that allows it (confirmed; which states do is ours).
func (b *Bank) cancelSimulation(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := b.simulation(c)
	if err != nil {
		return nil, err
	}
	if !s.meaning().Cancelable {
		return nil, refused(http.StatusBadRequest, "simulation.state")
	}
	b.setSimulation(s, simulationCancelled)
	return done(c), nil
}

func (b *Bank) listSimulationMessages(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := b.simulation(c)
	if err != nil {
		return nil, err
	}
	return b.pageOfMessages(c, s.id)
}

// createSimulationMessage is Simulations Message Create. A simulation that has ended accepts messages too.
func (b *Bank) createSimulationMessage(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := b.simulation(c)
	if err != nil {
		return nil, err
	}
	if err := b.storeMessage(c, s.id); err != nil {
		return nil, err
	}
	s.touch(c.now)
	return done(c), nil
}
