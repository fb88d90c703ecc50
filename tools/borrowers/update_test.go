package borrowers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
)

// leaves lists a JSON document's values by path, to the letter.
func leaves(t *testing.T, document string) map[string]string {
	t.Helper()
	found := map[string]string{}
	var walk func(path string, data json.RawMessage)
	walk = func(path string, data json.RawMessage) {
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil || object == nil {
			found[path] = string(data)
			return
		}
		for name, value := range object {
			walk(strings.TrimPrefix(path+"."+name, "."), value)
		}
	}
	walk("", json.RawMessage(document))
	return found
}

// changes compares two bodies, and lists what differs: "" for what is absent.
func changes(t *testing.T, before, after string) map[string][2]string {
	t.Helper()
	was, is := leaves(t, before), leaves(t, after)
	all, differ := maps.Clone(was), map[string][2]string{}
	maps.Copy(all, is)
	for path := range all {
		if was[path] != is[path] {
			differ[path] = [2]string{was[path], is[path]}
		}
	}
	return differ
}

func toJSON(t *testing.T, request portal.BorrowerRequest) string {
	t.Helper()
	data, err := pii.MarshalClear(request)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestOnlyTheGivenFieldsChange(t *testing.T) {
	t.Parallel()
	const personal, financial, professional = "personalDataBorrowerRequest.", "financialDataBorrowerRequest.", "professionalDataBorrowerRequest."
	for name, c := range map[string]struct {
		given string
		want  map[string]string // what reaches the bank; "" for what is gone
	}{
		"a text":           {`"personal":{"address":"Rua Nova"}`, map[string]string{personal + "address": `"Rua Nova"`}},
		"a phone as typed": {`"personal":{"mobile":"912 000 111"}`, map[string]string{personal + "mobile": `"+351912000111"`}},
		"a date as typed":  {`"personal":{"identificationDocumentExpiredDate":"31/12/2031"}`, map[string]string{personal + "identificationDocumentExpiredDate": `"2031-12-31"`}},
		"money":            {`"financial":{"incomeRents":"1.250,50"}`, map[string]string{financial + "incomeRents": `1250.5`}},
		"no money":         {`"financial":{"incomeWagesPensions":0}`, map[string]string{financial + "incomeWagesPensions": `0`}},
		"a yes":            {`"financial":{"hasSocialSecurityDebt":true}`, map[string]string{financial + "hasSocialSecurityDebt": `true`}},
		"a choice":         {`"personal":{"academicLevelId":2}`, map[string]string{personal + "academicLevelId": `2`}},
		"the choice 0":     {`"professional":{"employmentProfessionId":0}`, map[string]string{professional + "employmentProfessionId": `0`}},
		"a number":         {`"personal":{"dependentsNumber":0}`, map[string]string{personal + "dependentsNumber": `0`}},
		"a field emptied":  {`"clear":["personal.floor","financial.installmentPersonalCredit"]`, map[string]string{personal + "floor": "", financial + "installmentPersonalCredit": ""}},
		"one emptied beside one given": {`"clear":"personal.floor, personal.doorNumber","personal":{"doorNumber":"7 B"}`,
			map[string]string{personal + "floor": "", personal + "doorNumber": `"7 B"`}},
	} {
		e, proxy := testenv.StartWithProxy(t, nil, testenv.Options{})
		before := e.Borrower(t, 1043, testenv.Ines).Request()
		result, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, c.given), testenv.Confirmed("income.none", "situation.no_wages"))
		if failure != nil {
			t.Errorf("%s: %v", name, failure)
			continue
		}
		if want := "The data of Inês M., in process 1043, is up to date at the bank."; result.Card.Text != want {
			t.Errorf("%s: got %q", name, result.Card.Text)
		}
		got := map[string]string{}
		for path, pair := range changes(t, toJSON(t, before), proxy.Updates()[0]) {
			got[path] = pair[1]
		}
		if !maps.Equal(got, c.want) || len(proxy.Updates()) != 1 {
			t.Errorf("%s: got %v", name, got)
		}
		if toJSON(t, e.Borrower(t, 1043, testenv.Ines).Request()) != proxy.Updates()[0] {
			t.Errorf("%s: the bank holds something else than was sent", name)
		}
	}
}

