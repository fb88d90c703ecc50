package conversations

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// anybody lets a process change hands whoever owns it.
func anybody(string) bool { return true }

func TestAProcessHasOneOwnerAndEachChangeSaysWhoWasBefore(t *testing.T) {
	on(t, func(t *testing.T, p *place) {
		s, ctx, process := p.replica(t), t.Context(), uuid.New()
		if owned := must(s.Ownership(ctx, process))(t); owned != (Ownership{}) {
			t.Errorf("at first it is %+v", owned)
		}
		for i, step := range []struct{ owner, former string }{{"slack:T0/U0ANA", ""}, {"slack:T0/U0TOM", "slack:T0/U0ANA"}, {"", "slack:T0/U0TOM"}} {
			now, changed, err := s.ChangeOwner(ctx, process, step.owner, "slack:T0/U0RUI", anybody)
			if err != nil || !changed || now.Owner != step.owner || now.Former != step.former || now.By != "slack:T0/U0RUI" || now.Version != int64(i+1) || now.At.IsZero() {
				t.Errorf("change %d gave %+v, %v, %v", i, now, changed, err)
			}
			if again, changed, err := s.ChangeOwner(ctx, process, step.owner, "slack:T0/U0EVA", anybody); changed || err != nil || again != now {
				t.Errorf("the same again gave %+v, %v, %v", again, changed, err)
			}
			if got := must(s.Owner(ctx, process))(t); got != step.owner {
				t.Errorf("the owner is %q, want %q", got, step.owner)
			}
		}
		mine := func(owner string) bool { return owner == "slack:T0/U0ANA" }
		if now, changed, err := s.ChangeOwner(ctx, process, "slack:T0/U0TOM", "slack:T0/U0TOM", mine); changed || err != nil || now.Owner != "" {
			t.Errorf("what was not allowed gave %+v, %v, %v", now, changed, err)
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestAnOwnerKeptBeforeThereWereVersionsIsStillTheOwner(t *testing.T) {
	on(t, func(t *testing.T, p *place) {
		s, ctx, process := p.replica(t), t.Context(), uuid.New()
		if err := s.Put(ctx, ownerKind, process.String(), []byte("slack:T0/U0ANA"), placeLife); err != nil {
			t.Fatal(err)
		}
		now, changed, err := s.ChangeOwner(ctx, process, "slack:T0/U0TOM", "slack:T0/U0TOM", anybody)
		if err != nil || !changed || now.Former != "slack:T0/U0ANA" || now.Version != 1 {
			t.Errorf("got %+v, %v, %v", now, changed, err)
		}
	}, embeddedRedis)
}

func TestOfManyWhoTakeAProcessAtOnceEachFollowsAnother(t *testing.T) {
	on(t, func(t *testing.T, p *place) {
		process := uuid.New()
		var mu sync.Mutex
		former := map[string]string{}
		var taking sync.WaitGroup
		for replica := range 2 {
			s := p.replica(t)
			for i := range 4 {
				taking.Go(func() {
					owner := fmt.Sprintf("slack:T0/U%d%d", replica, i)
					now, changed, err := s.ChangeOwner(t.Context(), process, owner, owner, anybody)
					if err != nil || !changed {
						t.Errorf("%s: %v, %v", owner, changed, err)
					}
					mu.Lock()
					defer mu.Unlock()
					if other, twice := former[now.Former]; twice {
						t.Errorf("%s and %s both took it from %q", other, owner, now.Former)
					}
					former[now.Former] = owner
				})
			}
		}
		taking.Wait()
		if len(former) != 8 {
			t.Errorf("it changed hands %d times", len(former))
		}
	}, embeddedRedis, oneNode)
}

func TestTheDirectPlaceOfAnActor(t *testing.T) {
	for actor, want := range map[string]string{"slack:T0/U0ANA": "slack:U0ANA", "slack:U0ANA": "slack:U0ANA", "mcp:local": "mcp:local", "": ""} {
		if got := Direct(actor); got != want {
			t.Errorf("%q is told at %q, want %q", actor, got, want)
		}
	}
}
