package slacksim_test

import (
	"net/url"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
)

// heardOf waits until the app has heard of all, and gives the newest event of a kind.
func (st *env) heardOf(kind string) any {
	st.t.Helper()
	refuse(st.t, st.WaitEvents(timeoutContext(st.t)))
	st.mu.Lock()
	defer st.mu.Unlock()
	for i := len(st.deliveries) - 1; i >= 0; i-- {
		if dig(st.deliveries[i], "event", "type") == kind {
			return st.deliveries[i]["event"]
		}
	}
	st.t.Fatalf("the app did not hear of %s", kind)
	return nil
}

func TestTheBotIsSentOutOfAChannelAndInvitedAgain(t *testing.T) {
	st := newEnv(t)
	ana := st.User(slacksim.Ana)
	ts := st.post("um", "")
	say := func() object {
		return st.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "x"})
	}
	refuse(t, ana.Remove(timeoutContext(t), slacksim.TeamChannel))
	refused(t, say(), "not_in_channel")
	refused(t, st.call("chat.update", object{"channel": slacksim.TeamChannel, "ts": ts, "text": "x"}), "not_in_channel")
	refused(t, st.form("conversations.history", url.Values{"channel": {slacksim.TeamChannel}}), "not_in_channel")
	if left := st.heardOf("member_left_channel"); dig(left, "user") != slacksim.BotUserID {
		t.Errorf("the app heard %v", left)
	}
	refuse(t, ana.Invite(timeoutContext(t), slacksim.TeamChannel))
	accepted(t, say())
	joined := st.heardOf("member_joined_channel")
	if dig(joined, "user") != slacksim.BotUserID || dig(joined, "channel") != slacksim.TeamChannel || dig(joined, "inviter") != slacksim.Ana {
		t.Errorf("the app heard %v", joined)
	}
	if ana.Command(timeoutContext(t), slacksim.TeamChannel, "/invite @Rui") == nil {
		t.Error("somebody was invited who does not exist")
	}
}

func TestNothingIsWrittenInAnArchivedChannel(t *testing.T) {
	st := newEnv(t)
	ana := st.User(slacksim.Ana)
	ts := st.post("um", "")
	refuse(t, ana.Archive(timeoutContext(t), slacksim.TeamChannel))
	refused(t, st.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "x"}), "is_archived")
	refused(t, st.call("chat.postEphemeral", object{"channel": slacksim.TeamChannel, "user": slacksim.Ana, "text": "x"}), "is_archived")
	refused(t, st.call("chat.update", object{"channel": slacksim.TeamChannel, "ts": ts, "text": "x"}), "is_inactive")
	if ana.Say(timeoutContext(t), slacksim.TeamChannel, "ainda aqui?") == nil {
		t.Error("a person wrote there")
	}
	if info := accepted(t, st.form("conversations.info", url.Values{"channel": {slacksim.TeamChannel}})); dig(info, "channel", "is_archived") != true {
		t.Errorf("the channel is %v", info)
	}
	refuse(t, ana.Unarchive(timeoutContext(t), slacksim.TeamChannel))
	st.post("dois", "")
	if opened := st.heardOf("channel_unarchive"); dig(opened, "channel") != slacksim.TeamChannel {
		t.Errorf("the app heard %v", opened)
	}
}

func TestARevokedTokenOpensNothingUntilItIsRestored(t *testing.T) {
	st := newEnv(t)
	st.Revoke()
	refused(t, st.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "x"}), "token_revoked")
	refused(t, st.form("auth.test", url.Values{}), "token_revoked")
	if revoked := st.heardOf("tokens_revoked"); dig(revoked, "tokens", "bot", "0") != slacksim.BotUserID {
		t.Errorf("the app heard %v", revoked)
	}
	st.Restore()
	st.post("um", "")
}

func TestAChannelThatIsSharedSaysSoAndTheAppHears(t *testing.T) {
	st := newEnv(t)
	info := func(id string) any {
		return dig(accepted(t, st.form("conversations.info", url.Values{"channel": {id}})), "channel")
	}
	alone := info(slacksim.TeamChannel)
	for _, field := range []string{"is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared"} {
		if dig(alone, field) != false {
			t.Errorf("%s of a channel of the workspace alone is %v", field, dig(alone, field))
		}
	}
	if dig(alone, "shared_team_ids", "0") != slacksim.TeamID || dig(alone, "shared_team_ids", "1") != nil {
		t.Errorf("it is shared with %v", dig(alone, "shared_team_ids"))
	}
	st.InviteCompany(slacksim.TeamChannel)
	if invited := info(slacksim.TeamChannel); dig(invited, "is_pending_ext_shared") != true || dig(invited, "is_ext_shared") != false || dig(invited, "pending_connected_team_ids", "0") != slacksim.StrangerTeamID {
		t.Errorf("after the invitation it is %v", invited)
	}
	st.Share(slacksim.TeamChannel, false)
	if shared := info(slacksim.TeamChannel); dig(shared, "is_ext_shared") != true || dig(shared, "is_pending_ext_shared") != false || dig(shared, "connected_team_ids", "0") != slacksim.StrangerTeamID {
		t.Errorf("shared, it is %v", shared)
	}
	if heard := st.heardOf("channel_shared"); dig(heard, "channel") != slacksim.TeamChannel || dig(heard, "connected_team_id") != slacksim.StrangerTeamID {
		t.Errorf("the app heard %v", heard)
	}
	st.Unshare(slacksim.TeamChannel)
	if again := info(slacksim.TeamChannel); dig(again, "is_shared") != false {
		t.Errorf("alone again, it is %v", again)
	}
	if heard := st.heardOf("channel_unshared"); dig(heard, "channel") != slacksim.TeamChannel {
		t.Errorf("the app heard %v", heard)
	}
	st.Share(slacksim.TeamChannel, true)
	if org := info(slacksim.TeamChannel); dig(org, "is_org_shared") != true || dig(org, "is_ext_shared") != false || dig(org, "shared_team_ids", "1") != slacksim.StrangerTeamID {
		t.Errorf("shared within the organisation, it is %v", org)
	}
}

func TestAStrangerSeesTheSharedChannelAlone(t *testing.T) {
	st := newEnv(t)
	stranger := st.User(slacksim.Stranger)
	if stranger.Say(timeoutContext(t), slacksim.TeamChannel, "olá") == nil {
		t.Error("somebody of another company writes in a channel that is not shared")
	}
	refuse(t, stranger.Say(timeoutContext(t), slacksim.SharedChannel, "olá"))
	if info := accepted(t, st.form("conversations.info", url.Values{"channel": {stranger.DM()}})); dig(info, "channel", "is_ext_shared") != true {
		t.Errorf("the direct conversation is %v", info)
	}
}
