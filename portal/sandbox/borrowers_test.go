package sandbox_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

// borrowerJSON is a request that a test bends.
type borrowerJSON map[string]any

func (b borrowerJSON) personal() map[string]any {
	return b["personalDataBorrowerRequest"].(map[string]any)
}

func (b borrowerJSON) financial() map[string]any {
	return b["financialDataBorrowerRequest"].(map[string]any)
}

// newBorrower is the least that the bank takes, after a change.
func newBorrower(change func(borrowerJSON)) string {
	b := borrowerJSON{
		"borrowerTypeId": 2,
		"personalDataBorrowerRequest": map[string]any{
			"name": "Vera Exemplar", "birthDate": "1990-05-01", "taxId": "299999998",
			"mobile": "+351912345678", "email": "vera@example.com", "genderId": 1,
		},
		"financialDataBorrowerRequest": map[string]any{"incomeWagesPensions": 1200.5},
	}
	if change != nil {
		change(b)
	}
	body, _ := json.Marshal(b) // maps of plain values always have JSON
	return string(body)
}

func bankExample(t *testing.T, name string) map[string]any {
	t.Helper()
	data, err := os.ReadFile("../testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// keys lists every path of a JSON object.
func keys(value map[string]any, prefix string) []string {
	var all []string
	for key, inner := range value {
		all = append(all, prefix+key)
		if object, ok := inner.(map[string]any); ok {
			all = append(all, keys(object, prefix+key+".")...)
		}
	}
	slices.Sort(all)
	return all
}

func (r response) object(t *testing.T) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal([]byte(r.body), &value); err != nil || r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	return value
}

func TestTheBanksOwnExampleIsTakenAndComesBackInTheBanksSpelling(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	request := borrowerJSON(bankExample(t, "borrower-create.request"))
	request["borrowerTypeId"] = 2 // every sample has its key borrower
	request["keyBorrowerRelationId"] = 1
	request.personal()["email"] = "john@example.com" // blanked out on the bank's page
	body, _ := json.Marshal(request)

	created := d.call(t, "POST", borrowersPath(sandbox.SampleOpen), string(body)).object(t)
	if diff := cmp.Diff(keys(bankExample(t, "borrower-create.reply"), ""), keys(created, "")); diff != "" {
		t.Errorf("create answers with other fields than the bank (-bank +ours):\n%s", diff)
	}
	status := created["operationStatus"].(map[string]any)
	id := created["additionalData"].(map[string]any)["borrowerUniqueID"].(string)
	if status["operationStatusCode"] != "050101" || !strings.HasSuffix(status["operationStatusMessage"].(string), id) {
		t.Errorf("create answers %v", status)
	}

	got := d.get(t, borrowersPath(sandbox.SampleOpen)+"/"+id).object(t)
	want := bankExample(t, "borrower-get.reply")
	if diff := cmp.Diff(keys(want, ""), keys(got, "")); diff != "" {
		t.Errorf("get answers with other fields than the bank (-bank +ours):\n%s", diff)
	}
	for _, object := range []string{"borrowerFinancialData", "borrowerProfessionalData"} {
		for _, sent := range []string{"employerTaxID", "employmentContractTypeID", "employmentContractTypeDescription"} {
			delete(want[object].(map[string]any), sent) // differ between the bank's two examples
			delete(got[object].(map[string]any), sent)
		}
		if diff := cmp.Diff(want[object], got[object]); diff != "" {
			t.Errorf("%s (-bank +ours):\n%s", object, diff)
		}
	}
}

func TestTheListSaysWhichBorrowersThereAreAndNothingOfThePerson(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	list := d.get(t, borrowersPath(sandbox.SampleCouple)).object(t)["borrowerList"].([]any)
	if len(list) != 2 {
		t.Fatalf("%d borrowers, want 2", len(list))
	}
	want := bankExample(t, "borrower-list.reply")["borrowerList"].([]any)[0].(map[string]any)
	if diff := cmp.Diff(keys(want, ""), keys(list[1].(map[string]any), "")); diff != "" {
		t.Errorf("(-bank +ours):\n%s", diff)
	}
	if got := list[0].(map[string]any)["borrowerTypeDescription"]; got != "KeyBorrower" {
		t.Errorf("the first is a %v", got)
	}
}

func TestDescriptionsComeInTheLanguageAskedFor(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	path := borrowersPath(sandbox.SampleCouple) + "/" + sandbox.SampleBorrower(sandbox.SampleCouple, 1).String()
	for lang, want := range map[string][]string{
		"en-GB": {"Married", "Spouse", "Portuguese", "Portugal", "Borrower"},
		"pt-PT": {"Casado(a)", "Cônjuge", "Portuguesa", "Portugal", "Proponente"},
		"pt-BR": {"Casado(a)", "Cônjuge", "Portuguesa", "Portugal", "Proponente"},
		"":      {"Casado(a)", "Cônjuge", "Portuguesa", "Portugal", "Proponente"},
	} {
		d.lang = lang
		got := d.get(t, path).object(t)
		personal := got["borrowerPersonalData"].(map[string]any)
		n := []string{}
		for _, text := range []any{personal["maritalStatusDescription"], got["keyBorrowerRelationDescription"],
			personal["nationalityDescription"], personal["countryDescription"], got["borrowerTypeDescription"]} {
			n = append(n, text.(string))
		}
		if !slices.Equal(n, want) {
			t.Errorf("%q: %v, want %v", lang, n, want)
		}
	}
}

func TestWhatIsWrongWithABorrowerIsRefusedFieldByField(t *testing.T) {
	const personal, financial = "personalDataBorrowerRequest", "financialDataBorrowerRequest"
	set := func(field string, value any) func(borrowerJSON) {
		return func(b borrowerJSON) { b.personal()[field] = value }
	}
	without := func(field string) func(borrowerJSON) {
		return func(b borrowerJSON) { delete(b.personal(), field) }
	}
	atWork := func(field string, value any) func(borrowerJSON) {
		return func(b borrowerJSON) { b["professionalDataBorrowerRequest"] = map[string]any{field: value} }
	}
	d := newHarness(t, sandbox.Config{Profile: sandbox.WithRules(sandbox.EveryRule(profile.Error))})
	for name, c := range map[string]struct {
		change func(borrowerJSON)
		field  string
	}{
		"no type":                {func(b borrowerJSON) { delete(b, "borrowerTypeId") }, "borrowerTypeId"},
		"unknown type":           {func(b borrowerJSON) { b["borrowerTypeId"] = 3 }, "borrowerTypeId"},
		"type in quotes":         {func(b borrowerJSON) { b["borrowerTypeId"] = "2" }, "borrowerTypeId"},
		"second key borrower":    {func(b borrowerJSON) { b["borrowerTypeId"] = 1 }, "borrowerTypeId"},
		"unknown relation":       {func(b borrowerJSON) { b["keyBorrowerRelationId"] = 99 }, "keyBorrowerRelationId"},
		"no personal data":       {func(b borrowerJSON) { delete(b, personal) }, personal},
		"no financial data":      {func(b borrowerJSON) { delete(b, financial) }, financial},
		"no name":                {without("name"), personal + ".name"},
		"blank name":             {set("name", "  "), personal + ".name"},
		"name of 201 letters":    {set("name", strings.Repeat("á", 201)), personal + ".name"},
		"no birth date":          {without("birthDate"), personal + ".birthDate"},
		"birth date backwards":   {set("birthDate", "01-05-1990"), personal + ".birthDate"},
		"no such day":            {set("birthDate", "1990-02-30"), personal + ".birthDate"},
		"minor":                  {set("birthDate", "2008-11-23"), personal + ".birthDate"},
		"born 121 years ago":     {set("birthDate", "1905-01-01"), personal + ".birthDate"},
		"no tax number":          {without("taxId"), personal + ".taxId"},
		"wrong check digit":      {set("taxId", "299999999"), personal + ".taxId"},
		"short tax number":       {set("taxId", "29999999"), personal + ".taxId"},
		"prefix nobody has":      {set("taxId", "434374580"), personal + ".taxId"},
		"tax number as a number": {set("taxId", 299999998), personal + ".taxId"},
		"no mobile":              {without("mobile"), personal + ".mobile"},
		"mobile with letters":    {set("mobile", "91234567x"), personal + ".mobile"},
		"phone with spaces":      {set("phone", "21 234 56 78"), personal + ".phone"},
		"no e-mail":              {without("email"), personal + ".email"},
		"e-mail without domain":  {set("email", "vera@"), personal + ".email"},
		"e-mail with a name":     {set("email", "Vera <vera@example.com>"), personal + ".email"},
		"no gender":              {without("genderId"), personal + ".genderId"},
		"unknown gender":         {set("genderId", 4), personal + ".genderId"},
		"unknown nationality":    {set("nationalityId", 999), personal + ".nationalityId"},
		"unknown document":       {set("identificationDocumentTypeId", 9), personal + ".identificationDocumentTypeId"},
		"expiry that is no date": {set("identificationDocumentExpiredDate", "soon"), personal + ".identificationDocumentExpiredDate"},
		"unknown marital status": {set("maritalStatusId", 0), personal + ".maritalStatusId"},
		"unknown regime":         {set("matrimonialRegimeId", 4), personal + ".matrimonialRegimeId"},
		"unknown residence":      {set("residenceTypeId", 7), personal + ".residenceTypeId"},
		"unknown academic level": {set("academicLevelId", 7), personal + ".academicLevelId"},
		"unknown country":        {set("countryId", 21), personal + ".countryId"},
		"postal code of 7 digits": {func(b borrowerJSON) {
			b.personal()["countryId"], b.personal()["zipCode"] = 1, "1000001"
		}, personal + ".zipCode"},
		"fewer than no children": {set("dependentsNumber", -1), personal + ".dependentsNumber"},
		"half a child":           {set("dependentsNumber", 1.5), personal + ".dependentsNumber"},
		"negative income":        {func(b borrowerJSON) { b.financial()["incomeRents"] = -1 }, financial + ".incomeRents"},
		"income in quotes":       {func(b borrowerJSON) { b.financial()["incomeRents"] = "100" }, financial + ".incomeRents"},
		"unknown profession":     {atWork("employmentProfessionId", 11), "professionalDataBorrowerRequest.employmentProfessionId"},
		"unknown situation":      {atWork("employmentSituationId", 8), "professionalDataBorrowerRequest.employmentSituationId"},
		"employer's check digit": {atWork("employerTaxId", "PT123456780"), "professionalDataBorrowerRequest.employerTaxId"},
		"a lifetime in one job":  {atWork("employmentDurationMonths", 841), "professionalDataBorrowerRequest.employmentDurationMonths"},
		"a field nobody knows":   {func(b borrowerJSON) { b["colour"] = "blue" }, "colour"},
		"a reply's spelling":     {set("taxID", "299999998"), personal + ".taxID"},
		"other letter case":      {set("Name", "Vera"), personal + ".Name"},
		"corrected spelling":     {atWork("employmentPositionDepartmentId", 5), "professionalDataBorrowerRequest.employmentPositionDepartmentId"},
	} {
		got := d.call(t, "POST", borrowersPath(sandbox.SampleOpen), newBorrower(c.change))
		if got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, got.status, got.body)
			continue
		}
		errors := got.errorsOf(t)
		if _, field, _ := strings.Cut(errors[0], " "); len(errors) != 1 || field != c.field {
			t.Errorf("%s: %v, want %s", name, errors, c.field)
		}
	}
	if got := len(d.Borrowers(sandbox.SampleProcess(sandbox.SampleOpen))); got != 1 {
		t.Errorf("the process has %d borrowers now", got)
	}
}

