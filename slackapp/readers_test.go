package slackapp

import (
	"encoding/json"
	"testing"
)

func TestEachSignOfOutsidersInAChannelIsEnough(t *testing.T) {
	t.Parallel()
	us := identity{Team: "T1", Enterprise: "E1"}
	for channel, want := range map[string]bool{
		`{}`: false,
		`{"is_shared":false,"is_ext_shared":false,"is_pending_ext_shared":false,"is_org_shared":false,"shared_team_ids":["T1"]}`: false,
		`{"is_org_shared":true,"shared_team_ids":["T1","E1"]}`:                                                                   false,
		`{"is_ext_shared":true}`:                true,
		`{"is_pending_ext_shared":true}`:        true,
		`{"pending_shared":["T9"]}`:             true,
		`{"shared_team_ids":["T1","T9"]}`:       true,
		`{"connected_team_ids":["T9"]}`:         true,
		`{"pending_connected_team_ids":["T9"]}`: true,
	} {
		var info channelInfo
		if err := json.Unmarshal([]byte(channel), &info); err != nil {
			t.Fatal(err)
		}
		if got := info.readByOutsiders(us); got != want {
			t.Errorf("%s: outsiders read it: %v", channel, got)
		}
	}
}
