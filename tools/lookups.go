package tools

import (
	"context"
	"strings"
	"sync"
	"time"
)

const (
	// lookupLife is how long one audit entry covers an actor's further searches of the same list.
	lookupLife = time.Minute
	maxLookups = 10_000
)

// lookups keeps the audit log from getting an entry for each character that is typed into a select.
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
		clear(l.until) // costs some more entries
	}
	l.until[list] = now.Add(lookupLife)
}

// recordLookup appends the audit entry that showing the options of a field needs. Nothing may be shown if it fails.
func (r *Runner) recordLookup(ctx context.Context, actor Actor, field Field, answers map[string]string) error {
	about := map[string]string{}
	list := []string{actor.ID, field.tool.Name, field.Path}
	for _, other := range field.Dependencies() {
		about[other.Path] = answers[other.Path]
		list = append(list, answers[other.Path])
	}
	key, now := strings.Join(list, " "), r.now()
	if r.lookups.recorded(key, now) {
		return nil
	}
	if err := r.showing(ctx, actor, field.tool, about); err != nil {
		return err
	}
	r.lookups.record(key, now)
	return nil
}
