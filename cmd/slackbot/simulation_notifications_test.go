package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestAChannelFollowsASimulationThatTheBankDecides(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newTeamHarness(t)
	h.env = append(h.env, "TEAM_CHANNEL=") // nothing is followed but what is asked for
	h.start(t)
	h.awaitRegistration(t)
	if err := h.ana.Command(ctx, slacksim.TeamChannel, "/balcao seguir simulação 2102"); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the channel follows the simulation", func() bool { return h.countInTeam("A seguir nesta conversa", "a simulação 2102") == 1 })

	for _, number := range []int{sandbox.SampleHeavy, sandbox.SampleValid} { // the first is not followed
		if err := h.bank.Decide(sandbox.SampleSimulation(number)); err != nil {
			t.Fatal(err)
		}
	}
	waittest.Eventually(t, "the decision is in the card's thread", func() bool { return h.countInTeam("O banco aprovou a simulação") > 0 })
	var card slacksim.Message
	waittest.Eventually(t, "the channel has the card", func() bool {
		for _, message := range h.ana.Messages(slacksim.TeamChannel) {
			if message.ThreadTS == "" && !message.Ephemeral && strings.Contains(message.FullText(), "2102") {
				card = message
			}
		}
		return card.TS != ""
	})
	var blocks []struct {
		Elements []struct {
			ID   string `json:"action_id"`
			Text struct{ Text string }
		}
	}
	if err := json.Unmarshal([]byte(card.Blocks), &blocks); err != nil {
		t.Fatal(err)
	}
	buttons := map[string]string{}
	for _, block := range blocks {
		for _, element := range block.Elements {
			buttons[element.Text.Text] = element.ID
		}
	}
	for label, said := range map[string]string{
		"Silenciar para mim": "Simulação 2102 silenciada só para si", "Avisar-me por mensagem": "A seguir por mensagem direta",
	} {
		if err := h.ana.ClickMessage(ctx, slacksim.TeamChannel, card.TS, buttons[label]); err != nil {
			t.Fatalf("«%s» among %v: %v", label, buttons, err)
		}
		waittest.Eventually(t, "«"+label+"» has an answer", func() bool { return h.countInTeam(said) == 1 })
	}
	if h.countInTeam("2108") > 0 {
		t.Errorf("a simulation that is not followed is in the channel: %q", h.teamTexts())
	}
	if err := h.bank.WriteOnSimulation(sandbox.SampleSimulation(sandbox.SampleValid)); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "a message of the bank is in the thread", func() bool { return h.countInTeam("Nova mensagem do banco") > 0 })
}
