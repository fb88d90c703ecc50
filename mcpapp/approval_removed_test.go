package mcpapp_test

import (
	"testing"

	"github.com/balcao/balcao/internal/testenv"
)

func TestAPersonAndHerAssistantLearnThatAnUpdateRemovedWhatWaits(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	asked := approvalIn(t, p.connect(t, modern, nil).call(t, "create_borrower", newBorrower(t, nil)))

	after := p.updated(t, testenv.WithoutTool("create_borrower"))
	after.app.AnnounceWaiting(t.Context(), "mcp:ana")
	ana := browser(t).opens(after.address(t))
	contains(t, ana.text(), "A removed operation", "This version of Balcão does not have the operation", "Reject")
	lacks(t, ana.text(), "Review and change", "299999998")
	must(t, after.runner.EndRemovedApprovals(t.Context())) // the program does so at its start
	contains(t, ana.get(ana.home).text(), "A removed operation", "no longer has this operation. Nothing was done, and the assistant learns it.")
	lacks(t, ana.text(), "Reject", "Approve", "Review")
	if ana.get(ana.home + "form/" + asked.ID); len(ana.forms("/form/")) != 0 {
		t.Errorf("there is a form: %s", ana.text())
	}
	answer := after.connect(t, modern, nil).call(t, "await_approval", map[string]any{"approval": asked.ID})
	if told := approvalIn(t, answer); told.Status != "removed" {
		t.Errorf("got %+v", told)
	}
	contains(t, text(answer), "no longer has this operation")
}
