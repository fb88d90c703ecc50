package validation_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/validation"
)

// A vector is one line of testdata/domain-vectors.json, gathered from the test suites of other libraries.
type vector struct {
	Kind, Value, Reason, Source, Type string
	Valid                             bool
	E164                              string
	Principal, PeriodRate, Expect     string
	N                                 int
}

// accepts says how each kind of vector is read.
var accepts = map[string]func(v vector) bool{
	"nif": func(v vector) bool { _, _, err := validation.NIF(v.Value); return err == nil },
	"nif_natural": func(v vector) bool {
		_, kind, err := validation.NIF(v.Value)
		return err == nil && kind == validation.NIFPerson
	},
	"nif_collective": func(v vector) bool {
		_, kind, err := validation.NIF(v.Value)
		return err == nil && kind == validation.NIFCollective
	},
	"niss":        func(v vector) bool { _, _, err := validation.NISS(v.Value); return err == nil },
	"cc":          func(v vector) bool { _, _, err := validation.CitizenCard(v.Value, ""); return err == nil },
	"nic":         func(v vector) bool { _, err := validation.NIC(v.Value); return err == nil },
	"postcode":    func(v vector) bool { _, err := validation.PostalCode(v.Value); return err == nil },
	"iban":        func(v vector) bool { _, err := validation.IBAN(v.Value); return err == nil },
	"nib":         func(v vector) bool { _, err := validation.NIB(v.Value); return err == nil },
	"passport_pt": func(v vector) bool { _, err := validation.PassportPT(v.Value); return err == nil },
	"email":       func(v vector) bool { _, err := validation.Email(v.Value); return err == nil },
	"phone": func(v vector) bool {
		number, err := validation.Phone(v.Value)
		return err == nil && number.E164 == v.E164 && number.Kind == phoneKinds[strings.Fields(v.Type)[0]]
	},
}

var phoneKinds = map[string]validation.PhoneKind{
	"MOBILE": validation.PhoneMobile, "FIXED_LINE": validation.PhoneFixed, "VOIP": validation.PhoneFixed,
	"TOLL_FREE": validation.PhoneService, "PREMIUM_RATE": validation.PhoneService,
}

func vectors(t testing.TB) []vector {
	data, err := os.ReadFile("testdata/domain-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

func TestTheVectorsOfOtherLibraries(t *testing.T) {
	all := vectors(t)
	if len(all) != 212 {
		t.Errorf("read %d vectors, want 212", len(all))
	}
	for _, v := range all {
		if v.Kind == "instalment" {
			checkInstalment(t, v)
			continue
		}
		read, known := accepts[v.Kind]
		if !known {
			t.Errorf("nothing reads vectors of the kind %s", v.Kind)
			continue
		}
		if got := read(v); got != v.Valid {
			t.Errorf("%s %q of %s: valid is %t, want %t (%s)", v.Kind, v.Value, v.Source, got, v.Valid, v.Reason)
		}
	}
}

// checkInstalment compares to the digits that the vector's binary floating point can hold.
func checkInstalment(t *testing.T, v vector) {
	perYear, divided := strings.CutSuffix(v.PeriodRate, "/12")
	yearly := decimal.RequireFromString(perYear)
	if !divided {
		yearly = yearly.Mul(decimal.NewFromInt(12))
	}
	got, err := validation.Instalment(decimal.RequireFromString(v.Principal), yearly, v.N)
	if want := decimal.RequireFromString(v.Expect); err != nil || !got.Round(10).Equal(want.Round(10)) {
		t.Errorf("%s at %s over %d months: got %s, %v, want %s", v.Principal, v.PeriodRate, v.N, got, err, want)
	}
}

func TestInstalmentsMatchTheTables(t *testing.T) {
	for _, c := range []struct {
		principal, rate string
		months          int
		want            string
	}{
		{"180000", "0.03", 420, "692.73"},
		{"180000", "0.045", 420, "851.86"},
		{"15000", "0", 60, "250"},
	} {
		got, err := validation.Instalment(decimal.RequireFromString(c.principal), decimal.RequireFromString(c.rate), c.months)
		if err != nil || !got.Round(2).Equal(decimal.RequireFromString(c.want)) {
			t.Errorf("%s at %s over %d months: got %s, %v, want %s", c.principal, c.rate, c.months, got, err, c.want)
		}
	}
	for _, months := range []int{-1, 0, 1201} {
		if _, err := validation.Instalment(decimal.NewFromInt(1000), decimal.Zero, months); err != validation.ErrLoan {
			t.Errorf("a loan over %d months: got error %v", months, err)
		}
	}
}

func TestTheOfficialRuleDecidesWherePublishedSuitesDisagree(t *testing.T) {
	for _, c := range []struct {
		kind, value string
		valid       bool
		because     string
	}{
		{"cc", "000000000ZZ8", false, "9 is taken off once, digits are not added"},
		{"cc", "10000000 0 ZZ2", false, "the inner check digit is wrong"},
		{"cc", "12946383-3zz5", true, "capitals make no difference"},
		{"nif", "PT943935784", false, "94 is not allocated"},
		{"nif", "787667560", true, "78 is the series of VAT refunds"},
		{"nif_natural", "812627318", false, "the series of sole traders is not a person's"},
		{"nif", "812627318", true, "and still may be an employer's"},
		{"nif_natural", "123456789", true, "the bank's own sample"},
		{"nif_natural", "PT123456789", true, "the bank's own sample"},
		{"postcode", "0294-348", false, "no postal code begins with 0"},
		{"postcode", "1000001", false, "seven digits are a slip to ask about"},
		{"nif", "PT346296476", false, "the check digit is wrong"},
		{"nif", "000000000", false, "the sum is right and the prefix is not"},
	} {
		if got := accepts[c.kind](vector{Value: c.value}); got != c.valid {
			t.Errorf("%s %s: valid is %t, want %t: %s", c.kind, c.value, got, c.valid, c.because)
		}
	}
}
