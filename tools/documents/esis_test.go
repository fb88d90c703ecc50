package documents_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/documents"
)

func TestTheESISIsSentToTheAddressOfABorrowerAfterAConfirmation(t *testing.T) {
	t.Parallel()
	for index, masked := range []string{"r•••@example.com", "i•••@example.com"} {
		e := testenv.Start(t, testenv.Options{})
		_, failure := e.Call(t, "send_esis", testenv.BorrowerArgs(1043, index))
		if failure == nil || failure.Kind != tools.Unconfirmed || !slices.Equal(testenv.Problems(failure), []string{"recipient.send warning"}) {
			t.Fatalf("got %v", failure)
		}
		if want := "The ESIS of process 1043 will be sent to " + masked + " and cannot be taken back. Confirm?"; failure.Problems[0].Text != want {
			t.Errorf("got %q", failure.Problems[0].Text)
		}
		if len(e.Bank.Sent()) != 0 {
			t.Error("it is sent already")
		}
		result, failure := e.Call(t, "send_esis", testenv.BorrowerArgs(1043, index), testenv.Confirmed("recipient.send"))
		if failure != nil {
			t.Fatal(failure)
		}
		sent := e.Bank.Sent()
		if len(sent) != 1 || sent[0].To != e.Borrower(t, 1043, index).Personal.Email || sent[0].Process != sandbox.SampleProcess(1043) || sent[0].IgnoreRules {
			t.Errorf("sent %v", sent)
		}
		if output, err := json.Marshal(result.Output); err != nil || result.Card.Text != "The bank sends it to "+masked+"." || strings.Contains(string(output), sent[0].To.Reveal()) {
			t.Errorf("got %q and %s, %v", result.Card.Text, output, err)
		}
	}
}

func TestAnotherAddressNeedsAConfirmationOfItsOwn(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	other := `{"process":"1043","email":"outra@example.com"}`
	_, failure := e.Call(t, "send_esis", other)
	if want := []string{"email recipient.other warning", "recipient.send warning"}; failure == nil || !slices.Equal(testenv.Problems(failure), want) {
		t.Fatalf("got %v", failure)
	}
	if _, failure := e.Call(t, "send_esis", other, testenv.Confirmed("recipient.send")); failure == nil || failure.Kind != tools.Unconfirmed {
		t.Errorf("with the first confirmation alone, got %v", failure)
	}
	if _, failure := e.Call(t, "send_esis", other, testenv.Confirmed("recipient.send", "recipient.other")); failure != nil {
		t.Fatal(failure)
	}
	known := fmt.Sprintf(`{"process":"1043","email":%q}`, " "+strings.ToUpper(e.Borrower(t, 1043, testenv.Ines).Personal.Email.Reveal()))
	if _, failure := e.Call(t, "send_esis", known, testenv.Confirmed("recipient.send")); failure != nil {
		t.Errorf("a borrower's own address, typed: %v", failure)
	}
	var to []string
	for _, sent := range e.Bank.Sent() {
		to = append(to, strings.ToLower(sent.To.Reveal()))
	}
	if want := []string{"outra@example.com", e.Borrower(t, 1043, testenv.Ines).Personal.Email.Reveal()}; !slices.Equal(to, want) {
		t.Errorf("sent to %q", to)
	}
}

func TestTheESISIsNotSentWithoutExactlyOneAddress(t *testing.T) {
	t.Parallel()
	e, _ := testenv.StartWithProxy(t, func(reply string) string {
		return strings.Replace(reply, `"email":"ines.modelo@example.com"`, `"was":1`, 1)
	}, testenv.Options{})
	every := testenv.Confirmed("recipient.send", "recipient.other")
	for name, c := range map[string]struct{ args, want string }{
		"nobody":             {`{"process":"1043"}`, "borrower recipient.missing error"},
		"both":               {testenv.BorrowerArgs(1043, 0, `"email":"outra@example.com"`), "email recipient.two error"},
		"no address":         {`{"process":"1043","email":"outra"}`, "email email.format error"},
		"without an address": {testenv.BorrowerArgs(1043, testenv.Ines), "borrower recipient.no_address error"},
	} {
		if _, failure := e.Call(t, "send_esis", c.args, every); failure == nil || failure.Kind != tools.Invalid || !slices.Equal(testenv.Problems(failure), []string{c.want}) {
			t.Errorf("%s: got %v", name, failure)
		}
	}
	if _, failure := e.Call(t, "send_esis", testenv.BorrowerArgs(1043, 0), every, testenv.By("reader")); failure == nil || failure.Kind != tools.Forbidden {
		t.Errorf("who only reads sends: %v", failure)
	}
	if calls := e.Bank.Calls(portal.ProcessESISEmail); calls != 0 {
		t.Errorf("the bank was asked %d times", calls)
	}
}

