package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestALoginIsCheckedLevelByLevel(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	a, b := sandbox.BrokerA, sandbox.BrokerB
	for name, c := range map[string]struct {
		change func(http.Header)
		code   string
	}{
		"no client":             {func(h http.Header) { h.Del("xClientID") }, "010001"},
		"another client":        {func(h http.Header) { h.Set("xClientID", "other") }, "010001"},
		"another secret":        {func(h http.Header) { h.Set("xClientSecret", "other") }, "010001"},
		"no broker":             {func(h http.Header) { h.Del("xBrokerUID") }, "010002"},
		"unknown broker":        {func(h http.Header) { h.Set("xBrokerUID", uuid.NewString()) }, "010002"},
		"no user":               {func(h http.Header) { h.Del("xUsername") }, "010003"},
		"user of other broker":  {func(h http.Header) { h.Set("xUsername", b.Users[0]) }, "010003"},
		"secret before broker":  {func(h http.Header) { h.Set("xClientSecret", ""); h.Set("xBrokerUID", "") }, "010001"},
		"user in other letters": {func(h http.Header) { h.Set("xUsername", strings.ToUpper(a.Users[0])) }, "010003"},
	} {
		header := loginHeaders(a.UID.String(), a.Users[0])
		c.change(header)
		got := d.send(t, "POST", "/v1/authentication", "", header)
		if got.status != http.StatusUnauthorized || got.errorsOf(t)[0] != c.code {
			t.Errorf("%s: %d %s, want %s", name, got.status, got.body, c.code)
		}
	}
	if d.Logins() != 10 || d.Calls(portal.Authenticate) != 10 {
		t.Errorf("%d logins were counted, want 10", d.Logins())
	}
}

func TestEveryUserOfTheSamplesCanLogIn(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for _, broker := range []sandbox.Broker{sandbox.BrokerA, sandbox.BrokerB} {
		for user := range broker.Users {
			if got := d.as(t, broker, user).get(t, "/v1/processes"); got.status != http.StatusOK {
				t.Errorf("%s: %d", broker.Users[user], got.status)
			}
		}
	}
}

func TestNothingIsAnsweredWithoutASession(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for name, header := range map[string]http.Header{
		"no header":      {},
		"another scheme": {"Authorization": {"Basic " + d.token}},
		"no scheme":      {"Authorization": {d.token}},
		"unknown token":  {"Authorization": {"Bearer " + strings.Repeat("A", 52)}},
	} {
		for _, op := range portal.Operations(profile.Builtin()) {
			if op.ID == portal.Authenticate {
				continue
			}
			if got := d.send(t, op.Method, op.Path, "", header); got.status != http.StatusUnauthorized {
				t.Errorf("%s, %s: %d", op.ID, name, got.status)
			}
		}
	}
}

func TestASessionEndsAfterThirtyMinutesWithoutACall(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for range 5 { // two and a half hours, in steps just short of the end
		d.clock.Add(30*time.Minute - time.Second)
		if got := d.get(t, "/v1/processes"); got.status != http.StatusOK {
			t.Fatalf("a call did not keep the session open: %d", got.status)
		}
	}
	d.clock.Add(30 * time.Minute)
	got := d.get(t, "/v1/processes")
	if got.status != http.StatusUnauthorized || got.errorsOf(t)[0] != "010005" {
		t.Errorf("after 30 minutes: %d %s", got.status, got.body)
	}
	d.clock.Add(-30 * time.Minute)
	if got := d.get(t, "/v1/processes"); got.status != http.StatusUnauthorized {
		t.Error("a session that ended came back")
	}
}

func TestTheIdlestSessionMakesRoomWhenThereAreTooMany(t *testing.T) {
	t.Parallel()
	d := newHarness(t, sandbox.Config{})
	second := d.as(t, sandbox.BrokerA, 1)
	d.clock.Add(time.Second)
	second.get(t, "/v1/processes")
	for range 999 {
		d.as(t, sandbox.BrokerB, 0)
	}
	if got := d.get(t, "/v1/processes"); got.status != http.StatusUnauthorized {
		t.Errorf("the idlest session answers %d", got.status)
	}
	if got := second.get(t, "/v1/processes"); got.status != http.StatusOK {
		t.Errorf("a session in use answers %d", got.status)
	}
}
