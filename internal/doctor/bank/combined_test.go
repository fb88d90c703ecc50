package bank

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/portal/sandbox"
)

// manyDifferences is a bank of which hardly anything is as the built-in profile says.
const manyDifferences = `
prefix = "/api/v1"
headers = { x-client-id = "{client_id}", x-client-secret = "{client_secret}" }
replies.at = "data"
[login]
token = "data.token"
headers = { xClientID = "", xClientSecret = "", xBrokerUID = "", xUsername = "", x-client-id = "{client_id}", x-client-secret = "{client_secret}", correlationId = "{broker}", username = "{username}" }
[forms]
ids = { process = "integer", borrower = "integer", simulation = "integer" }
dates = "datetime"
numbers = "text"
unknown = "ignored"
[errors]
at = "problems"
code = "codigo"
text = "mensagem"
[operations.authenticate]
path = "/auth/login"
[operations.processList]
path = "/process"
page = { style = "number", first = 0, size = 25 }
query = { lineCount = "pageSize", pageNumber = "page", nextRecord = "", previousRecord = "", filterByText = "search" }
searches = ["name"]
[operations.processList.reply]
list = "items"
items = { processUniqueID = "id", processNumber = "number", processStatusID = "statusId", processStatusDescription = "statusDescription" }
[operations.processDetail]
path = "/process/{processUniqueId}"
[taxonomies]
path = "/lists/{name}"
reply.items = { id = "value", description = "label" }
`

func TestABankOfWhichHardlyAnythingIsAsExpectedIsCuredToo(t *testing.T) {
	url := open(t, manyDifferences)
	first := examine(t, url, sandbox.BrokerA.UID.String(), nil)
	t.Logf("first\n%s", show(first))
	lines := linesOf(first)
	if bad := wrong(examine(t, url, sandbox.BrokerA.UID.String(), lines)); len(bad) > 0 {
		t.Errorf("with\n%s\nit finds\n%s", strings.Join(lines, "\n"), show(bad))
	}
}
