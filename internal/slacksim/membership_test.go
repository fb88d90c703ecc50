package slacksim_test

import (
	"net/url"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
)

// waitForEvent waits until all events are delivered, and returns the newest of a kind.
func (e *env) waitForEvent(kind string) any {
	e.t.Helper()
	must(e.t, e.WaitEvents(timeoutContext(e.t)))
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := len(e.deliveries) - 1; i >= 0; i-- {
		if dig(e.deliveries[i], "event", "type") == kind {
			return e.deliveries[i]["event"]
		}
	}
	e.t.Fatalf("the app got no event %s", kind)
	return nil
}

func TestTheBotIsRemovedFromAChannelAndInvitedAgain(t *testing.T) {
	e := newEnv(t)
	ana := e.User(slacksim.Ana)
	ts := e.post("um", "")
	say := func() object {
		return e.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "x"})
	}
	must(t, ana.Remove(timeoutContext(t), slacksim.TeamChannel))
	refused(t, say(), "not_in_channel")
	refused(t, e.call("chat.update", object{"channel": slacksim.TeamChannel, "ts": ts, "text": "x"}), "not_in_channel")
	refused(t, e.form("conversations.history", url.Values{"channel": {slacksim.TeamChannel}}), "not_in_channel")
	if left := e.waitForEvent("member_left_channel"); dig(left, "user") != slacksim.BotUserID {
		t.Errorf("the app got %v", left)
	}
	must(t, ana.Invite(timeoutContext(t), slacksim.TeamChannel))
	accepted(t, say())
	joined := e.waitForEvent("member_joined_channel")
	if dig(joined, "user") != slacksim.BotUserID || dig(joined, "channel") != slacksim.TeamChannel || dig(joined, "inviter") != slacksim.Ana {
		t.Errorf("the app got %v", joined)
	}
	if ana.Command(timeoutContext(t), slacksim.TeamChannel, "/invite @Rui") == nil {
		t.Error("an unknown user was invited")
	}
}

func TestNothingIsWrittenInAnArchivedChannel(t *testing.T) {
	e := newEnv(t)
	ana := e.User(slacksim.Ana)
	ts := e.post("um", "")
	must(t, ana.Archive(timeoutContext(t), slacksim.TeamChannel))
	refused(t, e.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "x"}), "is_archived")
	refused(t, e.call("chat.postEphemeral", object{"channel": slacksim.TeamChannel, "user": slacksim.Ana, "text": "x"}), "is_archived")
	refused(t, e.call("chat.update", object{"channel": slacksim.TeamChannel, "ts": ts, "text": "x"}), "is_inactive")
	if ana.Say(timeoutContext(t), slacksim.TeamChannel, "ainda aqui?") == nil {
		t.Error("a person posted in an archived channel")
	}
	if info := accepted(t, e.form("conversations.info", url.Values{"channel": {slacksim.TeamChannel}})); dig(info, "channel", "is_archived") != true {
		t.Errorf("the channel is %v", info)
	}
	must(t, ana.Unarchive(timeoutContext(t), slacksim.TeamChannel))
	e.post("dois", "")
	if opened := e.waitForEvent("channel_unarchive"); dig(opened, "channel") != slacksim.TeamChannel {
		t.Errorf("the app got %v", opened)
	}
}

func TestARevokedTokenIsRefusedUntilItIsRestored(t *testing.T) {
	e := newEnv(t)
	e.Revoke()
	refused(t, e.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "x"}), "token_revoked")
	refused(t, e.form("auth.test", url.Values{}), "token_revoked")
	if revoked := e.waitForEvent("tokens_revoked"); dig(revoked, "tokens", "bot", "0") != slacksim.BotUserID {
		t.Errorf("the app got %v", revoked)
	}
	e.Restore()
	e.post("um", "")
}

func TestASharedChannelIsMarkedAndTheAppGetsAnEvent(t *testing.T) {
	e := newEnv(t)
	info := func(id string) any {
		return dig(accepted(t, e.form("conversations.info", url.Values{"channel": {id}})), "channel")
	}
	alone := info(slacksim.TeamChannel)
	for _, field := range []string{"is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared"} {
		if dig(alone, field) != false {
			t.Errorf("%s of an unshared channel is %v", field, dig(alone, field))
		}
	}
	if dig(alone, "shared_team_ids", "0") != slacksim.TeamID || dig(alone, "shared_team_ids", "1") != nil {
		t.Errorf("it is shared with %v", dig(alone, "shared_team_ids"))
	}
	e.InviteCompany(slacksim.TeamChannel)
	if invited := info(slacksim.TeamChannel); dig(invited, "is_pending_ext_shared") != true || dig(invited, "is_ext_shared") != false || dig(invited, "pending_connected_team_ids", "0") != slacksim.StrangerTeamID {
		t.Errorf("after the invitation it is %v", invited)
	}
	e.Share(slacksim.TeamChannel, false)
	if shared := info(slacksim.TeamChannel); dig(shared, "is_ext_shared") != true || dig(shared, "is_pending_ext_shared") != false || dig(shared, "connected_team_ids", "0") != slacksim.StrangerTeamID {
		t.Errorf("shared, it is %v", shared)
	}
	if got := e.waitForEvent("channel_shared"); dig(got, "channel") != slacksim.TeamChannel || dig(got, "connected_team_id") != slacksim.StrangerTeamID {
		t.Errorf("the app got %v", got)
	}
	e.Unshare(slacksim.TeamChannel)
	if again := info(slacksim.TeamChannel); dig(again, "is_shared") != false {
		t.Errorf("after unsharing it is %v", again)
	}
	if got := e.waitForEvent("channel_unshared"); dig(got, "channel") != slacksim.TeamChannel {
		t.Errorf("the app got %v", got)
	}
	e.Share(slacksim.TeamChannel, true)
	if org := info(slacksim.TeamChannel); dig(org, "is_org_shared") != true || dig(org, "is_ext_shared") != false || dig(org, "shared_team_ids", "1") != slacksim.StrangerTeamID {
		t.Errorf("shared within the organisation, it is %v", org)
	}
}

func TestAStrangerSeesOnlyTheSharedChannel(t *testing.T) {
	e := newEnv(t)
	stranger := e.User(slacksim.Stranger)
	if stranger.Say(timeoutContext(t), slacksim.TeamChannel, "olá") == nil {
		t.Error("a stranger posted in an unshared channel")
	}
	must(t, stranger.Say(timeoutContext(t), slacksim.SharedChannel, "olá"))
	if info := accepted(t, e.form("conversations.info", url.Values{"channel": {stranger.DM()}})); dig(info, "channel", "is_ext_shared") != true {
		t.Errorf("the direct conversation is %v", info)
	}
}
