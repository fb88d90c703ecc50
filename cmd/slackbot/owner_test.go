package main

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestWhoTakesAProcessIsOnItsCardAtOnceAndTheFormerOwnerHears(t *testing.T) {
	ctx, w := minute(t), newsTown(t)
	w.start(t)
	w.registered(t)
	if err := w.bank.Move(sandbox.SampleProcess(1042)); err != nil {
		t.Fatal(err)
	}
	await(t, "the card and its reply", func() bool { return w.tells("Processo 1042") == 2 })
	card := func() slacksim.Message {
		for _, message := range w.ana.Messages(slacksim.TeamChannel) {
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
	if err := w.ana.ClickMessage(ctx, slacksim.TeamChannel, card().TS, "step:c"); err != nil { // «Assumir»
		t.Fatal(err)
	}
	await(t, "the card to show Ana", shows("Ana Exemplo"))
	tom := w.slack.User(slacksim.Tom)
	if err := tom.ClickMessage(ctx, slacksim.TeamChannel, card().TS, "step:c"); err != nil {
		t.Fatal(err)
	}
	await(t, "the card to show Tom", shows("Tom Sample"))
	await(t, "Ana to hear of it", func() bool {
		return reads(w.ana, w.ana.DM(), "Tom Sample ficou responsável pelo processo 1042, que era seu") == 1
	})
	if err := w.ana.Command(ctx, slacksim.TeamChannel, "/balcao own 1042 @ana.exemplo"); err != nil {
		t.Fatal(err)
	}
	await(t, "the card to show Ana again", shows("Ana Exemplo"))
	if err := w.ana.Command(ctx, slacksim.TeamChannel, "/balcao own 1042 @tom.sample"); err != nil {
		t.Fatal(err)
	}
	await(t, "Tom to hear that it is his", func() bool { return reads(tom, tom.DM(), "Ana Exemplo atribuiu-lhe o processo 1042") == 1 })
	if n := reads(w.ana, w.ana.DM(), "ficou responsável") + reads(w.ana, w.ana.DM(), "atribuiu"); n != 1 {
		t.Errorf("Ana hears %d times of owners", n)
	}
	if err := w.bank.Move(sandbox.SampleProcess(1042)); err != nil {
		t.Fatal(err)
	}
	await(t, "the reply that mentions him", func() bool { return w.tells("<@"+slacksim.Tom+">", "1042") == 1 })
	posted := 0
	for _, message := range w.ana.Messages(slacksim.TeamChannel) {
		if !message.Ephemeral {
			posted++
		}
	}
	if posted != 3 {
		t.Errorf("the channel holds %d messages", posted)
	}
}
