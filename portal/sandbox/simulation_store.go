package sandbox

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// The states of a simulation (taxonomy workflowStatesSimulation). All are ours.
const (
	simulationDraft     int32 = 1 // something is missing to decide it
	simulationValidated int32 = 2
	simulationESIS      int32 = 3 // its ESIS was sent
	simulationConverted int32 = 4 // a process was made of it
	simulationCancelled int32 = 5
	simulationRejected  int32 = 6
	simulationApproved  int32 = 7
	simulationExpired   int32 = 8
)

const (
	firstSimulation = 9001 // number of the first one that Simulation Create creates
	simulationDays  = 30   // that a simulation holds
)

// simulation is a loan that somebody has asked the price of.
type simulation struct {
	id            uuid.UUID
	number        int64
	broker        uuid.UUID
	created, last time.Time
	branch, state int32
	reason        int32     // of the rejection
	process       uuid.UUID // that was made of it
	processNumber int64
	data          portal.SimulationRequest // as it was sent
	values        values
}

// simulationsOf returns a broker's simulations, newest first.
func (s *store) simulationsOf(broker uuid.UUID) []*simulation {
	var own []*simulation
	for one := range maps.Values(s.simulations) {
		if one.broker == broker {
			own = append(own, one)
		}
	}
	slices.SortFunc(own, func(a, b *simulation) int { return cmp.Compare(b.number, a.number) })
	return own
}

// sees reports whether the user of a session may see a simulation. The caller holds the bank's lock.
func (b *Bank) sees(session session, s *simulation) bool {
	return s.broker == session.broker.UID && !slices.Contains(b.hidden[session.user], s.id)
}

// pinned reports whether autoplay leaves the simulation unchanged.
func (s *simulation) pinned() bool { return slices.Contains(pinnedSimulations, s.number) }

// simulationMeanings are what the states mean to the built-in profile, which the sandbox's contract follows.
var simulationMeanings = sync.OnceValue(func() map[int32]profile.SimulationMeaning {
	all := map[int32]profile.SimulationMeaning{}
	for state, it := range taxonomies()["workflowStatesSimulation"] {
		all[state], _ = profile.Builtin().SimulationMeaning(0, it.Portuguese)
	}
	return all
})

func (s *simulation) meaning() profile.SimulationMeaning { return simulationMeanings()[s.state] }

// ends returns the day until which the simulation holds.
func (s *simulation) ends() time.Time { return s.created.AddDate(0, 0, simulationDays) }

// expire ends a simulation that has not been decided in time.
func (s *simulation) expire(now time.Time) {
	if s.meaning().Editable && now.After(s.ends()) {
		s.state, s.last = simulationExpired, s.ends()
	}
}

// touch sets the date of the last action, which is always later than the date before it.
func (s *simulation) touch(now time.Time) {
	now = now.Truncate(time.Millisecond)
	if !now.After(s.last) {
		now = s.last.Add(time.Millisecond)
	}
	s.last = now
}

// set replaces the data. A simulation with all that a decision needs is validated.
func (s *simulation) set(data portal.SimulationRequest, now time.Time) {
	s.data = data
	if loan := data.Loan; loan != nil && loan.BranchID != nil {
		s.branch = *loan.BranchID
	}
	s.state = simulationDraft
	if s.complete() {
		s.state = simulationValidated
	}
	s.touch(now)
}

// complete reports whether the simulation has the value of the property, and the income of everybody.
func (s *simulation) complete() bool {
	return s.value() > 0 && !slices.ContainsFunc(s.data.Borrowers, func(b portal.SimulationBorrowerRequest) bool { return b.Income.IsZero() })
}

func (s *simulation) subject() subject {
	return subject{broker: s.broker, simulation: s.id, at: s.last}
}

// name returns the name of the key borrower, or else of the first who has one.
func (s *simulation) name() (name pii.Name) {
	for _, b := range s.data.Borrowers {
		if !b.Name.IsZero() && (name.IsZero() || b.BorrowerTypeID != nil && *b.BorrowerTypeID == s.values.key) {
			name = b.Name
		}
	}
	return name
}

func (s *simulation) record() record {
	r := record{id: s.id, number: s.number, state: s.state, branch: s.branch, last: s.last}
	for _, b := range s.data.Borrowers {
		r.names, r.taxIDs = append(r.names, b.Name.Reveal()), append(r.taxIDs, b.TaxID.Reveal())
	}
	return r
}

// merged returns data with changes: what they have replaces what was there. A period that is set removes the other kind, and one
// with the id 0 is removed.
func merged(data, changes portal.SimulationRequest) portal.SimulationRequest {
	data.Loan, data.Property = overlaid(data.Loan, changes.Loan), overlaid(data.Property, changes.Property)
	if changes.Borrowers != nil {
		data.Borrowers = changes.Borrowers
	}
	if changes.Insurances != nil {
		data.Insurances = changes.Insurances
	}
	if loan, changed := data.Loan, changes.Loan; loan != nil && changed != nil {
		if given(changed.MixedFixedPeriodID) && !given(changed.FixedFixedPeriodID) {
			loan.FixedFixedPeriodID = nil
		}
		if given(changed.FixedFixedPeriodID) && !given(changed.MixedFixedPeriodID) {
			loan.MixedFixedPeriodID = nil
		}
	}
	return data
}

// given reports whether a choice was made that is not «none».
func given(id *int32) bool { return id != nil && *id != 0 }

// overlaid returns a copy of an object with the fields that another has.
func overlaid[T any](object, changes *T) *T {
	if object == nil || changes == nil {
		return cmp.Or(changes, object)
	}
	result := *object
	for i := range reflect.TypeFor[T]().NumField() {
		if value := reflect.ValueOf(changes).Elem().Field(i); !value.IsZero() {
			reflect.ValueOf(&result).Elem().Field(i).Set(value)
		}
	}
	return &result
}
