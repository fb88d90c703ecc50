package portal

import (
	"testing"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/profile"
)

func TestEveryReasonIsRecognisedByItsTextAndByItsCode(t *testing.T) {
	var want []string
	bank := profile.Builtin()
	for _, reason := range Reasons() {
		want = append(want, string(reason))
		for _, field := range []string{"personalDataBorrowerRequest.taxId", "sendAddress"} {
			for _, lang := range words.Langs {
				if got, about := reasonOfText(reason.Text(string(lang), field)); got != reason || about != "" && about != lastPart(field) {
					t.Errorf("%s in %s of %s reads as %q of %q", reason, lang, field, got, about)
				}
			}
			code := reason.Code(bank, field)
			if got := reasonOfCode(&bank.Errors, code); got.Code(bank, field) != code && FieldNumber(field) > 0 {
				t.Errorf("%s has the code %s, which reads as %q", reason, code, got)
			}
		}
	}
	if missing := texts.Missing(want...); missing != nil {
		t.Errorf("missing: %q", missing)
	}
}

func TestCodesThatAreNoneHaveNoMeaning(t *testing.T) {
	bank := profile.Builtin()
	for _, code := range []string{"", "05", "0503", "abcdef", "PP-123", "0503 8", "-50308", "+50308", "0503081", "059999", "990308", "٠٥٠٣٠٨"} {
		if reason := reasonOfCode(&bank.Errors, code); reason != "" {
			t.Errorf("%q means %q", code, reason)
		}
	}
	if got := reasonOfCode(&bank.Errors, "50308"); got != "borrower.duplicate" {
		t.Errorf("without its zero, the code of a duplicate means %q", got)
	}
}
