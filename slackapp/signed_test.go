package slackapp_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/slackapp"
)

// signedBy returns a message to the MCP server with the headers of a signature.
func signedBy(secret string, at time.Time, meta string) (http.Header, []byte) {
	body := []byte(fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_process","arguments":{"process":"1042"},"_meta":%s}}`, meta))
	return http.Header{
		"X-Slack-Request-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
		slackapp.SignatureHeader:    {slacksim.Sign(secret, at, body)},
	}, body
}

func TestAMessageThatSlackSignedIsFromThePersonItNames(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	now := time.Now()
	named := func(user, team string) string {
		return fmt.Sprintf(`{"slack":{"user_id":%q,"team_id":%q}}`, user, team)
	}
	ana := named(slacksim.Ana, slacksim.TeamID)
	for name, c := range map[string]struct {
		secret string
		at     time.Time
		meta   string
		actor  string
		ok     bool
	}{
		"Ana":                        {slacksim.DefaultSigningSecret, now, ana, anasID, true},
		"nobody, as for a list":      {slacksim.DefaultSigningSecret, now, `{}`, "", true},
		"with another secret":        {"another-secret", now, ana, "", false},
		"with an empty secret":       {"", now, ana, "", false},
		"of another day":             {slacksim.DefaultSigningSecret, now.Add(-6 * time.Minute), ana, "", false},
		"of the future":              {slacksim.DefaultSigningSecret, now.Add(6 * time.Minute), ana, "", false},
		"of another workspace":       {slacksim.DefaultSigningSecret, now, named(slacksim.Ana, "T0OTHER"), "", false},
		"without a workspace":        {slacksim.DefaultSigningSecret, now, `{"slack":{"user_id":"` + slacksim.Ana + `"}}`, "", false},
		"a workspace without person": {slacksim.DefaultSigningSecret, now, `{"slack":{"team_id":"` + slacksim.TeamID + `"}}`, "", false},
		"a channel":                  {slacksim.DefaultSigningSecret, now, named(slacksim.TeamChannel, slacksim.TeamID), "", false},
		"a path":                     {slacksim.DefaultSigningSecret, now, named("../"+slacksim.Ana, slacksim.TeamID), "", false},
		"who does not exist":         {slacksim.DefaultSigningSecret, now, named("U0NOBODY", slacksim.TeamID), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			header, body := signedBy(c.secret, c.at, c.meta)
			actor, ok, err := h.replica.app.SignedCaller(h.ctx(), header, body)
			if err != nil || ok != c.ok || actor.ID != c.actor {
				t.Errorf("got %+v, %v, %v", actor, ok, err)
			}
			if c.actor != "" && (actor.Lang != words.Portuguese || actor.Guest || actor.Client != "Slackbot") {
				t.Errorf("got %+v", actor)
			}
		})
	}
	header, body := signedBy(slacksim.DefaultSigningSecret, now, named(slacksim.Guest, slacksim.TeamID))
	if actor, ok, err := h.replica.app.SignedCaller(h.ctx(), header, body); err != nil || !ok || !actor.Guest {
		t.Errorf("a guest: %+v, %v, %v", actor, ok, err)
	}
	header, body = signedBy(slacksim.DefaultSigningSecret, now, ana)
	if _, ok, _ := h.replica.app.SignedCaller(h.ctx(), header, []byte(strings.Replace(string(body), "1042", "1043", 1))); ok {
		t.Error("a changed message is accepted")
	}
	for _, missing := range []string{"X-Slack-Request-Timestamp", slackapp.SignatureHeader} {
		without := header.Clone()
		without.Del(missing)
		if _, ok, _ := h.replica.app.SignedCaller(h.ctx(), without, body); ok {
			t.Errorf("a message without %s is accepted", missing)
		}
	}
}
