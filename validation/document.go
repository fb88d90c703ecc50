package validation

import (
	"regexp"
	"strings"
)

var (
	cardNumber     = regexp.MustCompile(`^\d{7,8}$`)
	cardSuffix     = regexp.MustCompile(`^\d[A-Z0-9]{2}\d$`)
	passportPT     = regexp.MustCompile(`^[A-Z]{1,2}\d{6}$`)
	documentNumber = regexp.MustCompile(`^[A-Z0-9]{5,15}$`)
)

// CitizenCard reads the number of a citizen card (Cartão de Cidadão): the civil identification number of eight digits
// and the four characters that follow it on the card. All twelve may come in number. Spaces and hyphens are dropped,
// letters converted to upper case, a number of seven digits padded. It fails with [CardNumber], [CardSuffix] or
// [CardCheckDigit].
//
// The rule is the agency AMA's «Validação de Número de Documento do Cartão de Cidadão», v1.0 (2009).
func CitizenCard(number, suffix string) (nic, suffixOut string, err error) {
	if len(number) > longest {
		return "", "", CardNumber
	}
	if len(suffix) > longest {
		return "", "", CardSuffix
	}
	nic, suffix = strings.ToUpper(without(number, "-")), strings.ToUpper(without(suffix, "-"))
	if len(nic) == 12 && (suffix == "" || nic[8:] == suffix) {
		nic, suffix = nic[:8], nic[8:]
	}
	switch {
	case !cardNumber.MatchString(nic):
		return "", "", CardNumber
	case !cardSuffix.MatchString(suffix):
		return "", "", CardSuffix
	}
	nic = strings.Repeat("0", 8-len(nic)) + nic
	if control11(nic) != suffix[0] || cardSum(nic+suffix)%10 != 0 {
		return "", "", CardCheckDigit
	}
	return nic, suffix, nil
}

// cardSum doubles every other value, from the first, and takes 9 off once where that exceeds 9. Adding the digits of
// the double, as for bank cards, would differ for letters: Z doubled is 70 and counts 61.
func cardSum(s string) (sum int) {
	for i := range len(s) {
		value := base36(s[i])
		if i%2 == 0 {
			if value *= 2; value > 9 {
				value -= 9
			}
		}
		sum += value
	}
	return sum
}

// base36 is the value of a digit or capital letter: A is 10, Z is 35.
func base36(c byte) int {
	if c >= 'A' {
		return int(c-'A') + 10
	}
	return int(c - '0')
}

// NIC reads a civil identification number with its control digit, nine digits in all, as on the old identity card
// (Bilhete de Identidade). It fails with [NICFormat] or [NICCheckDigit].
func NIC(s string) (norm string, err error) {
	if len(s) > longest {
		return "", NICFormat
	}
	s = without(s, ".-")
	switch {
	case len(s) != 9 || !digits(s):
		return "", NICFormat
	case control11(s) != s[8]:
		return "", NICCheckDigit
	}
	return s, nil
}

// identityCardNIC reads the number of an old identity card (Bilhete de Identidade) and its control digit, which may follow it or
// be in suffix. A shorter number is padded. It fails as [NIC] does.
func identityCardNIC(number, suffix string) (norm string, err error) {
	if len(number)+len(suffix) > longest {
		return "", NICFormat
	}
	number, suffix = without(number, ".-"), without(suffix, ".-")
	if suffix != "" && len(number) < 8 {
		number = strings.Repeat("0", 8-len(number)) + number
	}
	return NIC(number + suffix)
}

// PassportPT reads the number of a Portuguese passport: one or two letters and six digits, without a check digit. It fails
// with [PassportFormat].
func PassportPT(s string) (norm string, err error) { return shaped(s, passportPT, PassportFormat) }

// OtherDocument reads the number of any other document, of which only a rough shape is known. It fails with [DocumentFormat].
func OtherDocument(s string) (norm string, err error) {
	return shaped(s, documentNumber, DocumentFormat)
}

func shaped(s string, shape *regexp.Regexp, failure Code) (string, error) {
	if len(s) > longest {
		return "", failure
	}
	if s = strings.ToUpper(without(s, "")); !shape.MatchString(s) {
		return "", failure
	}
	return s, nil
}
