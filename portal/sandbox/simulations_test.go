package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

const simulationsPath = "/v1/simulations"

func simulationPath(number int) string {
	return simulationsPath + "/" + sandbox.SampleSimulation(number).String()
}

// newSimulation is a simulation that the bank accepts, with changes to its groups.
func newSimulation(change func(loan, person, property map[string]any)) string {
	loan := map[string]any{
		"loanAmount": 150000, "loanDurationMonths": 360, "indexTypeId": 3, "productSchemeId": 1, "loanPurposeId": 1, "productPurposeId": 1,
		"hasCrossSelling": true,
	}
	person := map[string]any{"borrowerTypeId": 1, "name": "Maria Exemplo", "taxId": "123456789", "birthDate": "1990-04-12", "income": 2400}
	property := map[string]any{"estimatedValue": 200000}
	if change != nil {
		change(loan, person, property)
	}
	body, _ := json.Marshal(map[string]any{"loanData": loan, "borrowers": []any{person}, "propertyData": property})
	return string(body)
}

// codes returns the codes of a refusal.
func (r response) codes(t *testing.T) (codes []string) {
	t.Helper()
	for _, text := range r.errorsOf(t) {
		code, _, _ := strings.Cut(text, " ")
		codes = append(codes, code)
	}
	return codes
}

// simulation returns what Simulation Detail says of a simulation.
func (d *harness) simulation(t *testing.T, path string) (s portal.Simulation) {
	t.Helper()
	got := d.get(t, path)
	if err := json.Unmarshal([]byte(got.body), &s); err != nil || got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	return s
}

// created creates a simulation and returns its path.
func (d *harness) created(t *testing.T, body string) string {
	t.Helper()
	got := d.call(t, "POST", simulationsPath, body).object(t)
	data := got["additionalData"].(map[string]any)
	if status := got["operationStatus"].(map[string]any); status["operationStatusCode"] != "010101" ||
		!strings.HasSuffix(status["operationStatusMessage"].(string), data["simulationUniqueID"].(string)) {
		t.Fatalf("got %v", got)
	}
	return simulationsPath + "/" + data["simulationUniqueID"].(string)
}

func TestTheSimulationOfEachSampleProcessIsThere(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for _, number := range []int{sandbox.SampleOpen, sandbox.SampleCouple, sandbox.SampleFirst, sandbox.SampleClosed} {
		process := d.get(t, processPath(number)).object(t)
		detail := d.get(t, simulationsPath+"/"+process["simulationUniqueID"].(string)).object(t)
		if detail["simulationNumber"] != process["simulationNumber"] || detail["processUniqueID"] != process["processUniqueID"] ||
			detail["processNumber"] != process["processNumber"] || detail["loanData"].(map[string]any)["loanAmount"] != process["loanAmount"] {
			t.Errorf("process %d: got %v", number, detail)
		}
	}
}

func TestASimulationSaysWhatWasAskedAndWhatItCosts(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	s := d.simulation(t, d.created(t, newSimulation(nil)))
	r := s.Results
	for what, c := range map[string]struct{ got, want string }{
		"state":       {s.SimulationStatusDescription, "Validated"},
		"name":        {s.BorrowerName.Reveal(), "Maria Exemplo"},
		"index":       {s.Loan.IndexTypeDescription, "Euribor 12 months"},
		"purpose":     {s.Loan.LoanPurposeDescription, "Own permanent home"},
		"TAN":         {r.NominalRate.String(), "3"},
		"index rate":  {r.IndexRate.String(), "2.15"},
		"spread":      {r.Spread.String(), "0.85"},
		"LTV":         {r.LoanToValue.String(), "75"},
		"valid until": {s.ExpirationDate.Format(time.DateOnly), "2026-12-22"},
		"insurances":  {fmt.Sprint(len(s.Insurances)), "2"},
		"charges":     {fmt.Sprint(len(s.BankCharges)), "5"},
		"warnings":    {fmt.Sprint(len(s.Warnings)), "0"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", what, c.got, c.want)
		}
	}
	// The annuity of 150 000 € at 3 % over 360 months is 632.41 €.
	if instalment, _ := r.InstallmentAmount.Reveal(); instalment.StringFixed(2) != "632.41" {
		t.Errorf("the instalment is %s", instalment)
	}
	taeg, _ := r.TAEG.Value()
	tan, _ := r.NominalRate.Value()
	mtic, _ := r.MTIC.Reveal()
	interest, _ := r.TotalInterest.Reveal()
	charges, _ := r.InitialCharges.Reveal()
	insurance, _ := r.MonthlyInsurance.Reveal()
	asked, _ := s.Loan.LoanAmount.Reveal()
	if want := asked.Add(interest).Add(charges).Add(insurance.Mul(decimal.NewFromInt32(*s.Loan.LoanDurationMonths))); !mtic.Equal(want) || !taeg.GreaterThan(tan) {
		t.Errorf("the MTIC is %s, want %s; the TAEG is %s", mtic, want, taeg)
	}
}

