package pii_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/balcao/balcao/internal/pii"
)

// shapes are ways to write a number of nine digits or more, a digit for each 9.
var shapes = []string{
	"999999999", "999 999 999", "999.999.999", "999-999-999", "999/999/999", "PT999999999", "NIF 999999999", "tel:999999999", "+351 999 999 999",
	"99999999999", "999 9999 9999", "PT50 9999 9999 9999 9999 9999 9", "999\u00a0999\u00a0999", "999\u202f999\u202f999", "999\u200b999\u200b999", "99999999 9 ZZ9",
}

// What may keep a number that is planted in it: with what is around it, it reads as an id, an address, a time or a
// duration, which [pii.Scrub] says that it leaves.
var (
	idBefore  = regexp.MustCompile(`(?i)(?:[0-9a-f]|0x|-)$`)
	idAfter   = regexp.MustCompile(`(?i)^[0-9a-f-]`)
	inID      = regexp.MustCompile(`(?i)[0-9a-f]{4}-[0-9a-f]{4}-|[0-9a-f]{20}|0x`)
	numbers   = regexp.MustCompile(`[0-9.:hm]$`)
	unitAfter = regexp.MustCompile(`^(?:\.\d*)?(?:ns|us|µs|ms|s|:)`)
)

// FuzzScrub plants numbers, e-mail addresses and birth dates in any text, whatever is right beside them.
func FuzzScrub(f *testing.F) {
	for i, around := range []string{"", " ", "x", "1", "é", ".", "-", "\u200b", "\xff", "2026-11-22T21:37:56Z", "b3d9f6a1-2c34-4e9f-9f5a-123456789012", "12:34:56.", "@", "\n", "/", "(", "\u0301", "127.0.0.1:80", "12.3ms", "NIF", "€", "%"} {
		f.Add(around, around, uint64(299999998+i), uint8(i))
		f.Add(around, "", uint64(961234987), uint8(i+1))
		f.Add("", around, uint64(12345678902), uint8(i+2))
	}
	f.Fuzz(func(t *testing.T, before, after string, seed uint64, shape uint8) {
		if len(before)+len(after) > 4096 {
			return
		}
		number := written(shapes[int(shape)%len(shapes)], seed)
		left, right := seen(before), seen(after)
		kept := idBefore.MatchString(left) || idAfter.MatchString(right) || numbers.MatchString(left) || unitAfter.MatchString(right)
		if got := pii.Scrub(before + number + after); !kept && strings.Contains(got, number) {
			t.Errorf("%q is in %q", number, got)
		}
		if digitBeside(left, right) || inID.MatchString(left) || inID.MatchString(right) { // another date, or none
			return
		}
		for _, secret := range []string{"maria.exemplo@example.com", "1985-07-03", "03/07/1985", "3 de julho de 1985", "19850703"} {
			if got := pii.Scrub(before + secret + after); strings.Contains(got, secret) {
				t.Errorf("%q is in %q", secret, got)
			}
		}
	})
}

// written puts the digits of seed into a shape.
func written(shape string, seed uint64) string {
	return strings.Map(func(c rune) rune {
		if c != '9' {
			return c
		}
		digit := '0' + rune(seed%10)
		seed = seed/10 + seed%7*1_000_000_007
		return digit
	}, shape)
}

// seen is what people see of a text.
func seen(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return c
		case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Mn, unicode.Me, unicode.Other_Default_Ignorable_Code_Point):
			return -1
		case unicode.Is(unicode.Nd, c):
			return '0'
		case unicode.Is(unicode.Pd, c) || c == '\u2212' || c == '\u2043':
			return '-'
		case c == '\u00b7' || c == '\u2024' || c == '\u3002':
			return '.'
		case c >= '\uff01' && c <= '\uff5e':
			return c - '\uff01' + '!'
		}
		return c
	}, text)
}

// digitBeside reports whether a digit is right beside what is planted.
func digitBeside(left, right string) bool {
	return strings.HasSuffix(left, "0") || strings.HasPrefix(right, "0")
}

func BenchmarkScrub(b *testing.B) {
	line := `call b3d9f6a1-2c34-4e9f-9f5a-123456789012 of create_borrower refused at 2126-11-22T21:37:56.123Z: NIF 299999998 is known`
	for name, text := range map[string]string{
		"a line":        line,
		"64 KiB":        strings.Repeat(line, 64<<10/len(line)),
		"only digits":   strings.Repeat("9", 64<<10),
		"apart":         strings.Repeat("9 ", 32<<10),
		"almost dates":  strings.Repeat("1/1/", 16<<10),
		"almost emails": strings.Repeat("a@", 32<<10),
		"invisible":     strings.Repeat("9\u200b", 16<<10),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				pii.Scrub(text)
			}
		})
	}
}
