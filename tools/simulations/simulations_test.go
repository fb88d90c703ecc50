package simulations_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/simulations"
)

// couple are arguments of create_simulation that the bank accepts.
const couple = `{"loan":{"loanAmount":180000,"loanDurationMonths":420,"indexTypeId":3,"loanPurposeId":1,"productPurposeId":1},` +
	`"property":{"estimatedValue":225000,"acquisitionAmount":220000},` +
	`"borrower":{"name":"Rui Amostra","age":34,"income":2400,"email":"rui@example.com"},"secondBorrower":{"name":"Rita Amostra","age":33,"income":1600}}`

// all returns the simulations that the bank has, newest first.
func all(t *testing.T, e *testenv.Env) []portal.SimulationSummary {
	t.Helper()
	page, err := e.User().ListSimulations(t.Context(), portal.SimulationQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return page.Simulations
}

// sample reads a sample simulation from the bank.
func sample(t *testing.T, e *testenv.Env, number int) portal.Simulation {
	t.Helper()
	simulation, err := e.User().Simulation(t.Context(), sandbox.SampleSimulation(number))
	if err != nil {
		t.Fatal(err)
	}
	return simulation
}

func TestSimulationsAreFoundByNumberNameAndState(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for args, want := range map[string]string{
		`{"text":"2102"}`:     "2102",
		`{"text":"Simulada"}`: "2102",
		`{"state":6}`:         "2105",
	} {
		list := e.MustCall(t, "find_simulations", args).Output.(simulations.SimulationList)
		if len(list.Simulations) != 1 || tools.FormatNumber(list.Simulations[0].Number) != want {
			t.Errorf("%s: got %+v", args, list)
		}
	}
	if none := e.MustCall(t, "find_simulations", `{"text":"Ninguém"}`); none.Card.Text != "No simulation found." || len(none.Output.(simulations.SimulationList).Simulations) != 0 {
		t.Errorf("got %+v", none.Card)
	}
}

func TestAListOfSimulationsHasPagesAndItsCursorKeepsTheFilter(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{Sandbox: sandbox.Config{Processes: 30}})
	var seen []int64
	args := `{}`
	for range 10 {
		result := e.MustCall(t, "find_simulations", args)
		list := result.Output.(simulations.SimulationList)
		for _, row := range list.Simulations {
			seen = append(seen, row.Number)
		}
		if list.Next == "" {
			break
		}
		if step := result.Card.Next[0]; step.Tool != "find_simulations" || step.Args["cursor"] != list.Next {
			t.Errorf("the card leads to %+v", step)
		}
		args = fmt.Sprintf(`{"cursor":%q}`, list.Next)
	}
	var want []int64
	for _, row := range all(t, e) {
		want = append(want, row.SimulationNumber)
	}
	if !slices.Equal(seen, want) || len(seen) < 25 {
		t.Errorf("got %v, want %v", seen, want)
	}
	e.WantProblem(t, "find_simulations", `{"cursor":"unknown"}`, "cursor.unknown")
}

func TestASimulationIsShownWithItsFiguresAndMaskedBorrowers(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	result := e.MustCall(t, "get_simulation", `{"simulation":2103}`)
	simulation := sample(t, e, 2103)
	facts := map[string]string{}
	for _, fact := range result.Card.Facts {
		facts[fact.Label] = fact.Value
	}
	instalment, _ := simulation.Results.InstallmentAmount.Reveal()
	taeg, _ := simulation.Results.TAEG.Value()
	for label, want := range map[string]string{
		"Status": "ESIS issued", "Amount": "€220,000.00", "Term in months": "33 years", "Instalment": instalment.StringFixed(2),
		"TAEG (annual percentage rate)": taeg.String(), "MTIC (total amount payable)": "€", "TAN (nominal rate)": "%", "Loan to value": "84.6",
		"Fixed years, of a mixed rate": "5 years", "Instalment after the fixed years": "a month", "Valid until": "20",
	} {
		if got := strings.ReplaceAll(facts[label], ",", ""); want == "" || !strings.Contains(got, strings.ReplaceAll(want, ",", "")) {
			t.Errorf("%s is %q, want %q", label, facts[label], want)
		}
	}
	if rows := result.Card.Table.Rows; len(rows) != 2 || rows[0][0] != "Hugo E." || rows[1][2] != "32" {
		t.Errorf("the borrowers are %q", rows)
	}
	output, err := json.Marshal(result.Output)
	if err != nil || strings.Contains(string(output), "Ensaiado") || strings.Contains(string(output), simulation.Borrowers[0].Email.Reveal()) {
		t.Errorf("the output is %s, %v", output, err)
	}
	var steps []string
	for _, step := range result.Card.Next {
		steps = append(steps, step.Tool)
	}
	if want := []string{"get_simulation_esis", "create_process", "update_simulation", "send_simulation_esis", "cancel_simulation"}; !slices.Equal(steps, want) {
		t.Errorf("it leads to %q", steps)
	}
}

