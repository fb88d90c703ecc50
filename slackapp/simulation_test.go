package slackapp_test

import (
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestAnInstalmentTakesOnePage(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	ana.types("/simulacao calcular")
	ana.sees("Calcular prestação", "Montante", "Prazo em meses")
	ana.submits(slacksim.Values{"loan.loanAmount": "150.000", "loan.loanDurationMonths": "360", "loan.indexTypeId": "3", "borrower.age": "31"})
	ana.sees("Prestação", "TAN", "TAEG", "MTIC", "/mês")
	if calls := h.bank.Calls(portal.SimulationCreate); calls != 0 {
		t.Errorf("%d simulations were created", calls)
	}
	h.checkNoRefusals()
}

func TestABrokerCreatesASimulationAfterSeeingItsFigures(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	ana.types("/simulacao nova")
	ana.sees("Nova simulação", "Montante")
	ana.submits(slacksim.Values{
		"loan.loanAmount": "150000", "loan.loanDurationMonths": "360", "loan.indexTypeId": "3", "loan.loanPurposeId": "1", "loan.productPurposeId": "1",
		"property.estimatedValue": "200000",
	})
	ana.sees("Rendimento")
	ana.submits(slacksim.Values{"borrower.name": "Rui Amostra", "borrower.age": "31", "borrower.income": "2600"})
	ana.sees("2.º proponente")
	ana.presses("skip")
	ana.sees("Valores do banco: Prestação", "TAEG", "MTIC")
	ana.submits(nil)
	ana.sees("Simulação criada", "TAEG")
	if calls := h.bank.Calls(portal.SimulationCreate); calls != 1 {
		t.Errorf("the bank was asked %d times", calls)
	}
	ana.types("/simulacao " + sandbox.SampleSimulation(sandbox.SampleWithESIS).String())
	ana.reads("Simulação 2103", "Hugo E.", "FINE emitida")
	h.checkNoRefusals()
}
