package validation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/validation"
)

// readers are the parsers of a single text, each returning the normal form.
var readers = map[string]func(string) (string, error){
	"NIF":           func(s string) (string, error) { n, _, err := validation.NIF(s); return n, err },
	"NISS":          func(s string) (string, error) { n, _, err := validation.NISS(s); return n, err },
	"NIC":           validation.NIC,
	"PassportPT":    validation.PassportPT,
	"OtherDocument": validation.OtherDocument,
	"PostalCode":    validation.PostalCode,
	"Email":         validation.Email,
	"IBAN":          validation.IBAN,
	"NIB":           validation.NIB,
	"Phone":         func(s string) (string, error) { p, err := validation.Phone(s); return p.E164, err },
	"Date":          func(s string) (string, error) { d, err := validation.ParseDateInput(s); return d.String(), err },
	"Amount":        func(s string) (string, error) { d, err := validation.Amount(s); return d.String(), err },
	"CitizenCard":   func(s string) (string, error) { n, c, err := validation.CitizenCard(s, ""); return n + c, err },
}

func FuzzNIF(f *testing.F)           { fuzz(f, "NIF", "nif") }
func FuzzNISS(f *testing.F)          { fuzz(f, "NISS", "niss") }
func FuzzNIC(f *testing.F)           { fuzz(f, "NIC", "nic") }
func FuzzCitizenCard(f *testing.F)   { fuzz(f, "CitizenCard", "cc") }
func FuzzPassportPT(f *testing.F)    { fuzz(f, "PassportPT", "passport_pt") }
func FuzzOtherDocument(f *testing.F) { fuzz(f, "OtherDocument", "passport_pt") }
func FuzzPostalCode(f *testing.F)    { fuzz(f, "PostalCode", "postcode") }
func FuzzPhone(f *testing.F)         { fuzz(f, "Phone", "phone") }
func FuzzEmail(f *testing.F)         { fuzz(f, "Email", "email") }
func FuzzIBAN(f *testing.F)          { fuzz(f, "IBAN", "iban") }
func FuzzNIB(f *testing.F)           { fuzz(f, "NIB", "nib") }
func FuzzDate(f *testing.F) {
	fuzz(f, "Date", "", "1985-04-12", "29/02/2024", "31-12-1999", "3.7.1985", "03071985", "3/7/85",
		"3 de julho de 1985", "1.º mar. 2001", "03JUL1985")
}
func FuzzAmount(f *testing.F) { fuzz(f, "Amount", "", "2500", "0.01", "-1", "1e9", "1e999999999") }

// fuzz holds a parser to three promises: it never panics, what it returns it reads back as it is, and its error is a
// code without the text.
func fuzz(f *testing.F, name, kind string, seeds ...string) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	for _, v := range vectors(f) {
		if v.Kind == kind {
			f.Add(v.Value)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		normal, err := readers[name](s)
		if err != nil {
			if _, isCode := err.(validation.Code); !isCode {
				t.Fatalf("the error is no code: %v", err)
			}
			return
		}
		if again, err := readers[name](normal); err != nil || again != normal {
			t.Errorf("%q is read as %q, and that as %q, %v", s, normal, again, err)
		}
	})
}

func FuzzCitizenCardInTwoParts(f *testing.F) {
	f.Add("00000000", "0ZZ4")
	f.Add("99999999", "0 zz2")
	f.Fuzz(func(t *testing.T, number, suffix string) {
		nic, last, err := validation.CitizenCard(number, suffix)
		if err != nil {
			return
		}
		if again, lastAgain, err := validation.CitizenCard(nic, last); err != nil || again != nic || lastAgain != last {
			t.Errorf("%q %q is read as %q %q, and that as %q %q, %v", number, suffix, nic, last, again, lastAgain, err)
		}
		if whole, wholeLast, err := validation.CitizenCard(nic+last, ""); err != nil || whole != nic || wholeLast != last {
			t.Errorf("in one part %q is read as %q %q, %v", nic+last, whole, wholeLast, err)
		}
	})
}

func TestTenThousandAccentedCharactersAreRefusedAtOnce(t *testing.T) {
	for _, endless := range []string{strings.Repeat("é", 10_000), strings.Repeat("e\u0301", 10_000), strings.Repeat("1", 10_000)} {
		start := time.Now()
		for name, read := range readers {
			if _, err := read(endless); err == nil {
				t.Errorf("%s takes it", name)
			}
		}
		a := applicant()
		a.Personal.Name, a.Personal.Email = name(endless), email(endless)
		checker(t).Struct(a)
		validation.Normalise(&a)
		if took := time.Since(start); took > waittest.Deadline/4 {
			t.Errorf("it took %s", took)
		}
	}
}
