package slackapp

import (
	"fmt"
	"slices"
	"sync"
)

// Limits of jobs.
const (
	maxWork        = 64  // running
	maxWorkEach    = 6   // of them for one person
	maxWaiting     = 256 // waiting
	maxWaitingEach = 10  // of them for one person
)

// fairQueue runs background work: a limited number of jobs in total and for each person. Other jobs wait, and people
// take turns.
type fairQueue struct {
	mu      sync.Mutex
	running int
	waiting int
	persons map[string]*personQueue // who have jobs
	order   []string                // people with waiting jobs; the first is next
}

type personQueue struct {
	running int
	waiting []func()
}

// personLimitError says how many jobs of one person are running or waiting when no more are accepted.
type personLimitError int

func (e personLimitError) Error() string {
	return fmt.Sprintf("%d requests of one person are running or waiting", int(e))
}

// submit runs a job now or when its turn comes.
func (s *fairQueue) submit(who string, job func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.persons[who]
	if mine == nil {
		mine = &personQueue{}
	}
	switch {
	case s.running < maxWork && mine.running < maxWorkEach: // then none of the person's jobs wait
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

// run starts a job. The caller holds mu.
func (s *fairQueue) run(who string, job func()) {
	s.running++
	s.persons[who].running++
	go func() {
		defer s.finished(who)
		job()
	}()
}

// finished ends a job and starts waiting ones.
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

// startWaiting starts waiting jobs within the limits, one of each person in turn. The caller holds mu.
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