func TestUnchangedFieldsAreSentExactlyAsTheBankHasThem(t *testing.T) {
	t.Parallel()
	odd := func(reply string) string {
		return strings.NewReplacer(
			`"mobile":"+351912345003"`, `"mobile":"912 345 003","phone":" 21 000 00 00"`, `:1850,`, `:1850.00,`, `"zipCode":"1000-001"`, `"zipCode":"1000001"`,
			`"academicLevelID":5`, `"academicLevelID":0`, `"employmentContractTypeID":1`, `"employmentContractTypeID":0`, `"name":"Inês Modelo"`, `"name":"  inês  modelo "`,
		).Replace(reply)
	}
	e, proxy := testenv.StartWithProxy(t, odd, testenv.Options{})
	before := e.Borrower(t, 1043, testenv.Ines).Request()
	sent := toJSON(t, before)
	for _, value := range []string{`"912 345 003"`, `" 21 000 00 00"`, `:1850.00,`, `"1000001"`, `"academicLevelId":0`, `"  inês  modelo "`} {
		if !strings.Contains(sent, value) {
			t.Fatalf("%s is not what the bank shows", value)
		}
	}
	if _, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"address":"Rua Nova"}`), testenv.Confirmed("country.zip", "employer.required")); failure != nil {
		t.Fatal(failure)
	}
	if got := changes(t, sent, proxy.Updates()[0]); len(got) != 1 || got["personalDataBorrowerRequest.address"][1] != `"Rua Nova"` {
		t.Errorf("these changed: %v", got)
	}
}

func TestAnObjectThatTheBankDoesNotHaveIsSentOnlyWithAValue(t *testing.T) {
	t.Parallel()
	lacking := func(reply string) string {
		var borrower map[string]json.RawMessage
		if json.Unmarshal([]byte(reply), &borrower) != nil {
			return reply
		}
		delete(borrower, "borrowerProfessionalData")
		shown, _ := json.Marshal(borrower)
		return string(shown)
	}
	for given, want := range map[string]bool{`"personal":{"address":"Rua Nova"}`: false, `"professional":{"employerName":"Fábrica Exemplo"}`: true} {
		e, proxy := testenv.StartWithProxy(t, lacking, testenv.Options{})
		if _, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, given)); failure != nil {
			t.Fatal(failure)
		}
		if strings.Contains(proxy.Updates()[0], "professionalDataBorrowerRequest") != want {
			t.Errorf("%s sends %s", given, proxy.Updates()[0])
		}
	}
}

func TestAnUpdateOfNothingIsRefusedAndSendsNothing(t *testing.T) {
	t.Parallel()
	e, proxy := testenv.StartWithProxy(t, nil, testenv.Options{})
	held := e.Borrower(t, 1043, testenv.Ines)
	for name, given := range map[string]string{
		"nothing":                    `"personal":{}`,
		"what is there":              `"personal":{"address":"Rua das Amostras","academicLevelId":5},"financial":{"incomeWagesPensions":"1.850,00","hasSocialSecurityDebt":false}`,
		"what is there, as typed":    fmt.Sprintf(`"personal":{"mobile":%q}`, strings.TrimPrefix(held.Personal.Mobile.Reveal(), "+351")),
		"what is empty, emptied":     `"clear":["personal.phone"]`,
		"blanks and nulls":           `"personal":{"address":null,"floor":" "},"clear":[]`,
		"a version and nothing else": `"version":"another"`,
	} {
		_, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, given), testenv.AsAssistant)
		if got := testenv.Problems(failure); failure == nil || failure.Kind != tools.Invalid || !slices.Contains(got, "edit.nothing error") || slices.Contains(got, "edit.changes warning") {
			t.Errorf("%s: got %v", name, failure)
		}
	}
	if _, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"genderId":"x"}`)); !slices.Equal(testenv.Problems(failure), []string{"personal.genderId choice.unknown error"}) {
		t.Errorf("what cannot be read is no change, and it says so: %v", failure)
	}
	if len(proxy.Updates()) > 0 || e.Bank.Calls(portal.BorrowerUpdate) > 0 {
		t.Errorf("%d were sent", len(proxy.Updates()))
	}
}

func TestOnlyOptionalFieldsCanBeEmptied(t *testing.T) {
	t.Parallel()
	e, proxy := testenv.StartWithProxy(t, nil, testenv.Options{})
	for _, path := range []string{"personal.name", "borrowerTypeId", "process", "borrower", "version", "clear", "personal", "personal.nif", ""} {
		_, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, fmt.Sprintf(`"clear":[%q,"personal.floor"]`, path)))
		if failure == nil || failure.Kind != tools.Invalid || !slices.Contains(testenv.Problems(failure), "clear edit.clear error") {
			t.Errorf("%q: got %v", path, failure)
		}
	}
	if len(proxy.Updates()) > 0 {
		t.Errorf("%d were sent", len(proxy.Updates()))
	}
}

