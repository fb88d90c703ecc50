package notifications

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
)

// audience finds the places that want to hear of an update, each once, however many of its watches it meets.
func (o *outbox) audience(ctx context.Context, update Update) ([]destination.Settings, error) {
	places, err := o.places(ctx)
	if err != nil {
		return nil, err
	}
	var hears []destination.Settings
	for _, place := range places {
		wants, err := o.wants(ctx, place, update)
		if err != nil {
			return nil, err
		}
		if wants {
			hears = append(hears, place)
		}
	}
	return hears, nil
}

// places gives every place of which something is kept. One that cannot be opened keeps no other from hearing.
func (o *outbox) places(ctx context.Context) ([]destination.Settings, error) {
	places, err := o.config.Store.Destinations(ctx)
	if errors.Is(err, conversations.ErrSealed) {
		o.config.Log.ErrorContext(ctx, "what is kept of a place does not open: STATE_KEY may lack a key", "error", err)
		return places, nil
	}
	return places, err
}

// wants tells whether one of the watches of a place is met.
func (o *outbox) wants(ctx context.Context, place destination.Settings, update Update) (bool, error) {
	for _, watch := range place.Subscriptions {
		wants, err := o.meets(ctx, watch, update)
		if wants || err != nil {
			return wants, err
		}
	}
	return false, nil
}

func (o *outbox) meets(ctx context.Context, watch destination.Subscription, update Update) (bool, error) {
	switch watch.Kind {
	case destination.ScopeAll:
		return true, nil
	case destination.ScopeProcess:
		return watch.Value == update.Process.String(), nil
	case destination.ScopeBranch:
		return watch.Value == strconv.Itoa(int(update.Snapshot.BranchID)), nil
	case destination.ScopePerson:
		return update.Owner != "" && watch.Value == update.Owner, nil
	case destination.ScopePhase:
		return o.inPhase(ctx, watch.Value, update)
	}
	return false, nil
}

// inPhase tells whether a process is in a phase, or has just left it: who waits for a phase to end wants to hear of that.
func (o *outbox) inPhase(ctx context.Context, id string, update Update) (bool, error) {
	phase, _, err := o.phases.of(ctx, update.Snapshot.StatusID, update.Snapshot.Status)
	if err != nil {
		return false, err
	}
	if phase.ID != 0 && strconv.Itoa(int(phase.ID)) == id {
		return true, nil
	}
	for _, change := range update.Changes {
		if change.Kind != StatusChanged {
			continue
		}
		number, _ := strconv.ParseInt(change.From, 10, 32) // which stands there where the bank gave no text
		left, _, err := o.phases.of(ctx, int32(number), change.From)
		if err != nil {
			return false, err
		}
		if left.ID != 0 && strconv.Itoa(int(left.ID)) == id {
			return true, nil
		}
	}
	return false, nil
}

// watchesPerson tells whether a place wants to hear of an actor's processes.
func watchesPerson(place destination.Settings, actor string) bool {
	return actor != "" && slices.ContainsFunc(place.Subscriptions, func(w destination.Subscription) bool {
		return w.Kind == destination.ScopePerson && w.Value == actor
	})
}
