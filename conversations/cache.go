package conversations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const maxCached = 1 << 20 // bytes

// Put stores value, encrypted, for life, and replaces the value of the same kind and id. kind is a constant of the caller's
// code and readable in Redis; id may be anything. Put returns [ErrLimit] for values over 1 MiB.
func (s *Store) Put(ctx context.Context, kind, id string, value []byte, life time.Duration) error {
	if len(value) > maxCached {
		return fmt.Errorf("caching %d bytes: %w", len(value), ErrLimit)
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.cacheKey(kind, id)
	sealed, err := s.seal(key, value)
	if err != nil {
		return err
	}
	return failed("caching a value", s.redis.Set(ctx, key, sealed, time.Duration(millis(life))*time.Millisecond).Err())
}

// Get returns the value that was last Put; ok is false if there is none or it has expired.
func (s *Store) Get(ctx context.Context, kind, id string) (value []byte, ok bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.cacheKey(kind, id)
	sealed, err := s.redis.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, failed("reading a cached value", err)
	}
	value, err = s.open(key, sealed)
	return value, err == nil, err
}

func (s *Store) cacheKey(kind, id string) string {
	return "cache:" + kind + ":{" + s.name("cache", kind, id) + "}"
}
