package sandbox

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox/esispdf"
)

// The states of a process (taxonomy workflowStatesProposal).
const (
	inCreation int32 = 1
	documents  int32 = 2
	analysis   int32 = 3
	valuation  int32 = 4
	approval   int32 = 5
	contract   int32 = 6
	closed     int32 = 7
	cancelled  int32 = 9
)

// keyBorrower is the borrower type of the key borrower in our lists.
const keyBorrower int32 = 1

// store is the bank's data, protected by the mutex of [Bank].
type store struct {
	processes map[uuid.UUID]*process
	people    int // invented so far
	added     int // processes in addition to the samples
	created   int // processes by Process Create
	values    values

	simulations map[uuid.UUID]*simulation
	simulated   int // by Simulation Create
}

// process is one application for a loan. An ended process is closed or cancelled.
type process struct {
	id               uuid.UUID
	number           int64
	broker           uuid.UUID
	simulation       uuid.UUID
	simulationNumber int64
	created, last    time.Time
	action           string // the last one: an operation's id, or one of the constants
	branch, state    int32
	loan             loan
	borrowers        []borrower
	values           values
}

// loan is what a process asks the bank for, with ids of taxonomies.
type loan struct {
	esispdf.Loan
	indexType, loanPurpose, productPurpose, productScheme int32
}

// borrower is a borrower as it was sent.
type borrower struct {
	id   uuid.UUID
	data portal.BorrowerRequest
}

// of returns a broker's processes, newest first.
func (s *store) of(broker uuid.UUID) []*process {
	var own []*process
	for p := range maps.Values(s.processes) {
		if p.broker == broker {
			own = append(own, p)
		}
	}
	slices.SortFunc(own, func(a, b *process) int { return cmp.Compare(b.number, a.number) })
	return own
}

func (p *process) ended() bool { return p.state == closed || p.state == cancelled }

// pinned reports whether autoplay leaves the process unchanged.
func (p *process) pinned() bool { return slices.Contains(pinnedSamples, p.number) }

// key returns the key borrower.
func (p *process) key() (borrower, bool) {
	i := slices.IndexFunc(p.borrowers, p.values.isKey)
	if i < 0 {
		return borrower{}, false
	}
	return p.borrowers[i], true
}

func (p *process) keyName() (name pii.Name) {
	if key, ok := p.key(); ok && key.data.Personal != nil {
		return key.data.Personal.Name
	}
	return name
}

// Hide sets the processes of the user's broker that the user cannot see, as if they were another broker's; without any, the
// user sees all. Whether every user of a broker sees all of its processes is not public.
func (b *Bank) Hide(user string, processes ...uuid.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hidden == nil {
		b.hidden = map[string][]uuid.UUID{}
	}
	b.hidden[user] = processes
}

// visible reports whether the user of a session may see a process. The caller holds the bank's lock.
func (b *Bank) visible(s session, p *process) bool {
	return p.broker == s.broker.UID && !slices.Contains(b.hidden[s.user], p.id)
}

// State returns the state of a process, 0 if it does not exist.
func (b *Bank) State(id uuid.UUID) int32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.store.processes[id]; ok {
		return p.state
	}
	return 0
}

// Borrowers returns the ids of a process's borrowers in the order of their creation, for tests to see what was changed.
func (b *Bank) Borrowers(process uuid.UUID) []uuid.UUID {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []uuid.UUID
	if p, ok := b.store.processes[process]; ok {
		for _, known := range p.borrowers {
			ids = append(ids, known.id)
		}
	}
	return ids
}
