package slackapp_test

import (
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
)

// exposures are the ways in which people from outside the team come to read a channel.
var exposures = map[string]func(*slacksim.Sim){
	"shared with another company":               func(s *slacksim.Sim) { s.Share(slacksim.TeamChannel, false) },
	"another company is invited":                func(s *slacksim.Sim) { s.InviteCompany(slacksim.TeamChannel) },
	"shared with another of the organisation's": func(s *slacksim.Sim) { s.Share(slacksim.TeamChannel, true) },
}

func TestAChannelThatOutsidersReadIsNotSubscribed(t *testing.T) {
	for name, expose := range exposures {
		t.Run(name, func(t *testing.T) {
			h := open(t, overHTTP)
			expose(h.sim)
			ana := h.ana()
			ana.types("/balcao watch 1042")
			ana.reads("partilhado com outra empresa", "mensagens diretas")
			ana.types("/balcao watch")
			ana.sees("O que seguir")
			ana.submits(slacksim.Values{"everything": "true"})
			ana.sees("partilhado com outra empresa")
			if got := h.watched(theTeam); got != "" {
				t.Errorf("the channel hears about %q", got)
			}
			must(t, ana.Close(h.soon()))
			ana.types("/balcao follow 1042") // she alone is told
			ana.reads("1042")
			if got := h.watched(anaAlone); got != "process 1042" {
				t.Errorf("she hears about %q", got)
			}
			h.refusesNothing()
		})
	}
}

func TestNothingIsPostedOnceOutsidersReadAChannel(t *testing.T) {
	for _, way := range []transport{overHTTP, overSocket} {
		t.Run(string(way), func(t *testing.T) {
			h := open(t, way, func(c *slacksim.Config) { c.Rate.MessagesPerSecond = -1 })
			id := h.posts(team, "", card("cartão"))
			h.sim.Share(slacksim.TeamChannel, false)
			must(t, h.sim.WaitEvents(h.soon()))
			refusal := func(err error) {
				t.Helper()
				if blocked(err) != "shared_channel" || !certain(err) {
					t.Errorf("it gave %v", err)
				}
			}
			_, err := h.replica.app.Post(h.soon(), team, id, aNotice("resposta"))
			refusal(err)
			refusal(h.replica.app.Edit(h.soon(), team, id, card("cartão")))
			if threads := h.sim.Threads(slacksim.TeamChannel); len(threads) != 1 || len(threads[0].Replies) != 0 || threads[0].Edited {
				t.Errorf("the channel was told: %+v", threads)
			}
			h.sim.Unshare(slacksim.TeamChannel)
			select {
			case place := <-h.reached:
				if place != team {
					t.Errorf("%s may be posted to again", place)
				}
			case <-h.soon().Done():
				t.Fatal("nobody heard that the channel is the team's alone again")
			}
			h.posts(team, id, aNotice("resposta"))
			h.refusesNothing()
		})
	}
}

func TestAnInvitationThatSlackDoesNotTellOfIsNoticedWithinAMinute(t *testing.T) {
	h := hurried(t)
	h.posts(team, "", card("um"))
	h.sim.InviteCompany(slacksim.TeamChannel)
	redis := h.replica.store.Client()
	keys, err := redis.Keys(h.soon(), "memo:channel:*").Result()
	must(t, err)
	if len(keys) != 1 || redis.PTTL(h.soon(), keys[0]).Val() > time.Minute {
		t.Fatalf("who reads a channel is believed for longer, or for ever: %q", keys)
	}
	must(t, redis.Del(h.soon(), keys[0]).Err()) // as the minute's end does
	if _, err := h.replica.app.Post(h.soon(), team, "", aNotice("dois")); blocked(err) != "shared_channel" {
		t.Errorf("it gave %v", err)
	}
}

func TestWhatCannotBeFoundOutAboutAChannelIsNotTakenForLeave(t *testing.T) {
	h := hurried(t)
	h.sim.Fail("conversations.info", 1, slacksim.Failure{Error: "internal_error"})
	_, err := h.replica.app.Post(h.soon(), team, "", aNotice("um"))
	if err == nil || !certain(err) || blocked(err) != "" {
		t.Errorf("it gave %v", err)
	}
	h.posts(team, "", aNotice("um"))
}

func TestGuestsAndStrangersAreToldNothingDirectly(t *testing.T) {
	h := hurried(t)
	for _, id := range []string{slacksim.Guest, slacksim.Stranger} {
		if _, err := h.replica.app.Post(h.soon(), "slack:"+id, "", card(id)); blocked(err) != "not_of_team" {
			t.Errorf("%s: it gave %v", id, err)
		}
	}
}
