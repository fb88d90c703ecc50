package validation

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// What follows the country code of an account number, check digits included: so many digits (n), capital letters (a)
// or either (c). From the IBAN registry, release 99.
const ibanStructures = `
	AD n10c12, AE n21, AL n10c16, AT n18, AZ n2a4c20, BA n18,
	BE n14, BG n2a4n6c8, BH n2a4c14, BI n25, BR n25a1c1, BY n2c4n4c16,
	CH n7c12, CR n20, CY n10c16, CZ n22, DE n20, DJ n25,
	DK n16, DO n2c4n20, EE n18, EG n27, ES n22, FI n16,
	FK n2a2n12, FO n16, FR n12c11n2, GB n2a4n14, GE n2a2n16, GI n2a4c15,
	GL n16, GR n9c16, GT n2c24, HN n2a4n20, HR n19, HU n26,
	IE n2a4n14, IL n21, IQ n2a4n15, IS n24, IT n2a1n10c12, JO n2a4n4c18,
	KW n2a4c22, KZ n5c13, LB n6c20, LC n2a4c24, LI n7c12, LT n18,
	LU n5c13, LV n2a4c13, LY n23, MC n12c11n2, MD n2c20, ME n20,
	MK n5c10n2, MN n18, MR n25, MT n2a4n5c18, MU n2a4n19a3, NI n2a4n20,
	NL n2a4n10, NO n13, OM n5c16, PK n2a4c16, PL n26, PS n2a4c21,
	PT n23, QA n2a4c21, RO n2a4c16, RS n20, RU n16c15, SA n4c18,
	SC n2a4n20a3, SD n16, SE n22, SI n17, SK n22, SM n2a1n10c12,
	SO n21, ST n23, SV n2a4n20, TL n21, TN n22, TR n8c16,
	UA n8c19, VA n20, VG n2a4n16, XK n18, YE n2a4n4c18
`

var (
	ibanPart = regexp.MustCompile(`([nac])(\d+)`)
	// ibanShapes has the form of the account numbers of each country. Few are ever needed, so each is compiled when it is.
	ibanShapes = func() map[string]func() *regexp.Regexp {
		shapes := map[string]func() *regexp.Regexp{}
		for row := range strings.SplitSeq(ibanStructures, ",") {
			country, structure, _ := strings.Cut(strings.TrimSpace(row), " ")
			shapes[country] = sync.OnceValue(func() *regexp.Regexp { return ibanShape(country, structure) })
		}
		return shapes
	}()
)

func ibanShape(country, structure string) *regexp.Regexp {
	classes := map[string]string{"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
	var shape strings.Builder
	for _, part := range ibanPart.FindAllStringSubmatch(structure, -1) {
		shape.WriteString(classes[part[1]] + "{" + part[2] + "}")
	}
	return regexp.MustCompile("^" + country + shape.String() + "$")
}

// IBAN reads an international bank account number of any country in the registry. Spaces, full stops and hyphens are
// dropped, letters converted to upper case. It fails with [IBANLength], [IBANCountry], [IBANFormat] or [IBANCheckDigits]. In
// a Portuguese number the inner check digits of the [NIB] must be right too.
func IBAN(s string) (norm string, err error) {
	if len(s) > longest {
		return "", IBANLength
	}
	if s = strings.ToUpper(without(s, ".-")); len(s) < 5 {
		return "", IBANLength
	}
	shape, known := ibanShapes[s[:2]]
	switch {
	case !known:
		return "", IBANCountry
	case !shape().MatchString(s):
		return "", IBANFormat
	case mod97(s[4:]+s[:4]) != 1:
		return "", IBANCheckDigits
	}
	if s[:2] == "PT" {
		if _, err := NIB(s[4:]); err != nil {
			return "", IBANCheckDigits
		}
	}
	return s, nil
}

// NIB reads a Portuguese bank account number of 21 digits. It fails with [NIBFormat] or [NIBCheckDigits].
func NIB(s string) (norm string, err error) {
	if len(s) > longest {
		return "", NIBFormat
	}
	s = without(s, ".-")
	switch {
	case len(s) != 21 || !digits(s):
		return "", NIBFormat
	case mod97(s) != 1:
		return "", NIBCheckDigits
	}
	return s, nil
}

// mod97 is the remainder of s read as a decimal number, its letters as two digits each.
func mod97(s string) (remainder int) {
	for i := range len(s) {
		for _, digit := range strconv.Itoa(base36(s[i])) {
			remainder = (remainder*10 + int(digit-'0')) % 97
		}
	}
	return remainder
}
