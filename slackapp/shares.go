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

// shares let everybody's work go on in the background: so much of it at once, so much of one person's. What is more waits,
// and people take turns, so that nobody waits for all that another has asked for.
type shares struct {
	mu      sync.Mutex
	running int
	waiting int
	people  map[string]*share // of those with work
	turns   []string          // of those with waiting work; the first is next
}

type share struct {
	running int
	waiting []func()
}

// overShareError says how much of one person's work is under way when no more is taken.
type overShareError int

func (e overShareError) Error() string {
	return fmt.Sprintf("%d of one person's requests are under way", int(e))
}

// add takes a job, which runs at once or when its turn comes.
func (s *shares) add(who string, job func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.people[who]
	if mine == nil {
		mine = &share{}
	}
	switch {
	case s.running < maxWork && mine.running < maxWorkEach: // then nothing of theirs waits
		s.people[who] = mine
		s.start(who, job)
	case len(mine.waiting) == maxWaitingEach:
		return overShareError(mine.running + len(mine.waiting))
	case s.waiting == maxWaiting:
		return errCrowded
	default:
		s.people[who] = mine
		if s.waiting++; len(mine.waiting) == 0 {
			s.turns = append(s.turns, who)
		}
		mine.waiting = append(mine.waiting, job)
	}
	return nil
}

// start runs a job. The caller holds mu.
func (s *shares) start(who string, job func()) {
	s.running++
	s.people[who].running++
	go func() {
		defer s.done(who)
		job()
	}()
}

// done makes room for others.
func (s *shares) done(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.people[who].running--
	s.next()
	if mine := s.people[who]; mine.running == 0 && len(mine.waiting) == 0 {
		delete(s.people, who)
	}
}

// next starts what may start now, one job of each person in turn. The caller holds mu.
func (s *shares) next() {
	for i := 0; i < len(s.turns) && s.running < maxWork; {
		who := s.turns[i]
		mine := s.people[who]
		if mine.running == maxWorkEach {
			i++
			continue
		}
		job := mine.waiting[0]
		mine.waiting = mine.waiting[1:]
		s.waiting--
		if s.turns = slices.Delete(s.turns, i, i+1); len(mine.waiting) > 0 {
			s.turns = append(s.turns, who)
		}
		s.start(who, job)
	}
}