func TestAChangeMadeMeanwhileIsNotOverwritten(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	read, failure := e.Call(t, "get_borrower", testenv.BorrowerArgs(1043, testenv.Ines))
	if failure != nil {
		t.Fatal(failure)
	}
	version := fmt.Sprintf(`"version":%q`, read.Output.(borrowers.BorrowerFile).Version)
	if _, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"floor":"3.º Dto."}`, version)); failure != nil {
		t.Fatalf("nobody changed it, and yet %v", failure)
	}
	_, failure = e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"doorNumber":"7 B"}`, version))
	if failure == nil || failure.Kind != tools.Unconfirmed || !slices.Equal(testenv.Problems(failure), []string{"edit.meanwhile warning"}) {
		t.Fatalf("got %v", failure)
	}
	if _, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"doorNumber":"7 B"}`, version), testenv.Confirmed("edit.meanwhile")); failure != nil {
		t.Fatal(failure)
	}
	if p := e.Borrower(t, 1043, testenv.Ines).Personal; p.Floor.Reveal() != "3.º Dto." || p.DoorNumber.Reveal() != "7 B" {
		t.Error("one change is lost")
	}
}

func TestAVersionOfAnotherKeyNeedsAConfirmation(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	read, failure := e.Call(t, "get_borrower", testenv.BorrowerArgs(1043, testenv.Ines))
	if failure != nil {
		t.Fatal(failure)
	}
	config := e.Config
	config.Fingerprint = func(data []byte) string { return "a new key's " + e.Fingerprint(data) }
	rotated := *e
	rotated.Runner = tools.NewRunner(config)
	args := testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"floor":"3"}`, fmt.Sprintf(`"version":%q`, read.Output.(borrowers.BorrowerFile).Version))
	if _, failure := rotated.Call(t, "update_borrower", args); !slices.Equal(testenv.Problems(failure), []string{"edit.meanwhile warning"}) {
		t.Fatalf("got %v", failure)
	}
	if _, failure := rotated.Call(t, "update_borrower", args, testenv.Confirmed("edit.meanwhile")); failure != nil {
		t.Error(failure)
	}
}

func TestOldProblemsAreWarningsAndNewOnesAreErrors(t *testing.T) {
	t.Parallel()
	wrong := func(reply string) string {
		return strings.NewReplacer(`"email":"ines.modelo@example.com"`, `"email":"none"`, `"employmentProfessionID":`, `"employmentProfessionID":9977,"was":`, `"employmentProfessionDescription":`, `"unknown":`).Replace(reply)
	}
	e, proxy := testenv.StartWithProxy(t, wrong, testenv.Options{})
	before := []string{"personal.email email.format warning", "professional.employmentProfessionId taxonomy.unknown warning"}
	for name, c := range map[string]struct {
		given string
		kind  tools.ErrorKind
		want  []string
	}{
		"another field":                 {`"personal":{"floor":"3"}`, tools.Unconfirmed, before},
		"another field, wrongly":        {`"personal":{"taxId":"1"}`, tools.Invalid, append([]string{"personal.taxId nif.length error"}, before...)},
		"another field, oddly":          {`"personal":{"zipCode":"1"}`, tools.Unconfirmed, append([]string{"personal.zipCode country.zip warning"}, before...)},
		"the same field, wrongly again": {`"personal":{"email":"nobody"}`, tools.Invalid, []string{"professional.employmentProfessionId taxonomy.unknown warning", "personal.email email.format error"}},
		"the same choice, wrongly again": {`"professional":{"employmentProfessionId":9978}`, tools.Invalid,
			[]string{"professional.employmentProfessionId taxonomy.unknown error", "personal.email email.format warning"}},
		"the number of somebody else": {fmt.Sprintf(`"personal":{"taxId":%q}`, e.Borrower(t, 1043, 0).Personal.TaxID.Reveal()), tools.Invalid, append([]string{"personal.taxId borrower.duplicate error"}, before...)},
	} {
		_, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, c.given))
		slices.Sort(c.want)
		if failure == nil || failure.Kind != c.kind || !slices.Equal(testenv.Problems(failure), c.want) {
			t.Errorf("%s: got %v %q", name, failure, testenv.Problems(failure))
		}
	}
	if len(proxy.Updates()) > 0 {
		t.Errorf("%d were sent", len(proxy.Updates()))
	}
	if _, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"floor":"3"}`), testenv.Confirmed("taxonomy.unknown", "email.format")); failure != nil || len(proxy.Updates()) != 1 {
		t.Errorf("confirmed: %v, %d sent", failure, len(proxy.Updates()))
	}
}

func TestAnAssistantHasToConfirmChangesAndAPersonHasNot(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	args := testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"mobile":"912 000 111","academicLevelId":2,"name":"Inês Maqueta"},"clear":["personal.floor"]`)
	_, failure := e.Call(t, "update_borrower", args, testenv.AsAssistant)
	if failure == nil || failure.Kind != tools.Unconfirmed || !slices.Equal(testenv.Problems(failure), []string{"edit.changes warning"}) {
		t.Fatalf("got %v", failure)
	}
	text := failure.Problems[0].Text
	for _, want := range []string{"Full name: Inês M. (changed)", "Mobile: +351 ••• ••• 003 → +351 ••• ••• 111", "Academic level: Master → Secondary education (Balcão's list)", "Floor: •••••• → —"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	if strings.Contains(text, "Maqueta") || strings.Contains(text, "912000111") || strings.Contains(text, "E-mail") {
		t.Errorf("it says too much: %q", text)
	}
	if _, failure := e.Call(t, "update_borrower", args, testenv.AsAssistant, testenv.Confirmed("edit.changes")); failure != nil {
		t.Error(failure)
	}
	if _, failure := e.Call(t, "update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"floor":"1"}`)); failure != nil {
		t.Errorf("a person has to confirm %v", failure)
	}
}

