package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal/sandbox"
)

// countMessages counts the messages of a channel that a person sees and that contain text.
func countMessages(user *slacksim.User, channel, text string) (n int) {
	for _, message := range user.Messages(channel) {
		if strings.Contains(message.FullText(), text) {
			n++
		}
	}
	return n
}

func TestFollowersOfEverythingSeeWhatTheirOwnBankUserSeesWhileTheyAreServed(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newTeamHarness(t)
	people := "PORTAL_USERS=" + slacksim.TeamID + "/" + slacksim.Ana + "=" + sandbox.BrokerA.Users[0]
	everybody := people + "," + slacksim.TeamID + "/" + slacksim.Tom + "=" + sandbox.BrokerA.Users[1]
	h.bank.Hide(sandbox.BrokerA.Users[1], sandbox.SampleProcess(1043))
	h.env = append(h.env, everybody)
	h.start(t)
	h.awaitRegistration(t)
	tom := h.slack.User(slacksim.Tom)
	if err := tom.Command(ctx, tom.DM(), "/balcao follow everything"); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "he follows everything", func() bool { return countMessages(tom, tom.DM(), "every process") > 0 })
	move := func(number int) {
		t.Helper()
		if err := h.bank.Advance(sandbox.SampleProcess(number)); err != nil {
			t.Fatal(err)
		}
		waittest.Eventually(t, "the team has the card", func() bool { return h.countInTeam("Processo "+strconv.Itoa(number)) > 1 }) // and its reply
	}
	move(1043)
	move(1042)
	waittest.Eventually(t, "he has the card and its reply", func() bool { return countMessages(tom, tom.DM(), "Process 1042") == 2 })
	if n := countMessages(tom, tom.DM(), "1043"); n != 0 {
		t.Errorf("he reads %d times of a process that his user at the bank does not see", n)
	}

	h.terminate(t)
	h.env[slices.Index(h.env, everybody)] = people
	h.start(t)
	move(1044)
	move(1045)
	if n := countMessages(tom, tom.DM(), "1044") + countMessages(tom, tom.DM(), "1045"); n != 0 {
		t.Errorf("he is served no more, and reads %d times of processes", n)
	}
}
