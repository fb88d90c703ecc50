package mcpapp_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// onPages runs a test with the page on each transport and in each revision.
func onPages(t *testing.T, test func(*testing.T, *pageEnv, *assistant)) {
	for _, transport := range []string{"stdio", "HTTP"} {
		for _, revision := range []string{legacy, modern} {
			t.Run(transport+" "+revision, func(t *testing.T) {
				t.Parallel()
				p := startWithPage(t, transport == "HTTP")
				test(t, p, p.connect(t, revision, nil))
			})
		}
	}
}

func TestAPersonWithoutSlackDecidesOnAPage(t *testing.T) {
	t.Parallel()
	onPages(t, func(t *testing.T, p *pageEnv, a *assistant) {
		asked := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, nil)))
		address := p.address(t)
		if asked.Status != "waiting" || !strings.HasPrefix(address, "http://127.0.0.1:") || len(address) < len("http://127.0.0.1:1/mcp/approvals/open/")+43 {
			t.Fatalf("%+v waits at %s", asked, address)
		}
		ana := browser(t).opens(address)
		contains(t, ana.text(), "Waits for your decision", "New borrower", "Asked by ", "299999998", "Rui Amostra", "1042", "Approve", "Review and change")
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		} {
			if got := ana.header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		if p.bank.Calls(portal.BorrowerCreate) != 0 {
			t.Fatal("the bank was called before she decided")
		}
		ana.submit("/approve")
		contains(t, ana.text(), "Borrower created", "Nothing waits for you")
		answer := a.call(t, "await_approval", map[string]any{"approval": asked.ID})
		if told := approvalIn(t, answer); told.Status != "done" || p.bank.Calls(portal.BorrowerCreate) != 1 {
			t.Errorf("got %+v after %d calls", told, p.bank.Calls(portal.BorrowerCreate))
		}

		rejected := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, map[string]string{"name": `"Eva Amostra"`})))
		ana.get(ana.home).submit("/decline", "reason", "She is married to somebody else.")
		contains(t, ana.text(), "Rejected")
		contains(t, text(a.call(t, "await_approval", map[string]any{"approval": rejected.ID})), "She is married to somebody else.")

		_, secret, _ := strings.Cut(address, "/open/")
		lacks(t, p.wire.String()+p.log.String(), secret, "/mcp/approvals", p.address(t))
		lacks(t, p.wire.String(), "299999998", "912345678")
	})
}

func TestAPersonChangesWhatAnAssistantAskedForOnThePage(t *testing.T) {
	t.Parallel()
	onPages(t, func(t *testing.T, p *pageEnv, a *assistant) {
		asked := approvalIn(t, a.call(t, "update_borrower", map[string]any{
			"process": "1043", "borrower": sandbox.SampleBorrower(1043, 0).String(), "set": map[string]any{"personal.email": "novo@example.com"},
		}))
		held := p.shared.Borrower(t, 1043, 0).Personal
		ana := browser(t).opens(p.address(t))
		contains(t, ana.text(), "Edit borrower", held.Email.Reveal(), "novo@example.com")
		ana.get(ana.home + "form/" + asked.ID)
		contains(t, ana.text(), "At the bank now:", held.Email.Reveal())
		form := ana.forms("/form/")[0]
		if form.values.Get("is.personal.email") != "novo@example.com" || form.values.Get("is.personal.name") != held.Name.Reveal() {
			t.Fatalf("the form has %v", form.values)
		}
		ana.submit("/form/", "is.personal.mobile", "12", "do", "check")
		if ana.status != http.StatusUnprocessableEntity || ana.forms("/form/")[0].values.Get("is.personal.mobile") != "12" {
			t.Errorf("what she typed is lost: %d %v", ana.status, ana.forms("/form/")[0].values)
		}
		contains(t, ana.text(), "does not have the right number of digits")
		ana.submit("/form/", "is.personal.mobile", "913 333 333", "do", "check")
		contains(t, ana.text(), "This will be done", held.Email.Reveal(), "novo@example.com", "913333333")
		if p.bank.Calls(portal.BorrowerUpdate) != 0 {
			t.Fatal("the bank was called before she decided")
		}
		ana.submit("/form/", "do", "edit")
		if got := ana.forms("/form/")[0].values.Get("is.personal.mobile"); !strings.Contains(got, "913 333 333") {
			t.Errorf("the form has %q", got)
		}
		ana.submit("/form/", "do", "check")
		ana.submit("/form/", "do", "approve")
		contains(t, ana.text(), "Nothing waits for you")
		told := approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": asked.ID}))
		if told.Status != "done" || fmt.Sprint(told.Changed) != "[personal.mobile]" {
			t.Errorf("got %+v", told)
		}
		if is := p.shared.Borrower(t, 1043, 0).Personal; is.Email.Reveal() != "novo@example.com" || !strings.Contains(is.Mobile.Reveal(), "913333333") || is.Name.Reveal() != held.Name.Reveal() {
			t.Errorf("the bank has %s and %s", is.Email.Reveal(), is.Mobile.Reveal())
		}
		lacks(t, p.wire.String(), "913333333", held.Email.Reveal())
	})
}

