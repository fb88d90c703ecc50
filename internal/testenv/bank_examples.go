package testenv

import (
	"encoding/json"
	"os"
	"testing"
)

// BankExample returns a request of the bank's reference, create or update, as arguments of the operation's tool. The reference
// hides the e-mail address; here it is an invented one. The test's package stands next to package portal.
func BankExample(t testing.TB, operation string) map[string]any {
	t.Helper()
	data, err := os.ReadFile("../portal/testdata/borrower-" + operation + ".request.json")
	if err != nil {
		t.Fatal(err)
	}
	var request map[string]any
	if err := json.Unmarshal(data, &request); err != nil {
		t.Fatal(err)
	}
	args := map[string]any{}
	for name, value := range request {
		args[map[string]string{
			"borrowerTypeId": "borrowerTypeId", "keyBorrowerRelationId": "keyBorrowerRelationId", "personalDataBorrowerRequest": "personal",
			"financialDataBorrowerRequest": "financial", "professionalDataBorrowerRequest": "professional",
		}[name]] = value
	}
	args["personal"].(map[string]any)["email"] = "john.doe@example.com"
	return args
}
