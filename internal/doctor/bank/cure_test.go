package bank

import (
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

// kebab lists get other names.
const otherLists = `taxonomies.path = "/taxonomies/{name}"` + "\n" + `taxonomies.lists.maritalStatuses.name = "maritalStatuses"` + "\n" + `taxonomies.lists.genders.name = "gender"`

// camelLists returns entries with the names of all lists in camel case.
func camelLists() string {
	x := &Examination{profile: profile.Builtin()}
	return strings.Join(lines(x.styledNames(listStyles[1])), "\n")
}

// banks are banks that differ from the built-in profile, by what differs.
var banks = map[string]string{
	"login headers of API Commons":      `login.headers = { xClientID = "", xClientSecret = "", xBrokerUID = "", xUsername = "", x-client-id = "{client_id}", x-client-secret = "{client_secret}", correlationId = "{broker}", username = "{username}" }`,
	"client in every call":              `headers = { x-client-id = "{client_id}", x-client-secret = "{client_secret}" }`,
	"session token in every call":       `headers = { Authorization = "", sessionToken = "{token}" }`,
	"login path":                        `operations.authenticate.path = "/auth/login"`,
	"login path and token":              "operations.authenticate.path = \"/login\"\nlogin.token = \"data.accessToken\"",
	"token of another name":             `login.token = "access_token"`,
	"prefix of everything":              `prefix = "/API/partnersPortal"`,
	"process path":                      `operations.processList.path = "/process"`,
	"singular paths":                    "operations.processList.path = \"/process\"\noperations.processDetail.path = \"/process/{processUniqueId}\"\noperations.borrowerList.path = \"/process/{processUniqueId}/borrower\"\noperations.borrowerCreate.path = \"/process/{processUniqueId}/borrower\"\noperations.borrowerGet.path = \"/process/{processUniqueId}/borrower/{borrowerUniqueId}\"\noperations.borrowerUpdate.path = \"/process/{processUniqueId}/borrower/{borrowerUniqueId}\"\noperations.borrowerDelete.path = \"/process/{processUniqueId}/borrower/{borrowerUniqueId}\"",
	"esis path":                         "operations.processESISGet.path = \"/processes/{processUniqueId}/fine\"\noperations.processESISEmail.path = \"/processes/{processUniqueId}/fine/email\"",
	"taxonomies elsewhere":              `taxonomies.path = "/taxonomies/{name}"`,
	"names of lists":                    otherLists,
	"value and label":                   `taxonomies.reply.items = { id = "value", description = "label" }`,
	"code and name":                     `taxonomies.reply.items = { id = "code", description = "name" }`,
	"lists as arrays":                   `taxonomies.reply.list = ""`,
	"list under another name":           `operations.borrowerList.reply.list = "borrowers"`,
	"list as an array":                  `operations.borrowerList.reply.list = ""`,
	"everything in data":                `replies.at = "data"`,
	"list nested twice":                 "operations.processList.reply.at = \"result.page\"\noperations.processList.reply.list = \"items\"",
	"detail nested":                     `operations.processDetail.reply.at = "process"`,
	"detail nested twice":               `operations.processDetail.reply.at = "response.process"`,
	"names of a process":                `operations.processList.reply.items = { processUniqueID = "id", processNumber = "number", processStatusID = "statusId", processStatusDescription = "status_description", borrowerName = "clientName" }`,
	"names of a detail":                 `operations.processDetail.reply.fields = { processUniqueID = "process_id", processNumber = "reference", processStatusID = "state.id", processStatusDescription = "state.description" }`,
	"names of a borrower":               `operations.borrowerGet.reply.fields = { borrowerUniqueID = "id", borrowerPersonalData = "personal", "borrowerPersonalData.name" = "fullName", "borrowerPersonalData.taxID" = "nif", "borrowerPersonalData.birthDate" = "dateOfBirth" }`,
	"ids of processes as integers":      "forms.ids.process = \"integer\"",
	"ids as integers":                   "forms.ids = { process = \"integer\", borrower = \"integer\", simulation = \"integer\" }",
	"numbers as text":                   `forms.numbers = "text"`,
	"dates with times":                  `forms.dates = "datetime"`,
	"nulls":                             `forms.absent = "null"`,
	"capitals":                          `forms.names = "pascal"`,
	"lower case":                        `forms.names = "lower"`,
	"empty replies of writes":           `forms.done = "empty"`,
	"errors in a reply":                 `errors.in_reply = ["success=false"]`,
	"errors of other names":             `errors = { at = "falhas", code = "codigo", text = "mensagem", field = "campo" }`,
	"errors in XML":                     `errors.shape = "xml"`,
	"errors as one object":              `errors.shape = "object"`,
	"errors by field":                   `errors.shape = "fields"`,
	"errors as an array":                `errors.shape = "bare"`,
	"filter without numbers":            `operations.processList.searches = ["name", "taxID", "branch"]`,
	"other parameters, unknown ignored": "forms.unknown = \"ignored\"\noperations.processList.query = { filterByText = \"search\", lineCount = \"pageSize\", nextRecord = \"after\", previousRecord = \"before\", filterProcessStatus = \"status\" }",
	"other parameters, unknown refused": `operations.processList.query = { filterByText = "q", lineCount = "limit" }`,
	"no text filter":                    "forms.unknown = \"ignored\"\noperations.processList.query.filterByText = \"\"",
	"small pages":                       `operations.processList.page.size = 50`,
	"pages by number":                   `operations.processList = { page = { style = "number", first = 1 }, query = { pageNumber = "page", nextRecord = "" } }`,
	"pages from 0":                      `operations.processList = { page = { style = "number", first = 0 }, query = { pageNumber = "pageNumber", nextRecord = "" } }`,
	"pages by offset":                   `operations.processList = { page = { style = "offset" }, query = { offset = "skip", nextRecord = "" } }`,
	"the other cursor":                  `operations.processList.query = { nextRecord = "previousRecord", previousRecord = "nextRecord" }`,
	"callbacks elsewhere":               `operations.callbackList.path = "/partner/{partnerUniqueID}/callbacks"`,
	"lists in camel case":               camelLists(),
	"names in snake case":               `forms.names = "snake"`,
	"two arrays":                        `operations.processList.reply.also = ["columns"]` + "\n" + `operations.processList.reply.list = "rows"`,
	"a regime spelt rightly":            `operations.borrowerGet.reply.fields = { "borrowerPersonalData.matriomonialRegimeID" = "matrimonialRegimeID", "borrowerPersonalData.matriomonialRegimeDescription" = "matrimonialRegimeDescription" }`,
	"academic levels":                   `taxonomies.lists.academicLevels.items = [{ id = 1, pt = "Sem escolaridade", en = "None" }, { id = 4, pt = "Mestrado", en = "Master" }, { id = 5, pt = "Doutoramento", en = "Doctorate" }]`,
}

// tolerated are the banks that the client reads as they are: nothing is proposed for them.
var tolerated = []string{
	"numbers as text", "dates with times", "nulls", "capitals", "lower case", "empty replies of writes", "errors in XML", "errors as one object",
	"errors by field", "errors as an array", "lists as arrays",
}

func TestTheProposalCuresABankThatDiffers(t *testing.T) {
	for name, differs := range banks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := open(t, differs)
			first := examine(t, url, sandbox.BrokerA.UID.String(), nil)
			t.Logf("first\n%s", show(first))
			lines := linesOf(first)
			if got, want := len(lines) > 0, !slices.Contains(tolerated, name); got != want {
				t.Errorf("it proposes %q", lines)
			}
			second := examine(t, url, sandbox.BrokerA.UID.String(), lines)
			if bad := wrong(second); len(bad) > 0 {
				t.Errorf("with\n%s\nit finds\n%s", strings.Join(lines, "\n"), show(bad))
			}
		})
	}
}