func TestADraftIsFinishedOnThePage(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	draft := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, map[string]string{"birthDate": `null`, "taxId": `"299999999"`})))
	if draft.Status != "draft" {
		t.Fatalf("got %+v", draft)
	}
	ana := browser(t).opens(p.address(t))
	contains(t, ana.text(), "Parts are missing or wrong", "Birth date", "Finish it")
	if len(ana.forms("/approve")) != 0 {
		t.Error("a draft can be approved as it is")
	}
	ana.get(ana.home + "form/" + draft.ID)
	contains(t, ana.text(), "This is what the assistant has", "This field is missing")
	ana.submit("/form/", "is.personal.birthDate", "12/4/1985", "is.personal.taxId", "299999998", "do", "check")
	ana.submit("/form/", "do", "approve")
	contains(t, ana.text(), "Borrower created")
	if told := approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": draft.ID})); told.Status != "done" || len(told.Changed) != 2 {
		t.Errorf("got %+v", told)
	}
}

func TestWhatChangedMeanwhileIsShownAgainBeforeItIsDone(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	change := func(email string) map[string]any {
		return map[string]any{"process": "1043", "borrower": sandbox.SampleBorrower(1043, 0).String(), "set": map[string]any{"personal.email": email}}
	}
	asked := approvalIn(t, a.call(t, "update_borrower", change("novo@example.com")))
	ana, form := browser(t).opens(p.address(t)), browser(t)
	*form = *ana
	form.get(ana.home+"form/"+asked.ID).submit("/form/", "do", "check")
	_, failure := p.shared.Call(t, "update_borrower", testenv.BorrowerArgs(1043, 0, `"set":{"personal.email":"entretanto@example.com"}`), testenv.By("ana"), testenv.Confirmed("borrower.email_changed"))
	if failure != nil {
		t.Fatal(failure)
	}
	ana.submit("/approve")
	contains(t, ana.text(), "has changed", "entretanto@example.com")
	form.submit("/form/", "do", "approve")
	contains(t, form.text(), "has changed meanwhile", "entretanto@example.com")
	if got := p.shared.Borrower(t, 1043, 0).Personal.Email.Reveal(); got != "entretanto@example.com" {
		t.Fatalf("the bank has %s", got)
	}
	ana.submit("/approve")
	if got := p.shared.Borrower(t, 1043, 0).Personal.Email.Reveal(); got != "novo@example.com" {
		t.Errorf("the bank has %s: %s", got, ana.text())
	}
	form.submit("/form/", "do", "approve")
	contains(t, form.text(), "This is decided already")
}

func TestSeveralCallsAboutAProcessAreApprovedTogether(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	about := func(args string) map[string]any {
		return map[string]any{"process": "1043", "borrower": sandbox.SampleBorrower(1043, 0).String(), "set": map[string]any{"personal." + args: "Rua Nova"}}
	}
	first, second := approvalIn(t, a.call(t, "update_borrower", about("address"))), approvalIn(t, a.call(t, "update_borrower", about("zipCodeLocal")))
	ana := browser(t)
	p.address(t)
	ana.opens(p.address(t))
	contains(t, ana.text(), "Approve all 2 in this order")
	for _, form := range ana.forms("/approve") {
		if len(form.values["id"]) == 2 {
			ana.sends(form)
		}
	}
	for _, asked := range []string{first.ID, second.ID} {
		if told := approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": asked, "seconds": 0})); told.Status != "done" {
			t.Errorf("got %+v: %s", told, ana.text())
		}
	}
}

