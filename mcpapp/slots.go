package mcpapp

import "sync"

// slots bounds how many requests are under way, in all and for one actor. It holds an entry for each actor with a
// request under way, and none for others.
type slots struct {
	mu            sync.Mutex
	all, perActor int
	taken         int
	byActor       map[string]int
}

func newSlots(all, perActor int) *slots {
	return &slots{all: all, perActor: perActor, byActor: map[string]int{}}
}

// verdict says whether a request found a place.
type verdict int

const (
	admitted verdict = iota
	serverFull
	actorFull
)

// take takes a place for the actor, to be given back when admitted.
func (s *slots) take(actor string) verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.byActor[actor] >= s.perActor:
		return actorFull
	case s.taken >= s.all:
		return serverFull
	}
	s.taken++
	s.byActor[actor]++
	return admitted
}

func (s *slots) giveBack(actor string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.byActor[actor]--; s.byActor[actor] == 0 {
		delete(s.byActor, actor)
	}
}
