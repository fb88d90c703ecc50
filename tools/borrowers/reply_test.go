package borrowers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools/borrowers"
)

const example = "../../portal/testdata/borrower-get.reply.json"

// seen is what people and assistants see of a borrower.
type seen struct{ card, data string }

// see shows a borrower of whom the bank replies this.
func see(t *testing.T, e *testenv.Env, reply string) seen {
	t.Helper()
	defer e.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerGet, Status: http.StatusOK, Reply: reply})()
	result := e.MustCall(t, "get_borrower", testenv.BorrowerArgs(1043, testenv.Ines))
	file := result.Output.(borrowers.BorrowerFile)
	file.Version = "" // changes with every field
	data, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return seen{fmt.Sprint(result.Card.Facts), string(data)}
}

// Each field of the reply is shown: without it, or with another value, people and assistants see something else.
func TestNoFieldOfABorrowerIsDropped(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	whole := testenv.ReadWholeBorrower(t, example)
	if len(whole) != 59 {
		t.Fatalf("the reply has %d fields, want 59", len(whole))
	}
	all := see(t, e, whole.JSON(t, nil))
	for _, field := range whole {
		change := map[string]json.RawMessage{field.Path: nil}
		switch {
		case field.Path == "borrowerUniqueID":
			change[field.Path] = json.RawMessage(`"7a000000-0000-4000-8000-000000000001"`)
		case field.Word != "": // what it was before is learnt
			change[field.Path] = json.RawMessage(`"outra palavra"`)
		}
		without := see(t, e, whole.JSON(t, change))
		described := strings.HasSuffix(field.Path, "ID") // a person reads the description
		if without.data == all.data || without.card == all.card && !described {
			t.Errorf("without %s nothing else is shown", field.Path)
		}
		for _, text := range []string{field.Word, field.ID} {
			if !strings.Contains(all.data, text) || !strings.Contains(all.card, text) && !described {
				t.Errorf("%s is %q, which is not shown in\n%s\n%s", field.Path, text, all.card, all.data)
			}
		}
	}
}
