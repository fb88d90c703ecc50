package mcpapp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

// linked returns the texts of the links of the page to parts of it, each with whether that part is there.
func (p *person) linked() (texts []string) {
	for node := range p.document().Descendants() {
		to, inside := strings.CutPrefix(attribute(node, "href"), "#")
		if node.Data != "a" || !inside {
			continue
		}
		if !strings.Contains(p.body, ` id="`+to+`"`) {
			p.t.Errorf("a link leads to %s, which is not there", to)
		}
		texts = append(texts, node.FirstChild.Data)
	}
	return texts
}

func TestAFormSaysFirstWhatIsMissingOrWrongOrChanges(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	draft := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, map[string]string{"birthDate": `null`, "genderId": `null`, "mobile": `"12"`})))
	edit := approvalIn(t, a.call(t, "update_borrower", withArg(borrowerArgs(otherBorrower), "set", map[string]any{"personal.email": "nova@example.com", "personal.mobile": "912000222"})))
	ana := browser(t).opens(p.address(t))
	contains(t, ana.text(), "Not filled in: Birth date, Gender.", "Mobile: ", "1043")
	if got, want := fmt.Sprint(ana.linked()), "[New borrower · Rui Amostra · 1042 Edit borrower · Inês Modelo · 1043]"; got != want {
		t.Errorf("the index is %s, want %s", got, want)
	}
	for id, want := range map[string][]string{draft.ID: {"Birth date", "Mobile", "Gender"}, edit.ID: {"Mobile", "E-mail"}} {
		if got := ana.get(ana.home + "form/" + id).linked(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the form leads to %q, want %q: %s", got, want, ana.text())
		}
	}
	contains(t, ana.get(ana.home+"form/"+edit.ID).text(), "What would change:", "Inês Modelo · 299000036", "What differs from what it has now is marked")
	ana.get(ana.home+"form/"+draft.ID).submit("/form/", "is.personal.genderId", "", "is.personal.birthDate", "12/4/1985", "is.personal.email", "rui", "do", "leave")
	if got := ana.get(ana.home + "form/" + draft.ID).linked(); fmt.Sprint(got) != "[Mobile E-mail Gender]" {
		t.Errorf("the form that she left leads to %q", got)
	}
}

func TestWarningsAreAcceptedByApprovingAndAskNothing(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	approvalIn(t, a.call(t, "update_borrower", withArg(borrowerArgs(otherBorrower), "set", map[string]any{"personal.maritalStatusId": "Divorced"})))
	ana := browser(t).opens(p.address(t))
	contains(t, ana.text(), "By approving you accept:", "Matrimonial regime: ")
	lacks(t, ana.text(), "Confirm?")
}

func TestWhatHasNothingToChangeHasNoForm(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	approvalIn(t, a.call(t, "write_operation", map[string]any{"operation": "delete_borrower", "arguments": borrowerArgs(otherBorrower)}))
	ana := browser(t).opens(p.address(t))
	contains(t, ana.text(), "Approve", "Reject", "Inês Modelo · 299000036")
	lacks(t, ana.text(), "Review and change")
}

// A list with more items than a form has in it: she types the text, and is shown what is near.
func TestAnItemOfALongListIsTypedOrChosenAmongThoseNearIt(t *testing.T) {
	t.Parallel()
	items := ""
	for i := range 600 {
		items += fmt.Sprintf(`{ id = %d, pt = "Ofício %03d", en = "Trade %03d" },`, i+1, i, i)
	}
	long, err := profile.Read("bank.toml", []byte("[taxonomies.lists.professions]\nitems = ["+items+"]\n"))
	must(t, err)
	p := startWithPage(t, true, func(o *options) { o.lists = testenv.OtherLists{Bank: long, Taken: long} })
	a := p.connect(t, modern, nil)
	asked := approvalIn(t, a.call(t, "update_borrower", map[string]any{
		"process": "1043", "borrower": sandbox.SampleBorrower(1043, 0).String(), "set": map[string]any{"professional.employmentProfessionId": "Trade 123"},
	}))
	ana := browser(t).opens(p.address(t))
	const input = "is.professional.employmentProfessionId"
	ana.get(ana.home + "form/" + asked.ID)
	if value := ana.forms("/form/")[0].values.Get(input); value != "Trade 123" || len(ana.options(input)) != 0 {
		t.Fatalf("she types over %q, %d options", value, len(ana.options(input)))
	}
	ana.submit("/form/", input, "trade 45", "do", "check")
	near := ana.options(input)
	if contains(t, ana.text(), "near what you typed"); near["Trade 451"] == "" || near["Trade 123"] != "" || len(near) > 51 {
		t.Fatalf("she chooses among %v", near)
	}
	ana.submit("/form/", input, near["Trade 451"], "do", "check")
	contains(t, ana.text(), "This will be done", "Trade 451")
	ana.submit("/form/", "do", "edit")
	ana.submit("/form/", input, "no such trade", "do", "check")
	contains(t, ana.text(), "Choose one of the list.")
	if value := ana.forms("/form/")[0].values.Get(input); value != "no such trade" {
		t.Errorf("she typed %q", value)
	}
}