func TestTheStepsOfASimulationAreThoseOfItsState(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	converted := e.MustCall(t, "get_process", `{"process":"1042"}`)
	if converted.Output == nil {
		t.Fatal("no process")
	}
	process, err := e.User().Process(t.Context(), sandbox.SampleProcess(1042))
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range map[int64][]string{
		2104:                     {"get_simulation_esis", "create_process", "send_simulation_esis", "cancel_simulation"},
		2105:                     nil,
		2106:                     nil,
		process.SimulationNumber: {"get_process"},
	} {
		result := e.MustCall(t, "get_simulation", fmt.Sprintf(`{"simulation":%d}`, number))
		var steps []string
		for _, step := range result.Card.Next {
			steps = append(steps, step.Tool)
		}
		if !slices.Equal(steps, want) {
			t.Errorf("%d leads to %q, want %q", number, steps, want)
		}
	}
	for tool, args := range map[string]string{
		"update_simulation": `{"simulation":"2106","loan":{"loanDurationMonths":300}}`, "cancel_simulation": `{"simulation":"2106"}`,
		"send_simulation_esis": `{"simulation":"2105","borrower":"1"}`,
	} {
		_, failure := e.Call(t, tool, args, testenv.Confirmed("simulation.cancel", "recipient.send"))
		if failure == nil || failure.Kind != tools.Closed || !strings.Contains(failure.What("en"), "Simulation 210") {
			t.Errorf("%s: got %v", tool, failure)
		}
	}
}

func TestASimulationOfAnotherBrokerIsNotShown(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for _, ref := range []string{"2109", "7777", sandbox.SampleSimulation(2109).String()} {
		_, failure := e.Call(t, "get_simulation", fmt.Sprintf(`{"simulation":%q}`, ref))
		if failure == nil || failure.Kind != tools.NotFound || !strings.Contains(failure.What("en"), "no such simulation") {
			t.Errorf("%s: got %v", ref, failure)
		}
	}
}

func TestANumberIsLookedUpOnceAndThenKnown(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	e.MustCall(t, "get_simulation", `{"simulation":"2103"}`)
	lists := e.Bank.Calls(portal.SimulationList)
	e.MustCall(t, "get_simulation", `{"simulation":"2103"}`)
	if asked := e.Bank.Calls(portal.SimulationList) - lists; asked != 0 {
		t.Errorf("the list was asked %d times", asked)
	}
}

func TestASimulationIsCreatedWithBothBorrowers(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	result := e.MustCall(t, "create_simulation", couple)
	created := result.Output.(simulations.SimulationCreated)
	simulation, err := e.User().Simulation(t.Context(), created.Simulation)
	if err != nil {
		t.Fatal(err)
	}
	if len(simulation.Borrowers) != 2 || simulation.Borrowers[0].BorrowerTypeDescription != "KeyBorrower" || *simulation.Borrowers[1].Age != 33 {
		t.Errorf("got %+v", simulation.Borrowers)
	}
	if created.Number != simulation.SimulationNumber || created.Instalment < 500 {
		t.Errorf("got %+v", created)
	}
	if len(result.Card.Facts) != 4 || !strings.Contains(result.Card.Text, tools.FormatNumber(created.Number)) {
		t.Errorf("the card is %+v", result.Card)
	}
}

