package tools

import (
	"context"
	"strings"
	"sync"
	"time"
)

const (
	// lookupLife is for how long one audit entry stands for all searches of an actor through the same list.
	lookupLife = time.Minute
	maxLookups = 10_000
)

// lookups keeps the audit trail from growing by an entry for each character that is typed into a select.
type lookups struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (l *lookups) recorded(list string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Before(l.until[list])
}

func (l *lookups) record(list string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.until) >= maxLookups {
		clear(l.until) // costs some entries more
	}
	l.until[list] = now.Add(lookupLife)
}

// lookedUp records that an actor searches the processes or borrowers that a field offers, whose names are shown. Without
// an entry nothing is shown. The bank's lists are no client data.
func (r *Runner) lookedUp(ctx context.Context, actor Actor, field Field, answers map[string]string) error {
	if field.Kind != Process && field.Kind != Borrower {
		return nil
	}
	about := map[string]string{}
	if field.Kind == Borrower {
		for _, other := range field.tool.Fields {
			if other.Kind == Process {
				about[other.Path] = answers[other.Path]
			}
		}
	}
	list := strings.Join([]string{actor.ID, field.tool.Name, field.Path, string(processAmong(field, about))}, " ")
	now := r.now()
	if r.lookups.recorded(list, now) {
		return nil
	}
	if err := r.showing(ctx, actor, field.tool, about); err != nil {
		return err
	}
	r.lookups.record(list, now)
	return nil
}