func TestARuleOfTheProfileDecidesWhatIsRefused(t *testing.T) {
	set := func(field string, value any) func(borrowerJSON) {
		return func(b borrowerJSON) { b.personal()[field] = value }
	}
	for rule, change := range map[string]func(borrowerJSON){
		"expected":        func(b borrowerJSON) { delete(b.personal(), "mobile") },
		"nif.prefix":      set("taxId", "434374580"),
		"country.zip":     func(b borrowerJSON) { b.personal()["countryId"], b.personal()["zipCode"] = 1, "1000001" },
		"dependants.many": set("dependentsNumber", 11),
		"amount.negative": func(b borrowerJSON) { b.financial()["incomeRents"] = -1 },
		"amount.too_high": func(b borrowerJSON) { b.financial()["incomeRents"] = 1_000_001 },
		"months.many": func(b borrowerJSON) {
			b["professionalDataBorrowerRequest"] = map[string]any{"employmentDurationMonths": 841}
		},
		"borrower.key_unique": func(b borrowerJSON) { b["borrowerTypeId"] = 1 },
	} {
		for strictness, want := range map[profile.Strictness]int{profile.Error: http.StatusBadRequest, profile.Warn: http.StatusOK, profile.Off: http.StatusOK} {
			d := newHarness(t, sandbox.Config{Profile: sandbox.WithRules(profile.Rules{rule: strictness})})
			if got := d.call(t, "POST", borrowersPath(sandbox.SampleOpen), newBorrower(change)); got.status != want {
				t.Errorf("%s is %q: %d %s", rule, strictness, got.status, got.body)
			}
		}
	}
}

