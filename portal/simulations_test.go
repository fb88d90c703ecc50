package portal_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

var simulation = uuid.MustParse("7d1f0a52-8a3e-4d0f-9f53-0f6f7c1b2a3d")

func TestAQueryOfSimulationsHasTheBanksParameters(t *testing.T) {
	status, last := int32(6), uuid.New()
	bank, config := overTCP(t, text(200, `{"totalRecords": 0, "hasMoreResults": false, "simulationList": []}`))
	user := as(t, config, maria)
	if _, err := user.ListSimulations(t.Context(), portal.SimulationQuery{
		Text: pii.New[pii.Name]("Maria & Exemplo"), StatusID: &status, Limit: 20, After: last.String(),
		From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
	}); err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"filterByText": {"Maria & Exemplo"}, "filterSimulationStatus": {"6"}, "lineCount": {"20"}, "nextRecord": {last.String()},
		"filterStatusLastDateFrom": {"2026-11-01"}, "filterStatusLastDateTo": {"2026-11-22"},
	}
	if got := bank.calls[0].URL.Query(); !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestASimulationIsReadInAnyForm(t *testing.T) {
	for name, body := range map[string]string{
		"numbers": `{"simulationUniqueID": "` + simulation.String() + `", "simulationNumber": 88, "simulationStatusID": 2, "expirationDate": "2026-12-01",
			"loanData": {"loanAmount": 150000, "loanDurationMonths": 360}, "borrowers": [{"age": 34, "income": 2400.5}],
			"bankCharges": [{"bankChargeTypeID": 1, "amount": 290}], "results": {"taeg": 3.77, "mtic": 254321.09}}`,
		"texts": `{"simulationUniqueID": "` + simulation.String() + `", "simulationNumber": "88", "simulationStatusID": "2", "expirationDate": "2026-12-01T00:00:00",
			"loanData": {"loanAmount": "150000", "loanDurationMonths": "360"}, "borrowers": [{"age": "34", "income": "2400.5", "taxID": 123456789}],
			"bankCharges": [{"bankChargeTypeID": "1", "amount": "290"}], "results": {"taeg": "3.77", "mtic": "254321.09"}}`,
	} {
		_, config := overTCP(t, text(200, body))
		s, err := as(t, config, maria).Simulation(t.Context(), simulation)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		income, _ := s.Borrowers[0].Income.Reveal()
		taeg, _ := s.Results.TAEG.Value()
		if s.SimulationNumber != 88 || *s.Borrowers[0].Age != 34 || income.String() != "2400.5" || taeg.String() != "3.77" || *s.BankCharges[0].BankChargeTypeID != 1 {
			t.Errorf("%s: got %+v", name, s)
		}
	}
	for _, body := range []string{`{}`, `{"loanData": {}}`, `[]`, `"none"`} {
		_, config := overTCP(t, text(200, body))
		_, err := as(t, config, maria).Simulation(t.Context(), simulation)
		wantKind(t, err, portal.Garbled)
	}
}

func TestWhatIsWrongWithASimulationIsTheAnswerOfAValidation(t *testing.T) {
	refusal := `{"errors": [{"errorCode": "010017", "errorMessage": "The loan is more than the bank lends on the value of the property.", "field": "loanData.loanAmount"}]}`
	bank, config := overTCP(t, inTurn(text(400, refusal), text(200, `{"results": {"taeg": 3.5}}`), text(200, `{}`), text(400, ``)))
	user := as(t, config, maria)
	checked, err := user.ValidateSimulation(t.Context(), portal.SimulationRequest{})
	if err != nil || len(checked.Problems) != 1 || checked.Problems[0].Field != "loanAmount" || checked.Problems[0].Reason != "simulation.ltv" {
		t.Errorf("got %+v, %v", checked, err)
	}
	if checked, err = user.ValidateSimulation(t.Context(), portal.SimulationRequest{}); err != nil || checked.Problems != nil || checked.Results.TAEG.String() != "3.5" {
		t.Errorf("got %+v, %v", checked, err)
	}
	_, err = user.ValidateSimulation(t.Context(), portal.SimulationRequest{})
	wantKind(t, err, portal.Garbled)
	if _, err = user.ValidateSimulation(t.Context(), portal.SimulationRequest{}); err == nil {
		t.Error("a refusal that says nothing is no answer")
	}
	bank.wantSeen(t, 1, 4)
}