func TestTheFormOfAnEditorHasTheDataOfTheBankAndUnchangedSendsNothing(t *testing.T) {
	t.Parallel()
	odd := func(reply string) string {
		return strings.NewReplacer(`"academicLevelID":5`, `"academicLevelID":0`, `"academicLevelDescription":"Master"`, `"other":0`, `"floor":"2.º Esq."`, `"floor":" 2.º Esq. "`, `:1850,`, `:1850.00,`).Replace(reply)
	}
	e, _ := testenv.StartWithProxy(t, odd, testenv.Options{})
	about := map[string]string{"process": "1043", "borrower": sandbox.SampleBorrower(1043, testenv.Ines).String()}
	before, labels, err := e.Current(t.Context(), e.Actor, borrowers.Update, about)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"personal.name": "Inês Modelo", "personal.floor": "2.º Esq.", "personal.academicLevelId": "", "financial.incomeWagesPensions": "1850.00",
		"financial.hasSocialSecurityDebt": "false", "personal.genderId": "1", "personal.dependentsNumber": "1", "financial.incomeRents": "0", "process": "1043",
	} {
		if before[path] != want {
			t.Errorf("%s holds %q, want %q", path, before[path], want)
		}
	}
	if labels["personal.genderId"] != "Female" || labels["personal.academicLevelId"] != "" {
		t.Errorf("the labels are %v", labels)
	}
	form := tools.Form{Answers: maps.Clone(before), Before: before}
	for _, page := range borrowers.Update.Pages {
		if problems := e.CheckPage(t.Context(), e.Actor, borrowers.Update, page, form); slices.ContainsFunc(problems, func(p tools.Problem) bool { return p.Severity == tools.Blocks }) {
			t.Errorf("%s: %v", page, problems)
		}
	}
	ana := tools.Actor{ID: e.Actor.ID, Lang: words.Portuguese}
	portuguese, _, err := e.Current(t.Context(), ana, borrowers.Update, about)
	if day := before["personal.birthDate"]; err != nil || portuguese["personal.birthDate"] != day[8:]+"/"+day[5:7]+"/"+day[:4] {
		t.Errorf("%s is %s in Portuguese, %v", day, portuguese["personal.birthDate"], err)
	}
	_, problems, err := e.Summary(t.Context(), ana, borrowers.Update, tools.Form{Answers: maps.Clone(portuguese), Before: portuguese})
	if err != nil || !slices.ContainsFunc(problems, func(p tools.Problem) bool { return p.Code == "edit.nothing" }) {
		t.Errorf("got %v, %v", problems, err)
	}
}

// written is a date of the bank's as an English review shows it.
func written(t *testing.T, date string) string {
	t.Helper()
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	return day.Format("2 Jan 2006")
}

