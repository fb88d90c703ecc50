package tools

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

const (
	rightLife   = 2 * time.Minute // how long it counts that the bank showed something to a person, or did not
	maxRights   = 50_000          // in the memory of one replica
	rightsPages = 3               // of one of the bank's lists that are read to learn what a person may see
)

// rights are which processes and simulations the bank showed to which person a short time ago. They say only what may be listed without asking
// the bank again; what is read from the bank is read as the person.
type rights struct {
	mu    sync.Mutex
	known map[rightKey]right
}

type rightKey struct {
	login   portal.Login
	subject Subject
}

type right struct {
	granted bool
	until   time.Time
}

func (r *rights) store(login portal.Login, subject Subject, granted bool, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= maxRights {
		r.known = map[rightKey]right{}
	}
	r.known[rightKey{login, subject}] = right{granted, now.Add(rightLife)}
}

func (r *rights) find(login portal.Login, subject Subject, now time.Time) (granted, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, known := r.known[rightKey{login, subject}]
	return found.granted, known && now.Before(found.until)
}

// Visible reports which processes and simulations the bank shows to the actor's person. Where it was not asked a short time ago,
// its lists are read as the person, in one call for a hundred; what a whole list does not have is hidden. Only what a list that is
// longer than [rightsPages] pages may still have is read one by one.
func (c *Call) Visible(ctx context.Context, subjects []Subject) (map[Subject]bool, error) {
	visible, processes, simulations := map[Subject]bool{}, map[Subject]bool{}, map[Subject]bool{}
	for _, subject := range subjects {
		switch granted, known := c.runner.rights.find(c.login, subject, c.Now()); {
		case known:
			visible[subject] = granted
		case subject.Simulation != uuid.Nil:
			simulations[subject] = true
		default:
			processes[subject] = true
		}
	}
	err := c.look(ctx, visible, processes, c.processesAfter, func(subject Subject) error {
		_, err := c.Bank.Process(ctx, subject.Process)
		return err
	})
	if err == nil {
		err = c.look(ctx, visible, simulations, c.simulationsAfter, func(subject Subject) error {
			_, err := c.Bank.Simulation(ctx, subject.Simulation)
			return err
		})
	}
	return visible, err
}

// look learns of unknown subjects whether they are visible: from the pages of a list, or else by reading each.
func (c *Call) look(ctx context.Context, visible, unknown map[Subject]bool, list func(context.Context, string) ([]Subject, string, error), read func(Subject) error) error {
	learn := func(subject Subject, granted bool) {
		visible[subject] = granted
		delete(unknown, subject)
		c.runner.rights.store(c.login, subject, granted, c.Now())
	}
	after := ""
	for page := 0; len(unknown) > 1 && page < rightsPages; page++ {
		listed, next, err := list(ctx, after)
		if err != nil {
			return err
		}
		for _, subject := range listed {
			if unknown[subject] {
				learn(subject, true)
			}
		}
		if after = next; next == "" {
			for subject := range unknown {
				learn(subject, false)
			}
		}
	}
	for subject := range unknown {
		err := read(subject)
		if kind := portal.KindOf(err); err != nil && kind != portal.Refused && kind != portal.NotFound {
			return err
		}
		learn(subject, err == nil)
	}
	return nil
}

// processesAfter returns a page of the bank's list of processes, and where the next one begins.
func (c *Call) processesAfter(ctx context.Context, after string) (listed []Subject, next string, err error) {
	page, err := c.Bank.ListProcesses(ctx, portal.ProcessQuery{Limit: listLines, After: after})
	if err != nil {
		return nil, "", err
	}
	c.Note(ctx, page.Processes...)
	for _, process := range page.Processes {
		listed = append(listed, Subject{Process: process.ProcessUniqueID})
	}
	return listed, page.Next, nil
}

// simulationsAfter is [Call.processesAfter] of simulations.
func (c *Call) simulationsAfter(ctx context.Context, after string) (listed []Subject, next string, err error) {
	page, err := c.Bank.ListSimulations(ctx, portal.SimulationQuery{Limit: listLines, After: after})
	if err != nil {
		return nil, "", err
	}
	for _, simulation := range page.Simulations {
		listed = append(listed, Subject{Simulation: simulation.SimulationUniqueID})
	}
	return listed, page.Next, nil
}
