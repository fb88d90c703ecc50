package notifications

import (
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/destination"
)

func TestAPlaceHearsOfWhatItWatchesAndOnce(t *testing.T) {
	watch := func(kind destination.Scope, value string) destination.Subscription {
		return destination.Subscription{Kind: kind, Value: value}
	}
	h := newTeam(t, "memory")
	o := h.replica()
	update := h.moves(1, "Valuation", func(u *Update) { u.Owner = ana })
	for name, c := range map[string]struct {
		watches []destination.Subscription
		hears   bool
	}{
		"nothing":              {nil, false},
		"all":                  {[]destination.Subscription{watch(destination.ScopeAll, "")}, true},
		"the process":          {[]destination.Subscription{watch(destination.ScopeProcess, process(1).String())}, true},
		"another process":      {[]destination.Subscription{watch(destination.ScopeProcess, process(2).String())}, false},
		"the branch":           {[]destination.Subscription{watch(destination.ScopeBranch, "7")}, true},
		"another branch":       {[]destination.Subscription{watch(destination.ScopeBranch, "8")}, false},
		"the owner":            {[]destination.Subscription{watch(destination.ScopePerson, ana)}, true},
		"another person":       {[]destination.Subscription{watch(destination.ScopePerson, "slack:T0TEAM/U0RUI")}, false},
		"the phase":            {[]destination.Subscription{watch(destination.ScopePhase, "2")}, true},
		"the phase it left":    {[]destination.Subscription{watch(destination.ScopePhase, "1")}, true},
		"a phase to come":      {[]destination.Subscription{watch(destination.ScopePhase, "3")}, false},
		"several that are met": {[]destination.Subscription{watch(destination.ScopeAll, ""), watch(destination.ScopeBranch, "7")}, true},
	} {
		place := "slack:C0" + strings.ToUpper(strings.ReplaceAll(name, " ", ""))
		h.watch(place, c.watches...)
		for _, id := range []string{place, channel} {
			heard, err := o.audience(t.Context(), update)
			if err != nil {
				t.Fatal(err)
			}
			many := 0
			for _, p := range heard {
				if p.ID == id {
					many++
				}
			}
			if want := c.hears || id == channel; many > 1 || want != (many == 1) {
				t.Errorf("%s: %s hears %d times", name, id, many)
			}
		}
	}
	for _, watches := range [][]destination.Subscription{{watch(destination.ScopeProcess, process(2).String())}, nil} {
		h.watch(channel, watches...)
		heard, err := o.audience(t.Context(), update)
		if err != nil || slices.ContainsFunc(heard, func(p destination.Settings) bool { return p.ID == channel }) {
			t.Errorf("the team's place hears of more than it watches (%v)", err)
		}
	}
	unknown := h.moves(3, "Something new")
	h.watch("slack:C0PHASE", watch(destination.ScopePhase, "0"))
	if heard, err := o.audience(t.Context(), unknown); err != nil || slices.ContainsFunc(heard, func(p destination.Settings) bool { return p.ID == "slack:C0PHASE" }) {
		t.Errorf("a status that is unknown has a phase (%v)", err)
	}
}

func TestWhoStopsWatchingIsNotToldWhatWaits(t *testing.T) {
	h := newTeam(t, "node")
	own := "slack:C0OWN"
	h.watch(own, destination.Subscription{Kind: destination.ScopeAll})
	putting := h.replica()
	h.put(putting, h.moves(1, "Documents"))
	h.watch(own)     // and nothing is kept of the place
	o := h.replica() // which never heard of it
	h.start(o)
	h.rests(o, own)
	h.watch(own, destination.Subscription{Kind: destination.ScopeAll})
	h.put(o, h.moves(1, "Analysis"))
	eventually(t, "it is told", func() bool { return len(h.board.told(own, process(1))) > 0 })
	if got := h.board.told(own, process(1)); !slices.Equal(got, []string{"Status: Documents → Analysis"}) {
		t.Errorf("told %q", got)
	}
}

func TestWhatCameWhileNobodyWatchedIsNotToldLater(t *testing.T) {
	h := newTeam(t, "node")
	own := "slack:C0OWN"
	o := h.replica()
	h.start(o)
	watch := destination.Subscription{Kind: destination.ScopeProcess, Value: process(1).String()}
	h.put(o, h.moves(1, "Documents"))
	h.watch(own, watch)
	h.put(o, h.moves(1, "Analysis"))
	eventually(t, "it is told", func() bool { return len(h.board.told(own, process(1))) == 1 })
	h.rests(o, own)
	h.watch(own)
	h.put(o, h.moves(1, "Valuation"))
	h.watch(own, watch)
	h.put(o, h.moves(1, "Contract"))
	eventually(t, "it is told", func() bool { return len(h.board.told(own, process(1))) == 2 })
	want := []string{"Status: Documents → Analysis", "Status: Valuation → Contract"}
	if got := h.board.told(own, process(1)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
