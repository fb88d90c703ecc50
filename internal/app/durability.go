package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/balcao/balcao/conversations"
)

// durabilityTTL is how long the settings of Redis are cached.
const durabilityTTL = time.Minute

// remedies has the log message for each weakness of Redis.
var remedies = map[conversations.Weakness]string{
	conversations.NotPersistent: "set appendonly to yes: a restart loses the journal of changes sent to the bank",
	conversations.Evicts:        "set maxmemory-policy to noeviction: a full Redis deletes keys that are still needed",
	conversations.NoMinReplicas: "set min-replicas-to-write to 1: a node that is cut off from its replicas accepts writes that are lost",
}

// logWeaknesses logs each setting with which Redis may lose writes, and how to change it.
func logWeaknesses(ctx context.Context, store *conversations.Store, log *slog.Logger) {
	found, err := store.Weaknesses(ctx)
	switch {
	case errors.Is(err, conversations.ErrUnchecked):
		log.Warn("could not check whether Redis keeps its data: make sure that appendonly is yes, maxmemory-policy is noeviction and, with replicas, min-replicas-to-write is 1", "error", err)
	case err != nil:
		log.Warn("reading the settings of Redis failed", "error", err)
	}
	for _, weakness := range found {
		log.Warn("Redis may lose data, and then a change may be made twice", "weakness", weakness, "remedy", remedies[weakness])
	}
}

// DurabilityCheck fails if Redis has settings with which it may lose writes. It is not vital, and it passes if the settings
// cannot be read.
func (s *System) DurabilityCheck() Check {
	return Check{Name: "redis", Run: Cached(func(ctx context.Context) error {
		if s.inMemory() {
			return nil
		}
		found, err := s.Store.Weaknesses(ctx)
		if errors.Is(err, conversations.ErrUnchecked) || len(found) == 0 {
			return nil // the check of the store fails without Redis
		}
		names := make([]string, len(found))
		for i, weakness := range found {
			names[i] = string(weakness)
		}
		return Problem(strings.Join(names, ", "))
	}, durabilityTTL)}
}
