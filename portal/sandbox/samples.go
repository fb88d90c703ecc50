package sandbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox/esispdf"
)

// The credentials of a bank with default settings.
const (
	SampleClientID     = "balcao-sandbox"
	SampleClientSecret = "sandbox-secret-not-a-secret"
)

// Broker is a credit intermediary who may use the API.
type Broker struct {
	UID     uuid.UUID
	Name    string
	Users   []string
	Partner uuid.UUID // whose callbacks are registered; what the bank calls a partner is not public
}

// The sample brokers. Broker A has most of the processes.
var (
	BrokerA = Broker{uuid.MustParse("7a1f0c52-6d0e-4b8e-9c3a-0d5b2f4e8a01"), "Mediadora Exemplo",
		[]string{"ana@mediadora.example", "tiago@mediadora.example"}, uuid.MustParse("7a1f0c52-6d0e-4b8e-9c3a-0d5b2f4e9a01")}
	BrokerB = Broker{uuid.MustParse("7a1f0c52-6d0e-4b8e-9c3a-0d5b2f4e8b02"), "Consultora Amostra",
		[]string{"rita@consultora.example", "vasco@consultora.example"}, uuid.MustParse("7a1f0c52-6d0e-4b8e-9c3a-0d5b2f4e9b02")}
)

// Numbers of sample processes; [SampleProcess] returns their ids.
const (
	SampleOpen      = 1042 // of broker A, in creation, with one borrower
	SampleCouple    = 1043 // of broker A, with two borrowers
	SampleAnalysis  = 1044 // of broker A, in analysis, with two borrowers
	SampleFirst     = 1045 // of broker A, in valuation
	SampleGarage    = 1046 // of broker A, in approval, with two properties: an apartment and a garage
	SampleTooOld    = 1047 // of broker A; its ESIS is refused unless the rules are ignored
	SampleClosed    = 1049 // of broker A; accepts no borrower
	SampleCancelled = 1050 // of broker A; accepts no borrower and has no ESIS
	SampleOthers    = 1051 // of broker B
	SampleAdded     = 2001 // the first of those that [Config.Processes] and [Bank.AddProcess] add
)

// pinnedSamples are the processes of the examples in documents: autoplay leaves them unchanged, and their ESIS can be made
// with a further borrower of any age up to 65.
var pinnedSamples = []int64{SampleOpen, SampleCouple, SampleAnalysis}

// SampleProcess returns the id of a sample process. It is the same in every bank, so that documents can name it.
func SampleProcess(number int) uuid.UUID { return sampleID("process", number, 0) }

// SampleBorrower returns the id of a sample process's borrower, counted from 0; the key borrower comes first.
func SampleBorrower(number, index int) uuid.UUID { return sampleID("borrower", number, index) }

func sampleID(kind string, number, index int) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "https://sandbox.example/%s/%d/%d", kind, number, index))
}

// ID returns the id of a broker as a bank with a profile has it.
func (b Broker) ID(p *profile.Profile) string {
	form := p.Forms.IDs["broker"]
	if form != profile.Integer {
		return b.UID.String()
	}
	return profile.FormatID(form, new(profile.Aliases).Alias(b.UID))
}

func brokerOf(uid string) (Broker, bool) {
	for _, broker := range []Broker{BrokerA, BrokerB} {
		if strings.EqualFold(uid, broker.UID.String()) {
			return broker, true
		}
	}
	return Broker{}, false
}

// person is a sample borrower. All are plainly invented, with numbers derived from their position in the table. The
// well-known synthetic tax numbers 299999998 and 123456789 are left for people to enter.
type person struct {
	name               string
	gender             int32
	age                int
	marital, regime    int32
	relation           int32 // to the key borrower; 0 for that one
	academic           int32
	situation, monthly int32 // employment, and euros of income
	dependents         int32
	debts              int32 // monthly instalments of other credit
}

type sampleProcess struct {
	number      int
	broker      Broker
	state       int32
	daysOld     int
	branch      int32
	amount      int64 // euros
	price       int64
	months      int
	rate        esispdf.RateKind
	fixedYears  int
	fixed       esispdf.BasisPoints
	purpose     int32 // of the product
	use         int32 // of the loan
	scheme      int32
	crossSeller bool
	people      []person
}

