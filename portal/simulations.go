package portal

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
)

// The operations of the bank's page Simulations.
const (
	SimulationList     OperationID = "simulationList"
	SimulationDetail   OperationID = "simulationDetail"
	SimulationCreate   OperationID = "simulationCreate"
	SimulationUpdate   OperationID = "simulationUpdate"
	SimulationValidate OperationID = "simulationValidate"
	SimulationCancel   OperationID = "simulationCancel"
)

// SimulationMissing is the reason with which the bank says that a simulation does not exist, or is not the broker's.
const SimulationMissing Reason = "simulation.missing"

func init() {
	registerReads(SimulationList, SimulationDetail, SimulationValidate)
	registerWrites(SimulationCreate, SimulationUpdate, SimulationCancel)
	registerReasons(SimulationMissing, "simulation.state", "simulation.borrowers", "simulation.amount", "simulation.term", "simulation.age",
		"simulation.ltv", "simulation.dsti", "simulation.period", "simulation.termByAge", "simulation.esis")
}

// SimulationQuery is a filter and a page of Simulation List.
type SimulationQuery struct {
	Text     pii.Name  // a borrower's name or tax number, or a branch
	StatusID *int32    // taxonomy workflowStatesSimulation
	From, To time.Time // days of the last change of status, both inclusive
	Limit    int       // maximum number of simulations; the profile may have a smaller one
	After    string    // [SimulationPage.Next] of the page before; "" is the first page
}

func (q SimulationQuery) values() url.Values {
	values := url.Values{}
	set := func(name, value string, is bool) {
		if is {
			values.Set(name, value)
		}
	}
	set("filterByText", q.Text.Reveal(), !q.Text.IsZero())
	if q.StatusID != nil {
		values.Set("filterSimulationStatus", strconv.Itoa(int(*q.StatusID)))
	}
	set("filterStatusLastDateFrom", q.From.Format(time.DateOnly), !q.From.IsZero())
	set("filterStatusLastDateTo", q.To.Format(time.DateOnly), !q.To.IsZero())
	return values
}

// SimulationPage is a page of Simulation List, newest first.
type SimulationPage struct {
	TotalRecords int // 0 if the bank does not say
	Simulations  []SimulationSummary
	Next         string // of the page that follows, for [SimulationQuery.After]; "" if this is the last
}

// ListSimulations returns a page of the broker's simulations.
//
// See Simulation List on the bank's page Simulations, which does not print the fields of an item.
func (u *User) ListSimulations(ctx context.Context, query SimulationQuery) (SimulationPage, error) {
	row := u.client.rows[SimulationList]
	values, pages := query.values(), newPages(row.wire.Page, query.Limit)
	pages.query(values, query.After)
	var reply simulationListReply
	if err := u.do(ctx, call{op: SimulationList, query: values}, &reply); err != nil {
		return SimulationPage{}, err
	}
	page := SimulationPage{Simulations: reply.List.all}
	page.TotalRecords, page.Next = reply.end(pages, query.After, func(last SimulationSummary) string {
		if pages.Key == "simulationNumber" {
			return strconv.FormatInt(last.SimulationNumber, 10)
		}
		return row.wire.Value("simulationUniqueID", last.SimulationUniqueID.String())
	})
	return page, nil
}

type simulationListReply struct{ pageReply[SimulationSummary] }

func (r *simulationListReply) lacks() string {
	if slices.ContainsFunc(r.List.all, func(s SimulationSummary) bool { return s.SimulationUniqueID == uuid.Nil }) {
		return "simulationUniqueID in a simulation"
	}
	return ""
}

// Simulation returns a simulation of the broker with all data that the bank has.
//
// See Simulation Detail on the bank's page Simulations.
func (u *User) Simulation(ctx context.Context, simulation uuid.UUID) (Simulation, error) {
	var reply Simulation
	err := u.do(ctx, call{op: SimulationDetail, path: pathValues{"simulationUniqueId": simulation}}, &reply)
	return reply, err
}

func (s *Simulation) lacks() string {
	if s.SimulationUniqueID == uuid.Nil {
		return "simulationUniqueID"
	}
	return ""
}

// SimulationCreated is the reply of Simulation Create.
type SimulationCreated struct {
	SimulationUniqueID uuid.UUID
	SimulationNumber   int64 // 0 if the bank does not say
	OperationStatus    OperationStatus
}

// CreateSimulation creates a simulation. It is sent once. After an error of kind [Unclear] the simulation may exist.
//
// See Simulation Create on the bank's page Simulations.
func (u *User) CreateSimulation(ctx context.Context, simulation SimulationRequest) (SimulationCreated, error) {
	var reply simulationCreateReply
	err := u.do(ctx, call{op: SimulationCreate, body: simulation}, &reply)
	return SimulationCreated{reply.AdditionalData.SimulationUniqueID, reply.AdditionalData.SimulationNumber, reply.OperationStatus}, err
}

type simulationCreateReply struct {
	OperationStatus OperationStatus `json:"operationStatus"`
	AdditionalData  struct {
		SimulationUniqueID uuid.UUID `json:"simulationUniqueID"`
		SimulationNumber   int64     `json:"simulationNumber"`
	} `json:"additionalData"`
}

func (r *simulationCreateReply) lacks() string {
	if r.AdditionalData.SimulationUniqueID == uuid.Nil {
		return "additionalData.simulationUniqueID"
	}
	return ""
}

// UpdateSimulation changes what a request has of a simulation, and leaves the rest: see [SimulationRequest.Changes]. It is sent
// once. After an error of kind [Unclear] the change may have been made.
//
// See Simulation Update on the bank's page Simulations.
func (u *User) UpdateSimulation(ctx context.Context, simulation uuid.UUID, changes SimulationRequest) (OperationStatus, error) {
	var reply writeReply
	err := u.do(ctx, call{op: SimulationUpdate, path: pathValues{"simulationUniqueId": simulation}, body: changes}, &reply)
	return reply.OperationStatus, err
}

// SimulationValidation is what the bank says of a simulation that does not exist.
type SimulationValidation struct {
	Problems []ErrorMessage // why it would be refused; then nothing else is known
	SimulationCosts
}

// ValidateSimulation asks the bank for the costs of a simulation, or for what is wrong with it, without creating it. What is
// wrong is no error of the call.
//
// See Simulation Validate on the bank's page Simulations, which prints neither request nor reply.
func (u *User) ValidateSimulation(ctx context.Context, simulation SimulationRequest) (SimulationValidation, error) {
	var reply simulationValidateReply
	err := u.do(ctx, call{op: SimulationValidate, body: simulation}, &reply)
	if failure, ok := errors.AsType[*Error](err); ok && failure.Kind == Refused && len(failure.Messages) > 0 {
		return SimulationValidation{Problems: failure.Messages}, nil
	}
	return SimulationValidation{SimulationCosts: reply.SimulationCosts}, err
}

type simulationValidateReply struct{ SimulationCosts }

func (r *simulationValidateReply) lacks() string {
	if r.Results == nil {
		return "results"
	}
	return ""
}

// CancelSimulation cancels a simulation in a state that allows it. No reason is sent: the bank has no list of them. It is sent
// once. After an error of kind [Unclear] the simulation may be cancelled.
//
// See Simulation Cancel on the bank's page Simulations.
func (u *User) CancelSimulation(ctx context.Context, simulation uuid.UUID) (OperationStatus, error) {
	var reply writeReply
	err := u.do(ctx, call{op: SimulationCancel, path: pathValues{"simulationUniqueId": simulation}}, &reply)
	return reply.OperationStatus, err
}
