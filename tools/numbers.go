package tools

import (
	"sync"

	"github.com/google/uuid"
)

// maxNumbers is how many process numbers a program remembers.
const maxNumbers = 10_000

// numbers holds the uuids of processes by number. A number never changes, so that the bank's list is asked for it once.
// Who may see a process is not held: the bank says it each time the process is read.
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
