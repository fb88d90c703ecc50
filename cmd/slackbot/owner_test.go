package main

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestANewOwnerIsOnTheCardAtOnceAndTheFormerOneIsNotified(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newTeamHarness(t)
	h.start(t)
	h.awaitRegistration(t)
	if err := h.bank.Advance(sandbox.SampleProcess(1042)); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the card has a reply", func() bool { return h.countInTeam("Processo 1042") == 2 })
	card := func() slacksim.Message {
		for _, message := range h.ana.Messages(slacksim.TeamChannel) {
			if message.ThreadTS == "" && strings.Contains(string(message.Blocks), `"header"`) {
				return message
			}
		}
		t.Fatal("there is no card")
		return slacksim.Message{}
	}
	shows := func(owner string) func() bool {
		return func() bool { return strings.Contains(card().FullText(), "Responsável*\n"+owner) }
	}
	if err := h.ana.ClickMessage(ctx, slacksim.TeamChannel, card().TS, button(t, card(), "Assumir")); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the card shows Ana", shows("Ana Exemplo"))
	tom := h.slack.User(slacksim.Tom)
	if err := tom.ClickMessage(ctx, slacksim.TeamChannel, card().TS, button(t, card(), "Assumir")); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the card shows Tom", shows("Tom Sample"))
	waittest.Eventually(t, "Ana is notified", func() bool {
		return countMessages(h.ana, h.ana.DM(), "Deixou de ser responsável pelo processo 1042: Tom Sample assumiu-o") == 1
	})
	if err := h.ana.Command(ctx, slacksim.TeamChannel, "/balcao own 1042 @ana.exemplo"); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the card shows Ana again", shows("Ana Exemplo"))
	if err := h.ana.Command(ctx, slacksim.TeamChannel, "/balcao own 1042 @tom.sample"); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "Tom is notified that he is the owner", func() bool { return countMessages(tom, tom.DM(), "Ana Exemplo atribuiu-lhe o processo 1042") == 1 })
	if n := countMessages(h.ana, h.ana.DM(), "Deixou de ser responsável") + countMessages(h.ana, h.ana.DM(), "atribuiu"); n != 1 {
		t.Errorf("Ana is notified %d times of owners", n)
	}
	if err := h.bank.Advance(sandbox.SampleProcess(1042)); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "a reply mentions him", func() bool { return h.countInTeam("<@"+slacksim.Tom+">", "1042") == 1 })
	posted := 0
	for _, message := range h.ana.Messages(slacksim.TeamChannel) {
		if !message.Ephemeral {
			posted++
		}
	}
	if posted != 3 {
		t.Errorf("the channel holds %d messages", posted)
	}
}
