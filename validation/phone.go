package validation

import "github.com/nyaruka/phonenumbers"

// PhoneKind is what a telephone number is for.
type PhoneKind int

// The kinds of telephone numbers.
const (
	PhoneFixed   PhoneKind = iota + 1 // a line, or voice over the internet
	PhoneMobile                       // also if a country does not distinguish mobiles
	PhoneService                      // premium, shared-cost or toll-free numbers, pagers, voicemail
)

// PhoneNumber is a telephone number as read.
type PhoneNumber struct {
	E164      string // +351912345678
	Kind      PhoneKind
	Extension bool // an extension was given; E164 omits it
}

// Phone reads a telephone number of any country; without a country code it is taken to be Portuguese. What counts is
// that the number is valid in its country's numbering plan. It fails with [PhoneInvalid].
func Phone(s string) (PhoneNumber, error) {
	if len(s) > longest {
		return PhoneNumber{}, PhoneInvalid
	}
	number, err := phonenumbers.Parse(s, "PT")
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return PhoneNumber{}, PhoneInvalid
	}
	phone := PhoneNumber{E164: phonenumbers.Format(number, phonenumbers.E164), Extension: number.GetExtension() != ""}
	switch phonenumbers.GetNumberType(number) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
		phone.Kind = PhoneMobile
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.TOLL_FREE, phonenumbers.UAN,
		phonenumbers.PAGER, phonenumbers.VOICEMAIL:
		phone.Kind = PhoneService
	default:
		phone.Kind = PhoneFixed
	}
	return phone, nil
}
