package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal/sandbox"
)

// reads counts what a person reads in a channel that says this.
func reads(user *slacksim.User, channel, text string) (n int) {
	for _, message := range user.Messages(channel) {
		if strings.Contains(message.FullText(), text) {
			n++
		}
	}
	return n
}

func TestWhoFollowsEverythingIsToldWhatTheirOwnBankUserSeesForAsLongAsTheyAreServed(t *testing.T) {
	ctx, w := minute(t), newsTown(t)
	people := "PORTAL_USERS=" + slacksim.TeamID + "/" + slacksim.Ana + "=" + sandbox.BrokerA.Users[0]
	everybody := people + "," + slacksim.TeamID + "/" + slacksim.Tom + "=" + sandbox.BrokerA.Users[1]
	w.bank.Hide(sandbox.BrokerA.Users[1], sandbox.SampleProcess(1043))
	w.env = append(w.env, everybody)
	w.start(t)
	w.registered(t)
	tom := w.slack.User(slacksim.Tom)
	if err := tom.Command(ctx, tom.DM(), "/balcao watch everything"); err != nil {
		t.Fatal(err)
	}
	await(t, "him to follow everything", func() bool { return reads(tom, tom.DM(), "every process") > 0 })
	move := func(number int) {
		t.Helper()
		if err := w.bank.Move(sandbox.SampleProcess(number)); err != nil {
			t.Fatal(err)
		}
		await(t, "the team's card", func() bool { return w.tells("Processo "+strconv.Itoa(number)) > 1 }) // and its reply
	}
	move(1043)
	move(1042)
	await(t, "his card and its reply", func() bool { return reads(tom, tom.DM(), "Process 1042") == 2 })
	if n := reads(tom, tom.DM(), "1043"); n != 0 {
		t.Errorf("he reads %d times of a process that his user at the bank does not see", n)
	}

	w.end(t)
	w.env[slices.Index(w.env, everybody)] = people
	w.start(t)
	move(1044)
	move(1045)
	if n := reads(tom, tom.DM(), "1044") + reads(tom, tom.DM(), "1045"); n != 0 {
		t.Errorf("he is served no more, and reads %d times of processes", n)
	}
}