var sampleProcesses = []sampleProcess{
	{1042, BrokerA, inCreation, 2, 101, 60_000, 150_000, 120, esispdf.VariableRate, 0, 0, 1, 1, 1, true,
		[]person{{"Maria Exemplo", 1, 34, 1, 0, 0, 4, 2, 2350, 0, 0}}},
	{1043, BrokerA, documents, 9, 101, 110_000, 300_000, 120, esispdf.MixedRate, 5, 325, 1, 1, 1, true,
		[]person{{"Rui Amostra", 2, 33, 3, 2, 0, 5, 2, 2100, 1, 120}, {"Inês Modelo", 1, 32, 3, 2, 1, 5, 3, 1850, 1, 0}}},
	{1044, BrokerA, analysis, 21, 102, 70_000, 150_000, 120, esispdf.VariableRate, 0, 0, 1, 1, 2, true,
		[]person{{"Joana Ensaio", 1, 27, 2, 0, 0, 4, 2, 1500, 0, 0}, {"Nuno Rascunho", 2, 29, 2, 0, 2, 2, 2, 1420, 0, 85}}},
	{1045, BrokerA, valuation, 30, 103, 96_000, 120_000, 360, esispdf.FixedRate, 0, 360, 1, 2, 1, false,
		[]person{{"Teresa Protótipo", 1, 41, 4, 0, 0, 6, 3, 2900, 2, 210}}},
	{1046, BrokerA, approval, 44, 101, 310_000, 410_000, 408, esispdf.MixedRate, 3, 310, 1, 1, 3, true,
		[]person{{"Luís Simulado", 2, 38, 3, 2, 0, 5, 4, 3800, 2, 300}, {"Helena Esboço", 1, 37, 3, 2, 1, 5, 2, 2450, 2, 0}}},
	{1047, BrokerA, documents, 6, 102, 70_000, 140_000, 240, esispdf.VariableRate, 0, 0, 4, 1, 1, false,
		[]person{{"Óscar Hipótese", 2, 68, 5, 0, 0, 1, 5, 1650, 0, 0}}},
	{1048, BrokerA, contract, 61, 103, 158_500, 176_500, 444, esispdf.VariableRate, 0, 0, 1, 1, 1, true,
		[]person{{"Beatriz Figurada", 1, 30, 1, 0, 0, 5, 2, 1980, 0, 0}, {"Duarte Figurado", 2, 33, 1, 0, 5, 2, 2, 1700, 0, 150}}},
	{1049, BrokerA, closed, 118, 101, 205_000, 260_000, 420, esispdf.MixedRate, 2, 300, 1, 1, 1, true,
		[]person{{"Carla Concluída", 1, 35, 3, 3, 0, 5, 3, 2250, 1, 0}, {"Paulo Concluído", 2, 40, 3, 3, 1, 4, 1, 2600, 1, 95}}},
	{1050, BrokerA, cancelled, 75, 102, 88_000, 110_000, 300, esispdf.VariableRate, 0, 0, 3, 1, 1, false,
		[]person{{"Miguel Desistente", 2, 45, 1, 0, 0, 2, 2, 1300, 0, 400}}},
	{1051, BrokerB, inCreation, 1, 102, 165_000, 195_000, 420, esispdf.VariableRate, 0, 0, 1, 1, 1, true,
		[]person{{"Sofia Demonstração", 1, 31, 1, 0, 0, 5, 2, 2050, 0, 0}}},
	{1052, BrokerB, documents, 12, 102, 127_000, 158_000, 396, esispdf.FixedRate, 0, 355, 1, 1, 1, true,
		[]person{{"Gonçalo Padrão", 2, 36, 3, 2, 0, 3, 2, 1720, 2, 60}, {"Marta Maqueta", 1, 34, 3, 2, 1, 4, 2, 1690, 2, 0}}},
	{1053, BrokerB, approval, 50, 103, 275_000, 360_000, 408, esispdf.MixedRate, 5, 320, 2, 1, 3, true,
		[]person{{"Clara Suposta", 1, 39, 4, 0, 0, 6, 1, 3400, 1, 0}}},
	{1054, BrokerB, contract, 66, 101, 142_000, 180_000, 360, esispdf.VariableRate, 0, 0, 1, 3, 1, false,
		[]person{{"Bruno Imaginário", 2, 42, 2, 0, 0, 4, 2, 2700, 0, 220}, {"Leonor Imaginada", 1, 43, 2, 0, 2, 5, 3, 2300, 0, 0}}},
	{1055, BrokerB, cancelled, 90, 103, 60_000, 75_000, 240, esispdf.VariableRate, 0, 0, 5, 1, 1, false,
		[]person{{"Tomás Provisório", 2, 48, 5, 0, 0, 2, 6, 900, 1, 0}}},
}

