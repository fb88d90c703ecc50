package pii_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/balcao/balcao/internal/pii"
)

// forms are ways in which people, banks and programs write personal data: of invented people, and of those of the domain's
// test values.
var forms = []string{
	// Tax numbers of people and companies.
	"299999998", "299 999 998", "299.999.998", "299-999-998", "299/999/998", "299,999,998", "299_999_998", "299:999:998", "299|999|998",
	"29 99 99 99 8", "2 9 9 9 9 9 9 9 8", "299  999  998", "299 - 999 - 998", "(299) 999-998", "299 999-99/8", "299\t999\t998",
	"PT299999998", "pt299999998", "PT 299 999 998", "PT-299999998", "NIF299999998", "nif:299999998", "NIF: 299.999.998", "NIF/299999998", "NIPC501964843",
	"contribuinte n.º 299999998", `"taxId":"299999998"`, "taxId=299999998&x=1",
	"NIF 29999999", "NIF: 2999 9999", "nif=2999999", "NIPC 50196484", "contribuinte n.º 29999999", `"taxId":"29999999"`, // a digit short
	// Digits as other keyboards, typesetters and attackers write them.
	"299\u00a0999\u00a0998", "299\u202f999\u202f998", "299\u2007999\u2007998", "299\u2009999\u2009998", "299\u3000999\u3000998", "299\u2800999\u2800998",
	"299\u200b999\u200b998", "2\u200d9\u200d9\u200d9\u200d9\u200d9\u200d9\u200d9\u200d8", "299\u2060999\ufeff998", "299\u00ad999\u00ad998", "\u202e299999998\u202c",
	"299\x00999\x00998", "299\x1b999\b998", "299\u2011999\u2011998", "299–999–998", "299—999—998", "299−999−998", "299·999·998", "299⁄999⁄998",
	"２９９９９９９９８", "２９９ ９９９ ９９８", "٢٩٩٩٩٩٩٩٨", "२९९९९९९९८", "𝟐𝟗𝟗𝟗𝟗𝟗𝟗𝟗𝟖", "2̶9̶9̶9̶9̶9̶9̶9̶8̶",
	// As programs escape it: Go's %q, JSON, addresses on the web and HTML.
	`299\u00a0999\u00a0998`, `299\u202F999\u202F998`, `299\xa0999\xa0998`, `299\t999\t998`, `03\/07\/1985`, `\u0032\u0039\u0039\u0039\u0039\u0039\u0039\u0039\u0038`, "299+999+998", "filterByText=299+999+998",
	"299%20999%20998", "299%C2%A0999%C2%A0998", "299%2F999%2f998", "03%2F07%2F1985", "%2B351961234987", "299&nbsp;999&nbsp;998", "299&#160;999&#xa0;998", "299&thinsp;999&thinsp;998",
	"N.I.F. 29999999", "C.C. 12345678", "cartão cidadão 12345678",
	// Social security numbers.
	"12345678902", "1234567 8902", "123 456 789 02", "123.456.789.02", "NISS12345678902", "niss: 12345678902", "NISS 1234567",
	// Telephones.
	"tel961234987", "961234987", "96 123 49 87", "961 234 987", "+351961234987", "+351 961 234 987", "+351-96-123-49-87", "00351 961234987", "(+351) 961 234 987",
	"+351 (0) 21 123 45 67", "351961234987", "Tel.:961234987", "＋３５１ ９６１ ２３４ ９８７", "+34 612 345 678",
	// Accounts.
	"PT50000201231234567890154", "pt50000201231234567890154", "PT50 0002 0123 1234 5678 9015 4", "pt50 0002 0123 1234 5678 9015 4", "PT50.0002.0123.12345678901.54",
	"ES9121000418450200051332", "gb29 nwbk 6016 1331 9268 19", "de89370400440532013000", "4111 1111 1111 1111", "4111-1111-1111-1111",
	// Documents.
	"00000000 0 ZZ4", "000000000ZZ4", "00000000-0ZZ4", "000000000 zz4", "12345678 9 ZZ4", "CC 12345678", "cc: 1234567", "BI 12345678", "cartão de cidadão n.º 12345678",
	"Cartão de Cidadão: 12345678", "citizen card 12345678", "passaporte CA123456", "passport K453286", "passaporte n.º AB 123456", "título de residência 1234567",
	`"identificationDocumentNumber":"AB123456"`,
	// Postal codes.
	"1000-001", "1000 - 001", "1000–001", "1000\u2011001",
	// Birth dates.
	"1985-07-03", "1985-7-3", "1985/07/03", "1985.07.03", "1985 07 03", "03/07/1985", "3/7/1985", "03-07-1985", "03.07.1985", "3.7.1985", "03 07 1985", "03 / 07 / 1985",
	"19850703", "03071985", "07/25/1985", "25/07/85", "25-07-85", "1985-07-03T00:00:00", "1985-07-03 00:00:00", "1985-07-03T00:00:00.000Z", "１９８５－０７－０３",
	"3 de julho de 1985", "3 de Julho de 1985", "03 julho 1985", "3 jul. 1985", "3-Jul-1985", "3 de março de 1985", "3 de marco de 1985", "1 de dezembro de 1985", "1.º de maio de 1985",
	"3 July 1985", "3rd of July 1985", "3 de julho de 85", "3 Jul 85", "3-jul-85", "3/jul/85", "July 3, 1985", "Jul 3rd, 1985", "Wed Jul 03 1985", "Wed, 03 Jul 1985 00:00:00 GMT", "29/02/1988", "31-12-1999",
	// Amounts.
	"2512,34 €", "2.512,34 €", "2 512,34€", "€2512.34", "EUR 2512.34", "2512.34 EUR", "1985 euros",
}

