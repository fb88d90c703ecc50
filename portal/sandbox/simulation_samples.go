package sandbox

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox/loancost"
)

// Numbers of sample simulations; [SampleSimulation] returns their ids. Each sample process has one too, which it was made of.
const (
	SampleDraft      = 2101 // of broker A: the income is not known
	SampleValid      = 2102 // of broker A, of a person alone
	SampleWithESIS   = 2103 // of broker A, of a couple, with messages
	SampleApproved   = 2104 // of broker A
	SampleRejected   = 2105 // of broker A, for the share of the income
	SampleWithdrawn  = 2106 // of broker A, cancelled
	SampleExpired    = 2107 // of broker A
	SampleHeavy      = 2108 // of broker A, with a warning for which the bank will reject it
	SampleOfOthers   = 2109 // of broker B
	sampleSimulation = 1    // the index in the id, which those of sample processes do not have
)

// pinnedSimulations are those of the examples in documents: autoplay leaves them unchanged.
var pinnedSimulations = []int64{SampleDraft, SampleValid, SampleWithESIS, SampleApproved}

// SampleSimulation returns the id of a sample simulation.
func SampleSimulation(number int) uuid.UUID { return sampleID("simulation", number, sampleSimulation) }

// sampleLoan is the loan of a sample simulation.
type sampleLoan struct {
	number        int
	broker        Broker
	state, reason int32
	daysOld       int
	amount, price int32 // euros
	months        int32
	index, mixed  int32
	use           int32
	crossSeller   bool
	people        []simulatedPerson
	withoutIncome bool
}

type simulatedPerson struct {
	name    string
	age     int
	monthly int32
	debts   int32
}

var sampleSimulations = []sampleLoan{
	{number: SampleDraft, broker: BrokerA, state: simulationDraft, daysOld: 1, amount: 140_000, price: 175_000, months: 360, index: 3, use: 1,
		people: []simulatedPerson{{"Vera Modelo", 34, 0, 0}}, withoutIncome: true},
	{number: SampleValid, broker: BrokerA, state: simulationValidated, daysOld: 3, amount: 150_000, price: 200_000, months: 360, index: 3, use: 1,
		crossSeller: true, people: []simulatedPerson{{"Marta Simulada", 31, 2400, 0}}},
	{number: SampleWithESIS, broker: BrokerA, state: simulationESIS, daysOld: 6, amount: 220_000, price: 260_000, months: 396, index: 3, mixed: 5, use: 1,
		crossSeller: true, people: []simulatedPerson{{"Hugo Ensaiado", 33, 2300, 90}, {"Rita Ensaiada", 32, 2150, 0}}},
	{number: SampleApproved, broker: BrokerA, state: simulationApproved, daysOld: 9, amount: 95_000, price: 140_000, months: 300, index: 2, use: 1,
		people: []simulatedPerson{{"Pedro Modelar", 41, 2600, 150}}},
	{number: SampleRejected, broker: BrokerA, state: simulationRejected, reason: 1, daysOld: 14, amount: 230_000, price: 260_000, months: 360, index: 3, use: 1,
		people: []simulatedPerson{{"Diogo Figurante", 36, 1450, 260}}},
	{number: SampleWithdrawn, broker: BrokerA, state: simulationCancelled, daysOld: 20, amount: 80_000, price: 110_000, months: 240, index: 4, use: 2,
		people: []simulatedPerson{{"Lara Suposta", 45, 1900, 0}}},
	{number: SampleExpired, broker: BrokerA, state: simulationExpired, daysOld: 48, amount: 120_000, price: 160_000, months: 360, index: 3, use: 3,
		people: []simulatedPerson{{"Jorge Amostral", 38, 2100, 120}}},
	{number: SampleHeavy, broker: BrokerA, state: simulationValidated, daysOld: 2, amount: 200_000, price: 230_000, months: 420, index: 3, use: 1,
		people: []simulatedPerson{{"Sara Modelar", 37, 1500, 180}}},
	{number: SampleOfOthers, broker: BrokerB, state: simulationValidated, daysOld: 4, amount: 130_000, price: 165_000, months: 360, index: 3, use: 1,
		crossSeller: true, people: []simulatedPerson{{"Ana Amostra", 29, 1950, 0}}},
}

