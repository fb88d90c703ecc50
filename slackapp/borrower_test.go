package slackapp_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools/borrowers"
)

// Inês is the second borrower of process 1043, who can be deleted.
var ines = sandbox.SampleBorrower(sandbox.SampleCouple, 1)

// picks opens a command about Inês.
func (s user) picks(command string) {
	s.h.t.Helper()
	s.types(command + " 1043")
	s.sees("Página 2 de", "1043", "Proponente")
	s.submits(slacksim.Values{"borrower": ines.String()})
}

// edits opens the form that changes Inês.
func (s user) edits() slacksim.View {
	s.h.t.Helper()
	s.picks("/borrower edit")
	return s.sees("Página 3 de 8", "Inês M.")
}

// renumbers opens the form that changes Inês, changes her number and goes to the confirmation page.
func (s user) renumbers() slacksim.View {
	s.h.t.Helper()
	s.edits()
	s.fills(slacksim.Values{"personal.mobile": "961234567"})
	s.presses("skip")
	return s.sees("Página 8 de 8", "Telemóvel", "→")
}

// storedBorrower returns Inês as the bank has her.
func (h *harness) storedBorrower() portal.Borrower {
	h.t.Helper()
	borrower, err := h.anasLogin().Borrower(h.ctx(), sandbox.SampleProcess(sandbox.SampleCouple), ines)
	must(h.t, err)
	return borrower
}

func (h *harness) anasLogin() *portal.User { return h.client.As(h.people.Team[""].Login, "pt-PT") }

// changeAtBank changes Inês as somebody else would.
func (h *harness) changeAtBank(change func(*portal.PersonalDataRequest)) {
	h.t.Helper()
	request := h.storedBorrower().Request()
	change(request.Personal)
	_, err := h.anasLogin().UpdateBorrower(h.ctx(), sandbox.SampleProcess(sandbox.SampleCouple), ines, request)
	must(h.t, err)
}

// fillProcess adds borrowers to process 1042 until the bank takes no more.
func (h *harness) fillProcess() {
	h.t.Helper()
	process := sandbox.SampleProcess(sandbox.SampleOpen)
	another := h.storedBorrower().Request()
	for eight := 29_990_000; ; eight++ {
		sum := 0
		for i, digit := range strconv.Itoa(eight) {
			sum += (9 - i) * int(digit-'0')
		}
		if sum%11 < 2 {
			continue // the control digit would be 0
		}
		another.Personal.TaxID = pii.New[pii.TaxID](strconv.Itoa(eight) + strconv.Itoa(11-sum%11))
		if _, err := h.anasLogin().CreateBorrower(h.ctx(), process, another); err != nil {
			return
		}
	}
}

func (h *harness) deleted() bool {
	h.t.Helper()
	found, err := h.anasLogin().ListBorrowers(h.ctx(), sandbox.SampleProcess(sandbox.SampleCouple))
	must(h.t, err)
	return len(found) == 1
}