func TestEverythingWrongIsSaidAtOnceAndTheValuesAreNotRepeated(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	got := d.call(t, "POST", borrowersPath(sandbox.SampleOpen), newBorrower(func(b borrowerJSON) {
		maps.Copy(b.personal(), map[string]any{"taxId": "299999991", "email": "vera-at-home", "mobile": "91x"})
	}))
	want := []string{"050605 personalDataBorrowerRequest.taxId", "050802 personalDataBorrowerRequest.mobile", "050902 personalDataBorrowerRequest.email"}
	if diff := cmp.Diff(want, got.errorsOf(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, value := range []string{"299999991", "vera-at-home", "91x"} {
		if strings.Contains(got.body, value) {
			t.Errorf("the refusal repeats %q", value)
		}
	}
}

func TestBodiesThatAreNoRequestAreRefused(t *testing.T) {
	t.Parallel()
	d := newHarness(t, sandbox.Config{})
	send := func(kind, body string) response {
		header := http.Header{"Authorization": {"Bearer " + d.token}}
		if kind != "" {
			header.Set("Content-Type", kind)
		}
		return d.send(t, "POST", borrowersPath(sandbox.SampleOpen), body, header)
	}
	good := newBorrower(nil)
	for name, c := range map[string]struct {
		kind, body string
		status     int
	}{
		"no content type":      {"", good, http.StatusUnsupportedMediaType},
		"a form":               {"application/x-www-form-urlencoded", good, http.StatusUnsupportedMediaType},
		"no body":              {"application/json", "", http.StatusBadRequest},
		"half a body":          {"application/json", good[:len(good)/2], http.StatusBadRequest},
		"two bodies":           {"application/json", good + good, http.StatusBadRequest},
		"a list":               {"application/json", "[" + good + "]", http.StatusBadRequest},
		"a field given twice":  {"application/json", `{"borrowerTypeId":2,` + good[1:], http.StatusBadRequest},
		"more than 64 KiB":     {"application/json", newBorrower(func(b borrowerJSON) { b["x"] = strings.Repeat("x", 65<<10) }), http.StatusRequestEntityTooLarge},
		"with its charset, ok": {"application/json; charset=utf-8", good, http.StatusOK},
	} {
		if got := send(c.kind, c.body); got.status != c.status {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, c.status)
		}
	}
}

func TestTheSameTaxNumberIsTakenOnceInAProcess(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for number, want := range map[int][]int{sandbox.SampleOpen: {http.StatusOK, http.StatusBadRequest}, sandbox.SampleCouple: {http.StatusOK}} {
		for _, status := range want {
			got := d.call(t, "POST", borrowersPath(number), newBorrower(nil))
			if got.status != status {
				t.Fatalf("process %d: %d %s, want %d", number, got.status, got.body, status)
			}
			if status != http.StatusOK && (got.errorsOf(t)[0] != "050608 personalDataBorrowerRequest.taxId" || strings.Contains(got.body, "299999998")) {
				t.Errorf("refused with %s", got.body)
			}
		}
	}
}

func TestAProcessTakesTenBorrowers(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for i := range 10 {
		body := newBorrower(func(b borrowerJSON) { b.personal()["taxId"] = validTaxID(i) })
		got, want := d.call(t, "POST", borrowersPath(sandbox.SampleOpen), body), http.StatusOK
		if i == 9 { // one was there
			want = http.StatusBadRequest
		}
		if got.status != want {
			t.Errorf("borrower %d: %d %s", i+2, got.status, got.body)
		}
	}
}

func TestAnEndedProcessTakesNoBorrower(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for _, number := range []int{sandbox.SampleClosed, sandbox.SampleCancelled} {
		got := d.call(t, "POST", borrowersPath(number), newBorrower(nil))
		if got.status != http.StatusBadRequest || got.errorsOf(t)[0] != "040002" {
			t.Errorf("process %d: %d %s", number, got.status, got.body)
		}
	}
}

func TestIdentifiersHaveToBeUUIDsOfSomethingThatIsThere(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	open, own := sandbox.SampleProcess(sandbox.SampleOpen), sandbox.SampleBorrower(sandbox.SampleOpen, 0)
	for path, want := range map[string]string{
		"/v1/processes/1042":                                                       "000006 processUniqueId",
		"/v1/processes/{" + open.String() + "}":                                    "000006 processUniqueId",
		"/v1/processes/" + strings.ReplaceAll(open.String(), "-", ""):              "000006 processUniqueId",
		"/v1/processes/" + uuid.NewString():                                        "040001",
		borrowersPath(sandbox.SampleOpen) + "/1":                                   "000006 borrowerUniqueId",
		borrowersPath(sandbox.SampleOpen) + "/" + uuid.NewString():                 "050001",
		borrowersPath(sandbox.SampleCouple) + "/" + own.String():                   "050001",
		strings.ToUpper(borrowersPath(sandbox.SampleOpen)[len("/v1/processes/"):]): "000004",
	} {
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		if got := d.get(t, path); got.errorsOf(t)[0] != want {
			t.Errorf("%s: %s, want %s", path, got.body, want)
		}
	}
}
