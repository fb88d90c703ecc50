package validation_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/validation"
)

// repeats finds the typed text in anything a report shows. Texts so short that our own words hold them say nothing.
func repeats(r validation.Report, typed string) (leaks []string) {
	if len(strings.TrimSpace(typed)) < 6 {
		return nil
	}
	for _, p := range r {
		shown, err := json.Marshal(p)
		if err != nil {
			return []string{err.Error()}
		}
		for _, out := range []string{string(shown), fmt.Sprintf("%+v", p), p.Text(words.Portuguese), p.Text(words.English)} {
			if strings.Contains(out, typed) && !ours(typed) {
				leaks = append(leaks, fmt.Sprintf("%s %s repeats %q", p.Path, p.Code, typed))
			}
		}
	}
	return leaks
}

// ours reports whether a text is part of a code, a path or a message anyway.
func ours(typed string) bool {
	for _, code := range validation.Codes() {
		p := validation.Problem{Code: string(code)}
		if strings.Contains(fmt.Sprintf("%+v %s %s", p, p.Text(words.Portuguese), p.Text(words.English)), typed) {
			return true
		}
	}
	return strings.Contains("borrowers[1].personal.identificationDocumentExpiredDate personal.identificationDocumentNumber Severity:error", typed)
}

func TestNoProblemContainsTheTypedValue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("0123456789 -./ABCXYZabcxyzéç@")
	checks := checker(t)
	problems := 0
	for range 2000 {
		typed := make([]rune, 6+random.IntN(20))
		for i := range typed {
			typed[i] = alphabet[random.IntN(len(alphabet))]
		}
		s := string(typed)
		p := everywhere(s)
		report := checks.Struct(application{Process: s, Personal: p}).With(checks.Borrower(factsOf(p)),
			checks.Household([]validation.BorrowerFacts{factsOf(p), factsOf(p)}))
		problems += len(report)
		for _, leak := range repeats(report, s) {
			t.Error(leak)
		}
	}
	if problems < 2000*8 {
		t.Errorf("only %d problems were looked at", problems)
	}
}

func TestTheErrorsOfTheParsersAreCodes(t *testing.T) {
	for name, read := range readers {
		_, err := read("segredo-123")
		if code, isCode := err.(validation.Code); !isCode || strings.Contains(code.Error(), "segredo") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
