package sandbox_test

import (
	"bytes"
	"testing"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

// otherSimulations is a bank whose simulations differ from the built-in profile in names, ids and forms.
const otherSimulations = `
forms.ids = { simulation = "integer", process = "integer", document = "integer", property = "integer" }
forms.names = "snake"
forms.dates = "datetime"
forms.absent = "null"
forms.done = "empty"

[operations.simulationList]
path = "/simulation"
page = { style = "number", size = 5, first = 1, key = "simulationUniqueID" }
[operations.simulationList.query]
nextRecord = ""
pageNumber = "page"
lineCount = "size"
filterByText = "search"
[operations.simulationList.reply]
list = ["data.items"]
[operations.simulationList.reply.items]
simulationUniqueID = "id"
simulationNumber = "number"
borrowerName = "client"

[operations.simulationDetail]
path = "/simulation/detail"
query.simulationUniqueId = "id"
[operations.simulationDetail.reply]
at = "simulation"
[operations.simulationDetail.reply.fields]
simulationUniqueID = "id"
loanData = "loan"
"loanData.loanAmount" = "amount"
borrowers = "people"
"borrowers.income" = "monthlyIncome"
"borrowers.taxID" = "fiscalNumber"
"bankCharges" = "costs"
"bankCharges.amount" = "value"
"results.taeg" = "aprc"

[operations.simulationCreate]
path = "/simulation"
[operations.simulationCreate.body]
loanData = "loan"
"loanData.loanAmount" = "amount"
borrowers = "people"
"borrowers.income" = "monthlyIncome"
"borrowers.taxId" = "fiscalNumber"
"propertyData.estimatedValue" = "value"
[operations.simulationCreate.reply.fields]
"additionalData.simulationUniqueID" = "id"

[operations.simulationUpdate]
method = "POST"
path = "/simulation/change"
query.simulationUniqueId = "id"
[operations.simulationUpdate.body]
"loanData.loanAmount" = "amount"
[operations.simulationCancel]
path = "/simulation/{simulationUniqueId}"
`

func simulationOf(amount int64) portal.SimulationRequest {
	months, index, kind, purpose, yes := int32(360), int32(3), int32(1), int32(1), true
	return portal.SimulationRequest{
		Loan: &portal.SimulationLoanRequest{
			LoanAmount: pii.Euros(decimal.NewFromInt(amount)), LoanDurationMonths: &months, IndexTypeID: &index, LoanPurposeID: &purpose,
			ProductPurposeID: &purpose, ProductSchemeID: &purpose, HasCrossSelling: &yes,
		},
		Borrowers: []portal.SimulationBorrowerRequest{{
			BorrowerTypeID: &kind, Name: pii.New[pii.Name]("Vera Exemplar"), TaxID: pii.New[pii.TaxID]("299999998"),
			BirthDate: pii.New[pii.BirthDate]("1990-05-01"), Income: pii.Euros(decimal.RequireFromString("2400.50")),
		}},
		Property:   &portal.SimulationPropertyRequest{EstimatedValue: pii.Euros(decimal.NewFromInt(220_000))},
		Insurances: []portal.SimulationInsuranceRequest{{InsuranceTypeID: &kind, MonthlyCost: pii.Euros(decimal.RequireFromString("21.90"))}},
	}
}

func TestTheRealClientDoesEverythingWithSimulations(t *testing.T) {
	for name, file := range map[string]string{"the built-in profile": "", "another bank": otherSimulations} {
		t.Run(name, func(t *testing.T) {
			config := withProfile(t, file)
			d := newHarness(t, config)
			user, ctx := d.userOf(t, config.Profile), t.Context()

			checked, err := user.ValidateSimulation(ctx, simulationOf(150_000))
			if err != nil || len(checked.Problems) > 0 || checked.Results == nil || len(d.Simulated(sandbox.BrokerA)) != 0 {
				t.Fatalf("%+v, %v", checked, err)
			}
			wrong, err := user.ValidateSimulation(ctx, simulationOf(300_000))
			if err != nil || len(wrong.Problems) != 1 || wrong.Problems[0].Reason != "simulation.ltv" || wrong.Results != nil {
				t.Errorf("%+v, %v", wrong, err)
			}
			created, err := user.CreateSimulation(ctx, simulationOf(150_000))
			if err != nil || created.SimulationNumber == 0 || created.OperationStatus.Code != "010101" {
				t.Fatalf("%+v, %v", created, err)
			}
			s, err := user.Simulation(ctx, created.SimulationUniqueID)
			if err != nil || s.SimulationNumber != created.SimulationNumber {
				t.Fatalf("%+v, %v", s, err)
			}
			income, _ := s.Borrowers[0].Income.Reveal()
			first, _ := s.BankCharges[0].Amount.Reveal()
			life, _ := s.Insurances[0].MonthlyCost.Reveal()
			if income.StringFixed(2) != "2400.50" || s.Borrowers[0].TaxID.Reveal() != "299999998" || s.Borrowers[0].BirthDate.Reveal() != "1990-05-01" ||
				s.Results.TAEG != (portal.Percent{}) && s.Results.TAEG.String() != checked.Results.TAEG.String() || s.Results.TAEG.IsZero() ||
				!first.IsPositive() || life.StringFixed(2) != "21.90" || s.ExpirationDate.IsZero() {
				t.Errorf("%+v", s)
			}

			wanted := s.Request()
			wanted.Loan.LoanAmount = pii.Euros(decimal.NewFromInt(160_000))
			changes := wanted.Changes(s.Request())
			if changes.Borrowers != nil || changes.Property != nil || changes.Loan == nil || changes.Loan.LoanDurationMonths != nil {
				t.Errorf("the update would change %+v", changes)
			}
			if _, err := user.UpdateSimulation(ctx, created.SimulationUniqueID, changes); err != nil {
				t.Fatal(err)
			}
			s, err = user.Simulation(ctx, created.SimulationUniqueID)
			if amount, _ := s.Loan.LoanAmount.Reveal(); err != nil || !amount.Equal(decimal.NewFromInt(160_000)) || *s.Loan.LoanDurationMonths != 360 || len(s.Borrowers) != 1 {
				t.Errorf("%+v, %v", s, err)
			}

			numbers := map[int64]bool{}
			for query := (portal.SimulationQuery{Limit: 3}); ; {
				page, err := user.ListSimulations(ctx, query)
				if err != nil {
					t.Fatal(err)
				}
				for _, item := range page.Simulations {
					numbers[item.SimulationNumber] = true
				}
				if query.After = page.Next; query.After == "" {
					break
				}
			}
			if !numbers[created.SimulationNumber] || !numbers[sandbox.SampleDraft] || len(numbers) < 15 {
				t.Errorf("listed %v", numbers)
			}
			found, err := user.ListSimulations(ctx, portal.SimulationQuery{Text: pii.New[pii.Name]("299999998")})
			if err != nil || len(found.Simulations) != 1 || found.Simulations[0].SimulationUniqueID != created.SimulationUniqueID || found.Simulations[0].BorrowerName.IsZero() {
				t.Errorf("%+v, %v", found, err)
			}

			message := portal.MessageRequest{Subject: pii.New[pii.Title]("Prazo"), Text: pii.New[pii.FreeText]("Pode ser a 35 anos?")}
			if _, err := user.CreateSimulationMessage(ctx, created.SimulationUniqueID, message); err != nil {
				t.Error(err)
			}
			messages, err := user.ListSimulationMessages(ctx, created.SimulationUniqueID, portal.MessageQuery{})
			if err != nil || len(messages.Messages) != 1 || messages.Messages[0].Text != message.Text || messages.Messages[0].Number != 1 {
				t.Errorf("%+v, %v", messages, err)
			}

			esis, err := user.SimulationESIS(ctx, created.SimulationUniqueID, portal.ESISOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(esis.Head(), []byte("%PDF-")) {
				t.Errorf("got %v", esis)
			}
			esis.Close()
			if _, err := user.EmailSimulationESIS(ctx, created.SimulationUniqueID, portal.ESISEmail{To: pii.New[pii.Email]("vera@example.com")}); err != nil || len(d.Sent()) != 1 {
				t.Errorf("%v, %v", d.Sent(), err)
			}
			process, err := user.CreateProcess(ctx, portal.ProcessCreateRequest{SimulationUniqueID: created.SimulationUniqueID})
			if err != nil {
				t.Fatal(err)
			}
			s, err = user.Simulation(ctx, created.SimulationUniqueID)
			if err != nil || s.ProcessUniqueID != process.ProcessUniqueID {
				t.Errorf("%+v, %v", s, err)
			}
			_, err = user.CancelSimulation(ctx, created.SimulationUniqueID)
			if failure, ok := err.(*portal.Error); !ok || failure.Kind != portal.Refused || failure.Messages[0].Reason != "simulation.state" {
				t.Errorf("a converted simulation is cancelled: %v", err)
			}
			again, err := user.CreateSimulation(ctx, simulationOf(100_000))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := user.CancelSimulation(ctx, again.SimulationUniqueID); err != nil {
				t.Error(err)
			}
			_, err = user.Simulation(ctx, missing(name))
			if !portal.IsMissing(err) || portal.MissingReason(err) != portal.SimulationMissing {
				t.Errorf("got %v", err)
			}
		})
	}
}

// missing returns an id of no simulation, in the form of a bank.
func missing(bank string) uuid.UUID {
	if bank == "another bank" {
		id, _ := profile.ParseID(profile.Integer, "7")
		return id
	}
	return uuid.New()
}

// userOf is [harness.user] for a bank with another profile.
func (d *harness) userOf(t *testing.T, p *profile.Profile) *portal.User {
	t.Helper()
	client, err := portal.New(portal.Config{BaseURL: d.url, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret, Profile: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}, "en")
}
