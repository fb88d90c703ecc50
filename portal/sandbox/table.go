package sandbox

import "github.com/google/uuid"

// table stores what one file of the sandbox needs by id, of a process or a partner, in addition to the [store]. A row is
// created when it is first read; first, if set, returns its sample data.
type table[T any] struct {
	first func(b *Bank, id uuid.UUID) T
}

// rows are the rows of one table in one bank.
type rows map[uuid.UUID]any

// row returns the row with an id, to be read or changed. The caller holds the bank's lock.
func (t *table[T]) row(b *Bank, id uuid.UUID) *T {
	if b.tables[t] == nil {
		b.tables[t] = rows{}
	}
	row, ok := b.tables[t][id].(*T)
	if !ok {
		row = new(T)
		if t.first != nil {
			*row = t.first(b, id)
		}
		b.tables[t][id] = row
	}
	return row
}

// forget deletes the process with an id, its simulation and their rows. The caller holds the bank's lock.
func (b *Bank) forget(id uuid.UUID) {
	var simulation uuid.UUID
	if p := b.store.processes[id]; p != nil {
		simulation = p.simulation
	}
	delete(b.store.processes, id)
	delete(b.store.simulations, simulation)
	for _, rows := range b.tables {
		delete(rows, id)
		delete(rows, simulation)
	}
}
