package tools_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
)

// What a person reads over names the borrower, or the recipient, in full; wherever else the warning goes, it does not.
func TestAWarningIsInClearForAReviewAlone(t *testing.T) {
	t.Parallel()
	e := start(t)
	held := e.Borrower(t, 1043, testenv.Ines).Personal
	for tool, secret := range map[string]string{
		"delete_borrower": held.Name.Reveal() + " · " + held.TaxID.Reveal(),
		"send_esis":       held.Email.Reveal(),
	} {
		_, failure := e.Call(t, tool, testenv.BorrowerArgs(1043, testenv.Ines))
		if failure == nil || len(failure.Problems) != 1 {
			t.Fatalf("%s: got %v", tool, failure)
		}
		warning := failure.Problems[0]
		if !strings.Contains(warning.Clear.Reveal(), secret) {
			t.Errorf("%s: the review reads %q", tool, warning.Clear.Reveal())
		}
		data, err := json.Marshal(failure)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{string(data), failure.Error(), warning.Text, fmt.Sprintf("%v %+v %#v", warning, warning, warning), fmt.Sprintf("%+v", failure)} {
			if strings.Contains(shown, secret) || strings.Contains(shown, held.Name.Reveal()) || strings.Contains(shown, held.TaxID.Reveal()) {
				t.Errorf("%s shows %q: %s", tool, secret, shown)
			}
		}
	}
}
