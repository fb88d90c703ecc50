package validation

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A rule implements one tag. The library only gets whether the rule found problems; for the fields that failed, the rule is
// called again for the problems themselves.
type rule struct {
	check  func(c *Checker, value, param string) []Problem
	normal func(value, param string) (normal string, err error) // nil if a value has only one form
}

// rules are the tags of this package. A tag that can warn must be last in the list of a field, because the library stops at
// the first that fails.
var rules = map[string]rule{
	"nif": { // a tax number of anybody
		check:  parsed(taxNumber),
		normal: plain(taxNumberNormal),
	},
	"nif_person": { // a tax number of a natural person
		check:  func(_ *Checker, s, _ string) []Problem { return failed(nifPerson(s)) },
		normal: plain(taxNumberNormal),
	},
	"niss": { // a social security number of a natural person
		check:  func(_ *Checker, s, _ string) []Problem { return failed(nissPerson(s)) },
		normal: plain(nissNormal),
	},
	"document": { // any document's number; document=CheckDigit names the field that a citizen card's last four characters go to
		check:  limited(20),
		normal: plain(func(s string) (string, error) { return strings.ToUpper(without(s, "")), nil }),
	},
	"card_suffix": { // the last four characters of a citizen card; [Checker.Borrower] checks them with the number
		check:  limited(10),
		normal: plain(func(s string) (string, error) { return strings.ToUpper(without(s, "-")), nil }),
	},
	"zip": { // a postal code of any country; [Checker.Borrower] knows the country
		check: func(_ *Checker, s, _ string) []Problem {
			if utf8.RuneCountInString(s) > 20 {
				return []Problem{problem(PostalCodeLength, "").with("max", "20")}
			}
			return nil
		},
		normal: plain(func(s string) (string, error) { return strings.TrimSpace(s), nil }),
	},
	"mobile": {check: mobile, normal: plain(e164)},
	"phone":  {check: phone, normal: plain(e164)},
	"email_address": {
		check: parsed(Email), normal: plain(Email),
	},
	"date": {check: parsed(isoDate), normal: plain(isoDate)},
	"adult": { // a birth date: not in the future, 18 to 119 years ago; the tag date reports what is not a date
		check: func(c *Checker, s, _ string) []Problem { return failed(adult(s, c.today())) },
	},
	"person_name": {check: personName, normal: plain(collapsed)},
	"expected": { // as required, by the bank; expected,omitempty,date: another tag needs omitempty before it
		check: func(_ *Checker, s, _ string) []Problem {
			if strings.TrimSpace(s) == "" {
				return []Problem{problem(Expected, "")}
			}
			return nil
		},
	},
	"filled": { // more than blanks: required, said of a plain string; in the types of package pii blank text is absent
		check: func(_ *Checker, s, _ string) []Problem {
			if strings.TrimSpace(s) == "" {
				return []Problem{problem(Required, "")}
			}
			return nil
		},
	},
	"text": { // text=100: one line of at most so many characters
		check:  oneLine,
		normal: plain(collapsed),
	},
	"amount":     {check: parsedAs(Amount)},
	"months":     {check: counted(840, MonthsRange, MonthsMany)},
	"dependants": {check: counted(10, DependantsRange, DependantsMany)},
	"choice":     {check: choice}, // the id of a taxonomy's item
	"iban":       {check: parsed(IBAN), normal: plain(IBAN)},
}

const (
	nameMax   = 200
	adultAge  = 18
	oldestAge = 119
)

func plain(f func(string) (string, error)) func(string, string) (string, error) {
	return func(s, _ string) (string, error) { return f(s) }
}

func parsed(parse func(string) (string, error)) func(*Checker, string, string) []Problem {
	return parsedAs(parse)
}

func parsedAs[T any](parse func(string) (T, error)) func(*Checker, string, string) []Problem {
	return func(_ *Checker, s, _ string) []Problem {
		_, err := parse(s)
		return failed(err)
	}
}

// failed turns the error of a parser into a problem whose path is still to be filled in.
func failed(err error) []Problem {
	var code Code
	if !errors.As(err, &code) {
		return nil
	}
	return []Problem{problem(code, "")}
}

