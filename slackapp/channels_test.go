package slackapp_test

import (
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
)

// outsiderCases are the ways in which people from outside the team come to read a channel.
var outsiderCases = map[string]func(*slacksim.Sim){
	"shared with another company":               func(s *slacksim.Sim) { s.Share(slacksim.TeamChannel, false) },
	"another company is invited":                func(s *slacksim.Sim) { s.InviteCompany(slacksim.TeamChannel) },
	"shared with another of the organisation's": func(s *slacksim.Sim) { s.Share(slacksim.TeamChannel, true) },
}

func TestAChannelThatOutsidersReadIsNotSubscribed(t *testing.T) {
	t.Parallel()
	for name, expose := range outsiderCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, overHTTP)
			expose(h.sim)
			ana := h.ana()
			ana.types("/balcao follow 1042")
			ana.reads("partilhado com outra empresa", "mensagens diretas")
			ana.types("/balcao follow")
			ana.sees("O que seguir")
			ana.submits(slacksim.Values{"everything": "true"})
			ana.sees("partilhado com outra empresa")
			if got := h.subscriptions(teamChannel); got != "" {
				t.Errorf("the channel follows %q", got)
			}
			must(t, ana.Close(h.ctx()))
			ana.types("/balcao notify 1042") // in her direct messages
			ana.reads("1042")
			if got := h.subscriptions(anaDirect); got != "process 1042" {
				t.Errorf("she follows %q", got)
			}
			h.checkNoRefusals()
		})
	}
}

func TestNothingIsPostedOnceOutsidersReadAChannel(t *testing.T) {
	t.Parallel()
	for _, way := range []transport{overHTTP, overSocket} {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, way, func(c *options) { c.Rate.MessagesPerSecond = -1 })
			id := h.post(team, "", card("cartão"))
			h.sim.Share(slacksim.TeamChannel, false)
			must(t, h.sim.WaitEvents(h.ctx()))
			refusal := func(err error) {
				t.Helper()
				if unreachableReason(err) != "shared_channel" || !notSent(err) {
					t.Errorf("it gave %v", err)
				}
			}
			_, err := h.replica.app.Post(h.ctx(), team, id, aNotice("resposta"))
			refusal(err)
			refusal(h.replica.app.Edit(h.ctx(), team, id, card("cartão")))
			if threads := h.sim.Threads(slacksim.TeamChannel); len(threads) != 1 || len(threads[0].Replies) != 0 || threads[0].Edited {
				t.Errorf("the channel was posted to: %+v", threads)
			}
			h.sim.Unshare(slacksim.TeamChannel)
			select {
			case dest := <-h.reachable:
				if dest != team {
					t.Errorf("%s may be posted to again", dest)
				}
			case <-h.ctx().Done():
				t.Fatal("Reachable was not called")
			}
			h.post(team, id, aNotice("resposta"))
			h.checkNoRefusals()
		})
	}
}

func TestAnInvitationWithoutAnEventIsNoticedWithinAMinute(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	h.post(team, "", card("um"))
	h.sim.InviteCompany(slacksim.TeamChannel)
	redis := h.replica.store.Client()
	keys, err := redis.Keys(h.ctx(), "cache:channel:*").Result()
	must(t, err)
	if len(keys) != 1 || redis.PTTL(h.ctx(), keys[0]).Val() > time.Minute {
		t.Fatalf("who reads a channel is believed for longer, or for ever: %q", keys)
	}
	must(t, redis.Del(h.ctx(), keys[0]).Err()) // as the minute's end does
	if _, err := h.replica.app.Post(h.ctx(), team, "", aNotice("dois")); unreachableReason(err) != "shared_channel" {
		t.Errorf("it gave %v", err)
	}
}

func TestWithoutKnowingWhoReadsAChannelNothingIsPosted(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	h.sim.Fail("conversations.info", 1, slacksim.Failure{Error: "internal_error"})
	_, err := h.replica.app.Post(h.ctx(), team, "", aNotice("um"))
	if err == nil || !notSent(err) || unreachableReason(err) != "" {
		t.Errorf("it gave %v", err)
	}
	h.post(team, "", aNotice("um"))
}

func TestGuestsAndStrangersGetNoDirectMessages(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	for _, id := range []string{slacksim.Guest, slacksim.Stranger} {
		if _, err := h.replica.app.Post(h.ctx(), "slack:"+id, "", card(id)); unreachableReason(err) != "not_of_team" {
			t.Errorf("%s: it gave %v", id, err)
		}
	}
}