func TestWhatIsWrongWithASimulationIsSaidBeforeItIsSent(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for name, c := range map[string]struct{ change, want string }{
		"no age":               {`"age":34,;`, "borrower.age person.age_missing error"},
		"a child":              {`"age":34;"age":11`, "borrower.age person.age error"},
		"a term in years":      {`"loanDurationMonths":420;"loanDurationMonths":35`, "loan.loanDurationMonths loan.months warning"},
		"two periods":          {`"indexTypeId":3;"indexTypeId":3,"mixedFixedPeriodId":5,"fixedFixedPeriodId":30`, "loan.fixedFixedPeriodId loan.two_periods error"},
		"an unknown index":     {`"indexTypeId":3;"indexTypeId":99`, "loan.indexTypeId taxonomy.unknown error"},
		"more than is lent":    {`"estimatedValue":225000;"estimatedValue":190000`, "loan.loanAmount bank.010017 warning"},
		"a second without age": {`"age":33,;`, "secondBorrower.age person.age_missing error"},
		"an insurance without": {`"property";"insurance":{"monthlyCost":12},"property"`, "insurance.insuranceTypeId insurance.type_missing error"},
	} {
		was, is, _ := strings.Cut(c.change, ";")
		args := strings.Replace(couple, was, is, 1)
		if args == couple {
			t.Fatalf("%s changes nothing", name)
		}
		_, failure := e.Call(t, "create_simulation", args)
		if !slices.Contains(testenv.Problems(failure), c.want) {
			t.Errorf("%s: got %q, want %q", name, testenv.Problems(failure), c.want)
		}
	}
	if calls := e.Bank.Calls(portal.SimulationCreate); calls != 0 {
		t.Errorf("the bank was asked %d times to create one", calls)
	}
}

func TestTheReviewOfANewSimulationHasTheBanksFigures(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	answers := map[string]string{
		"loan.loanAmount": "180.000", "loan.loanDurationMonths": "420", "loan.indexTypeId": "3", "loan.loanPurposeId": "1", "loan.productPurposeId": "1",
		"property.estimatedValue": "225000", "borrower.name": "Rui Amostra", "borrower.age": "34", "borrower.income": "2400",
	}
	_, problems, err := e.Summary(t.Context(), e.Actor, simulations.Create, tools.Form{Answers: answers})
	if err != nil || len(problems) != 1 || problems[0].Severity != tools.Hints || !strings.Contains(problems[0].Text, "Instalment ") || !strings.Contains(problems[0].Text, "MTIC") {
		t.Errorf("got %+v, %v", problems, err)
	}
	if calls := e.Bank.Calls(portal.SimulationCreate); calls != 0 {
		t.Error("it is created already")
	}
}

func TestABankThatCannotValidateDoesNotPreventACreation(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	e.Bank.Inject(sandbox.Fault{Operation: portal.SimulationValidate, Status: 404, Times: 10})
	e.MustCall(t, "create_simulation", couple)
}

func TestOnlyWhatChangedOfASimulationIsSent(t *testing.T) {
	t.Parallel()
	bodies := &bodyLog{}
	e := testenv.Start(t, testenv.Options{Proxy: bodies.before})
	e.MustCall(t, "update_simulation", `{"simulation":"2103","loan":{"loanDurationMonths":360}}`)
	e.MustCall(t, "update_simulation", `{"simulation":"2103","secondBorrower":{"income":2000}}`)
	e.MustCall(t, "update_simulation", `{"simulation":"2103","clear":["loan.mixedFixedPeriodId"]}`)
	want := []string{`{"loanData":{"loanDurationMonths":360}}`, `{"borrowers":[`, `{"loanData":{"mixedFixedPeriodId":0}}`}
	got := bodies.of("PATCH")
	if len(got) != 3 || got[0] != want[0] || !strings.HasPrefix(got[1], want[1]) || got[2] != want[2] {
		t.Errorf("sent %q", got)
	}
	simulation := sample(t, e, 2103)
	if income, _ := simulation.Borrowers[1].Income.Reveal(); *simulation.Loan.LoanDurationMonths != 360 || income.IntPart() != 2000 || simulation.Loan.MixedFixedPeriodID != nil {
		t.Errorf("the bank has %+v", simulation)
	}
	if name := simulation.Borrowers[1].Name.Reveal(); name != "Rita Ensaiada" {
		t.Errorf("the second borrower is %s", name)
	}
	e.WantProblem(t, "update_simulation", `{"simulation":"2103","clear":["loan.productSchemeId"]}`, "simulation.emptied")
	e.WantProblem(t, "update_simulation", `{"simulation":"2103","loan":{"loanDurationMonths":360}}`, "edit.nothing")
}

