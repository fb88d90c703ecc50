package slackapp_test

import (
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestTwoColleaguesWhoConfirmTheSameBorrowerCreateOne(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana, tom := h.ana(), h.user(slacksim.Tom)
	ana.begins("1042")
	tom.types("/borrower new 1042")
	tom.sees("Page 2 of 7")
	tom.submits(personalData)
	tom.sees("Page 3 of 7")
	tom.presses("skip")
	tom.sees("Page 7 of 7")
	release := h.gate.hold("POST /")
	defer release()
	ana.submits(nil)
	h.wait("the first is at the bank", func() bool { return h.gate.arrived.Load() == 1 })
	tom.submits(nil)
	release()
	ana.sees("Proponente criado", "Rui A.")
	tom.sees("Borrower created", "Rui A.", "<@"+slacksim.Ana+"> already made this request at ", "Nothing was sent a second time.")
	if calls := h.bank.Calls(portal.BorrowerCreate); calls != 1 {
		t.Errorf("sent %d times", calls)
	}
	h.checkNoRefusals()
}

func TestAColleagueIsWarnedWhileTheFirstResultIsUnclear(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana, tom := h.ana(), h.user(slacksim.Tom)
	tom.types("/borrower new 1042")
	tom.sees("Page 2 of 7")
	tom.submits(personalData)
	tom.sees("Page 3 of 7")
	tom.presses("skip")
	tom.sees("Page 7 of 7")
	ana.begins("1042")
	h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Status: 502})
	ana.submits(nil)
	ana.sees("pode ter sido")
	tom.submits(nil)
	tom.sees("<@"+slacksim.Ana+"> made the same request at ", "the bank has not answered yet", "Your present request was not sent.")
	if calls := h.bank.Calls(portal.BorrowerCreate); calls != 1 {
		t.Errorf("sent %d times", calls)
	}
	h.checkNoRefusals()
}
