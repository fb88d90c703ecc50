package conversations

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// anybody allows a change of owner whoever the owner is.
func anybody(string) bool { return true }

func TestAProcessHasOneOwnerAndEachChangeNamesTheFormerOne(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		s, ctx, process := p.replica(t), t.Context(), uuid.New()
		if owned := must(s.Ownership(ctx, process))(t); owned != (Ownership{}) {
			t.Errorf("the initial ownership is %+v", owned)
		}
		for i, step := range []struct{ owner, former string }{{"slack:T0/U0ANA", ""}, {"slack:T0/U0TOM", "slack:T0/U0ANA"}, {"", "slack:T0/U0TOM"}} {
			now, changed, err := s.ChangeOwner(ctx, process, step.owner, "slack:T0/U0RUI", anybody)
			if err != nil || !changed || now.Owner != step.owner || now.Former != step.former || now.By != "slack:T0/U0RUI" || now.Version != int64(i+1) || now.At.IsZero() {
				t.Errorf("change %d returned %+v, %v, %v", i, now, changed, err)
			}
			if again, changed, err := s.ChangeOwner(ctx, process, step.owner, "slack:T0/U0EVA", anybody); changed || err != nil || again != now {
				t.Errorf("the same change again returned %+v, %v, %v", again, changed, err)
			}
			if got := must(s.Owner(ctx, process))(t); got != step.owner {
				t.Errorf("the owner is %q, want %q", got, step.owner)
			}
		}
		mine := func(owner string) bool { return owner == "slack:T0/U0ANA" }
		if now, changed, err := s.ChangeOwner(ctx, process, "slack:T0/U0TOM", "slack:T0/U0TOM", mine); changed || err != nil || now.Owner != "" {
			t.Errorf("a change that was not allowed returned %+v, %v, %v", now, changed, err)
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestConcurrentChangesOfOwnerAreAppliedOneAfterAnother(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
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
			t.Errorf("the owner changed %d times", len(former))
		}
	}, embeddedRedis, oneNode)
}

func TestDirectReturnsTheDestinationOfAnActor(t *testing.T) {
	for actor, want := range map[string]string{"slack:T0/U0ANA": "slack:U0ANA", "slack:U0ANA": "slack:U0ANA", "mcp:local": "mcp:local", "": ""} {
		if got := Direct(actor); got != want {
			t.Errorf("the destination of %q is %q, want %q", actor, got, want)
		}
	}
}
