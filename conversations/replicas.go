package conversations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// replicaTimeout is how long a write waits for a replica of Redis.
const replicaTimeout = time.Second

// replicated waits until the last write to key has reached a replica of Redis, if there is one. It fails if none has it in
// time: the write is done then, and is lost if this node is lost.
func (s *Store) replicated(ctx context.Context, key string) error {
	client, err := s.master(ctx, key)
	if err != nil {
		return failed("finding the node of a key", err)
	}
	ctx, cancel := context.WithTimeout(ctx, replicaTimeout)
	defer cancel()
	if !hasReplicas(ctx, client) {
		return nil
	}
	// WAIT waits for the writes of its own connection. PEXPIRE follows our write, so that a replica that has it has both.
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

// master returns the node that receives writes to key.
func (s *Store) master(ctx context.Context, key string) (*redis.Client, error) {
	switch client := s.redis.(type) {
	case *redis.Client:
		return client, nil
	case *redis.ClusterClient:
		return client.MasterForKey(ctx, key)
	}
	return nil, errors.New("unknown type of Redis client")
}

// hasReplicas reports whether a node has connected replicas, and false if it does not answer.
func hasReplicas(ctx context.Context, client *redis.Client) bool {
	role, err := client.Do(ctx, "ROLE").Slice()
	if err != nil || len(role) < 3 {
		return false
	}
	replicas, _ := role[2].([]any)
	return role[0] == "master" && len(replicas) > 0
}
