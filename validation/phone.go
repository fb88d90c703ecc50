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
	E164      string // +351912345678; "" if there is none
	Kind      PhoneKind
	Extension bool // an extension was given; E164 omits it
}

// Phone reads a telephone number of any country; without a country code it is taken to be Portuguese. It fails with
// [PhoneInvalid] if numbers of the country do not have this length, and with [PhoneUnassigned] if they do and the library does
// not know that such numbers are in use. It returns the latter all the same, if E.164 has a form of it.
func Phone(s string) (PhoneNumber, error) {
	if len(s) > longest {
		return PhoneNumber{}, PhoneInvalid
	}
	number, err := phonenumbers.Parse(s, "PT")
	if err != nil || !phonenumbers.IsPossibleNumber(number) {
		return PhoneNumber{}, PhoneInvalid
	}
	phone := PhoneNumber{E164: phonenumbers.Format(number, phonenumbers.E164), Extension: number.GetExtension() != ""}
	if !phonenumbers.IsValidNumber(number) {
		if again, err := phonenumbers.Parse(phone.E164, ""); err != nil || phonenumbers.Format(again, phonenumbers.E164) != phone.E164 {
			phone.E164 = ""
		}
		return phone, PhoneUnassigned
	}
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
