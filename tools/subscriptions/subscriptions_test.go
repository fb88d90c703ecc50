package subscriptions_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestADestinationSubscribesAndUnsubscribes(t *testing.T) {
	t.Parallel()
	process, simulation := sandbox.SampleProcess(1042).String(), sandbox.SampleSimulation(sandbox.SampleValid).String()
	for args, c := range map[string]struct {
		want destination.Subscription
		said string
	}{
		`{"process":1042}`:                    {destination.Subscription{Kind: destination.ScopeProcess, Value: process, Name: "1042", By: "ana"}, "process 1042"},
		`{"process":"` + process + `"}`:       {destination.Subscription{Kind: destination.ScopeProcess, Value: process, Name: "1042", By: "ana"}, "process 1042"},
		`{"simulation":2102}`:                 {destination.Subscription{Kind: destination.ScopeSimulation, Value: simulation, Name: "2102", By: "ana"}, "simulation 2102"},
		`{"simulation":"` + simulation + `"}`: {destination.Subscription{Kind: destination.ScopeSimulation, Value: simulation, Name: "2102", By: "ana"}, "simulation 2102"},
		`{"branch":"porto"}`:                  {destination.Subscription{Kind: destination.ScopeBranch, Value: "102", Name: "Porto – Sample", By: "ana"}, "the processes of Porto – Sample"},
		`{"phaseId":2}`:                       {destination.Subscription{Kind: destination.ScopePhase, Value: "2", Name: "Decision", By: "ana"}, "the processes in the phase Decision"},
		`{"mine":true}`:                       {destination.Subscription{Kind: destination.ScopePerson, Value: "ana", By: "ana"}, "your processes"},
		`{"everything":true}`:                 {destination.Subscription{Kind: destination.ScopeAll, By: "ana"}, "every process and simulation"},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			e.WantCard(t, "stop_following", args, "was not following", c.said)
			began := e.WantCard(t, "follow_processes", args, "from now on", c.said, "/balcao stop")
			if got := e.settings[team].Subscriptions; !slices.Equal(got, []destination.Subscription{c.want}) {
				t.Errorf("stored is %+v", got)
			}
			e.WantCard(t, "follow_processes", args, "already", c.said)
			if got := e.settings[team].Subscriptions; len(got) != 1 {
				t.Errorf("subscribed twice, stored is %+v", got)
			}
			e.WantCard(t, "show_subscriptions", `{}`, c.said)
			stop := began.Card.Next[0]
			again, err := json.Marshal(stop.Args)
			if err != nil {
				t.Fatal(err)
			}
			e.WantCard(t, stop.Tool, string(again), "no longer posted", c.said)
			if got := e.settings[team].Subscriptions; len(got) != 0 {
				t.Errorf("still stored is %+v", got)
			}
			if len(e.settings) != 1 {
				t.Errorf("destinations are %v", e.settings)
			}
		})
	}
}

func TestASubscriptionHasExactlyOneScope(t *testing.T) {
	t.Parallel()
	e := start(t)
	for _, tool := range []string{"follow_processes", "stop_following"} {
		e.WantProblem(t, tool, `{}`, "subscription.missing")
		e.WantProblem(t, tool, `{"mine":false,"everything":false,"branch":"  "}`, "subscription.missing")
		e.WantProblem(t, tool, `{"process":1042,"mine":true}`, "subscription.several")
		e.WantProblem(t, tool, `{"process":1042,"simulation":2102}`, "subscription.several")
		e.WantProblem(t, tool, `{"simulation":"ten"}`, "kind.simulation")
		e.WantProblem(t, tool, `{"phaseId":2,"everything":true}`, "subscription.several")
		e.WantProblem(t, tool, `{"phaseId":99}`, "taxonomy.unknown")
		e.WantProblem(t, tool, `{"branch":"nowhere"}`, "branch.unknown")
		e.WantProblem(t, tool, `{"branch":"sample"}`, "branch.several")
		e.WantProblem(t, tool, `{"process":"ten"}`, "kind.process")
	}
	if len(e.settings) > 0 {
		t.Errorf("something is stored: %v", e.settings)
	}
}

