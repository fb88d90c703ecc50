package notifications

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

func TestCachedPhasesAreUsedWhileTheBankIsDown(t *testing.T) {
	t.Parallel()
	now, reads := time.Now(), 0
	down := errors.New("the bank is down")
	failure := down
	p := &phases{states: profile.Builtin().States, now: func() time.Time { return now }, read: func(ctx context.Context, key portal.TaxonomyKey) ([]portal.TaxonomyItem, error) {
		reads++
		list, _ := taxonomies(ctx, key)
		return list, failure
	}}
	in := func(id int32, status string) Snapshot { return Snapshot{StatusID: id, Status: status} }
	if _, meaning, err := p.of(t.Context(), in(4, "Valuation")); !errors.Is(err, down) || meaning.Turn != profile.Bank {
		t.Fatalf("waits on %q, %v", meaning.Turn, err)
	}
	if phase, _, err := p.of(t.Context(), Snapshot{StatusID: 4, Status: "Valuation", PhaseID: 2, Phase: "Decision"}); err != nil || phase.ID != 2 {
		t.Fatalf("the process itself says its phase: %+v, %v", phase, err)
	}
	failure = nil
	if _, _, err := p.of(t.Context(), in(4, "Valuation")); !errors.Is(err, down) || reads != 2 {
		t.Fatalf("the bank was read again too early: %d reads, %v", reads, err)
	}
	now = now.Add(listRetry)
	for what, status := range map[string]string{"its text": "Valuation", "the list": "", "the list, where its text says nothing": "?"} {
		if phase, meaning, err := p.of(t.Context(), in(4, status)); err != nil || phase.ID != 2 || meaning.Turn != profile.Bank {
			t.Errorf("by %s: %+v, %q, %v", what, phase, meaning.Turn, err)
		}
	}
	failure = down
	now = now.Add(listTTL)
	if phase, _, err := p.of(t.Context(), in(1, "")); err != nil || phase.ID != 1 {
		t.Errorf("%+v, %v", phase, err)
	}
	if reads != 7 { // the list of states of simulations once
		t.Errorf("%d reads", reads)
	}
}

func TestAnUnknownStateIsShownAsItIsAndCounted(t *testing.T) {
	t.Parallel()
	var counted []int32
	states := profile.Builtin().States
	p := &phases{states: states, now: time.Now, read: taxonomies, unknown: func(state int32) { counted = append(counted, state) }}
	for _, c := range []struct {
		id    int32
		phase int32 // that the bank's list says
	}{{20, 3}, {21, 0}} {
		phase, meaning, err := p.of(t.Context(), Snapshot{StatusID: c.id, Status: "Em banho-maria"})
		if err != nil || phase.ID != c.phase || meaning.Turn != profile.Nobody || meaning.Ends != profile.Open {
			t.Errorf("state %d: %+v, %+v, %v", c.id, phase, meaning, err)
		}
	}
	if !slices.Equal(counted, []int32{20, 21}) {
		t.Errorf("counted %d", counted)
	}
	for id, want := range map[int32]string{20: "Step 20", 22: "22"} {
		if got := p.describe(t.Context(), Snapshot{StatusID: id}); got != want {
			t.Errorf("state %d without a text is %q, want %q", id, got, want)
		}
	}
	states.IDs, states.Phases = map[string]string{"20": "approved"}, map[string]int32{"20": 2}
	p = &phases{states: states, now: time.Now, read: taxonomies}
	if phase, meaning, err := p.of(t.Context(), Snapshot{StatusID: 20, Status: "Em banho-maria", PhaseID: 3}); err != nil || phase.ID != 2 || meaning.Turn != profile.Partner {
		t.Errorf("with the profile: %+v, %+v, %v", phase, meaning, err)
	}
}

func TestThePhaseThatAProcessLeftFollowsFromTheIDOfItsState(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "memory")
	o := env.replica()
	left := env.update(1, "Valuation", func(u *Update) {
		u.StatusBefore, u.Changes = 20, []Change{{StatusChanged, "Em banho-maria", "Valuation"}}
	})
	for phase, want := range map[string]bool{"1": false, "2": true, "3": true, "4": false} {
		if in, err := o.inPhase(t.Context(), phase, left); err != nil || in != want {
			t.Errorf("in or out of phase %s: %v, %v", phase, in, err)
		}
	}
}

func TestAnUpdateIsNotLostForAPhaseSubscriptionWhilePhasesAreUnknown(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "memory")
	o := env.replica()
	o.phases.read = func(context.Context, portal.TaxonomyKey) ([]portal.TaxonomyItem, error) {
		return nil, errors.New("down")
	}
	u := env.update(1, "Valuation")
	if err := o.enqueue(t.Context(), u); err != nil {
		t.Fatalf("without a subscription to a phase: %v", err)
	}
	env.subscribe("slack:C0PHASE", destination.Subscription{Kind: destination.ScopePhase, Value: "2"})
	if err := o.enqueue(t.Context(), u); err == nil {
		t.Fatal("it was enqueued although its destinations are unknown")
	}
	o.phases = &phases{states: profile.Builtin().States, now: env.config.Now, read: taxonomies}
	env.enqueue(o, u)
	env.start(o)
	env.wantPosted("slack:C0PHASE", 1, "Valuation")
}