func TestAnUpdateHasOnlyWhatChanges(t *testing.T) {
	euros := func(text string) pii.Money { return pii.Euros(decimal.RequireFromString(text)) }
	n := func(i int32) *int32 { return &i }
	from := portal.SimulationRequest{
		Loan:      &portal.SimulationLoanRequest{LoanAmount: euros("150000"), LoanDurationMonths: n(360), IndexTypeID: n(3)},
		Borrowers: []portal.SimulationBorrowerRequest{{Name: pii.New[pii.Name]("Maria Exemplo"), Income: euros("2400")}},
		Property:  &portal.SimulationPropertyRequest{EstimatedValue: euros("200000")},
	}
	same := portal.SimulationRequest{
		Loan:      &portal.SimulationLoanRequest{LoanAmount: euros("150000.00"), LoanDurationMonths: n(360), IndexTypeID: n(3)},
		Borrowers: []portal.SimulationBorrowerRequest{{Name: pii.New[pii.Name]("Maria Exemplo"), Income: euros("2400.0")}},
		Property:  &portal.SimulationPropertyRequest{EstimatedValue: euros("200000")},
	}
	for name, c := range map[string]struct {
		change func(r *portal.SimulationRequest)
		want   string
	}{
		"nothing":          {func(*portal.SimulationRequest) {}, `{}`},
		"an amount":        {func(r *portal.SimulationRequest) { r.Loan.LoanAmount = euros("160000") }, `{"loanData":{"loanAmount":160000}}`},
		"no period":        {func(r *portal.SimulationRequest) { r.Loan.MixedFixedPeriodID = n(0) }, `{"loanData":{"mixedFixedPeriodId":0}}`},
		"what is left out": {func(r *portal.SimulationRequest) { r.Loan.IndexTypeID, r.Property = nil, nil }, `{}`},
		"an income":        {func(r *portal.SimulationRequest) { r.Borrowers[0].Income = euros("2500") }, `{"borrowers":[{"name":"Maria Exemplo","income":2500}]}`},
		"another borrower": {func(r *portal.SimulationRequest) {
			r.Borrowers = append(r.Borrowers, portal.SimulationBorrowerRequest{Age: n(30)})
		}, `{"borrowers":[{"name":"Maria Exemplo","income":2400.0},{"age":30}]}`},
		"an own insurance": {func(r *portal.SimulationRequest) {
			r.Insurances = []portal.SimulationInsuranceRequest{{InsuranceTypeID: n(1), MonthlyCost: euros("9.5")}}
		}, `{"insurances":[{"insuranceTypeId":1,"monthlyCost":9.5}]}`},
		"a property and all": {func(r *portal.SimulationRequest) { r.Property.Floor = pii.New[pii.Address]("2.º") }, `{"propertyData":{"floor":"2.º"}}`},
	} {
		to := same
		to.Loan, to.Property, to.Borrowers = new(*same.Loan), new(*same.Property), append([]portal.SimulationBorrowerRequest(nil), same.Borrowers...)
		c.change(&to)
		got, err := pii.MarshalClear(to.Changes(from))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, want %s, %v", name, got, c.want, err)
		}
	}
}

func TestASimulationAsARequestKeepsEveryFieldThatRequestsHave(t *testing.T) {
	full := reflect.New(reflect.TypeFor[portal.Simulation]()).Elem()
	fill(full, new(int32))
	s := full.Interface().(portal.Simulation)
	request := s.Request()
	request.Insurances = []portal.SimulationInsuranceRequest{{InsuranceTypeID: new(int32(1)), MonthlyCost: pii.Euros(decimal.NewFromInt(1))}}
	if missing := empty(reflect.ValueOf(request), ""); missing != "" {
		t.Errorf("the request lacks %s", missing)
	}
	if amount, _ := request.Loan.LoanAmount.Reveal(); fmt.Sprint(amount) != fmt.Sprint(reveal(s.Loan.LoanAmount)) || *request.Loan.BranchID != s.BranchID {
		t.Errorf("got %+v", request.Loan)
	}
}

func reveal(m pii.Money) decimal.Decimal { amount, _ := m.Reveal(); return amount }

