package conversations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const maxMemo = 1 << 20 // bytes

// Put keeps value for life, sealed, in place of what was remembered under the same kind and id. kind is a constant
// of the caller's code and readable in Redis; id may be anything. Values over 1 MiB are refused with [ErrLimit].
func (s *Store) Put(ctx context.Context, kind, id string, value []byte, life time.Duration) error {
	if len(value) > maxMemo {
		return fmt.Errorf("remembering %d bytes: %w", len(value), ErrLimit)
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.memoKey(kind, id)
	sealed, err := s.seal(key, value)
	if err != nil {
		return err
	}
	return failed("remembering a value", s.redis.Set(ctx, key, sealed, time.Duration(millis(life))*time.Millisecond).Err())
}

// Get returns what was remembered; ok is false when nothing was, or its life is over.
func (s *Store) Get(ctx context.Context, kind, id string) (value []byte, ok bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.memoKey(kind, id)
	sealed, err := s.redis.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, failed("recalling a value", err)
	}
	value, err = s.open(key, sealed)
	return value, err == nil, err
}

func (s *Store) memoKey(kind, id string) string {
	return "memo:" + kind + ":{" + s.name("memo", kind, id) + "}"
}