// addSimulations adds the sample simulations, dated relative to now.
func (s *store) addSimulations(now time.Time) {
	serial := 0
	for _, sample := range sampleSimulations {
		one := &simulation{
			id: SampleSimulation(sample.number), number: int64(sample.number), broker: sample.broker.UID, branch: defaultBranch,
			created: now.AddDate(0, 0, -sample.daysOld).Truncate(time.Second), last: now.AddDate(0, 0, -sample.daysOld/3).Truncate(time.Second),
			state: sample.state, reason: sample.reason, values: s.values,
		}
		one.data.Loan = &portal.SimulationLoanRequest{
			LoanAmount: euros(sample.amount), LoanDurationMonths: &sample.months, IndexTypeID: &sample.index, ProductSchemeID: id(1),
			LoanPurposeID: &sample.use, ProductPurposeID: id(1), HasCrossSelling: &sample.crossSeller,
		}
		if sample.mixed != 0 {
			one.data.Loan.MixedFixedPeriodID = &sample.mixed
		}
		one.data.Property = &portal.SimulationPropertyRequest{
			EstimatedValue: euros(sample.price), AcquisitionAmount: euros(sample.price), PropertyTypologyID: id(4),
			Address: pii.New[pii.Address]("Rua das Amostras"), ZipCode: pii.New[pii.PostalCode]("1000-001"), ZipCodeLocal: pii.New[pii.Locality]("Lisboa"),
		}
		for i, someone := range sample.people {
			serial++
			one.data.Borrowers = append(one.data.Borrowers, s.values.simulated(someone, i, serial, sample.withoutIncome, now))
		}
		if one.state == simulationExpired {
			one.last = one.ends()
		}
		s.simulations[one.id] = one
	}
}

func (v values) simulated(p simulatedPerson, index, serial int, withoutIncome bool, now time.Time) portal.SimulationBorrowerRequest {
	kind := keyBorrower
	if index > 0 {
		kind = 2
	}
	first, last, _ := strings.Cut(p.name, " ")
	request := portal.SimulationBorrowerRequest{
		BorrowerTypeID: v.same("borrowerTypes", &kind), Name: pii.New[pii.Name](p.name), TaxID: pii.New[pii.TaxID](sampleTaxID(29_980_000 + serial)),
		BirthDate: pii.New[pii.BirthDate](now.AddDate(-p.age, -serial%11-1, -serial%28).Format(time.DateOnly)),
		Email:     pii.New[pii.Email](plain(first) + "." + plain(last) + "@example.com"),
	}
	if !withoutIncome {
		request.Income, request.InstallmentOther = euros(p.monthly), euros(p.debts)
	}
	return request
}

// addConverted adds the simulation that a sample process was made of.
func (s *store) addConverted(p *process) {
	loan, months := p.loan, int32(p.loan.Months)
	one := &simulation{
		id: p.simulation, number: p.simulationNumber, broker: p.broker, created: p.created.AddDate(0, 0, -3), last: p.created, branch: p.branch,
		state: simulationConverted, process: p.id, processNumber: p.number, values: s.values,
	}
	one.data.Loan = &portal.SimulationLoanRequest{
		LoanAmount: money(loan.Amount), LoanDurationMonths: &months, IndexTypeID: &loan.indexType, ProductSchemeID: &loan.productScheme,
		LoanPurposeID: &loan.loanPurpose, ProductPurposeID: &loan.productPurpose, HasCrossSelling: &loan.CrossSelling,
	}
	switch loan.Rate {
	case loancost.MixedRate:
		one.data.Loan.MixedFixedPeriodID = id(int32(loan.FixedYears))
	case loancost.FixedRate:
		one.data.Loan.IndexTypeID = id(fixedIndex)
	}
	one.data.Property = &portal.SimulationPropertyRequest{EstimatedValue: money(loan.Price), AcquisitionAmount: money(loan.Price)}
	for _, known := range p.borrowers {
		personal, kind := known.data.Personal, known.data.BorrowerTypeID
		one.data.Borrowers = append(one.data.Borrowers, portal.SimulationBorrowerRequest{
			BorrowerTypeID: &kind, Name: personal.Name, TaxID: personal.TaxID, BirthDate: personal.BirthDate,
			Income: known.data.Financial.IncomeWagesPensions, InstallmentOther: known.data.Financial.InstallmentPersonalCredit,
		})
	}
	s.simulations[one.id] = one
}