func TestEachKindOfAnswerChangedInAFormReachesTheBank(t *testing.T) {
	t.Parallel()
	e, proxy := testenv.StartWithProxy(t, nil, testenv.Options{})
	about := map[string]string{"process": "1043", "borrower": sandbox.SampleBorrower(1043, testenv.Ines).String()}
	before, _, err := e.Current(t.Context(), e.Actor, borrowers.Update, about)
	if err != nil {
		t.Fatal(err)
	}
	form := tools.Form{Answers: maps.Clone(before), Before: before}
	maps.Copy(form.Answers, map[string]string{
		"personal.identificationDocumentExpiredDate": "31/12/2031", "financial.incomeRents": "1.250,50", "financial.hasSocialSecurityDebt": "true",
		"personal.academicLevelId": "2", "personal.dependentsNumber": "3", "personal.phone": "210 000 000", "personal.floor": " ", "personal.email": "ines@example.com",
	})
	sections, problems, err := e.Summary(t.Context(), e.Actor, borrowers.Update, form)
	if err != nil || slices.ContainsFunc(problems, func(p tools.Problem) bool { return p.Severity != tools.Hints }) {
		t.Fatalf("got %v, %v", problems, err)
	}
	shown, was := map[string]string{}, e.Borrower(t, 1043, testenv.Ines).Personal
	masked, err := json.Marshal(sections)
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range sections {
		for _, fact := range section.Facts {
			shown[fact.Label] = fact.Value.Reveal()
		}
	}
	want := map[string]string{
		"Process": "1043", "Borrower": "Inês Modelo · " + was.TaxID.Reveal(),
		"Expiry date": written(t, was.IdentificationDocumentExpiredDate.Reveal()) + "\n→ 31 Dec 2031", "Rental income": "€0.00\n→ €1,250.50",
		"Social security debt": "No\n→ Yes", "Academic level": "Master\n→ Secondary education (Balcão's list)", "Number of dependants": "1\n→ 3",
		"Landline": "—\n→ +351210000000", "Floor": was.Floor.Reveal() + "\n→ —", "E-mail": was.Email.Reveal() + "\n→ ines@example.com",
	}
	if !maps.Equal(shown, want) {
		t.Errorf("got  %v\nwant %v", shown, want)
	}
	printed := fmt.Sprintf("%v %+v %#v", sections, sections, sections) + string(masked)
	for label, value := range want {
		if new := value[strings.LastIndexByte(value, ' ')+1:]; len(new) > 4 && strings.Contains(printed, new) {
			t.Errorf("a printed summary has %s: %s", label, new)
		}
	}
	args, malformed := borrowers.Update.Args(borrowers.Update.Given(form), words.English)
	if malformed != nil {
		t.Fatal(malformed)
	}
	held := e.Borrower(t, 1043, testenv.Ines)
	if _, failure := e.Call(t, "update_borrower", string(args)); failure != nil {
		t.Fatal(failure)
	}
	got := map[string]string{}
	for path, pair := range changes(t, toJSON(t, held.Request()), proxy.Updates()[0]) {
		got[path[strings.LastIndex(path, ".")+1:]] = pair[1]
	}
	if want := map[string]string{
		"identificationDocumentExpiredDate": `"2031-12-31"`, "incomeRents": "1250.5", "hasSocialSecurityDebt": "true", "academicLevelId": "2",
		"dependentsNumber": "3", "phone": `"+351210000000"`, "floor": "", "email": `"ines@example.com"`,
	}; !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestAPageOfAnEditorShowsTheProblemsOfItsChanges(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	before := map[string]string{"process": "1043", "borrower": sandbox.SampleBorrower(1043, testenv.Ines).String(), "personal.email": "none", "personal.name": "Inês Modelo"}
	look := func(change map[string]string) (found []string) {
		form := tools.Form{Answers: maps.Clone(before), Before: before}
		maps.Copy(form.Answers, change)
		for _, p := range e.CheckPage(t.Context(), e.Actor, borrowers.Update, "personal", form) {
			if p.Severity == tools.Blocks {
				found = append(found, p.Path+" "+p.Code)
			}
		}
		return found
	}
	if got := look(nil); got != nil {
		t.Errorf("untouched, got %q", got)
	}
	if got := look(map[string]string{"personal.email": "no one", "personal.name": ""}); !slices.Equal(got, []string{"personal.email email.format", "personal.name expected"}) {
		t.Errorf("got %q", got)
	}
}