func TestWhereOthersReachTheServerThereIsNoPage(t *testing.T) {
	t.Parallel()
	announce := func(string, bool) {}
	for name, config := range map[string]mcpapp.Config{
		"another name":       {Token: "t", AllowedHosts: []string{"localhost", "bot.example"}},
		"a public address":   {URL: "https://bot.example"},
		"another machine":    {Address: "http://192.0.2.7:8080"},
		"an address of none": {URL: "://"},
	} {
		e := start(t)
		config.Runner, config.Actor, config.Announce = e.runner, mcpapp.Always(tools.Actor{ID: "ana"}), announce
		if _, err := mcpapp.New(config); err == nil {
			t.Errorf("%s: there is a page", name)
		}
	}
	for address, want := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "0.0.0.0:80": false, "[::]:80": false, "192.0.2.7:80": false} {
		listens, err := net.ResolveTCPAddr("tcp", address)
		must(t, err)
		if got := mcpapp.OnlyLocal(listens, nil, ""); got != want {
			t.Errorf("%s is only local: %v", address, got)
		}
		if mcpapp.OnlyLocal(listens, []string{"bot.example"}, "") || mcpapp.OnlyLocal(listens, nil, "https://bot.example") {
			t.Errorf("%s with a public name is only local", address)
		}
	}
	e := start(t, withoutSlack)
	a := variants[3].start(t, e)
	said := failed(t, a.call(t, "create_borrower", newBorrower(t, nil)), "PORTAL_USERS", "ASSISTANT_POLICY")
	lacks(t, said, "299999998")
	if got := (rawClient{url: strings.TrimSuffix(e.serve(t), "/mcp") + "/mcp/approvals/"}).send(t, http.MethodGet, ""); got.status != http.StatusNotFound {
		t.Errorf("the page gives %d", got.status)
	}
}

func TestACallAskedForAgainShowsNoSecondAddress(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	asked := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, nil)))
	address := p.address(t)
	for range 3 {
		if again := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, nil))); again.ID != asked.ID {
			t.Errorf("it is another approval: %+v", again)
		}
		approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": asked.ID, "seconds": 0}))
	}
	if n := len(p.announced); n != 0 {
		t.Errorf("%d more addresses are shown", n)
	}
	ana := browser(t).opens(address)
	approvalIn(t, a.call(t, "create_borrower", newBorrower(t, map[string]string{"name": `"Eva Amostra"`})))
	if shown := <-p.announced; !shown.handed {
		t.Error("a window opens although she has the page open")
	}
	contains(t, ana.get(ana.home).text(), "Eva Amostra")
}

func TestADraftGetsItsFileOnThePage(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	draft := approvalIn(t, a.call(t, "write_operation", map[string]any{"operation": "add_document", "arguments": map[string]any{"process": "1043", "documentTypeId": "payslip", "title": "Recibos"}}))
	if draft.Status != "draft" || fmt.Sprint(draft.Missing) != "[files]" {
		t.Fatalf("got %+v", draft)
	}
	ana := browser(t).opens(p.address(t))
	ana.get(ana.home+"form/"+draft.ID).submit("/form/", "do", "file files")
	address := ana.forms("/form/")[0].values.Get("at.files")
	if !strings.HasPrefix(address, "/mcp/upload/") || !strings.Contains(ana.body, `href="`+address+`"`) {
		t.Fatalf("there is no address for a file: %s", ana.text())
	}
	ana.submit("/form/", "do", "check")
	contains(t, ana.text(), "No file was given at its address yet")
	if got := browser(t).send(http.MethodPut, ana.origin()+address, string(pdf), nil); got.status != http.StatusCreated {
		t.Fatalf("the file gives %d %s", got.status, got.body)
	}
	ana.submit("/form/", "do", "check")
	ana.submit("/form/", "do", "approve")
	if told := approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": draft.ID, "seconds": 0})); told.Status != "done" || len(p.bank.Documents(sandbox.SampleProcess(1043))) == 0 {
		t.Errorf("got %+v: %s", told, ana.text())
	}
}

// Without a script the choices within another are shown when she asks for them.
func TestChoicesWithinAnotherFollowIt(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	asked := approvalIn(t, a.call(t, "write_operation", map[string]any{"operation": "update_property", "arguments": map[string]any{
		"process": "1042", "set": map[string]any{"districtId": "Lisboa", "countyId": "Oeiras", "parishId": "Barcarena"},
	}}))
	ana := browser(t).opens(p.address(t))
	contains(t, ana.text(), "Barcarena")
	ana.get(ana.home + "form/" + asked.ID)
	districts := ana.options("is.districtId")
	if districts["Porto"] == "" || ana.options("is.countyId")["Oeiras"] == "" || ana.options("is.countyId")["Matosinhos"] != "" {
		t.Fatalf("districts %v, counties %v", districts, ana.options("is.countyId"))
	}
	ana.submit("/form/", "is.districtId", districts["Porto"], "do", "refresh")
	counties := ana.options("is.countyId")
	if counties["Matosinhos"] == "" || counties["Oeiras"] != "" || ana.forms("/form/")[0].values.Get("is.countyId") != "" {
		t.Fatalf("counties of Porto: %v", counties)
	}
	ana.submit("/form/", "is.countyId", counties["Matosinhos"], "is.parishId", "", "do", "check")
	contains(t, ana.text(), "Porto", "Matosinhos")
	ana.submit("/form/", "do", "approve")
	if told := approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": asked.ID, "seconds": 0})); told.Status != "done" {
		t.Errorf("got %+v: %s", told, ana.text())
	}
}

