package slackapp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/balcao/balcao/tools"
)

// approvalLoop makes the cards of the approvals that changed, each card apart, so that one that takes long delays no other.
type approvalLoop struct {
	app     *App
	foreign map[string]bool // approvals whose owners have no direct messages here
	failing bool            // the store could not be read
	working sync.WaitGroup
	slots   chan struct{} // cards that are being made

	mu      sync.Mutex
	running map[string]bool      // groups whose cards are being made or wait for a slot
	later   map[string]time.Time // when groups, or approvals that could not be read, are tried again
}

// showApprovals shows the approvals that changed until ctx ends.
func (a *App) showApprovals(ctx context.Context) {
	loop := &approvalLoop{
		app: a, foreign: map[string]bool{}, slots: make(chan struct{}, approvalWorkers), running: map[string]bool{}, later: map[string]time.Time{},
	}
	defer loop.working.Wait()
	tick := time.NewTicker(approvalPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.approvalsChanged:
		}
		_ = a.recovered(func() error { loop.round(ctx); return nil })
	}
}

// wakeApprovals wakes the loop, so that a decision made here is shown at once.
func (a *App) wakeApprovals() {
	select {
	case a.approvalsChanged <- struct{}{}:
	default: // it wakes already
	}
}

// round begins to make the cards of the approvals that changed since a front end has shown them.
func (l *approvalLoop) round(ctx context.Context) {
	a := l.app
	ids, err := a.store.ChangedApprovals(ctx, approvalRound+int64(len(l.foreign)))
	if err != nil {
		if ctx.Err() == nil && !l.failing {
			a.log.WarnContext(ctx, "listing the approvals that changed failed", "error", logged(err))
		}
		l.failing = true
		return
	}
	l.failing = false
	for id := range l.foreign {
		if !slices.Contains(ids, id) {
			delete(l.foreign, id)
		}
	}
	groups := map[string]tools.Approval{}
	for _, id := range ids {
		if l.foreign[id] || l.waits(id) {
			continue
		}
		changed, found, err := a.runner.Approval(ctx, id)
		if err == nil && !found {
			err = a.store.ShownApproval(ctx, id, 0)
		}
		_, here := userID(changed.Owner)
		switch {
		case err != nil:
			l.putOff(id, approvalUnread)
			a.log.InfoContext(ctx, "reading an approval that changed failed", "approval", id, "error", logged(err))
		case found && !here:
			l.foreign[id] = true
		case found:
			groups[approvalGroup(changed)] = changed
		}
	}
	for group, changed := range groups {
		if !l.waits(group) && l.begin(group) {
			l.working.Go(func() { l.show(ctx, group, changed) })
		}
	}
}

// show makes the card of a group, once there is a slot. While another replica makes it, the approval stays among those that changed.
func (l *approvalLoop) show(ctx context.Context, group string, changed tools.Approval) {
	a := l.app
	defer l.end(group)
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return
	}
	err := a.recovered(func() error { return a.makeCard(ctx, changed, false) })
	if err == nil || errors.Is(err, errCardTaken) {
		return
	}
	l.putOff(group, retryCardAfter(err))
	if ctx.Err() == nil && !errors.Is(err, errUnread) {
		a.log.WarnContext(ctx, "showing an approval failed", "approval", changed.ID, "error", logged(err))
	}
}

// begin reports whether nothing makes the card of a group yet; then the caller does.
func (l *approvalLoop) begin(group string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running[group] {
		return false
	}
	l.running[group] = true
	return true
}

func (l *approvalLoop) end(group string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.running, group)
}

// putOff has a group or an approval tried again after a time.
func (l *approvalLoop) putOff(name string, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.later[name] = time.Now().Add(wait)
}

// waits reports whether a group or an approval is to be tried later.
func (l *approvalLoop) waits(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for other, at := range l.later {
		if now.After(at) {
			delete(l.later, other)
		}
	}
	_, waits := l.later[name]
	return waits
}
