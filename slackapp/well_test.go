package slackapp_test

import "testing"

func TestATokenThatWasTakenAwayIsFoundOut(t *testing.T) {
	h := hurried(t)
	must(t, h.replica.app.Well(h.soon()))
	h.sim.Revoke()
	if err := h.replica.app.Well(h.soon()); err == nil {
		t.Error("a revoked token is well")
	}
	h.sim.Restore()
	must(t, h.replica.app.Well(h.soon()))
}