// After Scrub, no text has four consecutive digits of a form.
func TestScrubMasksEveryFormInEveryContext(t *testing.T) {
	if len(forms) < 60 {
		t.Fatalf("only %d forms", len(forms))
	}
	for _, form := range forms {
		for _, around := range []string{
			"%s", " %s ", "x%sy", "the value %s is known", "ou%sou", "(%s)", "[%s]", `{"a":"%s"}`, "«%s»", "a=%s;", "%s.", "é%sé", "\n%s\n", ":%s:",
			"process 1042: %s, 1043", "1042, %s (400)", "call deadbeef-cafe-4abc-9def-abcdefabcdef: %s", "2126-11-22T21:37:56Z %s", strings.Repeat("á", 50) + "%s",
		} {
			if shortWord.MatchString(form) && (strings.HasPrefix(around, "x") || strings.HasPrefix(around, "ou")) {
				continue // «cc» in the middle of a word says nothing
			}
			text := fmt.Sprintf(around, form)
			if got := pii.Scrub(text); reveals(got, form) {
				t.Errorf("%q: got %q", text, got)
			}
		}
	}
}

var shortWord = regexp.MustCompile(`^(?i:c\.?c|bi)`)

// reveals reports whether a text has four consecutive digits of the value.
func reveals(text, value string) bool {
	value, _, _ = strings.Cut(value, "00:00:00")
	digits, all := digitsOf(value), digitsOf(text)
	for i := 0; i+4 <= len(digits); i++ {
		if strings.Contains(all, digits[i:i+4]) {
			return true
		}
	}
	return false
}

// digitsOf returns the decimal digits of a text.
func digitsOf(text string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.Is(unicode.Nd, c) {
			return -1
		}
		return '0' + (c-zeroOf(c))%10
	}, text)
}

func zeroOf(c rune) rune {
	zero := c
	for unicode.Is(unicode.Nd, zero-1) {
		zero--
	}
	return zero
}

func TestScrubMasksEmailAddressesAndTokens(t *testing.T) {
	for _, secret := range []string{
		"maria@example.com", "maria.exemplo+casa@mail.example.com", "MARIA@EXAMPLE.COM", "maria_exemplo@example.pt", "maría@exämple.com", "мария@пример.рф",
		"maria@xn--exmple-cua.xn--p1ai", `"maria exemplo"@example.com`, "o'maria@example.com", "maria%40example.com", "maria＠example.com", "mar\u200bia@exam\u00adple.com",
		"ma\u0301ria@example.com", "m@example.museum", "maria123456@example.com",
		"Bearer eyJhbGciOi.x.y", "bearer abc", "xoxb-1-abc", "xapp-1-abc",
	} {
		for _, around := range []string{"%s", "<%s>", "mailto:%s?x", "to %s.", "«%s»", `"%s"`, "é %s é", "(%s)"} {
			text := fmt.Sprintf(around, secret)
			got := strings.ToLower(pii.Scrub(text))
			for _, part := range []string{"maria", "exemplo", "example", "exämple", "пример", "eyj", "abc", "exam"} {
				if strings.Contains(strings.ToLower(secret), part) && strings.Contains(got, part) {
					t.Errorf("%q: got %q", text, got)
				}
			}
		}
	}
}