func TestFollowingAProcessSubscribesDirectMessagesOnly(t *testing.T) {
	t.Parallel()
	e := start(t)
	for range 2 {
		e.WantCard(t, "notify_me", `{"process":1042}`, "1042", "/balcao stop 1042")
	}
	wanted := []destination.Subscription{{Kind: destination.ScopeProcess, Value: sandbox.SampleProcess(1042).String(), Name: "1042", By: "ana"}}
	if got := e.settings["slack:U0ANA"].Subscriptions; len(e.settings) != 1 || !slices.Equal(got, wanted) {
		t.Errorf("stored is %v", e.settings)
	}
	e.Actor.Destination = e.Actor.Direct
	e.WantCard(t, "stop_following", `{"process":1042}`, "1042")
	if got := e.settings["slack:U0ANA"].Subscriptions; len(got) != 0 {
		t.Errorf("it cannot be ended: %v", got)
	}
}

func TestASubscriptionToAProcessThatTheBankNoLongerShowsCanBeRemoved(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.WantCard(t, "follow_processes", `{"process":1042}`)
	e.Actor.ID = "rita" // of another broker
	e.WantCard(t, "stop_following", `{"process":1042}`, "no longer posted")
	if left := e.settings[team].Subscriptions; len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestUnsubscribingNamesASubscriptionThatStillApplies(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.WantCard(t, "follow_processes", `{"everything":true}`)
	e.WantCard(t, "follow_processes", `{"process":1042}`)
	ended := e.WantCard(t, "stop_following", `{"process":1042}`, "no longer", "still gets the updates of all processes and simulations")
	if next := ended.Card.Next[0]; next.Tool != "mute_process" {
		t.Errorf("the next step is %v", next)
	}
}

func TestASubscriptionToMyProcessesIsOfItsPersonOnly(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.WantCard(t, "follow_processes", `{"mine":true}`)
	e.Actor.ID = "reader" // who may, since the bank is not called
	e.WantCard(t, "show_subscriptions", `{}`, "a colleague's processes")
	e.WantCard(t, "stop_following", `{"mine":true}`, "was not following")
	e.WantCard(t, "follow_processes", `{"mine":true}`, "from now on")
}

func TestASubscriptionToAllProcessesIsOfItsPerson(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.WantCard(t, "follow_processes", `{"everything":true}`, "from now on")
	e.Actor.ID = "reader"
	e.WantCard(t, "follow_processes", `{"everything":true}`, "from now on")
	if got := e.settings[team].Subscriptions; len(got) != 2 || got[0].By != "ana" || got[1].By != "reader" {
		t.Errorf("stored is %v", got)
	}
	e.WantCard(t, "stop_following", `{"everything":true}`, "no longer")
	if got := e.settings[team].Subscriptions; len(got) != 0 {
		t.Errorf("left is %v", got)
	}
	e.settings[team] = destination.Settings{Subscriptions: []destination.Subscription{{Kind: destination.ScopeAll}}} // as the team's channel begins
	e.WantCard(t, "follow_processes", `{"everything":true}`, "already")
}

func TestADestinationHasFiftySubscriptionsAndFiveHundredMutesAtMost(t *testing.T) {
	t.Parallel()
	e := start(t)
	full := destination.Settings{Mutes: map[uuid.UUID]time.Time{}}
	for i := range 50 {
		full.Subscriptions = append(full.Subscriptions, destination.Subscription{Kind: destination.ScopeBranch, Value: fmt.Sprint(1000 + i)})
	}
	for range 500 {
		full.Mutes[uuid.New()] = time.Time{}
	}
	e.settings[team] = full
	e.WantProblem(t, "follow_processes", `{"process":1042}`, "subscription.full")
	e.WantProblem(t, "mute_process", `{"process":1042}`, "mute.full")
	e.WantCard(t, "show_subscriptions", `{}`, "480 more processes and simulations are muted")
	for process := range full.Mutes {
		full.Mutes[process] = noon // over by now
		break
	}
	e.WantCard(t, "mute_process", `{"process":1042}`, "until it is unmuted")
	if got := len(e.settings[team].Mutes); got != 500 {
		t.Errorf("%d are muted", got)
	}
}

func TestWhatSeveralPeopleFollowIsListedOnce(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.WantCard(t, "follow_processes", `{"process":1042}`, "from now on")
	e.Actor.ID = "reader"
	e.WantCard(t, "follow_processes", `{"process":1042}`, "from now on")
	if rows := e.WantCard(t, "show_subscriptions", `{}`, "process 1042").Card.Table.Rows; len(rows) != 1 {
		t.Errorf("listed are %q", rows)
	}
}