func TestAnInstalmentNeedsFewDataAndCreatesNothing(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	before := len(all(t, e))
	result := e.MustCall(t, "validate_simulation", `{"loan":{"loanAmount":150000,"loanDurationMonths":360,"indexTypeId":3},"borrower":{"age":31}}`)
	calculated := result.Output.(simulations.Calculated)
	if calculated.Figures["instalment"] == 0 || calculated.Figures["taeg"] == 0 || calculated.Figures["mtic"] == 0 || len(calculated.Refusals) > 0 {
		t.Errorf("got %+v", calculated)
	}
	if len(result.Card.Facts) < 6 || result.Card.Facts[2].Label != "Instalment" {
		t.Errorf("the card has %+v", result.Card.Facts)
	}
	if now := len(all(t, e)); now != before {
		t.Errorf("there are %d simulations, were %d", now, before)
	}
	e.WantProblem(t, "validate_simulation", `{"loan":{"loanAmount":150000,"loanDurationMonths":360},"borrower":{"age":31}}`, "calculation.missing")
}

func TestWhatTheBankWouldRefuseIsTheAnswerOfACalculation(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	args := `{"loan":{"loanAmount":150000,"loanDurationMonths":480,"indexTypeId":3},"borrower":{"age":50}}`
	for _, assistant := range []bool{false, true} {
		result := e.MustCall(t, "validate_simulation", args, func(r *tools.Request) { r.Actor.Assistant = assistant })
		calculated := result.Output.(simulations.Calculated)
		if len(calculated.Refusals) != 1 || calculated.Figures["instalment"] != 0 || !strings.Contains(result.Card.Text, "would be older") {
			t.Errorf("assistant %v: got %+v, %q", assistant, calculated, result.Card.Text)
		}
	}
}

func TestACalculationChangesTheDataOfASimulation(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	same := e.MustCall(t, "validate_simulation", `{"simulation":"2102"}`).Output.(simulations.Calculated)
	instalment, _ := sample(t, e, 2102).Results.InstallmentAmount.Reveal()
	if same.Figures["instalment"] == 0 || same.Figures["instalment"] != instalment.InexactFloat64() {
		t.Errorf("got %+v, want %s", same, instalment)
	}
	shorter := e.MustCall(t, "validate_simulation", `{"simulation":"2102","loan":{"loanDurationMonths":240}}`).Output.(simulations.Calculated)
	if shorter.Figures["instalment"] <= same.Figures["instalment"] {
		t.Errorf("got %+v", shorter)
	}
}

func TestASimulationIsCancelledByAPersonAfterAConfirmation(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	_, failure := e.Call(t, "cancel_simulation", `{"simulation":"2102"}`)
	if failure == nil || failure.Kind != tools.Unconfirmed || !strings.Contains(failure.Problems[0].Text, "Simulation 2102 of Marta S. will be cancelled") {
		t.Fatalf("got %v", failure)
	}
	e.MustCall(t, "cancel_simulation", `{"simulation":"2102"}`, testenv.Confirmed("simulation.cancel"))
	if state := sample(t, e, 2102).SimulationStatusDescription; state != "Cancelled" {
		t.Errorf("it is %q", state)
	}
}

func TestTheESISOfASimulationIsAPDF(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	result := e.MustCall(t, "get_simulation_esis", `{"simulation":"2103"}`)
	defer result.Close()
	file := result.Card.File
	if !strings.HasPrefix(string(file.Head()), "%PDF") || file.Name != "FINE-simulacao-2103.pdf" || file.URI != "balcao://simulations/"+sandbox.SampleSimulation(2103).String()+"/esis" {
		t.Errorf("got %q at %s", file.Name, file.URI)
	}
}

