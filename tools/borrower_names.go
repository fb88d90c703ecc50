package tools

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// indexedPeople is the table of the index with the names and tax numbers of a process's borrowers, by the id of the process.
// The bank's list of borrowers has neither, so that each would have to be read each time. An entry counts as long as the last
// action on the process is the one at which its borrowers were read.
const indexedPeople = "people"

// indexedPerson is what is stored of a borrower.
type indexedPerson struct {
	Name  pii.Name  `json:"name,omitzero"`
	TaxID pii.TaxID `json:"taxId,omitzero"`
}

// indexedHousehold is an entry of the table. It is encrypted, as all of the index.
type indexedHousehold struct {
	LastAction time.Time                   `json:"lastAction"` // on the process, when the borrowers were read
	People     map[uuid.UUID]indexedPerson `json:"people"`
	Seen       time.Time                   `json:"seen"`
}

// BorrowerNames reads a process and its borrowers: of each what the bank's list has, the name and the tax number. That takes two
// calls of the bank, however many borrowers there are, and one more for each whose name is not known, or may have changed since.
func (c *Call) BorrowerNames(ctx context.Context, ref ProcessRef) (portal.Process, []portal.Borrower, error) {
	process, err := c.ProcessDetail(ctx, ref)
	if err != nil {
		return portal.Process{}, nil, err
	}
	summaries, err := c.Bank.ListBorrowers(ctx, process.ProcessUniqueID)
	if err != nil {
		return process, nil, processMissing(err)
	}
	known := c.index.household(ctx, process)
	borrowers := make([]portal.Borrower, len(summaries))
	read := false
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, summary := range summaries {
		person, has := known.People[summary.BorrowerUniqueID]
		if has {
			borrowers[i] = portal.Borrower{BorrowerSummary: summary, Personal: &portal.PersonalData{Name: person.Name, TaxID: person.TaxID}}
			continue
		}
		read = true
		group.Go(func() (err error) {
			borrowers[i], err = c.Bank.Borrower(within, process.ProcessUniqueID, summary.BorrowerUniqueID)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return process, nil, err
	}
	if read || len(known.People) != len(borrowers) {
		c.index.addHousehold(ctx, process, borrowers)
		c.index.AddBorrowers(ctx, process.ProcessUniqueID, borrowers)
	}
	return process, borrowers, nil
}

// household returns what is stored of the borrowers of a process, nothing if something was done on the process since. A bank
// that does not say when something was done has each borrower read.
func (b *BrokerIndex) household(ctx context.Context, process portal.Process) (found indexedHousehold) {
	data, known, err := b.store().Indexed(ctx, b.key(), indexedPeople, process.ProcessUniqueID.String())
	if err != nil {
		b.runner.Log.WarnContext(ctx, "reading borrowers from the index failed", "error", pii.Scrub(err.Error()))
	}
	last := process.LastActionDate.Time
	if err != nil || !known || json.Unmarshal(data, &found) != nil || last.IsZero() || !found.LastAction.Equal(last) || !b.fresh(found.Seen, indexLife) {
		return indexedHousehold{}
	}
	return found
}

// addHousehold stores the names and tax numbers of all borrowers of a process, which was read before them. A failure is logged.
func (b *BrokerIndex) addHousehold(ctx context.Context, process portal.Process, borrowers []portal.Borrower) {
	entry := indexedHousehold{LastAction: process.LastActionDate.Time, People: map[uuid.UUID]indexedPerson{}, Seen: b.runner.now().UTC()}
	if entry.LastAction.IsZero() {
		return
	}
	for _, borrower := range borrowers {
		person := indexedPerson{}
		if borrower.Personal != nil {
			person = indexedPerson{borrower.Personal.Name, borrower.Personal.TaxID}
		}
		entry.People[borrower.BorrowerUniqueID] = person
	}
	data, err := pii.MarshalClear(entry)
	if err == nil {
		err = b.store().PutIndexed(ctx, b.key(), indexedPeople, map[string][]byte{process.ProcessUniqueID.String(): data})
	}
	if err != nil {
		b.runner.Log.WarnContext(ctx, "storing borrowers in the index failed", "process", process.ProcessUniqueID)
	}
}

// readBefore returns the details of a process that this call has read.
func (c *Call) readBefore(process uuid.UUID) (portal.Process, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	details, read := c.details[process]
	return details, read
}
