package conversations

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"
)

// The canary is an encrypted value, written by the first replica that found none. A replica that cannot decrypt it uses
// another keyset than those that share its Redis: it could neither decrypt their values nor find their keys.
const (
	canaryKey  = "canary"
	canaryLife = 400 * 24 * time.Hour
	guardEvery = 2 * time.Second
)

// ErrOtherKey is returned if this Redis is in use with another keyset. The store reads and writes nothing then.
var ErrOtherKey = errors.New("this Redis is in use with another STATE_KEY: give every replica the same one; " +
	"to change it, add a key to the one in use with -rotate-state-key")

// guard is a hook that checks the canary before a command if the last check is more than two seconds old, because the
// Redis behind an address may be emptied or replaced while the program runs.
type guard struct {
	redis   redis.UniversalClient
	keys    Keys
	life    time.Duration // of one check
	log     *slog.Logger
	checks  singleflight.Group
	checked atomic.Int64 // time of the last successful check, in ns
	foreign atomic.Bool  // the last check failed with ErrOtherKey
}

// passes is the context key of the commands of the check itself.
type passes struct{}

// check decrypts the canary. If there is none, it writes one and returns planted. It also compares a fingerprint: a keyset
// that lost its first key may decrypt the canary, but would compute other names of keys.
func (g *guard) check(ctx context.Context) (planted bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, passes{}, true), g.life)
	defer cancel()
	fingerprint := g.keys.Fingerprint([]byte(canaryKey))
	sealed, err := g.redis.Get(ctx, canaryKey).Result()
	if errors.Is(err, redis.Nil) {
		canary, failure := g.keys.Seal([]byte(fingerprint), []byte(canaryKey))
		if failure != nil {
			return false, fmt.Errorf("sealing the canary: %w", failure)
		}
		if planted, err = g.redis.SetNX(ctx, canaryKey, canary, canaryLife).Result(); err == nil {
			sealed, err = g.redis.Get(ctx, canaryKey).Result()
		}
	}
	if err != nil {
		return false, failed("reading the canary", err)
	}
	if opened, err := g.keys.Open([]byte(sealed), []byte(canaryKey)); err != nil || string(opened) != fingerprint {
		g.checked.Store(0)
		return false, fmt.Errorf("%w: %w", ErrUnavailable, ErrOtherKey)
	}
	g.checked.Store(time.Now().UnixNano())
	if err := g.redis.PExpire(ctx, canaryKey, canaryLife).Err(); err != nil {
		return planted, failed("extending the canary", err)
	}
	return planted, nil
}

// renew checks the canary now. Concurrent callers share one check.
func (g *guard) renew(ctx context.Context) error {
	_, err, _ := g.checks.Do("", func() (any, error) {
		planted, err := g.check(context.WithoutCancel(ctx))
		if planted {
			g.log.WarnContext(ctx, "Redis was emptied: the canary was missing and was written again")
		}
		if foreign := errors.Is(err, ErrOtherKey); foreign && !g.foreign.Swap(foreign) {
			g.log.ErrorContext(ctx, "reading from and writing to Redis stopped", "error", err)
		} else if err == nil {
			g.foreign.Store(false)
		}
		return nil, err
	})
	return err
}

// pass returns [ErrOtherKey] if Redis is in use with another keyset. It ignores other errors of the check; the command
// reports them.
func (g *guard) pass(ctx context.Context) error {
	if ctx.Value(passes{}) != nil || time.Since(time.Unix(0, g.checked.Load())) < guardEvery {
		return nil
	}
	if err := g.renew(ctx); errors.Is(err, ErrOtherKey) {
		return err
	}
	return nil
}

// DialHook implements [redis.Hook].
func (g *guard) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook implements [redis.Hook].
func (g *guard) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := g.pass(ctx); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook implements [redis.Hook].
func (g *guard) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := g.pass(ctx); err != nil {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
			return err
		}
		return next(ctx, cmds)
	}
}
