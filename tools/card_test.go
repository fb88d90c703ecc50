package tools_test

import (
	"slices"
	"testing"

	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/words"
)

func TestTheCardOfAProcessHasTheStepsOfItsTools(t *testing.T) {
	t.Parallel()
	process := uuid.New()
	steps := catalogue.New().StepsOn(tools.Subject{Process: process}, tools.StateMeaning{}, words.Portuguese)
	var order []string
	for _, step := range steps {
		order = append(order, step.Tool)
		tool, known := catalogue.New().Named(step.Tool)
		if !known || step.Label == "" {
			t.Fatalf("%q leads nowhere", step.Tool)
		}
		for path, value := range step.Args {
			field, known := tool.Field(path)
			if own, said := tool.CardArgs[path]; !known || said && value != own || !said && (field.Kind != tools.Process || value != process) {
				t.Errorf("%s gets %v for %s", step.Tool, value, path)
			}
		}
		if len(step.Args) != 1+len(tool.CardArgs) {
			t.Errorf("%s gets %v", step.Tool, step.Args)
		}
	}
	if !slices.Equal(order, []string{"list_borrowers", "get_esis", "list_documents", "list_messages", "own_process", "mute_process", "notify_me"}) {
		t.Errorf("the buttons are %q", order)
	}
	for _, step := range catalogue.New().StepsOn(tools.Subject{Process: process}, tools.StateMeaning{Ends: profile.Cancelled}, words.Portuguese) {
		if step.Tool == "get_esis" {
			t.Error("the ESIS of a cancelled process is offered")
		}
	}
}

func TestTheCardOfASimulationHasTheStepsOfItsTools(t *testing.T) {
	t.Parallel()
	about := tools.Subject{Simulation: uuid.New()}
	for ends, want := range map[tools.End][]string{
		profile.Open: {
			"get_simulation_esis", "update_simulation", "create_process", "mute_process", "list_simulation_messages", "notify_me",
		},
		profile.Cancelled: {"mute_process", "list_simulation_messages", "notify_me"},
	} {
		var order []string
		for _, step := range catalogue.New().StepsOn(about, tools.StateMeaning{Ends: ends}, words.Portuguese) {
			order = append(order, step.Tool)
			if step.Label == "" || step.Args["simulation"] != about.Simulation {
				t.Errorf("%s is %q with %v", step.Tool, step.Label, step.Args)
			}
		}
		slices.Sort(order)
		slices.Sort(want)
		if !slices.Equal(order, want) {
			t.Errorf("%s: the buttons are %q", ends, order)
		}
	}
}