// fill gives every field of a struct another value.
func fill(v reflect.Value, n *int32) {
	*n++
	switch value := v.Addr().Interface().(type) {
	case *pii.Money:
		*value = pii.Euros(decimal.NewFromInt32(*n))
		return
	case *uuid.UUID:
		value[0] = byte(*n)
		return
	case *portal.Time:
		value.Time = time.Unix(int64(*n), 0)
		return
	case *portal.Percent:
		*value = portal.PercentOf(decimal.NewFromInt32(*n))
		return
	case json.Unmarshaler:
		if err := value.UnmarshalJSON(fmt.Appendf(nil, "%q", fmt.Sprint(*n))); err != nil {
			panic(err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.String:
		v.SetString(fmt.Sprint(*n))
	case reflect.Bool:
		v.SetBool(true)
	}
}

// empty returns the path of a field that is empty, "" if there is none.
func empty(v reflect.Value, path string) string {
	if v.IsZero() {
		return path
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Slice:
		return empty(v.Index(0), path+"[0]")
	case v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[portal.Simulation]().PkgPath():
		for i := range v.NumField() {
			if found := empty(v.Field(i), path+"."+v.Type().Field(i).Name); found != "" {
				return found
			}
		}
	}
	return ""
}

func TestWhetherAnUnclearSimulationExistsIsFoundByLooking(t *testing.T) {
	n := func(i int32) *int32 { return &i }
	request := portal.SimulationRequest{
		Loan: &portal.SimulationLoanRequest{LoanAmount: pii.Euros(decimal.NewFromInt(120_000)), LoanDurationMonths: n(360), IndexTypeID: n(3)},
		Borrowers: []portal.SimulationBorrowerRequest{{
			BorrowerTypeID: n(1), Name: pii.New[pii.Name]("Vera Exemplar"), TaxID: pii.New[pii.TaxID]("299999998"), Age: n(35),
		}},
	}
	for name, c := range map[string]struct {
		fault sandbox.Fault
		added int
	}{
		"cut before":   {sandbox.Fault{DropBefore: true}, 0},
		"cut after":    {sandbox.Fault{DropAfter: true}, 1},
		"failed":       {sandbox.Fault{Status: 502}, 0},
		"cut short":    {sandbox.Fault{Body: sandbox.Truncated}, 1},
		"HTML instead": {sandbox.Fault{Body: sandbox.HTML}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bank, user := sandboxUser(t)
			c.fault.Operation, c.fault.Times = portal.SimulationCreate, 1
			bank.Inject(c.fault)
			_, err := user.CreateSimulation(t.Context(), request)
			wantKind(t, err, portal.Unclear)
			found, err := user.ListSimulations(t.Context(), portal.SimulationQuery{Text: pii.New[pii.Name]("299999998")})
			if err != nil || len(found.Simulations) != c.added || bank.Calls(portal.SimulationCreate) != 1 {
				t.Errorf("%d simulations after %d calls, %v", len(found.Simulations), bank.Calls(portal.SimulationCreate), err)
			}
			bank.Inject(sandbox.Fault{Operation: portal.SimulationValidate, Times: 1, Status: 502})
			if _, err := user.ValidateSimulation(t.Context(), request); err != nil || bank.Calls(portal.SimulationValidate) != 2 {
				t.Errorf("a validation is not repeated: %d calls, %v", bank.Calls(portal.SimulationValidate), err)
			}
		})
	}
}

func TestAPercentageIsReadAsANumberOrATextAndNothingElse(t *testing.T) {
	for data, want := range map[string]string{`3.55`: "3.55", `"3.55"`: "3.55", `0`: "0", `null`: "", `-0.5`: "-0.5"} {
		var p portal.Percent
		if err := json.Unmarshal([]byte(data), &p); err != nil || p.String() != want || p.IsZero() != (want == "") {
			t.Errorf("%s: got %q, %v", data, p, err)
		}
		if want != "" {
			if back, err := json.Marshal(p); err != nil || string(back) != want {
				t.Errorf("%s: written as %s, %v", data, back, err)
			}
		}
	}
	for _, data := range []string{`true`, `"x"`, `{}`, `1e999999999`, `""`} {
		var p portal.Percent
		if err := json.Unmarshal([]byte(data), &p); err == nil {
			t.Errorf("%s is read as %q", data, p)
		}
	}
}
