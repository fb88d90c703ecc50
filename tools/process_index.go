package tools

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// ProcessIndex stores what was seen of the processes of each broker, for all replicas. Values are encrypted and expire.
type ProcessIndex interface {
	// PutIndexed stores values in a table, Indexed returns one, and IndexedSince those that were stored after a time.
	PutIndexed(ctx context.Context, broker, table string, values map[string][]byte) error
	Indexed(ctx context.Context, broker, table, key string) (value []byte, ok bool, err error)
	IndexedSince(ctx context.Context, broker, table string, since int64) (values [][]byte, upTo int64, more bool, err error)
	// RequestList requests a reading of the broker's whole list, and returns its number. BeginList begins one, RecordList
	// stores how far it is, and DropListRequest drops requests that cannot be met.
	RequestList(ctx context.Context, broker string) (next int64, err error)
	BeginList(ctx context.Context, broker string) (run int64, err error)
	RecordList(ctx context.Context, broker string, run int64, reading []byte, done bool) (ok bool, err error)
	DropListRequest(ctx context.Context, broker string, upTo int64) error
	// ListState returns the last reading that is done and how long ago it ended, the one that is requested, and what was last
	// stored of a reading.
	ListState(ctx context.Context, broker string) (done int64, age time.Duration, wanted int64, reading []byte, err error)
	// WithLease runs work while no other replica does.
	WithLease(ctx context.Context, subject string, lease time.Duration, work func(context.Context) error) (ran bool, err error)
	// Put and Get store small values.
	Put(ctx context.Context, kind, id string, value []byte, life time.Duration) error
	Get(ctx context.Context, kind, id string) (value []byte, ok bool, err error)
}

// The tables of the index: processes by number, and the names of a process's borrowers by its id.
const (
	indexedRows  = "rows"
	indexedNames = "names"
)

const (
	indexLife    = 30 * 24 * time.Hour // of an entry that is not seen again
	indexRefresh = 24 * time.Hour      // how long an entry that has not changed is not stored again
	maxBrokers   = 16                  // in memory
	maxInMemory  = 100_000             // entries of a broker; the store has fewer
)

// indexedProcess is an entry of the table of processes. Who may see the process is not stored: the bank decides each time the
// process is read.
type indexedProcess struct {
	ID       uuid.UUID `json:"id"`
	Number   int64     `json:"number"`
	Name     pii.Name  `json:"name,omitzero"` // of the key borrower
	BranchID int32     `json:"branchId,omitzero"`
	Branch   string    `json:"branch,omitempty"`
	Seen     time.Time `json:"seen"`

	text pii.Private // what it is searched by, but for the names of all borrowers; in memory only
}

// indexedBorrowers is an entry of the table of names.
type indexedBorrowers struct {
	Process uuid.UUID  `json:"process"`
	Names   []pii.Name `json:"names"` // folded
	Seen    time.Time  `json:"seen"`
}

// BrokerIndex is what was seen of the processes of one broker, in memory as far as this replica needed it.
type BrokerIndex struct {
	runner *Runner
	broker uuid.UUID
	filter listFilter
	reader listReader

	mu        sync.Mutex
	rows      map[uuid.UUID]indexedProcess
	borrowers map[uuid.UUID]indexedBorrowers
	ids       map[int64]uuid.UUID
	upTo      map[string]int64 // by table: until when its entries were read from the store
}

// brokerIndexes are the indexes of the brokers.
type brokerIndexes struct {
	mu  sync.Mutex
	all map[uuid.UUID]*BrokerIndex
}

// IndexOf returns the index of a broker.
func (r *Runner) IndexOf(broker uuid.UUID) *BrokerIndex {
	r.indexes.mu.Lock()
	defer r.indexes.mu.Unlock()
	if index, known := r.indexes.all[broker]; known {
		return index
	}
	if r.indexes.all == nil || len(r.indexes.all) >= maxBrokers {
		r.indexes.all = map[uuid.UUID]*BrokerIndex{}
	}
	index := &BrokerIndex{runner: r, broker: broker}
	index.clear()
	r.indexes.all[broker] = index
	return index
}

func (r *Runner) everyIndex() (all []*BrokerIndex) {
	r.indexes.mu.Lock()
	defer r.indexes.mu.Unlock()
	for _, index := range r.indexes.all {
		all = append(all, index)
	}
	return all
}

func (b *BrokerIndex) clear() {
	b.rows, b.borrowers = map[uuid.UUID]indexedProcess{}, map[uuid.UUID]indexedBorrowers{}
	b.ids, b.upTo = map[int64]uuid.UUID{}, map[string]int64{}
}

