package validation

// Code names a problem, as in "nif.check_digit". It is also the error a parser returns: it never holds the value.
type Code string

func (c Code) Error() string { return string(c) }

// Everything that can be wrong. Each code has one text in each translation file. [Options.Rules] and what is certain say how
// severe it is.
const (
	Required      Code = "required"
	Expected      Code = "expected" // as required, by the bank
	Invalid       Code = "invalid"  // a tag of the library without a text of its own
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
	PermitExpired       Code = "permit.expired"
	PermitLapsed        Code = "permit.lapsed"

	PostalCodeFormat  Code = "zip.format"
	PostalCodeLength  Code = "zip.length"
	PostalCodeCountry Code = "country.zip"

	PhoneInvalid    Code = "phone.invalid"
	PhoneUnassigned Code = "phone.unassigned"
	PhoneNotMobile  Code = "phone.not_mobile"
	PhoneSpecial    Code = "phone.special"
	PhoneExtension  Code = "phone.extension"
	EmailFormat     Code = "email.format"
	EmailLength     Code = "email.length"

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
	MonthsMany      Code = "months.many"
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
	DocumentDuplicate  Code = "borrower.same_document"
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
