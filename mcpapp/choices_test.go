package mcpapp_test

import (
	"testing"

	"github.com/balcao/balcao/portal/sandbox"
)

// The labels of what an assistant sets are in the warnings, in the answer and in its data, whether it gave labels or ids.
func TestAnAnswerRepeatsTheLabelsOfWhatWasChosen(t *testing.T) {
	t.Parallel()
	for name, gender := range map[string]any{"an id": 1, "an id as text": "1", "a label": "female", "a label in Portuguese": "Feminino"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variants[3].start(t, e)
			args := withArg(withArg(validBorrower(), "personal.name", "Amostra"), "personal.genderId", gender)
			args = withArg(withArg(args, "keyBorrowerRelationId", "wife"), "personal.nationalityId", "Portuguesa")
			confirmed := a.confirmed(t, "create_borrower", args, "name.words", "Chosen:", "- Gender: Female", "- Relation to the key borrower: Spouse")
			created := succeeded(t, a.call(t, "create_borrower", confirmed))
			contains(t, text(created), "- Gender: Female", "- Nationality: Portugal", "- Relation to the key borrower: Spouse")
			chosen := created.StructuredContent.(map[string]any)["choices"].(map[string]any)
			if chosen["personal.genderId"] != "Female" || chosen["keyBorrowerRelationId"] != "Spouse" {
				t.Errorf("the choices are %v", chosen)
			}
			made := e.bank.Borrowers(sandbox.SampleProcess(sandbox.SampleOpen))
			borrower, err := e.bankAPI.Borrower(t.Context(), sandbox.SampleProcess(sandbox.SampleOpen), made[len(made)-1])
			must(t, err)
			if id := *borrower.Personal.GenderID; id != 1 {
				t.Errorf("the bank has the gender %d", id)
			}
		})
	}
}

func TestAChangeIsGivenByPathAndLabel(t *testing.T) {
	t.Parallel()
	e := start(t)
	a := variants[3].start(t, e)
	before := e.storedBorrower(t, otherBorrower)
	args := borrowerArgs(otherBorrower)
	args["set"] = map[string]any{"personal.maritalStatusId": "divorciada", "personal.email": "nova.morada@example.com"}
	args["clear"] = []string{"personal.matrimonialRegimeId"}
	confirmed := a.confirmed(t, "update_borrower", args, "Marital status: Married → Divorced")
	done := succeeded(t, a.call(t, "update_borrower", confirmed))
	contains(t, text(done), "- Marital status: Divorced")
	after := e.storedBorrower(t, otherBorrower)
	if changed := differing(before, after); len(changed) != 3 || after["personal.maritalStatusId"] != float64(4) || after["personal.email"] != "nova.morada@example.com" {
		t.Errorf("changed: %v, %v", changed, after["personal.maritalStatusId"])
	}
	a.checkNothingLeaked(t, e, append(personalDataOf(before), "nova.morada@example.com")...)
}