func (b *BrokerIndex) store() ProcessIndex { return b.runner.Index }

func (b *BrokerIndex) key() string { return b.broker.String() }

// id returns the id of the process with a number, if the process was seen.
func (b *BrokerIndex) id(ctx context.Context, number int64) (id uuid.UUID, known bool, err error) {
	b.mu.Lock()
	id, known = b.ids[number]
	fresh := known && b.fresh(b.rows[id].Seen, indexLife)
	b.mu.Unlock()
	if fresh {
		return id, true, nil
	}
	data, known, err := b.store().Indexed(ctx, b.key(), indexedRows, FormatNumber(number))
	if err != nil || !known {
		return uuid.Nil, false, err
	}
	var row indexedProcess
	if json.Unmarshal(data, &row) != nil || row.Number != number || !b.fresh(row.Seen, indexLife) { // of another version, or old
		return uuid.Nil, false, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep(row)
	return row.ID, true, nil
}

func (b *BrokerIndex) fresh(seen time.Time, life time.Duration) bool {
	return b.runner.now().Sub(seen) < life
}

// keep adds an entry to those in memory. The caller holds the lock.
func (b *BrokerIndex) keep(row indexedProcess) {
	if b.rows[row.ID].Seen.After(row.Seen) {
		return
	}
	if len(b.rows) >= maxInMemory {
		b.clear() // the next search reads them again
	}
	row.text = pii.New[pii.Private](FormatNumber(row.Number) + " " + searchable(row.Name.Reveal()+" "+row.Branch))
	b.rows[row.ID], b.ids[row.Number] = row, row.ID
}

// add stores rows of the bank's list. Those that are stored already, unchanged, are stored again only if always is set, or
// after a day.
func (b *BrokerIndex) add(ctx context.Context, rows []portal.ProcessSummary, always bool) error {
	values, entries := map[string][]byte{}, []indexedProcess{}
	now := b.runner.now().UTC()
	for _, row := range rows {
		if row.ProcessUniqueID == uuid.Nil || row.ProcessNumber == 0 {
			continue
		}
		entry := indexedProcess{
			ID: row.ProcessUniqueID, Number: row.ProcessNumber, Name: row.KeyBorrowerName,
			BranchID: row.BranchID, Branch: row.BranchDescription,
		}
		b.mu.Lock()
		before, known := b.rows[entry.ID]
		b.mu.Unlock()
		if !known && entry.Name.IsZero() { // the details of a process may not name the key borrower
			if data, ok, err := b.store().Indexed(ctx, b.key(), indexedRows, FormatNumber(entry.Number)); err == nil && ok {
				_ = json.Unmarshal(data, &before) // of another version: left out
			}
		}
		if entry.Name.IsZero() {
			entry.Name = before.Name
		}
		if entry.Branch == "" {
			entry.BranchID, entry.Branch = before.BranchID, before.Branch
		}
		entry.Seen, entry.text = before.Seen, before.text
		if known && entry == before && b.fresh(before.Seen, indexRefresh) && !always {
			continue
		}
		entry.Seen = now
		data, err := pii.MarshalClear(entry)
		if err != nil {
			return errors.New("writing an entry of the index as JSON") // without the cause, which may hold a value
		}
		values[FormatNumber(entry.Number)] = data
		entries = append(entries, entry)
	}
	if err := b.store().PutIndexed(ctx, b.key(), indexedRows, values); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, entry := range entries {
		b.keep(entry)
	}
	return nil
}

// AddBorrowers stores the names of all borrowers of a process, for searches. A failure is logged.
func (b *BrokerIndex) AddBorrowers(ctx context.Context, process uuid.UUID, borrowers []portal.Borrower) {
	b.addBorrowers(ctx, process, borrowers, true)
}

// addBorrowers replaces the names that are stored if all of the process's borrowers are given, and else adds to them.
func (b *BrokerIndex) addBorrowers(ctx context.Context, process uuid.UUID, borrowers []portal.Borrower, all bool) {
	entry := indexedBorrowers{Process: process, Seen: b.runner.now().UTC()}
	for _, borrower := range borrowers {
		if borrower.Personal != nil && !borrower.Personal.Name.IsZero() {
			entry.Names = append(entry.Names, pii.New[pii.Name](searchable(borrower.Personal.Name.Reveal())))
		}
	}
	b.mu.Lock()
	before, known := b.borrowers[process]
	b.mu.Unlock()
	if !known {
		if data, ok, err := b.store().Indexed(ctx, b.key(), indexedNames, process.String()); err == nil && ok {
			_ = json.Unmarshal(data, &before) // of another version: left out
		}
	}
	if !all {
		entry.Names = union(before.Names, entry.Names)
	}
	if len(entry.Names) == 0 || equalSets(entry.Names, before.Names) && b.fresh(before.Seen, indexRefresh) {
		return
	}
	data, err := pii.MarshalClear(entry)
	if err == nil {
		err = b.store().PutIndexed(ctx, b.key(), indexedNames, map[string][]byte{process.String(): data})
	}
	if err != nil {
		b.runner.Log.WarnContext(ctx, "storing names in the index failed", "process", process)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.borrowers[process] = entry
}

func union(a, b []pii.Name) []pii.Name {
	all := append([]pii.Name{}, a...)
	for _, name := range b {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

func equalSets(a, b []pii.Name) bool {
	return len(union(a, b)) == len(a) && len(union(b, a)) == len(b)
}

// sync reads what was stored since the last time, by any replica.
func (b *BrokerIndex) sync(ctx context.Context) error {
	return errors.Join(
		b.syncTable(ctx, indexedRows, func(data []byte) {
			var row indexedProcess
			if json.Unmarshal(data, &row) == nil {
				b.keep(row)
			}
		}),
		b.syncTable(ctx, indexedNames, func(data []byte) {
			var entry indexedBorrowers
			if json.Unmarshal(data, &entry) == nil && !b.borrowers[entry.Process].Seen.After(entry.Seen) {
				b.borrowers[entry.Process] = entry
			}
		}),
	)
}

func (b *BrokerIndex) syncTable(ctx context.Context, table string, keep func(data []byte)) error {
	for more := true; more; {
		b.mu.Lock()
		since := b.upTo[table]
		b.mu.Unlock()
		var values [][]byte
		var err error
		if values, since, more, err = b.store().IndexedSince(ctx, b.key(), table, since); err != nil {
			return err
		}
		b.mu.Lock()
		for _, data := range values {
			keep(data)
		}
		b.upTo[table] = max(b.upTo[table], since)
		b.mu.Unlock()
	}
	return nil
}

// expire removes from memory what was not seen for the life of an entry. The caller holds the lock.
func (b *BrokerIndex) expire() {
	for id, row := range b.rows {
		if !b.fresh(row.Seen, indexLife) {
			delete(b.rows, id)
			delete(b.ids, row.Number)
		}
	}
	for id, entry := range b.borrowers {
		if !b.fresh(entry.Seen, indexLife) {
			delete(b.borrowers, id)
		}
	}
}

// match returns the entries that contain every word of a text in their number, branch or borrowers' names, in any order and
// whatever their case and accents.
func (b *BrokerIndex) match(text string) (found []indexedProcess) {
	words := strings.Fields(searchable(text))
	if len(words) == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire()
	for id, row := range b.rows {
		if containsAll(row.text, b.borrowers[id].Names, words) {
			found = append(found, row)
		}
	}
	return found
}

// hasWords reports whether the number, the branch and the borrowers' names of a process, as far as they are known, contain
// each of the words.
func (b *BrokerIndex) hasWords(row portal.ProcessSummary, words []string) bool {
	text := FormatNumber(row.ProcessNumber) + " " + searchable(row.KeyBorrowerName.Reveal()+" "+row.BranchDescription)
	return containsAll(pii.New[pii.Private](text), b.names(row.ProcessUniqueID), words)
}

// hasName reports whether the name of a borrower of a process, as far as the names are known, contains each of the words.
func (b *BrokerIndex) hasName(row portal.ProcessSummary, words []string) bool {
	return containsAll(pii.New[pii.Private](searchable(row.KeyBorrowerName.Reveal())), b.names(row.ProcessUniqueID), words)
}

func (b *BrokerIndex) names(process uuid.UUID) []pii.Name {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.borrowers[process].Names
}

// containsAll reports whether each word is in a text or in one of the names.
func containsAll(text pii.Private, names []pii.Name, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text.Reveal(), word) && !slices.ContainsFunc(names, func(n pii.Name) bool { return strings.Contains(n.Reveal(), word) }) {
			return false
		}
	}
	return true
}

// searchable returns the words of a text without case and accents.
func searchable(text string) string {
	return strings.Join(strings.FieldsFunc(Fold(text), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }), " ")
}
