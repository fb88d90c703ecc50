package slackapp

import (
	"fmt"
	"slices"
	"sync"
)

// What goes on in the background, and what waits to.
const (
	maxWork        = 64  // under way
	maxWorkEach    = 6   // of them for one person
	maxWaiting     = 256 // waiting
	maxWaitingEach = 10  // of them for one person
)

// queue let everybody's work go on in the background: so much of it at once, so much of one person's. What is more waits,
// and people take turns, so that nobody waits for all that another has asked for.
type fairQueue struct {
	mu      sync.Mutex
	running int
	waiting int
	persons map[string]*personQueue // of those with work
	order   []string                // of those with waiting work; the first is next
}

type personQueue struct {
	running int
	waiting []func()
}

// personLimitError says how much of one person's work is under way when no more is taken.
type personLimitError int

func (e personLimitError) Error() string {
	return fmt.Sprintf("%d of one person's requests are under way", int(e))
}

// add takes a job, which runs at once or when its turn comes.
func (s *fairQueue) submit(who string, job func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.persons[who]
	if mine == nil {
		mine = &personQueue{}
	}
	switch {
	case s.running < maxWork && mine.running < maxWorkEach: // then nothing of theirs waits
		s.persons[who] = mine
		s.run(who, job)
	case len(mine.waiting) == maxWaitingEach:
		return personLimitError(mine.running + len(mine.waiting))
	case s.waiting == maxWaiting:
		return errOverloaded
	default:
		s.persons[who] = mine
		if s.waiting++; len(mine.waiting) == 0 {
			s.order = append(s.order, who)
		}
		mine.waiting = append(mine.waiting, job)
	}
	return nil
}

// startReplica runs a job. The caller holds mu.
func (s *fairQueue) run(who string, job func()) {
	s.running++
	s.persons[who].running++
	go func() {
		defer s.finished(who)
		job()
	}()
}

// finished makes room for others.
func (s *fairQueue) finished(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.persons[who].running--
	s.startWaiting()
	if mine := s.persons[who]; mine.running == 0 && len(mine.waiting) == 0 {
		delete(s.persons, who)
	}
}

// startWaiting starts what may start now, one job of each person in turn. The caller holds mu.
func (s *fairQueue) startWaiting() {
	for i := 0; i < len(s.order) && s.running < maxWork; {
		who := s.order[i]
		mine := s.persons[who]
		if mine.running == maxWorkEach {
			i++
			continue
		}
		job := mine.waiting[0]
		mine.waiting = mine.waiting[1:]
		s.waiting--
		if s.order = slices.Delete(s.order, i, i+1); len(mine.waiting) > 0 {
			s.order = append(s.order, who)
		}
		s.run(who, job)
	}
}
