package tools

import (
	"sync"

	"github.com/google/uuid"
)

// maxNumbers is the number of process numbers that are stored.
const maxNumbers = 10_000

// numbers stores the uuids of processes by number. A number never changes, so the bank's list is read for it once. Who may
// see a process is not stored: the bank decides each time the process is read.
type numbers struct {
	mu  sync.Mutex
	ids map[int64]uuid.UUID
}

func (n *numbers) id(number int64) (id uuid.UUID, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id, known = n.ids[number]
	return id, known
}

func (n *numbers) put(number int64, id uuid.UUID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ids == nil || len(n.ids) >= maxNumbers {
		n.ids = map[int64]uuid.UUID{}
	}
	n.ids[number] = id
}
