package validation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Strictness says what a rule does with data that breaks it.
type Strictness string

// The strictnesses.
const (
	Refuse Strictness = "error" // the data is refused
	Ask    Strictness = "warn"  // a person may confirm it
	Off    Strictness = "off"   // nothing is checked
)

// Rules are the strictness of rules by their code. A rule that is neither here nor certain is off: this package does not
// know what the bank accepts.
type Rules map[Code]Strictness

// RulesOf returns rules from a profile's. Its error names every unknown code and strictness.
func RulesOf[S ~string](given map[string]S) (Rules, error) {
	rules, known := Rules{}, Codes()
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(given)) {
		code, strictness := Code(key), Strictness(given[key])
		if _, found := slices.BinarySearch(known, code); !found {
			errs = append(errs, fmt.Errorf("rules: there is no rule %q%s", key, likely(key, known)))
		}
		if code == Required && strictness != Refuse {
			errs = append(errs, fmt.Errorf("rules: %q is always error: %s", key, certain[code].source))
		} else if strictness != Refuse && strictness != Ask && strictness != Off {
			errs = append(errs, fmt.Errorf("rules: %q must be error, warn or off, not %q", key, given[key]))
		}
		rules[code] = strictness
	}
	return rules, errors.Join(errs...)
}

// likely lists the rules of the group that an unknown code names.
func likely(key string, known []Code) string {
	group, _, _ := strings.Cut(key, ".")
	var members []string
	for _, code := range known {
		if strings.HasPrefix(string(code), group+".") {
			members = append(members, string(code))
		}
	}
	if members == nil {
		return ""
	}
	return ", but " + strings.Join(members, ", ")
}

// basis is why a rule is certain, and so does not depend on the bank, and the severity of its problems.
type basis struct {
	severity Severity
	source   string
}

// certain are the rules that follow from the law, from arithmetic, or from what Balcão does itself. All others depend on
// the bank, and are in its profile only.
var certain = map[Code]basis{
	Required:    {Error, "it says what the call is about, or what a call has created is recognised by it"},
	Invalid:     {Error, "a limit of a field that is not the bank's"},
	TooLong:     {Error, "a limit of what is kept and sent"},
	Unprintable: {Error, "a text has no control characters"},
	TooHigh:     {Error, "a limit of a field that is not the bank's"},
	TooLow:      {Error, "a limit of a field that is not the bank's"},

	NIFFormat:     {Error, "Decree-Law 14/2013: nine digits"},
	NIFLength:     {Error, "Decree-Law 14/2013: nine digits"},
	NIFCheckDigit: {Error, "Decree-Law 14/2013: the ninth is a check digit"},

	PhoneInvalid:   {Error, "ITU-T E.164 and the length that a country's numbers have"},
	PhoneExtension: {Warning, "the bank gets E.164, which has no extension"},
	EmailFormat:    {Error, "RFC 5321 and 5322"},
	EmailLength:    {Error, "RFC 5321, 4.5.3.1"},

	DateFormat: {Error, "the calendar"},
	DateYear:   {Error, "two digits do not say the century"},
	DateFuture: {Error, "the calendar: nobody is born in the future"},
	AgeMinor:   {Error, "Civil Code, articles 122 and 123: minors cannot contract"},
	AgeTooOld:  {Error, "nobody alive has been born 120 years ago"},

	AmountFormat:    {Error, "it is not a number"},
	AmountPlaces:    {Error, "a euro has a hundred cents"},
	MonthsRange:     {Error, "a number of months is 0 or more"},
	DependantsRange: {Error, "a number of people is 0 or more"},

	IBANLength:      {Error, "ISO 13616"},
	IBANCountry:     {Error, "ISO 13616: the registry of countries"},
	IBANFormat:      {Error, "ISO 13616: the registry of countries"},
	IBANCheckDigits: {Error, "ISO 13616: the remainder by 97"},
	NIBFormat:       {Error, "Banco de Portugal: 21 digits"},
	NIBCheckDigits:  {Error, "Banco de Portugal: the remainder by 97"},

	BorrowerDuplicate: {Error, "Decree-Law 14/2013: two people do not have one tax number"},

	LTVNoted:       {Hint, "only informs"},
	LTVAboveLimit:  {Hint, "only informs: Banco de Portugal, recommendation of 2018"},
	DSTINoted:      {Hint, "only informs"},
	DSTIHigh:       {Hint, "only informs"},
	DSTIAboveLimit: {Hint, "only informs: Banco de Portugal, recommendation of 2018"},
	TermLong:       {Hint, "only informs: Banco de Portugal, recommendation of 2018"},
	AgeAtEndHigh:   {Hint, "only informs"},
}

// uncertain are the rules that depend on the bank. What it does about them is in its profile.
var uncertain = []Code{
	Expected, ChoiceUnknown,
	NIFPrefix, NIFNotPerson,
	NISSFormat, NISSLength, NISSFirstDigit, NISSCheckDigit, NISSNotPerson, NISSLegacyLength,
	CardNumber, CardSuffix, CardCheckDigit, NICFormat, NICCheckDigit, PassportFormat, DocumentFormat, DocumentSuffix,
	DocumentNoExpiry, DocumentExpired, DocumentExpires, DocumentNationality, PermitExpired, PermitLapsed,
	PostalCodeFormat, PostalCodeLength, PostalCodeCountry,
	PhoneUnassigned, PhoneNotMobile, PhoneSpecial,
	NameWords, NameCharacters,
	AmountNegative, AmountTooHigh, MonthsMany, DependantsMany,
	RegimeRequired, RegimeUnexpected, RelationRequired, RelationUnexpected,
	EmployerRequired, EmployerSelf, EmploymentTooLong, IncomeNone, IncomeSituation, InstalmentHousing,
	KeyBorrowerUnique, KeyBorrowerMissing, DocumentDuplicate, SpouseRegime,
	AgeAtEndAboveMax,
}

// Codes returns every code that this package can produce, in order.
func Codes() []Code {
	return slices.Sorted(slices.Values(slices.AppendSeq(slices.Clone(uncertain), maps.Keys(certain))))
}

// Certain returns why a rule does not depend on the bank. ok is false for those that do.
func Certain(code Code) (source string, ok bool) {
	reason, ok := certain[code]
	return reason.source, ok
}

// severity returns the severity of a code's problems. ok is false if the rule is off.
func (c *Checker) severity(code Code) (s Severity, ok bool) {
	switch strictness, set := c.options.Rules[code]; {
	case !set:
		reason, ok := certain[code]
		return reason.severity, ok
	case strictness == Refuse:
		return Error, true
	default:
		return Warning, strictness == Ask
	}
}

// Refuses reports whether data that breaks a rule is refused.
func (c *Checker) Refuses(code Code) bool {
	severity, on := c.severity(code)
	return on && severity == Error
}

// weighed returns the problems with the severity of their rules, without those of rules that are off.
func (c *Checker) weighed(problems []Problem) Report {
	var report Report
	for _, p := range problems {
		if severity, on := c.severity(Code(p.Code)); on {
			p.Severity = severity
			report = append(report, p)
		}
	}
	return report.With()
}