func TestNamesOfFieldsThatOnlySomeBorrowersHaveAreFound(t *testing.T) {
	lines := linesOf(examine(t, open(t, banks["a regime spelt rightly"]), sandbox.BrokerA.UID.String(), nil))
	want := `operations.borrowerGet.reply.fields."borrowerPersonalData.matriomonialRegimeID" = ["matrimonialRegimeID", "matriomonialRegimeID"]`
	if !slices.Contains(lines, want) {
		t.Errorf("%s is not among\n%s", want, strings.Join(lines, "\n"))
	}
}

func TestWhatCannotBeTriedFollowsWhatWas(t *testing.T) {
	for name, want := range map[string]string{
		"names in snake case": `operations.borrowerCreate.reply.fields."additionalData.borrowerUniqueID" = ["borrower_unique_id", "borrowerUniqueID"]`,
		"singular paths":      `operations.borrowerCreate.path = "/process/{processUniqueId}/borrower"`,
		"esis path":           `operations.processESISEmail.path = "/processes/{processUniqueId}/fine/email"`,
		"everything in data":  `replies.at = ["data", ""]`,
	} {
		lines := linesOf(examine(t, open(t, banks[name]), sandbox.BrokerA.UID.String(), nil))
		if !slices.Contains(lines, want) {
			t.Errorf("%s: %s is not among\n%s", name, want, strings.Join(lines, "\n"))
		}
	}
}
