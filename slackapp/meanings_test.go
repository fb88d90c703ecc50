package slackapp_test

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestWhatTheItemsOfABanksListsMeanIsInItsWordsOrItsProfile(t *testing.T) {
	t.Parallel()
	for _, bank := range testenv.BanksWithOtherLists(t) {
		t.Run(bank.Name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, overHTTP, func(o *options) { o.lists = bank })
			ana := h.ana()
			ana.types("/borrower new 1042")
			ana.sees("Página 2 de 7")
			ana.submits(with(personalData, slacksim.Values{"borrowerTypeId": bank.Key}))
			ana.sees("Página 3 de 7")
			ana.submits(nil)
			ana.sees("Página 4 de 7")
			ana.submits(slacksim.Values{"personal.maritalStatusId": bank.Married})
			ana.sees("Página 5 de 7")
			ana.presses("skip")
			review := ana.sees("Página 7 de 7", "Criar proponente").Text()
			for _, warning := range []string{"já tem um proponente principal", "só se indica para os restantes proponentes", "Falta o regime de bens do casamento"} {
				if strings.Contains(review, warning) != bank.Known {
					t.Errorf("%q is not as it should be in %s", warning, review)
				}
			}
			must(t, ana.Close(h.ctx()))

			ana.types("/borrower delete 1042")
			ana.sees("Página 2 de 3")
			ana.submits(slacksim.Values{"borrower": sandbox.SampleBorrower(sandbox.SampleOpen, 0).String()})
			last := ana.sees("Página 3 de 3")
			if refused := strings.Contains(last.Text(), "não pode ser eliminado"); refused != bank.Known || (last.Submit == "") != bank.Known {
				t.Errorf("she sees %s, and may press %q", last.Text(), last.Submit)
			}
			if h.bank.Calls(portal.BorrowerDelete) != 0 {
				t.Error("the bank was asked")
			}
		})
	}
}
