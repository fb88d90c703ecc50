package mcpapp

import "sync"

// concurrencyLimit bounds the number of requests in flight, in total and for each actor. It keeps an entry only for
// actors with a request in flight.
type concurrencyLimit struct {
	mu      sync.Mutex
	max     int
	active  int
	byActor map[string]int
}

func newConcurrencyLimit(max int) *concurrencyLimit {
	return &concurrencyLimit{max: max, byActor: map[string]int{}}
}

// admission is the result of [concurrencyLimit.acquire].
type admission int

const (
	admitted admission = iota
	serverFull
	actorFull
)

// acquire counts a request of the actor, who may have most in flight. If it returns admitted, the caller must call release.
func (l *concurrencyLimit) acquire(actor string, most int) admission {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.byActor[actor] >= most:
		return actorFull
	case l.active >= l.max:
		return serverFull
	}
	l.active++
	l.byActor[actor]++
	return admitted
}

func (l *concurrencyLimit) release(actor string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active--
	if l.byActor[actor]--; l.byActor[actor] == 0 {
		delete(l.byActor, actor)
	}
}
