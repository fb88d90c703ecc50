package validation_test

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/validation"
)

type setting string // as a profile has it

func TestEveryWrongRuleOfAProfileIsNamed(t *testing.T) {
	rules, err := validation.RulesOf(map[string]setting{
		"niss.check_digit": "error", "nif.check_digit": "warn", "cc.number": "off", // these are right
		"cc.format": "warn", "nonsense": "off", "niss.length": "strict", "required": "warn",
	})
	if err == nil || rules[validation.NISSCheckDigit] != validation.Refuse || rules[validation.CardNumber] != validation.Off {
		t.Fatalf("got %v, %v", rules, err)
	}
	want := []string{
		`rules: there is no rule "cc.format", but cc.check_digit, cc.number, cc.suffix`, `rules: "niss.length" must be error, warn or off, not "strict"`,
		`rules: there is no rule "nonsense"`, `rules: "required" is always error: it says what the call is about, or what a call has created is recognised by it`,
	}
	if got := err.Error(); got != strings.Join(want, "\n") {
		t.Errorf("got %s", got)
	}
}

func TestAWarningSaysThatTheBankDecides(t *testing.T) {
	decides := map[words.Lang]string{words.Portuguese: "quem decide é o banco. Confirma?", words.English: "the bank decides. Confirm?"}
	blames := []string{"inválid", "não é válid", "not valid", "invalid", "errad", "wrong", "Corrija", "confirme os", "check the"}
	for _, code := range validation.Codes() {
		if _, certain := validation.Certain(code); certain {
			continue
		}
		for lang, want := range decides {
			p := validation.Problem{Code: string(code), Severity: validation.Warning, Params: map[string]string{"max": "20", "days": "90", "age": "75"}}
			text := p.Text(lang)
			if !strings.HasSuffix(text, want) {
				t.Errorf("%s %s: %q", lang, code, text)
			}
			for _, blame := range blames {
				if strings.Contains(text, blame) {
					t.Errorf("%s %s blames: %q", lang, code, text)
				}
			}
			if p.Severity = validation.Error; strings.Contains(p.Text(lang), want) {
				t.Errorf("%s %s: an error asks: %q", lang, code, p.Text(lang))
			}
		}
	}
	extension := validation.Problem{Code: string(validation.PhoneExtension), Severity: validation.Warning}
	if text := extension.Text(words.English); !strings.HasSuffix(text, "sent to the bank. Confirm?") {
		t.Errorf("got %q", text)
	}
}