func TestWhatIsMissingToDecideMakesADraft(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for what, change := range map[string]func(loan, person, property map[string]any){
		"income": func(_, person, _ map[string]any) { delete(person, "income") },
		"value":  func(_, _, property map[string]any) { delete(property, "estimatedValue") },
	} {
		path := d.created(t, newSimulation(change))
		s := d.simulation(t, path)
		if s.SimulationStatusID != 1 || s.Results == nil {
			t.Errorf("without the %s: %+v", what, s.SimulationSummary)
		}
		if got := d.call(t, "POST", "/v1/processes", `{"simulationUniqueId": "`+s.SimulationUniqueID.String()+`"}`); got.status != 400 || got.codes(t)[0] != "010012" {
			t.Errorf("without the %s a process is made: %s", what, got.body)
		}
	}
}

func TestTheBankRefusesASimulation(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	type group = map[string]any
	for name, c := range map[string]struct {
		change func(loan, person, property group)
		want   []string
	}{
		"no amount":              {func(l, _, _ group) { delete(l, "loanAmount") }, []string{"050001"}},
		"a small amount":         {func(l, _, _ group) { l["loanAmount"] = 9999 }, []string{"010014"}},
		"a short term":           {func(l, _, _ group) { l["loanDurationMonths"] = 119 }, []string{"010015"}},
		"a long term":            {func(l, _, _ group) { l["loanDurationMonths"] = 481 }, []string{"010015"}},
		"no index":               {func(l, _, _ group) { delete(l, "indexTypeId") }, []string{"050001"}},
		"an unknown index":       {func(l, _, _ group) { l["indexTypeId"] = 99 }, []string{"050003"}},
		"a field of another":     {func(l, _, _ group) { l["loanPurposeID"] = 1 }, []string{"050006"}},
		"fixed years of a mixed": {func(l, _, _ group) { l["indexTypeId"], l["mixedFixedPeriodId"] = 4, 5 }, []string{"010019"}},
		"a fixed period alone":   {func(l, _, _ group) { l["fixedFixedPeriodId"] = 30 }, []string{"010019"}},
		"a term over the fixed":  {func(l, _, _ group) { l["indexTypeId"], l["fixedFixedPeriodId"], l["loanDurationMonths"] = 4, 30, 372 }, []string{"010019"}},
		"an index not for mixed": {func(l, _, _ group) { l["indexTypeId"], l["mixedFixedPeriodId"] = 1, 5 }, []string{"050003"}},
		"a long grace":           {func(l, _, _ group) { l["gracePeriodMonths"] = 25 }, []string{"050004"}},
		"no age":                 {func(_, p, _ group) { delete(p, "birthDate") }, []string{"050001"}},
		"a minor":                {func(_, p, _ group) { p["birthDate"] = "2010-01-01" }, []string{"050004"}},
		"a wrong tax number":     {func(_, p, _ group) { p["taxId"] = "123456780" }, []string{"050005"}},
		"a negative income":      {func(_, p, _ group) { p["income"] = -1 }, []string{"050004"}},
		"too old at the end":     {func(_, p, _ group) { delete(p, "birthDate"); p["age"] = 46 }, []string{"010016"}},
		"too much of the value":  {func(_, _, p group) { p["estimatedValue"] = 166000 }, []string{"010017"}},
		"too much to let":        {func(l, _, p group) { l["loanPurposeId"], p["estimatedValue"] = 3, 187000 }, []string{"010017"}},
		"two that are wrong":     {func(l, p, _ group) { l["loanAmount"], p["taxId"] = 1, "12345678" }, []string{"010014", "050002"}},
	} {
		for _, path := range []string{simulationsPath, simulationsPath + "/validate"} {
			got := d.call(t, "POST", path, newSimulation(c.change))
			if got.status != http.StatusBadRequest || !cmp.Equal(got.codes(t), c.want) {
				t.Errorf("%s: %d %s, want %v", name, got.status, got.body, c.want)
			}
		}
	}
	for name, body := range map[string]string{
		"nobody":       `{"loanData": {"loanAmount": 150000, "loanDurationMonths": 360, "indexTypeId": 3}}`,
		"two keys":     `{"loanData": {"loanAmount": 150000, "loanDurationMonths": 360, "indexTypeId": 3}, "borrowers": [{"age": 30, "borrowerTypeId": 1}, {"age": 31, "borrowerTypeId": 1}]}`,
		"no key among": `{"loanData": {"loanAmount": 150000, "loanDurationMonths": 360, "indexTypeId": 3}, "borrowers": [{"age": 30}, {"age": 31}]}`,
	} {
		if got := d.call(t, "POST", simulationsPath, body); got.status != 400 || got.codes(t)[0] != "010013" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if ids := d.Simulated(sandbox.BrokerA); len(ids) != 0 {
		t.Errorf("refused simulations exist: %v", ids)
	}
}

func TestWhatIsRecommendedToLendersIsAWarning(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for name, c := range map[string]struct {
		change func(loan, person, property map[string]any)
		want   []string
	}{
		"nothing":           {nil, nil},
		"the income":        {func(_, p, _ map[string]any) { p["income"] = 1400 }, []string{"010018"}},
		"other instalments": {func(_, p, _ map[string]any) { p["installmentOther"] = 700 }, []string{"010018"}},
		"the age":           {func(l, p, _ map[string]any) { l["loanDurationMonths"], p["birthDate"] = 432, "1990-01-01" }, []string{"010020"}},
	} {
		body := newSimulation(c.change)
		var checked portal.SimulationCosts
		got := d.call(t, "POST", simulationsPath+"/validate", body)
		if err := json.Unmarshal([]byte(got.body), &checked); err != nil || got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", name, got.status, got.body)
		}
		var codes []string
		for _, w := range checked.Warnings {
			codes = append(codes, w.Code)
		}
		if !cmp.Equal(codes, c.want) {
			t.Errorf("%s: got warnings %v, want %v", name, codes, c.want)
		}
		if ids := d.Simulated(sandbox.BrokerA); len(ids) != 0 {
			t.Fatalf("%s: a validation has created %v", name, ids)
		}
	}
	for name, c := range map[string]struct {
		change func(loan, person, property map[string]any)
		state  int32
		reason int32
	}{
		"nothing":    {nil, 7, 0},
		"the income": {func(_, p, _ map[string]any) { p["income"] = 1400 }, 6, 1},
		"the age":    {func(l, p, _ map[string]any) { l["loanDurationMonths"], p["birthDate"] = 432, "1990-01-01" }, 6, 3},
	} {
		path := d.created(t, newSimulation(c.change))
		if err := d.Decide(uuid.MustParse(path[len(simulationsPath)+1:])); err != nil {
			t.Fatal(err)
		}
		s := d.simulation(t, path)
		if s.SimulationStatusID != c.state || (s.SimulationRejectReasonID != nil) != (c.reason != 0) || c.reason != 0 && *s.SimulationRejectReasonID != c.reason {
			t.Errorf("%s: decided as %d for %v", name, s.SimulationStatusID, s.SimulationRejectReasonID)
		}
	}
}

