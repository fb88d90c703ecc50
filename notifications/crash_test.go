package notifications

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
)

// workUntilCrash processes triggers until the replica crashes. It reports false if there was nothing left to do before.
func workUntilCrash(t *testing.T, s *Service, crash *crashHook) bool {
	t.Helper()
	s.config.Store.Client().AddHook(crash)
	for range 20 {
		batch, err := s.engine.stream.read(t.Context())
		if err == nil && len(batch) == 0 && !crash.crashed.Load() {
			return false
		}
		if err == nil {
			err = s.engine.work(t.Context(), batch)
		}
		if crash.crashed.Load() {
			return true
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return false
}

func TestAReplicaMayCrashAtAnyStepAndEachUpdateIsDispatchedOnce(t *testing.T) {
	t.Parallel()
	for _, answered := range []bool{false, true} {
		t.Run(map[bool]string{false: "before a command", true: "after it"}[answered], func(t *testing.T) {
			t.Parallel()
			env := newBankEnv(t, redistest.Start(t))
			witness := env.replica(t)
			reconcile(t, witness)
			steps := int64(1)
			for ; ; steps++ {
				if err := env.bank.SetState(a1043, int32((steps+1)%4)+1); err != nil {
					t.Fatal(err)
				}
				trigger(t, witness, a1043)
				if !workUntilCrash(t, env.replica(t), &crashHook{crashAt: steps, after: answered}) {
					break
				}
				other := env.replica(t, func(c *Config) { c.Lease = shortLease / 3 }) // short, since no other replica runs
				waittest.Eventually(t, "another replica has finished", func() bool {
					batch, err := other.engine.stream.read(t.Context())
					if err == nil {
						err = other.engine.work(t.Context(), batch)
					}
					triggers, _, lost := other.engine.stream.backlog(t.Context(), time.Now())
					if err := errors.Join(err, lost); err != nil {
						t.Fatal(err)
					}
					return triggers == 0
				})
				env.wantOnce(t, other, a1043, int(steps))
			}
			if steps < 10 {
				t.Errorf("there were only %d steps to crash at", steps)
			}
			t.Logf("%d steps", steps)
			env.wantOnce(t, witness, a1043, int(steps))
		})
	}
}

func TestUpdatesLeftByTwoCrashedReplicasAreDispatchedInOrder(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	ctx := t.Context()
	reconcile(t, env.replica(t))
	env.advance(t, a1042)
	trigger(t, env.replica(t), a1042)
	killed := errors.New("killed")
	crashing := env.replica(t)
	crashing.engine.dispatcher = dispatcherFunc(func(context.Context, Update) error { return killed })
	upTo, err := crashing.engine.stream.newestID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := crashing.engine.refresh(ctx, OfProcess(a1042), cause{upTo: upTo}); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	env.advance(t, a1042)
	trigger(t, crashing, a1042)
	crashing.engine.dispatcher = dispatcherFunc(func(ctx context.Context, u Update) error {
		if u.Version == 2 {
			return killed
		}
		return env.dispatched.enqueue(ctx, u)
	})
	if upTo, err = crashing.engine.stream.newestID(ctx); err != nil {
		t.Fatal(err)
	}
	if err := crashing.engine.refresh(ctx, OfProcess(a1042), cause{upTo: upTo}); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	s := runEngine(t, env.replica(t))
	waitUntilIdle(t, s)
	env.wantOnce(t, s, a1042, 2)
}

type dispatcherFunc func(context.Context, Update) error

func (d dispatcherFunc) enqueue(ctx context.Context, u Update) error { return d(ctx, u) }
