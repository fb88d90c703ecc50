package notifications

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
)

// die lets a replica work until it is dead; false when there was nothing more to do before that.
func workUntilCrash(t *testing.T, s *Service, death *crashHook) bool {
	t.Helper()
	s.config.Store.Client().AddHook(death)
	for range 20 {
		batch, err := s.engine.stream.read(t.Context())
		if err == nil && len(batch) == 0 && !death.dead.Load() {
			return false
		}
		if err == nil {
			err = s.engine.work(t.Context(), batch)
		}
		if death.dead.Load() {
			return true
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return false
}

func TestAReplicaMayDieAtAnyStepAndNothingIsLostNorTwice(t *testing.T) {
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
				heir := env.replica(t)
				waittest.Eventually(t, "another has finished", func() bool {
					batch, err := heir.engine.stream.read(t.Context())
					if err == nil {
						err = heir.engine.work(t.Context(), batch)
					}
					triggers, _, lost := heir.engine.stream.backlog(t.Context(), time.Now())
					if err := errors.Join(err, lost); err != nil {
						t.Fatal(err)
					}
					return triggers == 0
				})
				env.wantOnce(t, heir, a1043, int(steps))
			}
			if steps < 10 {
				t.Errorf("there were only %d steps to die at", steps)
			}
			t.Logf("%d steps", steps)
			env.wantOnce(t, witness, a1043, int(steps))
		})
	}
}

func TestWhatTwoDeadReplicasLeftIsHandedOnInOrder(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	ctx := t.Context()
	reconcile(t, env.replica(t))
	env.move(t, a1042)
	trigger(t, env.replica(t), a1042)
	killed := errors.New("killed")
	dying := env.replica(t)
	dying.engine.dispatcher = dispatcherFunc(func(context.Context, Update) error { return killed })
	upTo, err := dying.engine.stream.newestID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := dying.engine.refresh(ctx, a1042, cause{upTo: upTo}); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	env.move(t, a1042)
	trigger(t, dying, a1042)
	dying.engine.dispatcher = dispatcherFunc(func(ctx context.Context, u Update) error {
		if u.Version == 2 {
			return killed
		}
		return env.dispatched.enqueue(ctx, u)
	})
	if upTo, err = dying.engine.stream.newestID(ctx); err != nil {
		t.Fatal(err)
	}
	if err := dying.engine.refresh(ctx, a1042, cause{upTo: upTo}); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	s := runEngine(t, env.replica(t))
	waitUntilIdle(t, s)
	env.wantOnce(t, s, a1042, 2)
}

type dispatcherFunc func(context.Context, Update) error

func (d dispatcherFunc) enqueue(ctx context.Context, u Update) error { return d(ctx, u) }
