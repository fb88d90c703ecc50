package conversations

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Weakness is a setting with which Redis may lose acknowledged writes.
type Weakness string

// The weaknesses. They contain nothing secret and appear in /readyz.
const (
	NotPersistent Weakness = "not_persistent" // appendonly is off: a restart loses all writes, or those since the last snapshot
	Evicts        Weakness = "evicts"         // maxmemory-policy is not noeviction: a full Redis deletes keys that are still needed
	NoMinReplicas Weakness = "no_min_replicas"
)

// ErrUnchecked is returned if the settings of Redis cannot be read.
var ErrUnchecked = errors.New("the settings of Redis cannot be read")

// Weaknesses returns the settings, over all master nodes, with which Redis may lose acknowledged writes. It reads INFO, which
// managed Redis allows where it forbids CONFIG GET, and fails with [ErrUnchecked] if INFO is forbidden too.
func (s *Store) Weaknesses(ctx context.Context) ([]Weakness, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if client, ok := s.redis.(*redis.Client); ok {
		return weaknessesOf(ctx, client)
	}
	cluster, ok := s.redis.(*redis.ClusterClient)
	if !ok {
		return nil, ErrUnchecked
	}
	var mu sync.Mutex
	var found []Weakness
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		of, err := weaknessesOf(ctx, node)
		mu.Lock()
		defer mu.Unlock()
		found = append(found, of...)
		return err
	})
	slices.Sort(found)
	return slices.Compact(found), err
}

func weaknessesOf(ctx context.Context, node *redis.Client) (found []Weakness, err error) {
	text, err := node.Info(ctx).Result()
	if refused := redis.Error(nil); errors.As(err, &refused) {
		return nil, fmt.Errorf("%w: %w", ErrUnchecked, err)
	}
	if err != nil {
		return nil, failed("reading the settings of Redis", err)
	}
	info := parseInfo(text)
	if info["aof_enabled"] == "" || info["maxmemory_policy"] == "" {
		return nil, ErrUnchecked
	}
	if info["aof_enabled"] != "1" {
		found = append(found, NotPersistent)
	}
	if info["maxmemory_policy"] != "noeviction" {
		found = append(found, Evicts)
	}
	// Redis reports min_slaves_good_slaves only if min-replicas-to-write is set.
	if replicas := info["connected_slaves"]; replicas != "" && replicas != "0" && info["min_slaves_good_slaves"] == "" {
		found = append(found, NoMinReplicas)
	}
	return found, nil
}

// parseInfo returns the fields of INFO by name.
func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info
}