func TestOnlyAPersonWithAReasonIgnoresTheRules(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	tooOld := fmt.Sprintf(`"process":"%d"`, sandbox.SampleTooOld)
	if _, failure := e.Call(t, "get_esis", "{"+tooOld+"}"); failure == nil || failure.Kind != tools.Refused {
		t.Errorf("with the rules, got %v", failure)
	}
	asked := e.Bank.Calls(portal.ProcessESISGet)
	for name, c := range map[string]struct {
		given  string
		change func(*tools.Request)
		want   string
	}{
		"an assistant":               {`"ignoreRules":true,"reason":"to compare"`, testenv.AsAssistant, "ignoreRules only_people error"},
		"an assistant with a reason": {`"reason":"to compare"`, testenv.AsAssistant, "reason only_people error"},
		"without a reason":           {`"ignoreRules":true`, testenv.Confirmed(), "reason reason.missing error"},
		"with a blank one":           {`"ignoreRules":true,"reason":" \t"`, testenv.Confirmed(), "reason reason.missing error"},
	} {
		_, failure := e.Call(t, "get_esis", "{"+tooOld+","+c.given+"}", c.change)
		if failure == nil || failure.Kind != tools.Invalid || !slices.Contains(testenv.Problems(failure), c.want) {
			t.Errorf("%s: got %v", name, failure)
		}
	}
	if calls := e.Bank.Calls(portal.ProcessESISGet); calls != asked {
		t.Errorf("the bank was asked %d times", calls-asked)
	}
	result, failure := e.Call(t, "get_esis", "{"+tooOld+`,"ignoreRules":true,"reason":"Comparação 299999998, rui@example.com"}`)
	if failure != nil {
		t.Fatal(failure)
	}
	if want := "FINE-1047-internal-use.pdf"; result.Card.File.Name != want || !strings.Contains(result.Card.Text, "not to be given to the client") || !result.Output.(documents.ESIS).Internal {
		t.Errorf("got %q, %q", result.Card.File.Name, result.Card.Text)
	}
	entry, text := e.Audit.Last()
	if !strings.Contains(entry, `"outcome":"done"`) {
		t.Errorf("the audit log is %s", entry)
	}
	if want := `"fields":["process","ignoreRules","reason"]`; !strings.Contains(entry, want) || strings.Contains(entry, "Comparação") {
		t.Errorf("%s is not all that %s says of the reason", want, entry)
	}
	if text != "Comparação ••••••, ••••••" {
		t.Errorf("its text is %q", text)
	}
}

func TestFieldsForPeopleOnlyAreNotInTheSchemaForAssistants(t *testing.T) {
	t.Parallel()
	properties := documents.GetESIS.InputSchema().Properties
	if len(properties) != 1 || properties["process"] == nil {
		t.Errorf("got %v", properties)
	}
	people := 0
	for _, tool := range catalogue.New().Tools() {
		schema, err := json.Marshal(tool.InputSchema())
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range tool.Fields {
			if field.People {
				people++
				if strings.Contains(string(schema), `"`+field.Name()+`"`) {
					t.Errorf("%s offers %s", tool.Name, field.Path)
				}
			}
		}
	}
	if people == 0 {
		t.Error("people decide nothing")
	}
}

func TestTheESISIsAPDFWithALinkAndNoBytesInItsOutput(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	result, failure := e.Call(t, "get_esis", `{"process":"1042"}`)
	if failure != nil {
		t.Fatal(failure)
	}
	file := result.Card.File
	if !strings.HasPrefix(string(file.Head()), "%PDF") || file.Name != "FINE-1042.pdf" {
		t.Errorf("got %q beginning with %.8q", file.Name, file.Head())
	}
	result.Close()
	if _, err := file.Open(); err == nil {
		t.Error("it can be read after it is closed")
	}
	if want := "balcao://processes/" + sandbox.SampleProcess(1042).String() + "/esis"; file.URI != want {
		t.Errorf("got %s, want %s", file.URI, want)
	}
	if output, err := json.Marshal(result.Output); err != nil || len(output) > 300 {
		t.Errorf("the output is %d bytes, %v", len(output), err)
	}
}