// borrowerFlows are about one borrower, over both transports.
var borrowerFlows = []flow{
	{"a broker reads all that the bank has of a borrower", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.picks("/borrower")
		view := ana.sees("Proponente do processo 1043", "Inês M.")
		for _, path := range []string{"personal.mobile", "personal.zipCode", "financial.incomeWagesPensions", "professional.employmentDurationMonths"} {
			if field, _ := borrowers.Create.Field(path); !strings.Contains(view.Text(), field.Label("pt-PT")) {
				t.Errorf("the card lacks %s: %s", path, view.Text())
			}
		}
		if len(h.drafts()) != 0 {
			t.Error("a form that only reads is kept")
		}
	}},
	{"what is read is changed: the form has what the bank has, and only what changed is different", func(t *testing.T, h *harness) {
		before := h.storedBorrower().Request()
		ana := h.ana()
		ana.picks("/borrower")
		ana.sees("Proponente do processo 1043")
		ana.presses("step:a")
		form := ana.sees("Página 3 de 8", "1043 › Inês M.")
		for path, want := range map[string]string{
			"personal.name": "Inês Modelo", "personal.mobile": before.Personal.Mobile.Reveal(), "personal.genderId": "1", "borrowerTypeId": "2",
		} {
			if got := typed(form.Values[path]); got != want {
				t.Errorf("%s holds %q, want %q", path, got, want)
			}
		}
		ana.fills(slacksim.Values{"personal.mobile": "961 234 567"})
		ana.presses("skip")
		reading := ana.sees("Página 8 de 8", "Telemóvel", "→ +351961234567", "Guardar alterações")
		if says(reading.Text(), []string{"E-mail"}) {
			t.Errorf("what does not change is shown: %s", reading.Text())
		}
		ana.submits(nil)
		ana.sees("Proponente alterado", "Inês M.")
		ana.readsIn(ana.DM(), "Proponente alterado") // a modal's step knows no channel
		before.Personal.Mobile = pii.New[pii.Phone]("+351961234567")
		if after := h.storedBorrower().Request(); !same(t, after, before) {
			t.Error("more than the number is different")
		}
	}},
	{"a choice is taken back and a text emptied", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.edits()
		ana.submits(nil)
		ana.sees("Página 4 de 8")
		ana.submits(slacksim.Values{"personal.nationalityId": "(em branco)"})
		ana.sees("Página 5 de 8")
		ana.fills(slacksim.Values{"personal.floor": ""})
		ana.presses("skip")
		ana.sees("Página 8 de 8", "Portuguesa\n→ —")
		ana.submits(nil)
		ana.sees("Proponente alterado")
		if after := h.storedBorrower().Request().Personal; after.NationalityID != nil || !after.Floor.IsZero() || after.ZipCode.IsZero() {
			t.Error("the bank does not have it as she left it")
		}
	}},
	{"what was wrong before keeps nobody from changing something else, and what she makes wrong does", func(t *testing.T, h *harness) {
		h.changeAtBank(func(p *portal.PersonalDataRequest) {
			p.Phone = pii.New[pii.Phone]("+35121234")
		})
		ana := h.ana()
		ana.edits()
		refused := ana.submits(slacksim.Values{"personal.mobile": "21"})
		if len(refused.Errors) != 1 || refused.Errors["personal.mobile"] == "" {
			t.Errorf("a wrong number gives %+v", refused)
		}
		ana.submits(slacksim.Values{"personal.mobile": "961234567"})
		ana.sees("Página 4 de 8")
		ana.submits(nil)
		ana.sees("Página 5 de 8")
		ana.presses("skip")
		ana.sees("Página 8 de 8", "Aviso: ", "Guardar alterações")
		ana.submits(nil)
		ana.sees("Proponente alterado")
	}},
	{"a form that changes nothing is not sent", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.edits()
		ana.presses("skip")
		if view := ana.sees("Página 8 de 8", "Não há nada a alterar"); view.Submit != "" {
			t.Errorf("it can be confirmed: %q", view.Submit)
		}
	}},
	{"what somebody else changed meanwhile is shown, and stays", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.edits()
		h.changeAtBank(func(p *portal.PersonalDataRequest) { p.Floor = pii.New[pii.Address]("5.º") })
		ana.fills(slacksim.Values{"personal.mobile": "961234567"})
		ana.presses("skip")
		ana.sees("Página 8 de 8", "Estes dados foram alterados por outra pessoa", "Guardar alterações")
		ana.submits(nil)
		ana.sees("Proponente alterado")
		if after := h.storedBorrower().Personal; after.Floor.Reveal() != "5.º" || after.Mobile.Reveal() != "+351961234567" {
			t.Error("one of the two changes is lost")
		}
	}},
	{"what somebody else changes while she reads it over is shown before it is sent", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.renumbers()
		h.changeAtBank(func(p *portal.PersonalDataRequest) { p.Floor = pii.New[pii.Address]("5.º") })
		ana.submits(nil)
		ana.sees("Página 8 de 8", "Estes dados foram alterados por outra pessoa")
		ana.submits(nil)
		ana.sees("Proponente alterado")
	}},
	{"another choice of process and borrower brings another form", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.edits()
		ana.fills(slacksim.Values{"personal.mobile": "961234567"})
		ana.presses("back")
		ana.sees("Página 2 de 8")
		ana.presses("back")
		ana.sees("Página 1 de 8")
		ana.submits(slacksim.Values{"process": sandbox.SampleProcess(sandbox.SampleOpen).String()})
		page := ana.sees("Página 2 de 8", "1042")
		if got := typed(page.Values["borrower"]); got != "" {
			t.Errorf("a borrower of the other process is still chosen: %s", got)
		}
		offered, err := ana.Options(h.ctx(), "borrower", "")
		must(t, err)
		if len(offered) != 1 || !strings.HasPrefix(offered[0].Text, "Maria E.") {
			t.Fatalf("offered are %+v", offered)
		}
		ana.submits(slacksim.Values{"borrower": offered[0].Value})
		form := ana.sees("Página 3 de 8", "Maria E.")
		if name, number := typed(form.Values["personal.name"]), typed(form.Values["personal.mobile"]); name != "Maria Exemplo" || strings.Contains(number, "961234567") {
			t.Errorf("Maria's form has %q and %q", name, number)
		}
	}},
	{"a window left behind with one borrower shows the other whom she has chosen since, and nothing of the first", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.edits()
		ana.fills(slacksim.Values{"personal.name": "Inês Errada"})
		h.editInOtherWindow(func(d *conversations.Draft) {
			d.Answers["borrower"] = sandbox.SampleBorrower(sandbox.SampleCouple, 0).String()
		})
		ana.submits(nil)
		form := ana.sees("continuado noutra janela", "Página 3 de 8")
		if got := typed(form.Values["personal.name"]); got != "Rui Amostra" {
			t.Errorf("the name is %q", got)
		}
	}},
	{"a change that was begun is found again, after the app's death too", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.edits()
		ana.submits(slacksim.Values{"personal.mobile": "961234567"})
		ana.sees("Página 4 de 8")
		must(t, ana.Close(h.ctx()))
		kept := ana.reads("fica guardado", "Editar proponente")
		h.restart()
		ana.pressesIn(kept, "continue")
		ana.sees("Página 4 de 8", "Retomámos o que começou", "Inês M.")
		ana.presses("back")
		if form := ana.sees("Página 3 de 8"); typed(form.Values["personal.mobile"]) != "961234567" {
			t.Errorf("the number is %v", form.Values["personal.mobile"])
		}
		ana.presses("skip")
		ana.sees("Página 8 de 8", "Telemóvel")
		ana.submits(nil)
		ana.sees("Proponente alterado")
	}},
	{"what nobody filled in is not kept when it is closed", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.edits()
		must(t, ana.Close(h.ctx()))
		ana.picks("/borrower delete")
		ana.sees("Página 3 de 3", "vai ser eliminado")
		must(t, ana.Close(h.ctx()))
		h.changeAtBank(func(p *portal.PersonalDataRequest) { p.Mobile = pii.New[pii.Phone]("+351961234567") })
		if form := ana.edits(); typed(form.Values["personal.mobile"]) != "+351961234567" {
			t.Error("the form shows what the bank had before")
		}
		must(t, ana.Close(h.ctx()))
		must(t, h.replica.app.Close(h.ctx())) // waits for its work
		if len(h.drafts()) != 0 || len(ana.Messages(slacksim.TeamChannel)) != 0 || h.deleted() {
			t.Errorf("%d forms and %d messages are left", len(h.drafts()), len(ana.Messages(slacksim.TeamChannel)))
		}
	}},
	{"a borrower is taken out from a card, once, however often she presses", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.picks("/borrower")
		ana.sees("Proponente do processo 1043")
		ana.presses("step:c")
		ana.sees("Página 3 de 3", "Inês Modelo", "vai ser eliminado do processo 1043", "Eliminar")
		h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerDelete, Latency: time.Second})
		h.pressesThrice()
		ana.sees("Proponente eliminado", "Inês M.")
		ana.readsIn(ana.DM(), "Proponente eliminado")
		h.submitAgain()
		if calls := h.bank.Calls(portal.BorrowerDelete); calls != 1 || !h.deleted() {
			t.Errorf("the bank was asked %d times", calls)
		}
	}},
	{"the key borrower is not taken out", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower delete 1042")
		ana.sees("Página 2 de 3")
		ana.submits(slacksim.Values{"borrower": sandbox.SampleBorrower(sandbox.SampleOpen, 0).String()})
		if view := ana.sees("Página 3 de 3", "não pode ser eliminado"); view.Submit != "" || h.bank.Calls(portal.BorrowerDelete) != 0 {
			t.Errorf("it can be confirmed: %q", view.Submit)
		}
	}},
	{"a change is made once, however often she presses", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.renumbers()
		h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerUpdate, Latency: time.Second})
		h.pressesThrice()
		ana.sees("Proponente alterado")
		ana.reads("Proponente alterado")
		h.submitAgain()
		if calls := h.bank.Calls(portal.BorrowerUpdate); calls != 1 {
			t.Errorf("the bank was asked %d times", calls)
		}
	}},
	{"the ESIS is sent once, to the address that she confirmed, however often she presses", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.picks("/esis send")
		reading := ana.sees("Página 3 de 3", "1043", "não pode ser anulado", "Enviar FINE")
		if address := h.storedBorrower().Personal.Email.Reveal(); !strings.Contains(reading.Text(), address) {
			t.Error("the address is not there in full")
		}
		h.bank.Inject(sandbox.Fault{Operation: portal.ProcessESISEmail, Latency: time.Second})
		h.pressesThrice()
		ana.sees("FINE do processo 1043 enviada")
		ana.reads("FINE do processo 1043 enviada")
		h.submitAgain()
		sent := h.bank.Sent()
		if len(sent) != 1 || sent[0].To != h.storedBorrower().Personal.Email || sent[0].IgnoreRules {
			t.Errorf("%d e-mails went out", len(sent))
		}
	}},
	{"an address that changed since she read it is shown to her before anything goes there", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.picks("/esis send")
		ana.sees("Página 3 de 3", "segue para ines.modelo@example.com", "não pode ser anulado")
		h.changeAtBank(func(p *portal.PersonalDataRequest) { p.Email = pii.New[pii.Email]("intruso@example.com") })
		ana.submits(nil)
		ana.sees("Página 3 de 3", "segue para intruso@example.com", "não pode ser anulado")
		if sent := h.bank.Sent(); len(sent) != 0 {
			t.Fatalf("%d e-mails went out", len(sent))
		}
		ana.submits(nil)
		ana.sees("FINE do processo 1043 enviada")
		if sent := h.bank.Sent(); len(sent) != 1 || sent[0].To.Reveal() != "intruso@example.com" {
			t.Errorf("%d e-mails went out", len(sent))
		}
	}},
	{"another address for the ESIS is doubted, and two are refused", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/esis send 1043")
		ana.sees("Página 2 de 3", "Destinatário")
		for _, wrong := range []slacksim.Values{nil, {"borrower": ines.String(), "email": "rui@example.com"}} {
			if refused := ana.submits(wrong); refused.Action != "errors" {
				t.Errorf("%v gives %+v", wrong, refused)
			}
		}
		ana.submits(slacksim.Values{"borrower": "(em branco)", "email": "rui@example.com"})
		ana.sees("Página 3 de 3", "não é de nenhum proponente")
		ana.submits(nil)
		ana.sees("FINE do processo 1043 enviada")
		if sent := h.bank.Sent(); len(sent) != 1 || sent[0].To.Reveal() != "rui@example.com" {
			t.Errorf("%d e-mails went out", len(sent))
		}
	}},
	{"what a form is about is asked for where the bank does not know it", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower edit 9999")
		ana.sees("Página 1 de 8", "Processo")
		ana.submits(nil)
		ana.sees("Página 2 de 8")
		must(t, ana.Close(h.ctx()))
		ana.types("/borrower new 9999")
		ana.sees("Página 1 de 7", "Processo")
		ana.submits(nil)
		ana.sees("Página 2 de 7")
		ana.submits(personalData)
		ana.sees("Página 3 de 7")
		ana.presses("skip")
		ana.sees("não foi encontrado", "Voltar ao formulário")
		ana.presses("continue")
		ana.sees("Página 1 de 7")
		ana.submits(slacksim.Values{"process": sandbox.SampleProcess(sandbox.SampleOpen).String()})
		if page := ana.sees("Página 2 de 7"); typed(page.Values["personal.name"]) != "Rui Amostra" {
			t.Error("what she typed is gone")
		}
	}},
}

// same compares two borrowers.
func same(t *testing.T, a, b portal.BorrowerRequest) bool {
	t.Helper()
	one, err := pii.MarshalClear(a)
	must(t, err)
	other, err := pii.MarshalClear(b)
	must(t, err)
	return string(one) == string(other)
}

// pressesThrice submits Ana's modal three times at once.
func (h *harness) pressesThrice() {
	var presses sync.WaitGroup
	for range 3 {
		presses.Go(func() { _, _ = h.sim.User(slacksim.Ana).Submit(h.ctx(), nil) }) // all but one find the modal changed
	}
	presses.Wait()
}

// submitAgain delivers all deliveries again, and waits until they are handled.
func (h *harness) submitAgain() {
	h.t.Helper()
	for _, earlier := range h.sim.Deliveries() {
		_, err := h.sim.Redeliver(h.ctx(), earlier.ID)
		must(h.t, err)
	}
	must(h.t, h.replica.app.Close(h.ctx()))
}
