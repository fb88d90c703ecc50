package notifications

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

var (
	renewLease   = redis.NewScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`)
	releaseLease = redis.NewScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`)
)

// alone does work unless another replica is doing it, and ends it when the lease is lost. It gives false where another
// is.
func alone(ctx context.Context, client redis.UniversalClient, key string, life time.Duration, work func(context.Context) error) (bool, error) {
	token := uuid.NewString()
	call := func(ctx context.Context, do func(context.Context) error) error {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		return do(ctx)
	}
	var held bool
	err := call(ctx, func(ctx context.Context) (err error) {
		held, err = client.SetNX(ctx, key, token, life).Result()
		return err
	})
	if err != nil || !held {
		return false, stored("taking a lease", err)
	}
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	var renewing sync.WaitGroup
	renewing.Go(func() {
		defer cancel()
		tick := time.NewTicker(life / 3)
		defer tick.Stop()
		for renewed := time.Now(); time.Since(renewed) < life; {
			select {
			case <-working.Done():
				return
			case <-tick.C:
			}
			var ours bool
			err := call(working, func(ctx context.Context) (err error) {
				ours, err = renewLease.Run(ctx, client, []string{key}, token, life.Milliseconds()).Bool()
				return err
			})
			if err == nil && !ours {
				return
			}
			if err == nil {
				renewed = time.Now()
			}
		}
	})
	err = work(working)
	cancel()
	renewing.Wait()
	_ = call(context.WithoutCancel(ctx), func(ctx context.Context) error { // what is not given back runs out
		return releaseLease.Run(ctx, client, []string{key}, token).Err()
	})
	return true, err
}