func taxNumber(s string) (string, error) {
	digits, _, err := NIF(s)
	return digits, err
}

func nifPerson(s string) error {
	_, kind, err := NIF(s)
	if err == nil && kind != NIFPerson {
		return NIFNotPerson
	}
	return err
}

// taxNumberNormal returns the digits also of a number that fails its check digit: the rule may be less strict.
func taxNumberNormal(s string) (string, error) {
	digits, _, err := NIF(s)
	if digits != "" {
		err = nil
	}
	return digits, err
}

func nissPerson(s string) error {
	_, holder, err := NISS(s)
	if err == nil && holder == NISSEntity {
		return NISSNotPerson
	}
	return err
}

func nissNormal(s string) (string, error) {
	digits, _, err := NISS(s)
	if digits != "" {
		err = nil
	}
	return digits, err
}

func e164(s string) (string, error) {
	number, err := Phone(s)
	if number.E164 != "" {
		err = nil
	}
	return number.E164, err
}

func mobile(_ *Checker, s, _ string) []Problem {
	return phoneProblems(s, func(k PhoneKind) (Code, bool) { return PhoneNotMobile, k != PhoneMobile })
}

func phone(_ *Checker, s, _ string) []Problem {
	return phoneProblems(s, func(k PhoneKind) (Code, bool) { return PhoneSpecial, k == PhoneService })
}

func phoneProblems(s string, unwanted func(PhoneKind) (Code, bool)) []Problem {
	number, err := Phone(s)
	problems := failed(err)
	if code, found := unwanted(number.Kind); found && err == nil {
		problems = append(problems, problem(code, ""))
	}
	if number.Extension {
		problems = append(problems, problem(PhoneExtension, ""))
	}
	return problems
}

func isoDate(s string) (string, error) {
	date, err := ParseDateInput(s)
	return date.String(), err
}

func adult(s string, today Date) error {
	born, err := ParseDateInput(s)
	switch age := born.Age(today); {
	case err != nil:
		return nil
	case born.Compare(today) > 0:
		return DateFuture
	case age < adultAge:
		return AgeMinor
	case age > oldestAge:
		return AgeTooOld
	}
	return nil
}

func personName(c *Checker, s, _ string) []Problem {
	problems := limited(nameMax)(c, s, "")
	odd := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsSpace(r) && !strings.ContainsRune("-'’.", r)
	}
	switch {
	case strings.ContainsFunc(s, odd):
		problems = append(problems, problem(NameCharacters, ""))
	case problems == nil && len(strings.Fields(s)) < 2:
		problems = append(problems, problem(NameWords, ""))
	}
	return problems
}

// collapsed trims, replaces all white space by single spaces, and composes accents (é as one character instead of two).
func collapsed(s string) (string, error) {
	if len(s) > 16*nameMax {
		return s, TooLong
	}
	return strings.Join(strings.Fields(norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD"))), " "), nil
}

func oneLine(c *Checker, s, param string) []Problem {
	limit, err := strconv.Atoi(param)
	if err != nil {
		panic(fmt.Sprintf("validation: the tag text=%s wants a number", param))
	}
	problems := limited(limit)(c, s, "")
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }) {
		problems = append(problems, problem(Unprintable, ""))
	}
	return problems
}

func limited(limit int) func(*Checker, string, string) []Problem {
	return func(_ *Checker, s, _ string) []Problem {
		if utf8.RuneCountInString(s) > limit {
			return []Problem{problem(TooLong, "").with("max", strconv.Itoa(limit))}
		}
		return nil
	}
}

// counted checks a number: below 0 it is impossible, above most unusual.
func counted(most int, impossible, unusual Code) func(*Checker, string, string) []Problem {
	return func(_ *Checker, s, _ string) []Problem {
		n, err := strconv.Atoi(s)
		switch {
		case err != nil || n < 0:
			return []Problem{problem(impossible, "")}
		case n > most:
			return []Problem{problem(unusual, "").with("max", strconv.Itoa(most))}
		}
		return nil
	}
}

func choice(_ *Checker, s, _ string) []Problem {
	if id, err := strconv.Atoi(s); err != nil || id < 1 {
		return []Problem{problem(ChoiceUnknown, "")}
	}
	return nil
}
