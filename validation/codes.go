package validation

// Code names a problem, as in "nif.check_digit". It is also the error a parser returns: it never holds the value.
type Code string

func (c Code) Error() string { return string(c) }

// Everything that can be wrong. Each code has one severity, below, and one text in each translation file.
const (
	Required      Code = "required"
	Invalid       Code = "invalid" // a tag of the library without a text of its own
	TooLong       Code = "text.too_long"
	Unprintable   Code = "text.characters"
	TooHigh       Code = "number.too_high"
	TooLow        Code = "number.too_low"
	ChoiceUnknown Code = "choice.unknown"

	NIFFormat     Code = "nif.format"
	NIFLength     Code = "nif.length"
	NIFCheckDigit Code = "nif.check_digit"
	NIFPrefix     Code = "nif.prefix"
	NIFNotPerson  Code = "nif.not_person"

	NISSFormat       Code = "niss.format"
	NISSLength       Code = "niss.length"
	NISSFirstDigit   Code = "niss.first_digit"
	NISSCheckDigit   Code = "niss.check_digit"
	NISSNotPerson    Code = "niss.not_person"
	NISSLegacyLength Code = "niss.legacy_length"

	CardNumber          Code = "cc.number"
	CardSuffix          Code = "cc.suffix"
	CardCheckDigit      Code = "cc.check_digit"
	NICFormat           Code = "nic.format"
	NICCheckDigit       Code = "nic.check_digit"
	PassportFormat      Code = "passport.format"
	DocumentFormat      Code = "doc.format"
	DocumentSuffix      Code = "doc.suffix_unexpected"
	DocumentNoExpiry    Code = "doc.expiry_missing"
	DocumentExpired     Code = "doc.expired"
	DocumentExpires     Code = "doc.expires_soon"
	DocumentNationality Code = "nationality.document"

	PostalCodeFormat  Code = "zip.format"
	PostalCodeLength  Code = "zip.length"
	PostalCodeCountry Code = "country.zip"

	PhoneInvalid   Code = "phone.invalid"
	PhoneNotMobile Code = "phone.not_mobile"
	PhoneSpecial   Code = "phone.special"
	PhoneExtension Code = "phone.extension"
	EmailFormat    Code = "email.format"
	EmailLength    Code = "email.length"

	DateFormat Code = "date.format"
	DateYear   Code = "date.year"
	DateFuture Code = "date.future"
	AgeMinor   Code = "age.minor"
	AgeTooOld  Code = "age.too_old"

	NameWords      Code = "name.words"
	NameCharacters Code = "name.characters"

	AmountFormat    Code = "amount.format"
	AmountNegative  Code = "amount.negative"
	AmountPlaces    Code = "amount.places"
	AmountTooHigh   Code = "amount.too_high"
	MonthsRange     Code = "months.range"
	DependantsRange Code = "dependants.range"
	DependantsMany  Code = "dependants.many"

	IBANLength      Code = "iban.length"
	IBANCountry     Code = "iban.country"
	IBANFormat      Code = "iban.format"
	IBANCheckDigits Code = "iban.check_digits"
	NIBFormat       Code = "nib.format"
	NIBCheckDigits  Code = "nib.check_digits"

	RegimeRequired     Code = "marital.regime_required"
	RegimeUnexpected   Code = "marital.regime_unexpected"
	RelationRequired   Code = "relation.required"
	RelationUnexpected Code = "relation.unexpected"
	EmployerRequired   Code = "employer.required"
	EmployerSelf       Code = "employer.self"
	EmploymentTooLong  Code = "employment.too_long"
	IncomeNone         Code = "income.none"
	IncomeSituation    Code = "income.situation"
	InstalmentHousing  Code = "installments.housing"

	KeyBorrowerUnique  Code = "borrower.key_unique"
	KeyBorrowerMissing Code = "borrower.key_missing"
	BorrowerDuplicate  Code = "borrower.duplicate"
	SpouseRegime       Code = "spouse.both"

	LTVNoted         Code = "hint.ltv"
	LTVAboveLimit    Code = "hint.ltv_limit"
	DSTINoted        Code = "hint.dsti"
	DSTIHigh         Code = "hint.dsti_high"
	DSTIAboveLimit   Code = "hint.dsti_limit"
	TermLong         Code = "hint.term"
	AgeAtEndHigh     Code = "hint.age_at_end"
	AgeAtEndAboveMax Code = "age.at_end"
)

var severities = map[Code]Severity{
	Required: Error, Invalid: Error, TooLong: Error, Unprintable: Error, TooHigh: Error, TooLow: Error, ChoiceUnknown: Error,
	NIFFormat: Error, NIFLength: Error, NIFCheckDigit: Error, NIFPrefix: Error, NIFNotPerson: Warning,
	NISSFormat: Error, NISSLength: Error, NISSFirstDigit: Error, NISSCheckDigit: Error,
	NISSNotPerson: Warning, NISSLegacyLength: Warning,
	CardNumber: Error, CardSuffix: Error, CardCheckDigit: Error, NICFormat: Error, NICCheckDigit: Error,
	PassportFormat: Warning, DocumentFormat: Warning, DocumentSuffix: Warning, DocumentNoExpiry: Warning,
	DocumentExpired: Error, DocumentExpires: Warning, DocumentNationality: Warning,
	PostalCodeFormat: Warning, PostalCodeLength: Warning, PostalCodeCountry: Error,
	PhoneInvalid: Error, PhoneNotMobile: Warning, PhoneSpecial: Warning, PhoneExtension: Warning,
	EmailFormat: Error, EmailLength: Error,
	DateFormat: Error, DateYear: Error, DateFuture: Error, AgeMinor: Error, AgeTooOld: Error,
	NameWords: Warning, NameCharacters: Error,
	AmountFormat: Error, AmountNegative: Error, AmountPlaces: Error, AmountTooHigh: Error,
	MonthsRange: Error, DependantsRange: Error, DependantsMany: Warning,
	IBANLength: Error, IBANCountry: Error, IBANFormat: Error, IBANCheckDigits: Error, NIBFormat: Error, NIBCheckDigits: Error,
	RegimeRequired: Error, RegimeUnexpected: Warning, RelationRequired: Error, RelationUnexpected: Warning,
	EmployerRequired: Warning, EmployerSelf: Warning, EmploymentTooLong: Warning,
	IncomeNone: Warning, IncomeSituation: Warning, InstalmentHousing: Warning,
	KeyBorrowerUnique: Error, KeyBorrowerMissing: Error, BorrowerDuplicate: Error, SpouseRegime: Warning,
	LTVNoted: Hint, LTVAboveLimit: Hint, DSTINoted: Hint, DSTIHigh: Hint, DSTIAboveLimit: Hint, TermLong: Hint,
	AgeAtEndHigh: Hint, AgeAtEndAboveMax: Warning,
}
