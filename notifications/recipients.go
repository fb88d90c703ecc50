package notifications

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/portal/profile"
)

// audience returns the destinations that subscribed to an update, each once, however many of its subscriptions match.
func (o *outbox) audience(ctx context.Context, update Update) ([]destination.Settings, error) {
	dests, err := o.destinations(ctx)
	if err != nil {
		return nil, err
	}
	var subscribed []destination.Settings
	for _, dest := range dests {
		wants, err := o.wants(ctx, dest, update)
		if err != nil {
			return nil, err
		}
		if wants {
			subscribed = append(subscribed, dest)
		}
	}
	return subscribed, nil
}

// destinations returns every stored destination. One whose settings cannot be decrypted is left out.
func (o *outbox) destinations(ctx context.Context) ([]destination.Settings, error) {
	dests, err := o.config.Store.Destinations(ctx)
	if errors.Is(err, conversations.ErrSealed) {
		o.config.Log.ErrorContext(ctx, "settings of a destination cannot be decrypted: STATE_KEY may lack a key", "error", err)
		return dests, nil
	}
	return dests, err
}

// wants reports whether a subscription of a destination matches.
func (o *outbox) wants(ctx context.Context, dest destination.Settings, update Update) (bool, error) {
	for _, sub := range dest.Subscriptions {
		wants, err := o.matches(ctx, sub, update)
		if wants || err != nil {
			return wants, err
		}
	}
	return false, nil
}

func (o *outbox) matches(ctx context.Context, sub destination.Subscription, update Update) (bool, error) {
	switch sub.Kind {
	case destination.ScopeAll:
		return true, nil
	case destination.ScopeProcess:
		return update.Process != uuid.Nil && sub.Value == update.Process.String(), nil
	case destination.ScopeSimulation:
		return update.Simulation != uuid.Nil && sub.Value == update.Simulation.String(), nil
	case destination.ScopeBranch:
		return update.Process != uuid.Nil && sub.Value == strconv.Itoa(int(update.Snapshot.BranchID)), nil
	case destination.ScopePerson:
		return update.Owner != "" && sub.Value == update.Owner, nil
	case destination.ScopePhase:
		if update.Process == uuid.Nil {
			return false, nil // phases are of processes
		}
		return o.inPhase(ctx, sub.Value, update)
	}
	return false, nil
}

// inPhase reports whether a process is in a phase, or has just left it: who waits for the end of a phase is notified
// too.
func (o *outbox) inPhase(ctx context.Context, id string, update Update) (bool, error) {
	phase, _, err := o.phases.of(ctx, update.Snapshot)
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
		left, _, err := o.phases.phase(ctx, update.StatusBefore, change.From, profile.Phase{})
		if err != nil {
			return false, err
		}
		if left.ID != 0 && strconv.Itoa(int(left.ID)) == id {
			return true, nil
		}
	}
	return false, nil
}

// followsPerson reports whether a destination subscribed to the processes of an actor.
func followsPerson(dest destination.Settings, actor string) bool {
	return actor != "" && slices.ContainsFunc(dest.Subscriptions, func(w destination.Subscription) bool {
		return w.Kind == destination.ScopePerson && w.Value == actor
	})
}
