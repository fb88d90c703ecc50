package tools_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/documents"
)

func TestTheESISGoesToTheAddressOfABorrowerOnceThatIsConfirmed(t *testing.T) {
	for index, masked := range []string{"r•••@example.com", "i•••@example.com"} {
		h := open(t)
		_, failure := h.run(t, "send_esis", of(1043, index))
		if failure == nil || failure.Kind != tools.Unconfirmed || !slices.Equal(codes(failure), []string{"recipient.send warning"}) {
			t.Fatalf("got %v", failure)
		}
		if want := "The ESIS of process 1043 will be sent to " + masked + " and cannot be taken back. Confirm?"; failure.Problems[0].Text != want {
			t.Errorf("got %q", failure.Problems[0].Text)
		}
		if len(h.bank.Sent()) != 0 {
			t.Error("it is sent already")
		}
		result, failure := h.run(t, "send_esis", of(1043, index), confirmed("recipient.send"))
		if failure != nil {
			t.Fatal(failure)
		}
		sent := h.bank.Sent()
		if len(sent) != 1 || sent[0].To != h.held(t, 1043, index).Personal.Email || sent[0].Process != sandbox.SampleProcess(1043) || sent[0].IgnoreRules {
			t.Errorf("sent %v", sent)
		}
		if output, err := json.Marshal(result.Output); err != nil || result.Card.Text != "The bank sends it to "+masked+"." || strings.Contains(string(output), sent[0].To.Reveal()) {
			t.Errorf("got %q and %s, %v", result.Card.Text, output, err)
		}
	}
}

func TestAnotherAddressNeedsAConfirmationOfItsOwn(t *testing.T) {
	h := open(t)
	other := `{"process":"1043","email":"outra@example.com"}`
	_, failure := h.run(t, "send_esis", other)
	if want := []string{"email recipient.other warning", "recipient.send warning"}; failure == nil || !slices.Equal(codes(failure), want) {
		t.Fatalf("got %v", failure)
	}
	if _, failure := h.run(t, "send_esis", other, confirmed("recipient.send")); failure == nil || failure.Kind != tools.Unconfirmed {
		t.Errorf("with the first confirmation alone, got %v", failure)
	}
	if _, failure := h.run(t, "send_esis", other, confirmed("recipient.send", "recipient.other")); failure != nil {
		t.Fatal(failure)
	}
	known := fmt.Sprintf(`{"process":"1043","email":%q}`, " "+strings.ToUpper(h.held(t, 1043, ines).Personal.Email.Reveal()))
	if _, failure := h.run(t, "send_esis", known, confirmed("recipient.send")); failure != nil {
		t.Errorf("a borrower's own address, typed: %v", failure)
	}
	var to []string
	for _, sent := range h.bank.Sent() {
		to = append(to, strings.ToLower(sent.To.Reveal()))
	}
	if want := []string{"outra@example.com", h.held(t, 1043, ines).Personal.Email.Reveal()}; !slices.Equal(to, want) {
		t.Errorf("sent to %q", to)
	}
}

func TestTheESISGoesNowhereWithoutOneAddress(t *testing.T) {
	h, _ := openWindow(t, func(reply string) string {
		return strings.Replace(reply, `"email":"ines.modelo@example.com"`, `"was":1`, 1)
	})
	every := confirmed("recipient.send", "recipient.other")
	for name, c := range map[string]struct{ args, want string }{
		"nobody":             {`{"process":"1043"}`, "borrower recipient.missing error"},
		"both":               {of(1043, 0, `"email":"outra@example.com"`), "email recipient.two error"},
		"no address":         {`{"process":"1043","email":"outra"}`, "email email.format error"},
		"without an address": {of(1043, ines), "borrower recipient.no_address error"},
	} {
		if _, failure := h.run(t, "send_esis", c.args, every); failure == nil || failure.Kind != tools.Invalid || !slices.Equal(codes(failure), []string{c.want}) {
			t.Errorf("%s: got %v", name, failure)
		}
	}
	if _, failure := h.run(t, "send_esis", of(1043, 0), every, func(r *tools.Request) { r.Actor.ID = "reader" }); failure == nil || failure.Kind != tools.Forbidden {
		t.Errorf("who only reads sends: %v", failure)
	}
	if calls := h.bank.Calls(portal.ProcessESISEmail); calls != 0 {
		t.Errorf("the bank was asked %d times", calls)
	}
}

func TestTheRulesAreIgnoredOnlyByAPersonWithAReason(t *testing.T) {
	h := open(t)
	tooOld := fmt.Sprintf(`"process":"%d"`, sandbox.SampleTooOld)
	if _, failure := h.run(t, "get_esis", "{"+tooOld+"}"); failure == nil || failure.Kind != tools.Refused {
		t.Errorf("with the rules, got %v", failure)
	}
	asked := h.bank.Calls(portal.ProcessESISGet)
	for name, c := range map[string]struct {
		given  string
		change func(*tools.Request)
		want   string
	}{
		"an assistant":               {`"ignoreRules":true,"reason":"to compare"`, asAssistant, "ignoreRules only_people error"},
		"an assistant with a reason": {`"reason":"to compare"`, asAssistant, "reason only_people error"},
		"without a reason":           {`"ignoreRules":true`, confirmed(), "reason reason.missing error"},
		"with a blank one":           {`"ignoreRules":true,"reason":" \t"`, confirmed(), "reason reason.missing error"},
	} {
		_, failure := h.run(t, "get_esis", "{"+tooOld+","+c.given+"}", c.change)
		if failure == nil || failure.Kind != tools.Invalid || !slices.Contains(codes(failure), c.want) {
			t.Errorf("%s: got %v", name, failure)
		}
	}
	if calls := h.bank.Calls(portal.ProcessESISGet); calls != asked {
		t.Errorf("the bank was asked %d times", calls-asked)
	}
	result, failure := h.run(t, "get_esis", "{"+tooOld+`,"ignoreRules":true,"reason":"Comparação 299999998, rui@example.com"}`)
	if failure != nil {
		t.Fatal(failure)
	}
	if want := "FINE-1047-internal-use.pdf"; result.Card.File.Name != want || !strings.Contains(result.Card.Text, "not to be given to the client") || !result.Output.(documents.ESIS).Internal {
		t.Errorf("got %q, %q", result.Card.File.Name, result.Card.Text)
	}
	entry := h.trail.entries[len(h.trail.entries)-1]
	if !strings.Contains(entry, `"outcome":"done"`) {
		t.Errorf("the trail says %s", entry)
	}
	if want := `"fields":["process","ignoreRules","reason"]`; !strings.Contains(entry, want) || strings.Contains(entry, "Comparação") {
		t.Errorf("%s is not all that %s says of the reason", want, entry)
	}
	if text := h.trail.texts[len(h.trail.texts)-1]; text != "Comparação ••••••, ••••••" {
		t.Errorf("beside it stands %q", text)
	}
}

func TestWhatOnlyPeopleDecideIsNotOfferedToAssistants(t *testing.T) {
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
