package subscriptions_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

var simulation2102 = sandbox.SampleSimulation(sandbox.SampleValid)

func TestNobodySubscribesOrMutesASimulationThatTheyMayNotSee(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.Actor.ID = "rita" // of another broker
	for _, tool := range []string{"follow_processes", "stop_following", "mute_process", "unmute_process", "notify_me"} {
		for _, ref := range []string{`"2102"`, `"` + simulation2102.String() + `"`} {
			_, failure := e.Call(t, tool, `{"simulation":`+ref+`}`)
			if failure == nil || failure.Kind != tools.NotFound || !strings.Contains(failure.What(words.English), "simulation") {
				t.Errorf("%s of %s: got %v", tool, ref, failure)
			}
		}
	}
	if len(e.settings) > 0 {
		t.Errorf("something is stored: %v", e.settings)
	}
}

func TestASimulationIsMutedAndUnmuted(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.Actor.Name = "Ana Exemplo"
	e.WantCard(t, "unmute_process", `{"simulation":2102}`, "Simulation 2102 was not muted")
	e.WantCard(t, "mute_process", `{"simulation":2102,"until":"24/11/2026"}`, "Simulation 2102 is muted", "until 24 Nov 2026")
	if said := e.wantAnnounced(t, 1); !strings.Contains(said, "Ana Exemplo muted simulation 2102") {
		t.Errorf("announced is %q", said)
	}
	e.WantCard(t, "mute_process", `{"process":1042}`)
	listed := e.WantCard(t, "show_subscriptions", `{}`, "simulation 2102", "muted until 24 Nov 2026", "process 1042")
	if rows := listed.Card.Table.Rows; len(rows) != 2 {
		t.Errorf("listed are %q", rows)
	}
	e.WantCard(t, "unmute_process", `{"simulation":2102}`, "Simulation 2102 is no longer muted")
	if _, muted := e.settings[team].Mutes[simulation2102]; muted || len(e.settings[team].Mutes) != 1 {
		t.Errorf("stored is %v", e.settings[team].Mutes)
	}
}

func TestAMuteOrAMessageIsOfOneProcessOrSimulation(t *testing.T) {
	t.Parallel()
	e := start(t)
	for _, tool := range []string{"mute_process", "unmute_process", "notify_me"} {
		e.WantProblem(t, tool, `{}`, "subject.missing")
		e.WantProblem(t, tool, `{"process":1042,"simulation":2102}`, "subject.several")
	}
	e.WantProblem(t, "mute_process", `{"simulation":2102,"until":"2026-11-23"}`, "mute.past")
}

func TestTheButtonsOfTheCardOfASimulationNotifyAndMuteThePersonAlone(t *testing.T) {
	t.Parallel()
	e := start(t)
	for _, step := range catalogue.New().StepsOn(tools.Subject{Simulation: simulation2102}, tools.StateMeaning{}, words.Portuguese) {
		tool, _ := catalogue.New().Named(step.Tool)
		if tool.Effect != tools.Remembers {
			continue
		}
		args, err := json.Marshal(step.Args)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"mute_process": "Simulation 2102 is muted for you alone", "notify_me": "/balcao stop simulation 2102"}[step.Tool]
		if want == "" {
			t.Errorf("the button %q is of %s", step.Label, step.Tool)
		}
		e.WantCard(t, step.Tool, string(args), want)
	}
	direct := e.settings["slack:U0ANA"]
	if _, muted := direct.Mutes[simulation2102]; !muted || len(e.settings[team].Mutes) > 0 {
		t.Errorf("stored is %+v", e.settings)
	}
	wanted := []destination.Subscription{{Kind: destination.ScopeSimulation, Value: simulation2102.String(), Name: "2102", By: "ana"}}
	if !slices.Equal(direct.Subscriptions, wanted) {
		t.Errorf("stored is %+v", direct.Subscriptions)
	}
}

func TestASimulationOfADestinationThatFollowsEverythingIsMuted(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.WantCard(t, "follow_processes", `{"everything":true}`)
	e.WantCard(t, "follow_processes", `{"simulation":2102}`)
	ended := e.WantCard(t, "stop_following", `{"simulation":2102}`, "still gets the updates")
	if next := ended.Card.Next[0]; next.Tool != "mute_process" || next.Args["simulation"] != simulation2102.String() {
		t.Errorf("the next step is %v", next)
	}
}