func TestTheESISOfASimulationIsSentToAnAddressAfterAConfirmation(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	hers := sample(t, e, 2103).Borrowers[1].Email
	_, failure := e.Call(t, "send_simulation_esis", `{"simulation":"2103","borrower":"2"}`)
	if want := "The ESIS of simulation 2103 will be sent to " + hers.String() + " and cannot be taken back. Confirm?"; failure == nil || failure.Kind != tools.Unconfirmed || failure.Problems[0].Text != want {
		t.Fatalf("got %v", failure)
	}
	e.MustCall(t, "send_simulation_esis", `{"simulation":"2103","borrower":2}`, testenv.Confirmed("recipient.send"))
	other := `{"simulation":"2103","email":"outra@example.com"}`
	if _, failure := e.Call(t, "send_simulation_esis", other, testenv.Confirmed("recipient.send")); failure == nil || failure.Kind != tools.Unconfirmed {
		t.Errorf("another address, confirmed once: %v", failure)
	}
	e.MustCall(t, "send_simulation_esis", other, testenv.Confirmed("recipient.send", "recipient.other"))
	var to []string
	for _, sent := range e.Bank.Sent() {
		to = append(to, sent.To.Reveal())
	}
	if want := []string{hers.Reveal(), "outra@example.com"}; !slices.Equal(to, want) {
		t.Errorf("sent to %q", to)
	}
	for args, code := range map[string]string{
		`{"simulation":"2103"}`:                "recipient.missing",
		`{"simulation":"2103","borrower":"3"}`: "kind.simulation_person",
	} {
		e.WantProblem(t, "send_simulation_esis", args, code)
	}
	e.WantProblem(t, "send_simulation_esis", other, "only_people", testenv.AsAssistant)
}

func TestAnAssistantSendsNothingForASimulationWithoutAnAddress(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	created := e.MustCall(t, "create_simulation", strings.Replace(couple, `,"email":"rui@example.com"`, "", 1)).Output.(simulations.SimulationCreated)
	args := fmt.Sprintf(`{"simulation":%q,"borrower":"1"}`, created.Simulation)
	e.WantProblem(t, "send_simulation_esis", args, "recipient.no_address", testenv.AsAssistant)
	person := fmt.Sprintf(`{"simulation":%q,"email":"rui@example.com"}`, created.Simulation)
	e.MustCall(t, "send_simulation_esis", person, testenv.Confirmed("recipient.send", "recipient.other"))
	// An address that an assistant has set is not one that it may send to.
	set := e.MustCall(t, "create_simulation", strings.Replace(couple, "Rui", "Raul", 1), testenv.AsAssistant).Output.(simulations.SimulationCreated)
	e.WantProblem(t, "send_simulation_esis", fmt.Sprintf(`{"simulation":%q,"borrower":"1"}`, set.Simulation), "recipient.set_by_assistant", testenv.AsAssistant)
}

func TestAProcessIsMadeOfASimulationAndShowsIt(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	created := e.MustCall(t, "create_process", `{"simulation":"2102"}`)
	process := created.Output.(tools.Subjecter).Subject().Process
	shown := e.MustCall(t, "get_process", fmt.Sprintf(`{"process":%q}`, process))
	if !slices.Contains(shown.Card.Facts, tools.Fact{Label: "Simulation", Value: "2102"}) {
		t.Errorf("the process has %v", shown.Card.Facts)
	}
	if !slices.ContainsFunc(shown.Card.Next, func(s tools.Step) bool {
		return s.Tool == "get_simulation" && fmt.Sprint(s.Args["simulation"]) == "2102"
	}) {
		t.Errorf("it leads to %v", shown.Card.Next)
	}
	converted := e.MustCall(t, "get_simulation", `{"simulation":"2102"}`)
	if len(converted.Card.Next) != 1 || converted.Card.Next[0].Args["process"] != process {
		t.Errorf("the simulation leads to %v", converted.Card.Next)
	}
	if _, failure := e.Call(t, "create_process", `{"simulation":"2102"}`); failure == nil || failure.Kind != tools.Closed {
		t.Errorf("a second process: %v", failure)
	}
	e.MustCall(t, "create_process", `{"loanAmount":150000,"loanDurationMonths":360,"productPurposeId":1,"loanPurposeId":1,"productSchemeId":1,"hasCrossSelling":true}`)
}