// samples returns a store with the sample processes of a bank, dated relative to now.
func samples(now time.Time, of values) *store {
	s := &store{processes: map[uuid.UUID]*process{}, simulations: map[uuid.UUID]*simulation{}, values: of}
	for i, sample := range sampleProcesses {
		s.open(sample, int64(2017+3*i), now)
	}
	s.addSimulations(now)
	return s
}

// add opens a process with the loan of a sample and an invented person.
func (s *store) add(broker Broker, now time.Time) *process {
	first := []string{"Ana", "Rui", "Marta", "Jorge", "Sara", "Pedro", "Lara", "Hugo", "Vera", "Diogo"}
	last := []string{"Amostra", "Exemplo", "Modelo", "Ensaio", "Maqueta", "Suposto", "Figurado", "Rascunho", "Molde"}
	n := s.added
	s.added++
	sample := sampleProcesses[n%5] // whose ESIS can be made
	sample.number, sample.broker, sample.state, sample.daysOld = SampleAdded+n, broker, inCreation, 0
	sample.people = []person{{first[n%len(first)] + " " + last[n%len(last)], int32(1 + n%2), 28 + n%10, 1, 0, 0, 4, 2, 2400, 0, 0}}
	return s.open(sample, int64(3001+n), now)
}

func (s *store) open(sample sampleProcess, simulation int64, now time.Time) *process {
	p := &process{
		id:               SampleProcess(sample.number),
		number:           int64(sample.number),
		broker:           sample.broker.UID,
		simulation:       sampleID("simulation", sample.number, 0),
		simulationNumber: simulation,
		created:          now.AddDate(0, 0, -sample.daysOld).Truncate(time.Second),
		last:             now.AddDate(0, 0, -sample.daysOld/3).Truncate(time.Second),
		branch:           sample.branch,
		state:            sample.state,
		action:           actions[stateChanged],
		values:           s.values,
		loan: loan{
			Loan: esispdf.Loan{
				Amount: esispdf.Cents(sample.amount * 100), Price: esispdf.Cents(sample.price * 100), Months: sample.months,
				Rate: sample.rate, FixedYears: sample.fixedYears, Fixed: sample.fixed, CrossSelling: sample.crossSeller,
			},
			indexType: 3, productPurpose: sample.purpose, loanPurpose: sample.use, productScheme: sample.scheme,
		},
	}
	if p.state == inCreation {
		p.action = opened
	}
	for i, someone := range sample.people {
		s.people++
		p.borrowers = append(p.borrowers, borrower{SampleBorrower(sample.number, i), s.values.ofBank(someone.request(s.people, now))})
	}
	s.processes[p.id] = p
	s.addConverted(p)
	return p
}

// request returns the person as a broker would send it.
func (p person) request(serial int, now time.Time) portal.BorrowerRequest {
	kind, relation := keyBorrower, (*int32)(nil)
	if p.relation != 0 {
		kind, relation = 2, &p.relation
	}
	return portal.BorrowerRequest{
		BorrowerTypeID:        kind,
		KeyBorrowerRelationID: relation,
		Personal:              p.personal(serial, now),
		Financial: &portal.FinancialDataRequest{
			IncomeWagesPensions:       euros(p.monthly),
			IncomeGreenReceipts:       euros(0),
			IncomeRents:               euros(0),
			IncomeOthers:              euros(0),
			InstallmentPersonalCredit: euros(p.debts),
			HasSocialSecurityDebt:     pii.No(),
		},
		Professional: p.professional(serial),
	}
}

