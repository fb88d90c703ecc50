package validation_test

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/validation"
)

const digitsAndCapitals = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// slips changes one character of s at a time to every other of the alphabet, and returns which changes go unnoticed.
func slips(s, alphabet string, valid func(string) bool) (unnoticed map[int]string) {
	unnoticed = map[int]string{}
	for i := range s {
		for _, c := range alphabet {
			if changed := s[:i] + string(c) + s[i+1:]; changed != s && valid(changed) {
				unnoticed[i] += string(c)
			}
		}
	}
	return unnoticed
}

// valid lists the valid numbers of a kind in their normal form.
func valid(t *testing.T, kind string, normal func(string) string) (numbers []string) {
	for _, v := range vectors(t) {
		if v.Kind == kind && v.Valid {
			numbers = append(numbers, normal(v.Value))
		}
	}
	if len(numbers) == 0 {
		t.Fatalf("no valid %s among the vectors", kind)
	}
	return numbers
}

func TestCheckDigitsCatchEveryWrongDigitOfACitizenCardAndABankAccount(t *testing.T) {
	card := func(s string) bool { _, _, err := validation.CitizenCard(s, ""); return err == nil }
	account := func(s string) bool { _, err := validation.NIB(s); return err == nil }
	cards := valid(t, "cc", func(s string) string {
		nic, suffix, _ := validation.CitizenCard(s, "")
		return nic + suffix
	})
	for _, number := range cards {
		found := slips(number, "0123456789", card)
		delete(found, 9) // the two places of the version hold letters here: see the next test
		delete(found, 10)
		if len(found) > 0 {
			t.Errorf("card %s: unnoticed %v", number, found)
		}
	}
	for _, number := range valid(t, "nib", strings.TrimSpace) {
		if found := slips(number, "0123456789", account); len(found) > 0 {
			t.Errorf("account %s: unnoticed %v", number, found)
		}
	}
}

func TestSomeLettersOfACardsVersionAreInterchangeable(t *testing.T) {
	card := func(s string) bool { _, _, err := validation.CitizenCard(s, ""); return err == nil }
	for _, number := range valid(t, "cc", func(s string) string {
		nic, suffix, _ := validation.CitizenCard(s, "")
		return nic + suffix
	}) {
		for at, letters := range slips(number, digitsAndCapitals, card) {
			for _, letter := range letters {
				apart := strings.IndexRune(digitsAndCapitals, letter) - strings.IndexByte(digitsAndCapitals, number[at])
				// The version's first letter counts once, so letters ten apart (A, K, U) count the same; its second
				// counts twice, so letters five apart (A, F, K) do.
				if !(at == 9 && apart%10 == 0 || at == 10 && apart%5 == 0) {
					t.Errorf("card %s: %c at place %d goes unnoticed", number, letter, at+1)
				}
			}
		}
	}
}

func TestTheControlDigitOfATaxNumberCatchesEveryWrongDigitUnlessItIs0(t *testing.T) {
	taxNumber := func(s string) bool { _, _, err := validation.NIF(s); return err == nil }
	civilNumber := func(s string) bool { _, err := validation.NIC(s); return err == nil }
	slippedThrough := 0
	for kind, valid9 := range map[string]func(string) bool{"nif": taxNumber, "nic": civilNumber} {
		for _, number := range valid(t, kind, func(s string) string {
			return strings.TrimPrefix(strings.ReplaceAll(s, " ", ""), "PT")
		}) {
			found := slips(number, "0123456789", valid9)
			if number[8] != '0' && len(found) > 0 {
				t.Errorf("%s %s: unnoticed %v", kind, number, found)
			}
			if number[8] == '0' {
				slippedThrough += len(found)
			}
		}
	}
	if slippedThrough == 0 {
		t.Error("a control digit of 0 stands for two remainders, yet nothing slips through")
	}
}

func TestTheControlDigitOfANISSMissesOnlyTheSlipsThatItsWeightsMiss(t *testing.T) {
	person := func(s string) bool { _, _, err := validation.NISS(s); return err == nil }
	for _, number := range valid(t, "niss", strings.TrimSpace) {
		found := slips(number, "0123456789", person)
		for at, changed := range found {
			for _, digit := range changed {
				by := int(digit) - int(number[at])
				if at == 7 && by%2 == 0 || at == 9 && by%5 == 0 { // weights 5 and 2, modulo 10
					continue
				}
				t.Errorf("NISS %s: %c at place %d goes unnoticed", number, digit, at+1)
			}
		}
		if len(found[7]) != 4 || len(found[9]) != 1 {
			t.Errorf("NISS %s: %d and %d slips unnoticed at places 8 and 10, want 4 and 1", number, len(found[7]), len(found[9]))
		}
	}
}