func TestWhatCannotBeDoneSaysWhy(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	first, second := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, nil))), approvalIn(t, a.call(t, "create_borrower", newBorrower(t, map[string]string{"name": `"Eva Amostra"`, "taxId": `"256893152"`})))
	p.address(t)
	ana := browser(t).opens(p.address(t))
	p.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Status: http.StatusBadRequest, Times: 1, Reply: `{"code": "059999", "message": "Cliente <b>bloqueado</b>"}`})
	all := ana.forms("/approve")[2]
	if len(all.values["id"]) != 2 {
		t.Fatalf("the forms are %v", ana.forms("/approve"))
	}
	ana.sends(all)
	contains(t, ana.text(), "New borrower", "Cliente <b>bloqueado</b>", "Eva Amostra")
	lacks(t, ana.text(), "Borrower created")
	lacks(t, ana.body, "<b>bloqueado</b>")
	for id, want := range map[string]string{first.ID: "failed", second.ID: "waiting"} { // what comes after it is not done
		if told := approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": id, "seconds": 0})); told.Status != want {
			t.Errorf("got %+v, want %s: %s", told, want, ana.text())
		}
	}
}

func TestAFormIsKeptAsSheLeftIt(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	lacking := newBorrower(t, map[string]string{"birthDate": `null`})
	draft := approvalIn(t, a.call(t, "create_borrower", lacking))
	ana := browser(t).opens(p.address(t))
	form := ana.home + "form/" + draft.ID
	ana.get(form).submit("/form/", "is.personal.birthDate", "12/4/1985", "is.personal.address", "Rua Nova", "do", "leave")
	contains(t, ana.text(), "Parts are missing or wrong")
	ana.get(form)
	contains(t, ana.text(), "as you left it", "closes at")
	values := ana.forms("/form/")[0].values
	if values.Get("is.personal.birthDate") != "12/4/1985" || values.Get("is.personal.address") != "Rua Nova" {
		t.Errorf("the form has %v", values)
	}
	ana.submit("/form/", "do", "anew")
	if values := ana.forms("/form/")[0].values; values.Get("is.personal.address") != "" || values.Get("is.personal.name") != "Rui Amostra" {
		t.Errorf("the form has %v", values)
	}
	ana.submit("/form/", "is.personal.address", "Rua Nova", "do", "leave")
	corrected := withArg(withArg(lacking, "personal.name", "Rui Correto"), "idempotencyKey", draft.ID)
	if again := approvalIn(t, a.call(t, "create_borrower", corrected)); again.ID != draft.ID {
		t.Fatalf("got %+v", again)
	}
	if values := ana.get(form).forms("/form/")[0].values; values.Get("is.personal.name") != "Rui Correto" {
		t.Errorf("what the assistant corrected is not shown: %v", values)
	}
}

func TestADeletionIsApprovedByItselfOnThePage(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	deletion := approvalIn(t, a.call(t, "write_operation", map[string]any{"operation": "delete_borrower", "arguments": borrowerArgs(otherBorrower)}))
	approvalIn(t, a.call(t, "update_borrower", withArg(borrowerArgs(otherBorrower), "set", map[string]any{"personal.mobile": "912000222"})))
	ana := browser(t).opens(p.address(t))
	contains(t, ana.text(), "Delete borrower", "Edit borrower", "will be permanently deleted")
	lacks(t, ana.text(), "Approve all")
	contains(t, ana.body, `class="approve danger"`)
	ana.submit("/approve")
	if told := approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": deletion.ID, "seconds": 0})); told.Status != "done" || p.bank.Calls(portal.BorrowerDelete) != 1 || p.bank.Calls(portal.BorrowerUpdate) != 0 {
		t.Errorf("got %+v: %s", told, ana.text())
	}
}