func TestAnUpdateChangesWhatItHasAndNothingElse(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	path := d.created(t, newSimulation(nil))
	before := d.simulation(t, path)
	got := d.call(t, "PATCH", path, `{"loanData": {"loanAmount": 160000, "mixedFixedPeriodId": 5}, "propertyData": {"propertyTypologyId": 4}}`).object(t)
	if code := got["operationStatus"].(map[string]any)["operationStatusCode"]; code != "010201" {
		t.Errorf("got %v", got)
	}
	after := d.simulation(t, path)
	if amount, _ := after.Loan.LoanAmount.Reveal(); amount.String() != "160000" || *after.Loan.MixedFixedPeriodID != 5 || *after.Property.PropertyTypologyID != 4 {
		t.Errorf("got %+v", after)
	}
	if *after.Loan.LoanDurationMonths != *before.Loan.LoanDurationMonths || after.Borrowers[0].TaxID != before.Borrowers[0].TaxID ||
		after.Property.EstimatedValue.IsZero() || after.Results.LaterNominalRate.IsZero() || !after.LastActionDate.After(before.LastActionDate.Time) {
		t.Errorf("got %+v", after)
	}
	d.call(t, "PATCH", path, `{"loanData": {"indexTypeId": 4, "mixedFixedPeriodId": 0, "fixedFixedPeriodId": 30}}`).object(t)
	if s := d.simulation(t, path); s.Loan.MixedFixedPeriodID != nil || *s.Loan.FixedFixedPeriodID != 30 || s.Results.NominalRate.String() != "3.55" || !s.Results.Spread.IsZero() {
		t.Errorf("got %+v with %+v", s.Loan, s.Results)
	}
	d.call(t, "PATCH", path, `{"insurances": [{"insuranceTypeId": 1, "monthlyCost": 12.34}]}`).object(t)
	if cost, _ := d.simulation(t, path).Insurances[0].MonthlyCost.Reveal(); cost.String() != "12.34" {
		t.Errorf("an insurance of the client's own costs %s", cost)
	}
	if got := d.call(t, "PATCH", path, `{"loanData": {"loanAmount": 1}}`); got.status != 400 || got.codes(t)[0] != "010014" {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestWhatCanBeDoneDependsOnTheState(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for number, can := range map[int]struct{ edit, cancel, esis, convert bool }{
		sandbox.SampleDraft:     {true, true, true, false},
		sandbox.SampleValid:     {true, true, true, true},
		sandbox.SampleWithESIS:  {true, true, true, true},
		sandbox.SampleApproved:  {false, true, true, true},
		sandbox.SampleRejected:  {false, false, false, false},
		sandbox.SampleWithdrawn: {false, false, false, false},
		sandbox.SampleExpired:   {false, false, false, false},
	} {
		wants := func(what string, got response, may bool, code string) {
			t.Helper()
			if may != (got.status == http.StatusOK) || !may && got.codes(t)[0] != code {
				t.Errorf("%d: %s is answered with %d %.200s", number, what, got.status, got.body)
			}
		}
		path := simulationPath(number)
		wants("an ESIS", d.get(t, path+"/esis"), can.esis, "030001")
		wants("an update", d.call(t, "PATCH", path, `{"propertyData": {"floor": "1.º"}}`), can.edit, "010012")
		fresh := newHarness(t, sandbox.Config{})
		wants("a process", fresh.call(t, "POST", "/v1/processes", `{"simulationUniqueId": "`+sandbox.SampleSimulation(number).String()+`"}`), can.convert, "010012")
		wants("a cancellation", d.call(t, "DELETE", path, ""), can.cancel, "010012")
		if can.cancel && d.SimulationState(sandbox.SampleSimulation(number)) != 5 {
			t.Errorf("%d is not cancelled", number)
		}
	}
}

func TestAProcessIsMadeOfASimulation(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	asked := d.simulation(t, simulationPath(sandbox.SampleWithESIS))
	body := `{"simulationUniqueId": "` + asked.SimulationUniqueID.String() + `"}`
	created := d.call(t, "POST", "/v1/processes", body).object(t)
	path := "/v1/processes/" + created["additionalData"].(map[string]any)["processUniqueID"].(string)
	var process portal.Process
	if err := json.Unmarshal([]byte(d.get(t, path).body), &process); err != nil {
		t.Fatal(err)
	}
	amount, _ := process.LoanAmount.Reveal()
	simulated, _ := asked.Loan.LoanAmount.Reveal()
	if process.SimulationUniqueID != asked.SimulationUniqueID || process.SimulationNumber != asked.SimulationNumber || !amount.Equal(simulated) ||
		*process.LoanDurationMonths != *asked.Loan.LoanDurationMonths || process.KeyBorrowerName != asked.BorrowerName {
		t.Errorf("got %+v", process)
	}
	if ids := d.Borrowers(process.ProcessUniqueID); len(ids) != len(asked.Borrowers) {
		t.Errorf("got %d borrowers", len(ids))
	}
	after := d.simulation(t, simulationPath(sandbox.SampleWithESIS))
	if after.SimulationStatusID != 4 || after.ProcessUniqueID != process.ProcessUniqueID || after.ProcessNumber != process.ProcessNumber {
		t.Errorf("got %+v", after)
	}
	if got := d.call(t, "POST", "/v1/processes", body); got.status != 400 || !strings.HasPrefix(got.codes(t)[0], "04") {
		t.Errorf("a second process is made: %d %s", got.status, got.body)
	}
	_, simulation := d.pdfOf(t, simulationPath(sandbox.SampleWithESIS)+"/esis")
	_, ofProcess := d.pdfOf(t, path+"/esis")
	for _, figure := range []string{"TAEG", "MTIC"} {
		if a, b := figureOf(simulation, figure), figureOf(ofProcess, figure); a == "" || a != b {
			t.Errorf("the %s is %q in the simulation's ESIS and %q in that of the process", figure, a, b)
		}
	}
	if !strings.Contains(simulation, "Simulação n.º 2103") || !strings.Contains(simulation, "dados da simulação") {
		t.Error("the ESIS of a simulation does not say what it is of")
	}
}

// figureOf returns the tile with a title in the text of an ESIS.
func figureOf(text, title string) string {
	_, rest, _ := strings.Cut(text, title+" ")
	words := strings.Fields(rest)
	return strings.Join(words[:min(2, len(words))], " ")
}

func TestTheESISOfASimulationIsSentOnce(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	path := simulationPath(sandbox.SampleValid) + "/esis/email?sendAddress="
	if got := d.get(t, path+"nobody"); got.status != 400 || got.codes(t)[0] != "070005" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	got := d.get(t, path+"marta%40example.com").object(t)
	if code := got["operationStatus"].(map[string]any)["operationStatusCode"]; code != "030501" {
		t.Errorf("got %v", got)
	}
	sent := d.Sent()
	if len(sent) != 1 || sent[0].Simulation != sandbox.SampleSimulation(sandbox.SampleValid) || sent[0].Process != uuid.Nil || sent[0].To.Reveal() != "marta@example.com" {
		t.Errorf("got %+v", sent)
	}
	if state := d.SimulationState(sandbox.SampleSimulation(sandbox.SampleValid)); state != 3 {
		t.Errorf("the state is %d", state)
	}
}

func TestASimulationThatIsNotDecidedInTimeExpires(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	path := d.created(t, newSimulation(nil))
	d.clock.Add(31 * 24 * time.Hour)
	d = d.as(t, sandbox.BrokerA, 0)
	if s := d.simulation(t, path); s.SimulationStatusID != 8 {
		t.Errorf("got %+v", s.SimulationSummary)
	}
	if s := d.simulation(t, simulationPath(sandbox.SampleApproved)); s.SimulationStatusID != 7 {
		t.Errorf("an approved one: %+v", s.SimulationSummary)
	}
}

func TestSimulationsAreListedByPagesAndFilters(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	type page struct {
		TotalRecords   int
		HasMoreResults bool
		SimulationList []portal.SimulationSummary
	}
	read := func(query string) (p page, numbers []int64) {
		t.Helper()
		got := d.get(t, simulationsPath+"?"+query)
		if err := json.Unmarshal([]byte(got.body), &p); err != nil || got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", query, got.status, got.body)
		}
		for _, s := range p.SimulationList {
			numbers = append(numbers, s.SimulationNumber)
		}
		return p, numbers
	}
	all, numbers := read("lineCount=100")
	if !slices.IsSortedFunc(numbers, func(a, b int64) int { return int(b - a) }) || all.TotalRecords != len(numbers) || all.HasMoreResults || len(numbers) < 15 {
		t.Fatalf("got %v", numbers)
	}
	var paged []int64
	for next := ""; ; {
		query := "lineCount=4"
		if next != "" {
			query += "&nextRecord=" + next
		}
		p, some := read(query)
		if paged = append(paged, some...); !p.HasMoreResults {
			break
		}
		next = p.SimulationList[len(p.SimulationList)-1].SimulationUniqueID.String()
	}
	if !slices.Equal(paged, numbers) {
		t.Errorf("page by page %v, and at once %v", paged, numbers)
	}
	for query, want := range map[string][]int64{
		"filterSimulationStatus=6": {sandbox.SampleRejected},
		"filterByText=marta+simul": {sandbox.SampleValid},
		"filterByText=2102":        nil, // a number is not searched
		"filterStatusLastDateFrom=2026-11-22&filterStatusLastDateTo=2026-11-22&filterSimulationStatus=1": {sandbox.SampleDraft},
	} {
		if _, got := read(query); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{"filterSimulationStatus=99", "filterProcessStatus=1", "nextRecord=" + uuid.NewString(), "lineCount=0", "lineCount=101"} {
		if got := d.get(t, simulationsPath+"?"+query); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

func TestABrokerSeesOnlyItsOwnSimulations(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	others := simulationPath(sandbox.SampleOfOthers)
	for _, c := range []struct{ method, path, body string }{
		{"GET", others, ""}, {"PATCH", others, `{}`}, {"DELETE", others, ""}, {"GET", others + "/esis", ""},
		{"GET", others + "/message", ""}, {"POST", others + "/message", `{"subject": "x", "text": "y"}`},
		{"POST", "/v1/processes", `{"simulationUniqueId": "` + sandbox.SampleSimulation(sandbox.SampleOfOthers).String() + `"}`},
	} {
		if got := d.call(t, c.method, c.path, c.body); got.status != 400 || got.codes(t)[0] != "010011" {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.status, got.body)
		}
	}
	d.Hide(sandbox.BrokerA.Users[0], sandbox.SampleSimulation(sandbox.SampleValid))
	if got := d.get(t, simulationPath(sandbox.SampleValid)); got.status != 400 {
		t.Errorf("a hidden simulation: %d", got.status)
	}
	if got := d.get(t, simulationsPath+"?filterByText=marta"); strings.Contains(got.body, "Marta") {
		t.Errorf("a hidden simulation is listed: %s", got.body)
	}
}

func TestMessagesOfASimulationAreKept(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	path := simulationPath(sandbox.SampleWithESIS) + "/message"
	got := d.call(t, "POST", path, `{"subject": "Prazo", "text": "Pode ser a 30 anos?"}`).object(t)
	if code := got["operationStatus"].(map[string]any)["operationStatusCode"]; code != "020101" {
		t.Errorf("got %v", got)
	}
	list := d.get(t, path).object(t)
	first := list["messageList"].([]any)[0].(map[string]any)
	if list["totalCount"] != 3.0 || first["subject"] != "Prazo" || first["sentByBank"] != false || first["userName"] != sandbox.BrokerA.Users[0] {
		t.Errorf("got %v", list)
	}
	if got := d.call(t, "POST", path, `{"subject": "Prazo"}`); got.status != 400 {
		t.Errorf("without a text: %d %s", got.status, got.body)
	}
}
