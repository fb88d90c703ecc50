package notifications

import (
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/waittest"
)

func TestADestinationIsNotifiedOnceOfWhatItSubscribedTo(t *testing.T) {
	t.Parallel()
	sub := func(kind destination.Scope, value string) destination.Subscription {
		return destination.Subscription{Kind: kind, Value: value}
	}
	env := newOutboxEnv(t, "memory")
	o := env.replica()
	update := env.update(1, "Valuation", func(u *Update) { u.Owner = ana })
	for name, c := range map[string]struct {
		subs []destination.Subscription
		want bool
	}{
		"nothing":              {nil, false},
		"all":                  {[]destination.Subscription{sub(destination.ScopeAll, "")}, true},
		"the process":          {[]destination.Subscription{sub(destination.ScopeProcess, process(1).String())}, true},
		"another process":      {[]destination.Subscription{sub(destination.ScopeProcess, process(2).String())}, false},
		"the branch":           {[]destination.Subscription{sub(destination.ScopeBranch, "7")}, true},
		"another branch":       {[]destination.Subscription{sub(destination.ScopeBranch, "8")}, false},
		"the owner":            {[]destination.Subscription{sub(destination.ScopePerson, ana)}, true},
		"another person":       {[]destination.Subscription{sub(destination.ScopePerson, "slack:T0TEAM/U0RUI")}, false},
		"the phase":            {[]destination.Subscription{sub(destination.ScopePhase, "2")}, true},
		"the phase it left":    {[]destination.Subscription{sub(destination.ScopePhase, "1")}, true},
		"a phase to come":      {[]destination.Subscription{sub(destination.ScopePhase, "3")}, false},
		"several that are met": {[]destination.Subscription{sub(destination.ScopeAll, ""), sub(destination.ScopeBranch, "7")}, true},
	} {
		dest := "slack:C0" + strings.ToUpper(strings.ReplaceAll(name, " ", ""))
		env.subscribe(dest, c.subs...)
		for _, id := range []string{dest, channel} {
			notified, err := o.audience(t.Context(), update)
			if err != nil {
				t.Fatal(err)
			}
			many := 0
			for _, p := range notified {
				if p.ID == id {
					many++
				}
			}
			if want := c.want || id == channel; many > 1 || want != (many == 1) {
				t.Errorf("%s: %s is notified %d times", name, id, many)
			}
		}
	}
	for _, subs := range [][]destination.Subscription{{sub(destination.ScopeProcess, process(2).String())}, nil} {
		env.subscribe(channel, subs...)
		notified, err := o.audience(t.Context(), update)
		if err != nil || slices.ContainsFunc(notified, func(p destination.Settings) bool { return p.ID == channel }) {
			t.Errorf("the team channel is notified of more than it subscribed to (%v)", err)
		}
	}
	unknown := env.update(3, "Something new")
	env.subscribe("slack:C0PHASE", sub(destination.ScopePhase, "0"))
	if notified, err := o.audience(t.Context(), unknown); err != nil || slices.ContainsFunc(notified, func(p destination.Settings) bool { return p.ID == "slack:C0PHASE" }) {
		t.Errorf("a status that is unknown has a phase (%v)", err)
	}
}

func TestAnUnsubscribedDestinationIsNotNotifiedOfQueuedUpdates(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	own := "slack:C0OWN"
	env.subscribe(own, destination.Subscription{Kind: destination.ScopeAll})
	putting := env.replica()
	env.enqueue(putting, env.update(1, "Documents"))
	env.subscribe(own) // its settings are deleted
	o := env.replica() // which has not cached the destination's id
	env.start(o)
	env.waitUntilIdle(o, own)
	env.subscribe(own, destination.Subscription{Kind: destination.ScopeAll})
	env.enqueue(o, env.update(1, "Analysis"))
	waittest.Eventually(t, "it is posted", func() bool { return len(env.poster.replies(own, process(1))) > 0 })
	if got := env.poster.replies(own, process(1)); !slices.Equal(got, []string{"Status: Documents → Analysis"}) {
		t.Errorf("got %q", got)
	}
}

func TestUpdatesWhileUnsubscribedAreNotPostedLater(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	own := "slack:C0OWN"
	o := env.replica()
	env.start(o)
	sub := destination.Subscription{Kind: destination.ScopeProcess, Value: process(1).String()}
	env.enqueue(o, env.update(1, "Documents"))
	env.subscribe(own, sub)
	env.enqueue(o, env.update(1, "Analysis"))
	waittest.Eventually(t, "it is posted", func() bool { return len(env.poster.replies(own, process(1))) == 1 })
	env.waitUntilIdle(o, own)
	env.subscribe(own)
	env.enqueue(o, env.update(1, "Valuation"))
	env.subscribe(own, sub)
	env.enqueue(o, env.update(1, "Contract"))
	waittest.Eventually(t, "it is posted", func() bool { return len(env.poster.replies(own, process(1))) == 2 })
	want := []string{"Status: Documents → Analysis", "Status: Valuation → Contract"}
	if got := env.poster.replies(own, process(1)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
