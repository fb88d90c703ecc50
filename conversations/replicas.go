package conversations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// replicaPatience is how long a write waits for a replica of Redis, at most.
const replicaPatience = time.Second

// replicated returns once what was last written to key has reached a replica of Redis, and at once where there is none.
// It fails when none of them has it in time: then the write stands, and is lost with this node.
func (s *Store) replicated(ctx context.Context, key string) error {
	client, err := s.master(ctx, key)
	if err != nil {
		return failed("finding the node of a key", err)
	}
	ctx, cancel := context.WithTimeout(ctx, replicaPatience)
	defer cancel()
	if !hasReplicas(ctx, client) {
		return nil
	}
	// WAIT looks at the writes of its own connection. This one comes after ours, so that who has it has ours too.
	var acknowledged *redis.Cmd
	deadline, _ := ctx.Deadline()
	_, err = client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.PExpire(ctx, key, s.lives.Journal)
		acknowledged = p.Do(ctx, "WAIT", 1, millis(time.Until(deadline)*3/4))
		return nil
	})
	switch {
	case err != nil:
		return failed("waiting for a replica of Redis", err)
	case acknowledged.Val() == int64(0):
		return fmt.Errorf("no replica of Redis has acknowledged a write: %w", ErrUnavailable)
	}
	return nil
}

// master is the node that writes to key go to.
func (s *Store) master(ctx context.Context, key string) (*redis.Client, error) {
	switch client := s.redis.(type) {
	case *redis.Client:
		return client, nil
	case *redis.ClusterClient:
		return client.MasterForKey(ctx, key)
	}
	return nil, errors.New("a client of an unknown kind")
}

// hasReplicas tells whether a node has replicas that follow it. One that cannot be asked is taken to have none.
func hasReplicas(ctx context.Context, client *redis.Client) bool {
	role, err := client.Do(ctx, "ROLE").Slice()
	if err != nil || len(role) < 3 {
		return false
	}
	replicas, _ := role[2].([]any)
	return role[0] == "master" && len(replicas) > 0
}
