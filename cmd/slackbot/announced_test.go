package main

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestMutingInAChannelIsAnnouncedThereAndAnybodyCanUndoIt(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newTeamHarness(t)
	h.start(t)
	h.awaitRegistration(t)
	tom := h.slack.User(slacksim.Tom)
	command := func(user *slacksim.User, line string) {
		t.Helper()
		if err := user.Command(ctx, slacksim.TeamChannel, line); err != nil {
			t.Fatal(err)
		}
	}
	posted := func(text string) (message slacksim.Message, many int) {
		for _, m := range h.ana.Messages(slacksim.TeamChannel) {
			if !m.Ephemeral && strings.Contains(m.FullText(), text) {
				message, many = m, many+1
			}
		}
		return message, many
	}
	command(tom, "/balcao mute 1042")
	waittest.Eventually(t, "the channel shows who did it", func() bool {
		_, n := posted("Tom Sample silenciou o processo 1042 neste canal, sem prazo.")
		return n == 1
	})
	for range 2 { // while it is muted
		if err := h.bank.Advance(sandbox.SampleProcess(1042)); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.bank.Advance(sandbox.SampleProcess(1043)); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the other process has a card", func() bool { _, n := posted("Processo 1043"); return n == 2 })
	if _, n := posted("Processo 1042"); n != 0 {
		t.Errorf("a muted process is posted %d times", n)
	}
	announcement, _ := posted("Tom Sample silenciou")
	if err := h.ana.ClickMessage(ctx, slacksim.TeamChannel, announcement.TS, "step:a"); err != nil { // «Desfazer»
		t.Fatal(err)
	}
	waittest.Eventually(t, "the channel shows who undid it", func() bool { _, n := posted("Ana Exemplo desfez a última alteração"); return n == 1 })
	if err := h.bank.Advance(sandbox.SampleProcess(1042)); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the process has a card", func() bool { _, n := posted("Processo 1042"); return n == 2 })

	card, _ := posted("Ver proponentes")
	if err := tom.ClickMessage(ctx, slacksim.TeamChannel, card.TS, button(t, card, "Assumir")); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "he gets a card", func() bool { return countMessages(tom, slacksim.TeamChannel, "You now own process") == 1 })
	number := "1042"
	if !strings.Contains(card.FullText(), number) {
		t.Fatalf("the newest card is %q", card.FullText())
	}
	if err := tom.ClickMessage(ctx, slacksim.TeamChannel, card.TS, button(t, card, "Silenciar para mim")); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "he alone gets a message", func() bool { return countMessages(tom, slacksim.TeamChannel, "muted for you alone") == 1 })
	before := len(h.ana.Messages(slacksim.TeamChannel))
	if err := h.bank.Advance(sandbox.SampleProcess(1042)); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the channel is notified all the same", func() bool { return len(h.ana.Messages(slacksim.TeamChannel)) > before })
	if _, n := posted("<@" + slacksim.Tom + ">"); n != 0 {
		t.Errorf("who muted it is mentioned %d times", n)
	}
}
