package tools_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// fullBorrower is a borrower of whom everything is known that a refusal may repeat.
const fullBorrower = `{"process": "1042", "borrowerTypeId": 2, "keyBorrowerRelationId": 1,
	"personal": {"name": "Rui Amostra Sá", "birthDate": "1985-04-12", "taxId": "299999998", "mobile": "912345678", "email": "rui.amostra@example.com", "genderId": 2,
		"identificationDocumentTypeId": 2, "identificationDocumentNumber": "AB123456", "identificationDocumentExpiredDate": "2031-05-20",
		"address": "Rua Modelo Antigo 77", "zipCode": "1000-001", "zipCodeLocal": "Vila Fictícia", "doorNumber": "771B", "floor": "cave"},
	"financial": {"incomeWagesPensions": 1850.50, "hasSocialSecurityDebt": true},
	"professional": {"employerName": "Padaria Exemplar", "employerTaxId": "501964843"}}`

// borrowerParts are pieces of it, in lower case, none of which may be shown or logged.
var borrowerParts = []string{"rui", "amostra", "299999998", "1985", "912345678", "912 345", "ab123456", "2031", "modelo", "antigo", "1000-001", "fict", "771b", "cave", "1850", "padaria", "exemplar", "501964843", "true"}

// byChance matches the parts that ids, digests and times may hold too.
var byChance = regexp.MustCompile(`^(?:[0-9a-f]{4}|true)$`)

// refusing are banks that say too much, each with what a person and an assistant may read of it.
var refusing = []struct {
	name, reply       string
	person, assistant []string
	others            []string // data of other people, which only a person may read
}{
	{"the whole request", `{"code": "050308", "message": "Cannot take {{request}}"}`,
		[]string{"Cannot take"}, []string{"050308; Balcão's list", "already has a borrower with the same number"}, nil},
	{"the request in other forms", `{"errors": [{"errorCode": "059999", "errorMessage": "RUI AMOSTRA SA, 12/04/1985 (12 de abril de 1985), +351 912 345 678, 1.850,50, cc AB-123-456 até 20/05/2031"}]}`,
		[]string{"••••••"}, []string{"059999, a code that Balcão does not know"}, nil},
	{"a third party", `{"code": "050308", "message": "O proponente Berta Terceira já está no processo, casada com Carlos Quarto"}`,
		[]string{"O proponente Berta Terceira já está"}, []string{"050308; Balcão's list"}, []string{"Berta", "Terceira", "Carlos", "Quarto"}},
	{"a third party as a code and a field", `{"errors": [{"code": "Berta", "field": "Terceira", "message": "Carlos Quarto"}]}`,
		[]string{"Carlos Quarto"}, []string{"in the bank's own words"}, []string{"Berta", "Terceira", "Carlos", "Quarto"}},
	{"a tax number as a code", `{"code": 299999998, "message": "no"}`, []string{"no"}, []string{"in the bank's own words"}, nil},
	{"a field and a third party", `{"errors": {"$.personalDataBorrowerRequest.taxId": ["É o de Berta Terceira"]}}`,
		[]string{"Tax number (NIF): É o de Berta Terceira"}, []string{"personal.taxId", "in the bank's own words"}, []string{"Berta", "Terceira"}},
	{"a text that is known", `{"code": "050009", "message": "The process already has the maximum number of borrowers."}`,
		[]string{"The process already has the maximum number of borrowers."}, []string{"050009: The process already has the maximum number of borrowers."}, nil},
	{"a known text of a field", `{"message": "The field personalDataBorrowerRequest.taxId is not in the expected form."}`,
		[]string{"The field Tax number (NIF) is not in the expected form."}, []string{"personal.taxId", "The field personal.taxId is not in the expected form."}, nil},
	{"a known text and a name behind it", `{"message": "The key borrower cannot be deleted. Berta Terceira can."}`,
		[]string{"Berta Terceira can"}, []string{"in the bank's own words"}, []string{"Berta", "Terceira"}},
	{"a page", `<html><body>{{request}} Berta</body></html>`, nil, nil, []string{"Berta"}},
}

func TestARefusalShowsWhatItsReaderMayRead(t *testing.T) {
	t.Parallel()
	for _, bank := range refusing {
		for _, assistant := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/assistant %t", bank.name, assistant), func(t *testing.T) {
				t.Parallel()
				var log bytes.Buffer
				var counted []string
				e := start(t, func(c *tools.Config) {
					c.Log = slog.New(slog.NewJSONHandler(&log, nil))
					c.Counted = func(tool, outcome string, _ time.Duration) { counted = append(counted, tool+" "+outcome) }
				})
				e.Bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Status: http.StatusBadRequest, Reply: bank.reply})
				_, failure := e.Call(t, "create_borrower", fullBorrower, func(r *tools.Request) {
					r.Actor.Assistant = assistant
					r.Confirmed = []string{"document.shape", "hint.social_security_debt"}
				})
				if failure == nil || failure.Kind != tools.Refused {
					t.Fatalf("got %v", failure)
				}
				shown := strings.Join(failure.Notes, "\n")
				if assistant {
					shown += fmt.Sprintf("\n%+v", failure.Problems)
				}
				want := bank.person
				if assistant {
					want = bank.assistant
				}
				for _, each := range want {
					if !strings.Contains(shown, each) {
						t.Errorf("%q is not shown: %s", each, shown)
					}
				}
				logged := log.String() + failure.Error() + fmt.Sprint(e.Audit.Entries(), counted)
				for _, part := range borrowerParts {
					if strings.Contains(strings.ToLower(shown), part) {
						t.Errorf("%q is shown: %s", part, shown)
					}
					if !byChance.MatchString(part) && strings.Contains(strings.ToLower(logged), part) {
						t.Errorf("%q is logged: %s", part, logged)
					}
				}
				for _, name := range bank.others {
					if strings.Contains(logged, name) || assistant && strings.Contains(shown, name) {
						t.Errorf("%q of somebody else is shown or logged: %s %s", name, shown, logged)
					}
				}
			})
		}
	}
}

func TestARefusalOfAReadShowsWhatItsReaderMayRead(t *testing.T) {
	t.Parallel()
	e := start(t)
	remove := e.Bank.Inject(sandbox.Fault{Operation: portal.ProcessList, Status: http.StatusBadRequest, Reply: `{"message": "{{request}} of Berta Terceira"}`})
	defer remove()
	_, failure := e.Call(t, "find_processes", `{"text": "Rui Amostra"}`, testenv.AsAssistant)
	if failure == nil || failure.Kind != tools.Refused || strings.Contains(fmt.Sprint(failure.Notes), "Berta") {
		t.Errorf("an assistant gets %+v", failure)
	}
	tool, _ := catalogue.New().Named("list_borrowers")
	field, _ := tool.Field("process")
	_, err := e.Options(t.Context(), tools.Actor{ID: "ana", Lang: words.Portuguese}, field, "Rui Amostra", nil)
	if said := fmt.Sprint(tools.AsError(err).Notes); !strings.Contains(said, "of Berta Terceira") || strings.Contains(said, "Amostra") {
		t.Errorf("a person gets %s", said)
	}
}
