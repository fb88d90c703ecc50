package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/balcao/balcao/conversations"
)

// durabilityLife is how long it is believed what Redis says of its settings.
const durabilityLife = time.Minute

// remedies say what to do about a weakness of Redis.
var remedies = map[conversations.Weakness]string{
	conversations.NotPersistent: "set appendonly to yes: after a restart nobody knows which changes were sent to the bank",
	conversations.Evicts:        "set maxmemory-policy to noeviction: a full Redis drops what is still needed",
	conversations.NoMinReplicas: "set min-replicas-to-write to 1: a node cut off from its replicas takes changes that are lost",
}

// warnOfLoss says in the log how Redis may lose what it has taken, and what to do about it.
func warnOfLoss(ctx context.Context, store *conversations.Store, log *slog.Logger) {
	found, err := store.Weaknesses(ctx)
	switch {
	case errors.Is(err, conversations.ErrUnchecked):
		log.Warn("could not check whether Redis keeps its data: make sure that appendonly is yes, maxmemory-policy is noeviction and, where there are replicas, min-replicas-to-write is 1", "error", err)
	case err != nil:
		log.Warn("could not ask Redis how it keeps its data", "error", err)
	}
	for _, weakness := range found {
		log.Warn("Redis may lose data, and a change may be made twice then", "weakness", weakness, "remedy", remedies[weakness])
	}
}

// Durability is the part of the system that is unwell where Redis may lose what it has taken. Requests are served all the
// same. What Redis does not tell is not held against it.
func (s *System) Durability() Check {
	return Check{Name: "redis", Run: Cached(func(ctx context.Context) error {
		if s.inMemory() {
			return nil
		}
		found, err := s.Store.Weaknesses(ctx)
		if errors.Is(err, conversations.ErrUnchecked) || len(found) == 0 {
			return nil // without Redis the store is unwell
		}
		names := make([]string, len(found))
		for i, weakness := range found {
			names[i] = string(weakness)
		}
		return Problem(strings.Join(names, ", "))
	}, durabilityLife)}
}
