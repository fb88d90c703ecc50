package property_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/property"
)

// read returns the first property of a sample process as the bank has it.
func read(t *testing.T, e *testenv.Env, process int) portal.Property {
	t.Helper()
	all, err := e.User().ListProperties(t.Context(), sandbox.SampleProcess(process))
	if err != nil || len(all) == 0 {
		t.Fatalf("%v, %v", all, err)
	}
	return all[0]
}

func TestThePropertyOfAProcessIsShownWithWhatIsMissing(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	file := e.WantCard(t, "get_property", `{"process":"1042"}`, "Property of process 1042", "Lisbon", "Oeiras").Output.(property.File)
	if want := []string{"parishId", "zipCode", "grossBuiltArea", "yearBuilt"}; !slices.Equal(file.Missing, want) {
		t.Errorf("missing are %v, want %v", file.Missing, want)
	}
	if file.Fields["countyId"] != "Oeiras #1110" || strings.Contains(file.Fields["address"], "Modelo") || file.Version == "" {
		t.Errorf("%+v", file)
	}
	several := e.WantCard(t, "get_property", `{"process":"1046"}`, "2 properties").Output.(property.File)
	if len(several.Properties) != 2 || several.Properties[1].Property != sandbox.SampleProperty(1046, 1) || !strings.Contains(several.Properties[1].Name, "18 m²") {
		t.Fatalf("%+v", several)
	}
	e.WantCard(t, "get_property", `{"process":"1046","property":"`+several.Properties[1].Property.String()+`"}`, "18")
	e.WantProblem(t, "get_property", `{"process":"1042","property":"`+several.Properties[1].Property.String()+`"}`, "property.unknown")
}

func TestOnlyTheGivenFieldsOfAPropertyChange(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	before := read(t, e, 1043)
	if _, failure := e.Call(t, "update_property", `{"process":"1043","grossBuiltArea":"102,5","acquisitionDate":"31/12/2026","acquisitionAmount":"310.000,00","clear":["floor"]}`); failure != nil {
		t.Fatal(failure)
	}
	after := read(t, e, 1043)
	if *after.GrossBuiltArea != 102.5 || after.AcquisitionDate != "2026-12-31" || !after.Floor.IsZero() {
		t.Errorf("%+v", after)
	}
	if amount, _ := after.AcquisitionAmount.Reveal(); amount.String() != "310000" {
		t.Errorf("the price is %s", amount)
	}
	if *after.CountyID != *before.CountyID || *after.ParishID != *before.ParishID || after.Address != before.Address || *after.YearBuilt != *before.YearBuilt {
		t.Errorf("%+v was %+v", after, before)
	}
	if _, failure := e.Call(t, "update_property", `{"process":"1043","grossBuiltArea":102.5}`); failure == nil || testenv.Problems(failure)[0] != "edit.nothing error" {
		t.Errorf("the same again: %v", failure)
	}
	if e.Bank.Calls(portal.PropertyUpdate) != 1 {
		t.Errorf("%d updates were sent", e.Bank.Calls(portal.PropertyUpdate))
	}
}

func TestAPropertyIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args string
		want []string
	}{
		"which of several":               {`{"process":"1046","yearBuilt":2001}`, []string{"property property.which error"}},
		"a closed process":               {`{"process":"1049","yearBuilt":2001}`, nil},
		"no area":                        {`{"process":"1042","grossBuiltArea":0}`, []string{"grossBuiltArea property.area error"}},
		"a hall":                         {`{"process":"1042","grossBuiltArea":5000}`, []string{"grossBuiltArea property.area_unusual warning"}},
		"a year far ahead":               {`{"process":"1042","yearBuilt":2200}`, []string{"yearBuilt property.year error"}},
		"no price":                       {`{"process":"1042","acquisitionAmount":0}`, []string{"acquisitionAmount property.price error"}},
		"a postal code without its end":  {`{"process":"1042","zipCode":"2780"}`, []string{"zipCode property.zip error"}},
		"no number":                      {`{"process":"1042","grossBuiltArea":"big"}`, []string{"grossBuiltArea kind.number error"}},
		"a county outside the district":  {`{"process":"1042","countyId":1312}`, []string{"countyId choice.outside warning"}},
		"a district without the county":  {`{"process":"1042","districtId":13}`, []string{"countyId choice.outside warning"}},
		"a parish outside the county":    {`{"process":"1042","parishId":131203}`, []string{"parishId choice.outside warning"}},
		"a county that no list has":      {`{"process":"1042","countyId":9999}`, []string{"countyId taxonomy.unknown error"}},
		"an empty county and its parish": {`{"process":"1043","clear":["countyId"],"yearBuilt":1999}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := testenv.Start(t, testenv.Options{})
			_, failure := e.Call(t, "update_property", c.args)
			if got := testenv.Problems(failure); !slices.Equal(got, c.want) {
				t.Errorf("got %v of %v, want %v", got, failure, c.want)
			}
			if sent := e.Bank.Calls(portal.PropertyUpdate); sent > 0 && c.want != nil {
				t.Errorf("%d updates were sent", sent)
			}
		})
	}
}

// A warning of ours may be confirmed; the bank decides.
func TestACountyOutsideTheDistrictIsTheBanksToRefuse(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	_, failure := e.Call(t, "update_property", `{"process":"1042","countyId":1312}`, testenv.Confirmed("choice.outside"))
	if failure == nil || failure.Kind != tools.Refused || e.Bank.Calls(portal.PropertyUpdate) != 1 {
		t.Errorf("%v", failure)
	}
}

func TestAnUpdateWithoutAReplyIsNotSentTwice(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	e.Bank.Inject(sandbox.Fault{Operation: portal.PropertyUpdate, Times: 1, DropAfter: true})
	const args = `{"process":"1042","yearBuilt":2001}`
	result, failure := e.Call(t, "update_property", args, testenv.WithKey("k"))
	if failure != nil && failure.Kind != tools.Unclear {
		t.Fatal(failure)
	}
	if failure != nil {
		result, failure = e.Call(t, "update_property", args, testenv.WithKey("k"))
	}
	if failure != nil || e.Bank.Calls(portal.PropertyUpdate) != 1 || *read(t, e, 1042).YearBuilt != 2001 {
		t.Errorf("%v, %v after %d calls", result.Card.Title, failure, e.Bank.Calls(portal.PropertyUpdate))
	}
}

func options(t *testing.T, e *testenv.Env, path, typed string, answers map[string]string) (found []string) {
	t.Helper()
	field, known := property.Update.Field(path)
	if !known {
		t.Fatalf("no field %s", path)
	}
	list, err := e.Options(t.Context(), e.Actor, field, typed, answers)
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range list {
		found = append(found, strings.TrimSuffix(option.Text+" / "+option.Note, " / "))
	}
	return found
}

func TestTheChoicesAreThoseWithinTheParent(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for name, c := range map[string]struct {
		path, typed string
		answers     map[string]string
		want        []string
	}{
		"counties of a district":                {"countyId", "", map[string]string{"districtId": "5"}, []string{"Castelo Branco", "Covilhã", "Fundão"}},
		"a county of another district":          {"countyId", "oeiras", map[string]string{"districtId": "5"}, nil},
		"a county without a district":           {"countyId", "lagoa", nil, []string{"Lagoa / Faro", "Lagoa / Azores"}},
		"a parish without a county":             {"parishId", "paranhos", nil, []string{"Paranhos / Seia", "Paranhos / Porto"}},
		"a parish of a county":                  {"parishId", "santa maria maior", map[string]string{"countyId": "3103"}, []string{"Santa Maria Maior"}},
		"a parish of a district, of any county": {"parishId", "santa maria maior", map[string]string{"districtId": "11"}, []string{"Santa Maria Maior"}},
	} {
		if got := options(t, e, c.path, c.typed, c.answers); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestALabelIsUnderstoodWithinItsParent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   string
		parish int32 // 0 if it is refused
	}{
		"in the county of the bank":     {`{"process":"1042","parishId":"Porto Salvo"}`, 111002},
		"in the county that is given":   {`{"process":"1042","districtId":"Porto","countyId":"Porto","parishId":"Paranhos"}`, 131203},
		"in the other with the name":    {`{"process":"1042","districtId":"Guarda","countyId":"Seia","parishId":"paranhos"}`, 91202},
		"outside the county that stays": {`{"process":"1042","districtId":"Madeira","clear":["countyId"],"parishId":"Santa Maria Maior"}`, 0},
		"a parish of another county":    {`{"process":"1042","parishId":"Paranhos"}`, 0},
		"a county of the island":        {`{"process":"1042","districtId":30,"countyId":"Calheta","parishId":"Calheta"}`, 310102},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := testenv.Start(t, testenv.Options{})
			_, failure := e.CallConfirmed(t, "update_property", c.args)
			if c.parish == 0 {
				if got := testenv.Problems(failure); len(got) == 0 || !strings.HasPrefix(got[0], "parishId choice.un") {
					t.Errorf("got %v", failure)
				}
				return
			}
			if failure != nil {
				t.Fatal(failure)
			}
			if got := read(t, e, 1042); *got.ParishID != c.parish {
				t.Errorf("the parish is %d, want %d", *got.ParishID, c.parish)
			}
		})
	}
}
