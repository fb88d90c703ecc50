package notifications

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/redistest"
)

// die lets a replica work until it is dead; false when there was nothing more to do before that.
func die(t *testing.T, s *Service, death *mortal) bool {
	t.Helper()
	s.config.Store.Client().AddHook(death)
	for range 20 {
		batch, err := s.engine.stream.next(t.Context())
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
	for _, answered := range []bool{false, true} {
		t.Run(map[bool]string{false: "before a command", true: "after it"}[answered], func(t *testing.T) {
			t.Parallel()
			town := open(t, redistest.Start(t))
			witness := town.replica(t)
			walk(t, witness)
			steps := int64(1)
			for ; ; steps++ {
				if err := town.bank.MoveTo(a1043, int32((steps+1)%4)+1); err != nil {
					t.Fatal(err)
				}
				hint(t, witness, a1043)
				if !die(t, town.replica(t), &mortal{at: steps, after: answered}) {
					break
				}
				heir := town.replica(t)
				eventually(t, "another has finished", func() bool {
					batch, err := heir.engine.stream.next(t.Context())
					if err == nil {
						err = heir.engine.work(t.Context(), batch)
					}
					hints, _, lost := heir.engine.stream.backlog(t.Context(), time.Now())
					if err := errors.Join(err, lost); err != nil {
						t.Fatal(err)
					}
					return hints == 0
				})
				town.wantOnce(t, heir, a1043, int(steps))
			}
			if steps < 10 {
				t.Errorf("there were only %d steps to die at", steps)
			}
			t.Logf("%d steps", steps)
			town.wantOnce(t, witness, a1043, int(steps))
		})
	}
}

func TestWhatTwoDeadReplicasLeftIsHandedOnInOrder(t *testing.T) {
	town := open(t, redistest.Start(t))
	ctx := t.Context()
	walk(t, town.replica(t))
	town.move(t, a1042)
	hint(t, town.replica(t), a1042)
	killed := errors.New("killed")
	dying := town.replica(t)
	dying.engine.desk = deskOf(func(context.Context, Update) error { return killed })
	upTo, err := dying.engine.stream.last(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := dying.engine.look(ctx, a1042, look{upTo: upTo}); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	town.move(t, a1042)
	hint(t, dying, a1042)
	dying.engine.desk = deskOf(func(ctx context.Context, u Update) error {
		if u.Version == 2 {
			return killed
		}
		return town.told.put(ctx, u)
	})
	if upTo, err = dying.engine.stream.last(ctx); err != nil {
		t.Fatal(err)
	}
	if err := dying.engine.look(ctx, a1042, look{upTo: upTo}); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	s := work(t, town.replica(t))
	idle(t, s)
	town.wantOnce(t, s, a1042, 2)
}

type deskOf func(context.Context, Update) error

func (d deskOf) put(ctx context.Context, u Update) error { return d(ctx, u) }
