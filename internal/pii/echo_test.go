package pii_test

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/pii"
)

// sent is what a caller sent of an invented person: as texts, whatever their type was.
var sent = []string{
	"José António Sá da Conceição", "299999998", "1985-07-03", "2031-05-20", "jose.exemplo+casa@example.com", "+351912345678", "AB123456", "0ZZ4", "12345678902",
	"Rua Exemplo Novo, 12 A", "1000-001", "Vila Fictícia", "Modelo & Filhos, Lda.", "2512.34", "950", "87.50", "true", "123",
}

func TestEchoScrubMasksSentValuesInEveryForm(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"José António Sá da Conceição is known", "•••••• is known"},
		{"JOSE ANTONIO SA DA CONCEICAO is known", "•••••• is known"},
		{"jose\u0301 anto\u0301nio: no", "•••••• ••••••: no"},
		{"Mr. Conceição, José", "Mr. ••••••, ••••••"},
		{"Sr. Sá", "Sr. ••••••"},
		{"JoséAntónioSádaConceição", "••••••"},
		{"C\u200bonceição", "••••••"},
		{"Jos&eacute; and Jos\\u00e9 and Jos%C3%A9", "•••••• and •••••• and ••••••"},
		{"born 1985-07-03, 03/07/1985, 3.7.85, 19850703, 3 de julho de 1985, July 3rd, 1985", "born ••••••, ••••••, ••••••, ••••••, ••••••, ••••••"},
		{"expires 20/05/2031, 2031-05-20, 20 de maio de 2031, 20-Mai-2031, May 20, 2031, 200531", "expires ••••••, ••••••, ••••••, ••••••, ••••••, ••••••"},
		{"jose.exemplo+casa@example.com, exemplo+casa, jose_exemplo", "••••••, ••••••+••••••, ••••••_••••••"},
		{"call 912 345 678 or 91-234-56-78", "call •••••• or ••••••"},
		{"AB123456, ab 123456, AB-123.456", "••••••, ••••••, ••••••"},
		{"suffix 0ZZ4 or 0 ZZ 4", "suffix •••••• or ••••••"},
		{"Rua Exemplo Novo, 12 A; rua exemplo; R. Exemplo Novo", "••••••; •••••• ••••••; R. •••••• ••••••"},
		{"1000-001 VILA FICTICIA", "•••••• ••••••"},
		{"employer Modelo & Filhos, Lda.", "employer ••••••."},
		{"earns 2512.34, 2512,34, 2 512,34, 2.512,34 € or 2512", "earns ••••••, ••••••, ••••••, •••••• or ••••••"},
		{"pays 950, 950,00 or 950.00 and 87,5 or 87.50", "pays ••••••, •••••• or •••••• and •••••• or ••••••"},
		{"hasSocialSecurityDebt: true", "hasSocialSecurityDebt: ••••••"},
		{"door 123", "door ••••••"},
		// What was not sent stays.
		{"The field personalData.taxId is not in the expected form (050102).", "The field personalData.taxId is not in the expected form (050102)."},
		{"O prazo é de 12 meses, no máximo 40 anos.", "O prazo é de 12 meses, no máximo 40 anos."},
		{"salário, 1950, 9501, sábado, process 1042", "salário, 1950, 9501, sábado, process 1042"},
		{"trace b3d9f6a1-2c34-4e9f-9f5a-1d2e3f4a5b6c", "trace b3d9f6a1-2c34-4e9f-9f5a-1d2e3f4a5b6c"},
	} {
		if got := pii.NewEcho(sent).Scrub(c.text); got != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

func TestAnEmptyEchoScrubsLikeScrub(t *testing.T) {
	for _, values := range [][]string{nil, {"", " ", "-", "e", "\u200b", "\xff", "(", "1", "de"}} {
		if got := pii.NewEcho(values).Scrub("A pessoa 299999998 e o (1) de 12"); got != "A pessoa •••••• e o (1) de 12" {
			t.Errorf("of %q: got %q", values, got)
		}
	}
}

func FuzzEcho(f *testing.F) {
	for _, value := range sent {
		f.Add(value, "a ", " z")
	}
	f.Add("Ána", "x", "%C3")
	f.Add("1.5", "1", "")
	f.Fuzz(func(t *testing.T, value, before, after string) {
		if len(value)+len(before)+len(after) > 2000 || !strings.ContainsFunc(value, isPlainLetter) {
			return
		}
		value = strings.ToValidUTF8(value, "")
		letters := strings.Map(func(c rune) rune {
			if isPlainLetter(c) {
				return c
			}
			return -1
		}, value)
		text := before + " " + letters + " " + after
		if got := pii.NewEcho([]string{letters}).Scrub(text); len(letters) > 1 && letters != "e" && strings.Contains(" "+got+" ", " "+letters+" ") && !isEverywhere(letters) {
			t.Errorf("%q is in %q", letters, got)
		}
		_ = pii.NewEcho([]string{value, before, after}).Scrub(text) // whatever it is made of
	})
}

func isPlainLetter(c rune) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isEverywhere(word string) bool {
	for _, common := range strings.Fields("de da do das dos em no na e o a os as of the and in com www") {
		if strings.EqualFold(word, common) {
			return true
		}
	}
	return false
}