// These lines have nothing to mask, and operators need them.
func TestScrubKeepsWhatOperatorsNeed(t *testing.T) {
	lately := time.Now()
	for _, text := range []string{
		"", "process 1042, iteration 3", "process 1042 and 104217", "process 10421234", "processes 1042, 1043, 1044, 1045", "[1042,1043,1044]",
		"borrower b3d9f6a1-2c34-4e9f-9f5a-123456789012", "B3D9F6A1-2C34-4E9F-9F5A-123456789012", "url /v1/processes/b3d9f6a1-2c34-4e9f-9f5a-123456789012/borrower",
		"digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "trace 4bf92f3577b34da6a3ce929d0e0e4736",
		"at " + lately.UTC().Format(time.RFC3339Nano), "at " + lately.Format("2006-01-02T15:04:05.000000000Z07:00"), "at " + lately.Format("2006-01-02 15:04:05.999999999 -0700 MST"),
		lately.Format("2006/01/02 15:04:05") + " line", "until " + lately.Format("02/01/2006 15:04"), "expires " + lately.AddDate(1, 0, 0).Format(time.DateOnly),
		lately.Format(time.RFC1123), lately.Format("2 January 2006"), "21:37:56.123456789", "from 21:37 to 22:08",
		"took 1.5s", "took 1m2.123456789s", "took 999.999999ms", "took 12.345678µs", "1h2m3s", "timeout after 30s",
		"status 400", "HTTP/1.1 502 Bad Gateway", "status=503 attempt=4", "code 050103", "050103, 050104", "400, 401, 402, 403",
		"go1.26.10", "v0.35.0", "github.com/slack-go/slack@v0.35.0/security.go:41", "version 2.15.3-rc.1", "revision 2126-07-28",
		"dial tcp 192.168.100.200:6379: connect: connection refused", "read tcp 127.0.0.1:53412->127.0.0.1:6379: i/o timeout", "[::1]:8080",
		"/src/main.go:123 +0x1d4", "panic at 0xc000123456789a", "goroutine 123456 [running]:", "pid 123456",
		"slack:T0TEAM/U0ANA", "C0TEAM", "050201 ProcessBorrower_Updated_Successfully", "60 %", "page 3 of 20", "1 234", "12 345", "1,234,567 bytes", "ETIMEDOUT -110",
		"5000 pessoas", "1985", "born in 1985", "T2", "10-40 years", "CC", "cc 12", "NIF", "NIF 1042", "K453286", "E123456", "@here", "a@b", "Ana às 9h",
		"até 3 de maio, 10 dias", "22 Nov 10:30", lately.Format(time.RFC822), "/x?a=1%202&b=3%2F4", "60%20", "R&D; 12&nbsp;345", `C:\new\table\u12`, `"\x00\u12"`, "100%", `\`, "&", "%zz", "a+1+2",
		"processo 1042 – n.º 3", "linha «x»", strings.Repeat("á", 5000),
	} {
		if got := pii.Scrub(text); got != text {
			t.Errorf("%q: got %q", text, got)
		}
	}
}

func TestScrubMasksOnlyPersonalNumbers(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"NIF 299999998 already exists", "NIF •••••• already exists"},
		{"NIF PT 299 999 998.", "NIF PT ••••••."},
		{"NISS 12345678902", "NISS ••••••"},
		{"NIF 29999999 is short", "NIF •••••• is short"},
		{"write to maria.exemplo@example.com, please", "write to ••••••, please"},
		{"call +351 912 345 678", "call ••••••"},
		{"card 00000000 0 ZZ4", "card ••••••"},
		{"to PT50 0002 0123 1234 5678 9015 4", "to ••••••"},
		{"to pt50 0002 0123 1234 5678 9015 4", "to ••••••"},
		{"to gb29nwbk60161331926819", "to ••••••"},
		{"to gb29 nwbk 6016 1331 9268 19", "to ••••••"},
		{"to Mt84malt011000012345mtlcast001s", "to ••••••"},
		{"Authorization: Bearer eyJhbGciOi.x.y", "Authorization: ••••••"},
		{"born on 3 de julho de 1985 in Lisbon", "born on •••••• in Lisbon"},
		{"process 1042: 1985-07-03T00:00:00 at 2126-01-02T03:04:05Z", "process 1042: ••••••T00:00:00 at 2126-01-02T03:04:05Z"},
		{"1000-001 Lisboa", "•••••• Lisboa"},
		{"earns 2 512,34 € a month", "earns •••••• a month"},
		{"é 299\u00a0999\u00a0998 é", "é •••••• é"},
		{"12-03-07-1985", "••••••"},
		{"299999998 and 123456789", "•••••• and ••••••"},
		{"299999998\xff\xfe", "••••••\xff\xfe"},
		{`parsing "299\u00a0999\u00a0998": invalid syntax`, `parsing "••••••": invalid syntax`},
		{"Get https://bank.example/v1/x?q=299+999+998&r=1%2F2: EOF", "Get https://bank.example/v1/x?q=••••••&r=1%2F2: EOF"},
		{"x%299999998", "x%••••••"}, // whose beginning reads as an escaped bracket
		{"%E4%BD%A0 299%20999%20998", "%E4%BD%A0 ••••••"},
		{strings.Repeat("9", 40), "••••••"},
	} {
		if got := pii.Scrub(c.in); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestScrubCutsLongTextsAndMasksAValueAtTheCut(t *testing.T) {
	const most = 64 << 10
	for _, back := range []int{0, 1, 5, 11, 20} { // a value across the end of what is kept
		text := strings.Repeat("x", most-back) + "299 999 998" + strings.Repeat("y", 1<<16)
		if got := pii.Scrub(text); len(got) > most+64 || reveals(got, "299999998") || !strings.HasSuffix(got, "…") {
			t.Errorf("%d bytes from the end: %d bytes, ending in %q", back, len(got), got[len(got)-40:])
		}
	}
	if got := pii.Scrub(strings.Repeat("ã", most)); !strings.HasSuffix(got, "ã…") {
		t.Errorf("a character is torn: %q", got[len(got)-8:])
	}
}