func (p person) personal(serial int, now time.Time) *portal.PersonalDataRequest {
	first, last, _ := strings.Cut(p.name, " ")
	card, suffix := sampleCard(10_000_000 + serial)
	personal := &portal.PersonalDataRequest{
		Name:                              pii.New[pii.Name](p.name),
		BirthDate:                         pii.New[pii.BirthDate](now.AddDate(-p.age, -serial%11-1, -serial%28).Format(time.DateOnly)),
		TaxID:                             pii.New[pii.TaxID](sampleTaxID(29_900_000 + serial)),
		Mobile:                            pii.New[pii.Phone](fmt.Sprintf("+351912%06d", 345_000+serial)),
		Email:                             pii.New[pii.Email](plain(first) + "." + plain(last) + "@example.com"),
		GenderID:                          &p.gender,
		NationalityID:                     id(1),
		IdentificationDocumentTypeID:      id(1),
		IdentificationDocumentNumber:      pii.New[pii.DocumentNumber](card),
		CheckDigit:                        pii.New[pii.CheckDigits](suffix),
		IdentificationDocumentExpiredDate: pii.New[pii.ExpiryDate](now.AddDate(1+serial%5, serial%12, 0).Format(time.DateOnly)),
		SocialSecurityNumber:              pii.New[pii.SocialSecurity](sampleNISS(1_234_500_000 + serial)),
		MaritalStatusID:                   &p.marital,
		ResidenceTypeID:                   id(1),
		AcademicLevelID:                   &p.academic,
		DependentsNumber:                  &p.dependents,
		Address:                           pii.New[pii.Address]("Rua das Amostras"),
		DoorNumber:                        pii.New[pii.Address](strconv.Itoa(serial)),
		Floor:                             pii.New[pii.Address]("2.º Esq."),
		ZipCode:                           pii.New[pii.PostalCode]("1000-001"),
		ZipCodeLocal:                      pii.New[pii.Locality]("Lisboa"),
		CountryID:                         id(1),
	}
	if p.regime != 0 {
		personal.MatrimonialRegimeID = &p.regime
	}
	return personal
}

func (p person) professional(serial int) *portal.ProfessionalDataRequest {
	const retired, unemployed = 5, 6
	work := &portal.ProfessionalDataRequest{EmploymentSituationID: &p.situation}
	if p.situation == retired || p.situation == unemployed {
		return work
	}
	work.EmploymentProfessionID = id(int32(serial%9 + 1))
	work.EmploymentPositionDepartmentID = id(int32(serial%6 + 1))
	work.EmploymentContractTypeID = id(1)
	work.EmployerName = pii.New[pii.Employer]("Empresa Exemplo, Lda.")
	work.EmployerTaxID = pii.New[pii.TaxID](sampleTaxID(50_990_000 + serial))
	work.EmploymentDurationMonths = id(int32(24 + serial%60*3))
	return work
}

func id(n int32) *int32 { return &n }

func euros(n int32) pii.Money { return pii.Euros(decimal.NewFromInt32(n)) }

// plain writes a name as the local part of an e-mail address has it.
func plain(name string) string {
	return strings.NewReplacer("á", "a", "ã", "a", "ç", "c", "é", "e", "ê", "e", "í", "i", "ó", "o", "ô", "o").Replace(strings.ToLower(name))
}

// sampleTaxID completes eight digits to a valid NIF or NIPC.
func sampleTaxID(eight int) string {
	digits := strconv.Itoa(eight)
	return digits + string(controlDigit(digits))
}

// sampleNISS completes ten digits to a valid social security number.
func sampleNISS(ten int) string {
	digits, sum := strconv.Itoa(ten), 0
	for i, weight := range []int{29, 23, 19, 17, 13, 11, 7, 5, 3, 2} {
		sum += weight * int(digits[i]-'0')
	}
	return digits + strconv.Itoa(9-sum%10)
}

// sampleCard completes eight digits to a valid citizen card of the first version: the number, and the four characters
// that follow it. Letters count from A = 10, and the odd places are doubled.
func sampleCard(eight int) (number, suffix string) {
	number = fmt.Sprintf("%08d", eight)
	eleven := number + string(controlDigit(number)) + "ZZ"
	sum := 0
	for i, c := range eleven {
		value := int(c - '0')
		if c >= 'A' {
			value = int(c-'A') + 10
		}
		if i%2 == 0 {
			if value *= 2; value > 9 {
				value -= 9
			}
		}
		sum += value
	}
	return number, eleven[8:] + strconv.Itoa((10-sum%10)%10)
}
