package notifications

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/portal"
)

func TestCachedPhasesAreUsedWhileTheBankIsDown(t *testing.T) {
	t.Parallel()
	now, reads := time.Now(), 0
	down := errors.New("the bank is down")
	failure := down
	p := &phases{now: func() time.Time { return now }, read: func(ctx context.Context, key portal.TaxonomyKey) ([]portal.TaxonomyItem, error) {
		reads++
		list, _ := taxonomies(ctx, key)
		return list, failure
	}}
	if _, waits, err := p.phase(t.Context(), 4, "Valuation"); !errors.Is(err, down) || waits != bank {
		t.Fatalf("waits on %q, %v", waits, err)
	}
	failure = nil
	if _, _, err := p.phase(t.Context(), 4, "Valuation"); !errors.Is(err, down) || reads != 2 {
		t.Fatalf("the bank was read again too early: %d reads, %v", reads, err)
	}
	now = now.Add(listRetry)
	for what, status := range map[string]string{"its text": "Valuation", "the list": "", "the list, where its text says nothing": "?"} {
		if phase, waits, err := p.phase(t.Context(), 4, status); err != nil || phase.ID != 2 || waits != bank {
			t.Errorf("by %s: %+v, %q, %v", what, phase, waits, err)
		}
	}
	failure = down
	now = now.Add(listTTL)
	if phase, _, err := p.phase(t.Context(), 1, ""); err != nil || phase.ID != 1 {
		t.Errorf("%+v, %v", phase, err)
	}
	if reads != 6 {
		t.Errorf("%d reads", reads)
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
	o.phases = &phases{now: env.config.Now, read: taxonomies}
	env.enqueue(o, u)
	env.start(o)
	env.wantPosted("slack:C0PHASE", 1, "Valuation")
}
