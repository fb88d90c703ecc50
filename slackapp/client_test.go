package slackapp_test

import (
	"errors"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/slackapp"
)

func TestHealthCheckReportsARevokedToken(t *testing.T) {
	t.Parallel()
	h := newUnlimitedHarness(t)
	must(t, h.replica.app.HealthCheck(h.ctx()))
	h.sim.Revoke()
	if err := h.replica.app.HealthCheck(h.ctx()); !errors.Is(err, slackapp.ErrToken) {
		t.Errorf("a revoked token: %v", err)
	}
	h.sim.Restore()
	must(t, h.replica.app.HealthCheck(h.ctx()))
	h.sim.Fail("auth.test", 1, slacksim.Failure{Status: 503})
	if err := h.replica.app.HealthCheck(h.ctx()); err == nil || errors.Is(err, slackapp.ErrToken) {
		t.Errorf("a Slack that is down says nothing of a token: %v", err)
	}
}
