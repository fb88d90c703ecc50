package validation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balcao/balcao/validation"
)

func TestEachParserReturnsTheCodeOfTheProblem(t *testing.T) {
	long := strings.Repeat("1", 65)
	for _, c := range []struct {
		reader, text string
		want         validation.Code
	}{
		{"NIF", "29999999X", validation.NIFFormat}, {"NIF", "29 999-999/8", validation.NIFFormat}, {"NIF", "２99999998", validation.NIFFormat},
		{"NIF", "29999999", validation.NIFLength}, {"NIF", "", validation.NIFLength}, {"NIF", long, validation.NIFLength},
		{"NIF", "PTPT299999998", validation.NIFFormat}, {"NIF", "000000000", validation.NIFPrefix}, {"NIF", "940000000", validation.NIFCheckDigit}, {"NIF", "299999990", validation.NIFCheckDigit},
		{"NISS", "1234567890Z", validation.NISSFormat}, {"NISS", "1234567890", validation.NISSLength}, {"NISS", long, validation.NISSLength},
		{"NISS", "32345678902", validation.NISSFirstDigit}, {"NISS", "12345678903", validation.NISSCheckDigit},
		{"NISS", "987-65-4321", validation.NISSLegacyLength},
		{"NIC", "12345678", validation.NICFormat}, {"NIC", "12345678A", validation.NICFormat}, {"NIC", long, validation.NICFormat},
		{"NIC", "123456780", validation.NICCheckDigit},
		{"CitizenCard", "(00000000) 0ZZ4", validation.CardNumber}, {"CitizenCard", "00000000AZZ4", validation.CardSuffix},
		{"CitizenCard", "00000000", validation.CardSuffix}, {"CitizenCard", "00000000 0 ZZ5", validation.CardCheckDigit},
		{"CitizenCard", long, validation.CardNumber},
		{"PassportPT", "ABC123456", validation.PassportFormat}, {"PassportPT", long, validation.PassportFormat},
		{"OtherDocument", "A1/2345", validation.DocumentFormat}, {"OtherDocument", strings.Repeat("A", 16), validation.DocumentFormat},
		{"PostalCode", "1000001", validation.PostalCodeFormat}, {"PostalCode", "1000", validation.PostalCodeFormat},
		{"Phone", "112", validation.PhoneInvalid}, {"Phone", "92a345678", validation.PhoneInvalid}, {"Phone", "941234567", validation.PhoneUnassigned}, {"Phone", long, validation.PhoneInvalid},
		{"Email", "maria", validation.EmailFormat}, {"Email", strings.Repeat("a", 255), validation.EmailLength},
		{"Date", "2023-02-29", validation.DateFormat}, {"Date", "3/7/85", validation.DateYear},
		{"Amount", "much", validation.AmountFormat}, {"Amount", "1e65", validation.AmountFormat}, {"Amount", long, validation.AmountFormat},
		{"Amount", "-0.01", validation.AmountNegative}, {"Amount", "0.001", validation.AmountPlaces}, {"Amount", "1000000.01", validation.AmountTooHigh},
		{"IBAN", "PT50", validation.IBANLength}, {"IBAN", long, validation.IBANLength}, {"IBAN", "QQ93 1234 5678", validation.IBANCountry},
		{"IBAN", "PT5000020123123456789015", validation.IBANFormat}, {"IBAN", "PT51000201231234567890154", validation.IBANCheckDigits},
		{"NIB", "00020123123456789015", validation.NIBFormat}, {"NIB", "00020123123456789015A", validation.NIBFormat},
		{"NIB", long, validation.NIBFormat}, {"NIB", "000201231234567890155", validation.NIBCheckDigits},
	} {
		if _, err := readers[c.reader](c.text); err != c.want {
			t.Errorf("%s %q: got %v, want %v", c.reader, c.text, err, c.want)
		}
	}
}

func TestPortugueseMobilesBeginWithFourPrefixesOnly(t *testing.T) {
	for prefix := 90; prefix < 100; prefix++ {
		number, err := validation.Phone(fmt.Sprintf("%d1234567", prefix))
		mobile := err == nil && number.Kind == validation.PhoneMobile
		if want := prefix == 91 || prefix == 92 || prefix == 93 || prefix == 96; mobile != want {
			t.Errorf("%d: mobile is %t, want %t", prefix, mobile, want)
		}
	}
}

func TestServiceNumbersAreRefusedAsPhones(t *testing.T) {
	for what, number := range map[string]string{
		"toll free": "800123456", "premium": "760123456", "shared cost": "808123456", "one number for a company": "707123456", "voicemail": "600110000",
	} {
		if got, err := validation.Phone(number); err != nil || got.Kind != validation.PhoneService {
			t.Errorf("%s: got kind %d, %v", what, got.Kind, err)
		}
		if report := checker(t).Value("phone", number); len(report) != 1 || report[0].Code != string(validation.PhoneSpecial) {
			t.Errorf("%s: got %v", what, findings(report))
		}
	}
	for what, number := range map[string]string{"a line": "212345678", "a line with brackets": "(21) 234 56 78", "over the internet": "301234567", "abroad": "+34 612 345 678", "in full width": "２１２３４５６７８"} {
		if report := checker(t).Value("phone", number); report != nil {
			t.Errorf("%s: got %v", what, findings(report))
		}
	}
}
