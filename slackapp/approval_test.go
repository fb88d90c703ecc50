package slackapp_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// asks makes a call of Ana's assistant that waits for her.
func (h *harness) asks(tool, args string, change ...func(*tools.Request)) tools.Approval {
	h.t.Helper()
	of, known := h.replica.runner.Catalogue.Named(tool)
	if !known {
		h.t.Fatalf("there is no tool %s", tool)
	}
	request := tools.Request{Tool: of, Actor: tools.Actor{ID: anasAssistant, Lang: words.English, Assistant: true, Client: "Claude 1.2"}, Args: json.RawMessage(args)}
	for _, c := range change {
		c(&request)
	}
	result, err := h.replica.runner.Run(h.ctx(), request)
	must(h.t, err)
	if result.Pending == nil {
		h.t.Fatalf("%s does not wait: %+v", tool, result)
	}
	return *result.Pending
}

// learns returns what Ana's assistant learns of an approval.
func (h *harness) learns(id string) tools.Approval {
	h.t.Helper()
	told, _, err := h.replica.runner.AwaitApproval(h.ctx(), tools.Actor{ID: anasAssistant, Lang: words.English, Assistant: true}, id, 0)
	must(h.t, err)
	return told
}

// card waits for the card in Ana's direct messages that has all texts.
func (s user) card(texts ...string) slacksim.Message {
	s.h.t.Helper()
	return s.readsIn(s.DM(), texts...)
}

// cards are the messages in Ana's direct messages that everybody in it sees.
func (s user) cards() []slacksim.Message {
	return slices.DeleteFunc(s.Messages(s.DM()), func(m slacksim.Message) bool { return m.Ephemeral })
}

// firstOpen is the id of the approval that has waited longest for Ana.
func (h *harness) firstOpen() string {
	h.t.Helper()
	open, err := h.replica.runner.OpenApprovals(h.ctx(), tools.Actor{ID: anasID})
	must(h.t, err)
	return open[0].ID
}

// valueOf returns the value of a button of a message.
func valueOf(t *testing.T, m slacksim.Message, action string) string {
	t.Helper()
	var blocks []struct {
		Elements []struct {
			Action string `json:"action_id"`
			Value  string `json:"value"`
		} `json:"elements"`
	}
	must(t, json.Unmarshal(m.Blocks, &blocks))
	for _, block := range blocks {
		for _, e := range block.Elements {
			if e.Action == action {
				return e.Value
			}
		}
	}
	t.Fatalf("there is no button %s in %s", action, m.Blocks)
	return ""
}

// auditedSteps returns the audited steps of an approval.
func (h *harness) auditedSteps(id string) (steps []string) {
	h.t.Helper()
	for entry, err := range h.replica.store.AuditEntries(h.ctx(), conversations.Month(time.Now().UTC().Format("2006-01"))) {
		must(h.t, err)
		var read struct{ Outcome, Actor, Approval string }
		must(h.t, json.Unmarshal(entry.Entry, &read))
		if read.Approval == id && (steps == nil || steps[len(steps)-1] != read.Outcome) {
			steps = append(steps, read.Outcome)
		}
	}
	return steps
}

// clear matches what only Ana may read of the borrower that her assistant asks for.
var clearValues = regexp.MustCompile(`299999998|rui@example\.com|12/04/1985`)

var newBorrower = testenv.NewBorrower(map[string]string{"email": `"rui@example.com"`, "birthDate": `"1985-04-12"`})

// newEmail are the arguments of a change of a borrower's address.
func newEmail(email string) string {
	return testenv.BorrowerArgs(1043, 0, `"set":{"personal.email":"`+email+`"}`)
}

var approvalFlows = []flow{
	{"what an assistant asks for is a card in clear, and one press makes it", func(t *testing.T, h *harness) {
		ana := h.ana()
		a := h.asks("create_borrower", newBorrower)
		card := ana.card("Novo proponente · processo 1042", "Pedido do assistente Claude 1.2", "decida até às", "299999998", "rui@example.com")
		if clearValues.MatchString(card.Text) || !strings.Contains(card.Text, "Novo proponente · processo 1042") {
			t.Errorf("the notification says %q", card.Text)
		}
		if first := card.FullText(); !strings.HasPrefix(first, "Novo proponente · processo 1042\n") {
			t.Errorf("the first line is not what would happen: %q", first)
		}
		ana.pressesIn(card, "approve")
		done := ana.card("Proponente criado", "Aprovado por si às", "Claude 1.2")
		if done.TS != card.TS || len(ana.cards()) != 1 {
			t.Errorf("it is another message: %d", len(ana.cards()))
		}
		if text := done.FullText() + string(done.Blocks) + done.Text; clearValues.MatchString(text) {
			t.Errorf("the values stay: %s", text)
		}
		if h.created() != 1 {
			t.Errorf("the bank created %d", h.created())
		}
		if steps := h.auditedSteps(a.ID); !slices.Equal(steps, []string{"asked", "shown", "approved", "begun", "done"}) {
			t.Errorf("the audit log has %q", steps)
		}
		ana.pressesIn(done, "approval_review") // what it was
		if view := ana.sees("Novo proponente", "299999998", "Aprovado por si"); view.Submit != "" {
			t.Errorf("it can be sent again: %s", view.Submit)
		}
	}},
	{"a change is shown from what to what, and again if it changed meanwhile", func(t *testing.T, h *harness) {
		ana := h.ana()
		before := h.first.Borrower(t, 1043, 0).Personal.Email.Reveal()
		a := h.asks("update_borrower", newEmail("novo@example.com"))
		card := ana.card("Editar proponente · processo 1043", before+"\n→ novo@example.com")
		h.changesEmail("entretanto@example.com")
		ana.pressesIn(card, "approve")
		ana.card("Nada foi feito", "mudaram")
		card = ana.card("os dados no banco mudaram desde o pedido", "entretanto@example.com\n→ novo@example.com")
		if told := h.learns(a.ID); told.Status != tools.ApprovalWaits {
			t.Errorf("it is %v", told.Status)
		}
		ana.pressesIn(card, "approve")
		ana.card("Proponente alterado")
		if email := h.first.Borrower(t, 1043, 0).Personal.Email.Reveal(); email != "novo@example.com" {
			t.Errorf("the bank has %s", email)
		}
	}},
	{"while the bank does not answer, the card stays and she is told", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.asks("update_borrower", newEmail("novo@example.com"))
		card := ana.card("novo@example.com")
		recovers := h.bank.Inject(sandbox.Fault{Status: 503})
		ana.pressesIn(card, "approve")
		ana.card("Nada foi")
		recovers()
		card = ana.card("novo@example.com", "Aprovar")
		h.wait("it is made once the bank answers", func() bool {
			_ = ana.ClickMessage(h.ctx(), card.Channel, card.TS, "approve") // without the button while it is sent
			return h.bank.Calls(portal.BorrowerUpdate) == 1
		})
		ana.card("Proponente alterado")
	}},
	{"a rejection has a word back for the assistant", func(t *testing.T, h *harness) {
		ana := h.ana()
		a, other := h.asks("create_borrower", newBorrower), h.asks("update_borrower", newEmail("novo@example.com"))
		ana.pressesIn(ana.card("Novo proponente", "299999998"), "approval_reject")
		ana.sees("Vai recusar: Novo proponente · processo 1042")
		if done := ana.submits(slacksim.Values{"word": "A cliente mudou de ideias."}); done.Action != "close" {
			t.Errorf("the modal: %+v", done)
		}
		card := ana.card("Recusado por si às", "A cliente mudou de ideias.")
		if clearValues.Match(card.Blocks) {
			t.Errorf("the values stay: %s", card.Blocks)
		}
		if told := h.learns(a.ID); told.Status != tools.ApprovalRejected || told.Reason != "A cliente mudou de ideias." {
			t.Errorf("the assistant learns %v, %q", told.Status, told.Reason)
		}
		ana.pressesIn(ana.card("novo@example.com"), "approval_reject")
		ana.sees("Vai recusar: Editar proponente")
		ana.submits(nil)
		ana.card("Recusado por si às", "Editar proponente")
		if told := h.learns(other.ID); told.Status != tools.ApprovalRejected || told.Reason != "" {
			t.Errorf("the assistant learns %v, %q", told.Status, told.Reason)
		}
		if h.created() != 0 {
			t.Error("the bank was asked")
		}
	}},
	{"what she changes in the form is approved, and the assistant learns which field", func(t *testing.T, h *harness) {
		ana := h.ana()
		a := h.asks("create_borrower", newBorrower)
		ana.pressesIn(ana.card("299999998"), "approval_review")
		ana.sees("Página 2 de 7", "Pedido do assistente Claude 1.2", "Nome completo")
		ana.submits(slacksim.Values{"personal.mobile": "913333333"})
		ana.sees("Página 3 de 7")
		ana.presses("skip")
		ana.sees("Página 7 de 7", "Aprovar", "913333333", "299999998")
		ana.submits(nil)
		ana.sees("Proponente criado")
		card := ana.card("Proponente criado", "Alterou: Telemóvel")
		if len(ana.cards()) != 1 || clearValues.Match(card.Blocks) {
			t.Errorf("%d messages, %s", len(ana.cards()), card.Blocks)
		}
		if told := h.learns(a.ID); told.Status != tools.ApprovalDone || !slices.Equal(told.Changed, []string{"personal.mobile"}) {
			t.Errorf("the assistant learns %v %q", told.Status, told.Changed)
		}
		if steps := h.auditedSteps(a.ID); !slices.Equal(steps, []string{"asked", "shown", "reviewed", "changed", "approved", "begun", "done"}) {
			t.Errorf("the audit log has %q", steps)
		}
		if h.created() != 1 || len(h.drafts()) != 0 {
			t.Errorf("%d created, %d drafts left", h.created(), len(h.drafts()))
		}
	}},
	{"the form of a change has what the bank holds with the change laid over it", func(t *testing.T, h *harness) {
		ana := h.ana()
		a := h.asks("update_borrower", newEmail("novo@example.com"))
		ana.pressesIn(ana.card("novo@example.com"), "approval_review")
		held := h.first.Borrower(t, 1043, 0).Personal
		page := ana.sees("Pedido do assistente Claude 1.2", "Nome completo")
		values, err := json.Marshal(page.Values)
		must(t, err)
		if !strings.Contains(string(values), `"novo@example.com"`) || !strings.Contains(string(values), held.Name.Reveal()) {
			t.Errorf("the form is filled in with %s", values)
		}
		ana.presses("skip")
		ana.sees("Aprovar", held.Email.Reveal()+"\n→ novo@example.com")
		ana.submits(nil)
		ana.sees("Proponente alterado")
		if told := h.learns(a.ID); told.Status != tools.ApprovalDone || len(told.Changed) > 0 {
			t.Errorf("the assistant learns %v %q", told.Status, told.Changed)
		}
	}},
	{"a call that lacks parts is finished in the form", func(t *testing.T, h *harness) {
		ana := h.ana()
		a := h.asks("create_borrower", testenv.NewBorrower(map[string]string{"taxId": `"299999999"`, "birthDate": `null`}))
		card := ana.card("Há dados em falta ou errados", "NIF", "Completar")
		if strings.Contains(string(card.Blocks), `"approve"`) {
			t.Error("it can be approved as it is")
		}
		ana.pressesIn(card, "approval_review")
		ana.sees("Página 2 de 7", "Em falta ou errado:", "NIF", "Data de nascimento")
		ana.submits(slacksim.Values{"personal.birthDate": "12/04/1985", "personal.taxId": "299999998"})
		ana.sees("Página 3 de 7")
		ana.presses("skip")
		ana.sees("Aprovar", "299999998")
		ana.submits(nil)
		ana.sees("Proponente criado")
		if told := h.learns(a.ID); told.Status != tools.ApprovalDone || len(told.Changed) != 2 {
			t.Errorf("the assistant learns %v %q", told.Status, told.Changed)
		}
	}},
	{"several acts on one process are one card in order, approved together", func(t *testing.T, h *harness) {
		ana := h.ana()
		first, second := h.asks("update_borrower", newEmail("novo@example.com")), h.asks("update_property", propertyArgs)
		card := ana.card("2 pedidos do assistente · processo 1043", "1. Editar proponente", "2. Editar imóvel", "Aprovar tudo (2)")
		if len(ana.cards()) != 1 {
			t.Errorf("there are %d cards", len(ana.cards()))
		}
		ana.pressesIn(card, "approve_all")
		done := ana.card("2 pedidos do assistente, decididos", "Proponente alterado", "Imóvel alterado")
		if done.TS != card.TS || strings.Contains(string(done.Blocks), "novo@example.com") {
			t.Errorf("the values stay, or it is another message: %s", done.Blocks)
		}
		for _, id := range []string{first.ID, second.ID} {
			if told := h.learns(id); told.Status != tools.ApprovalDone {
				t.Errorf("it is %v", told.Status)
			}
		}
	}},
	{"a failure stops the rest of those approved together", func(t *testing.T, h *harness) {
		ana := h.ana()
		first, second := h.asks("update_borrower", newEmail("novo@example.com")), h.asks("update_property", propertyArgs)
		card := ana.card("Aprovar tudo (2)")
		h.changesEmail("entretanto@example.com")
		ana.pressesIn(card, "approve_all")
		ana.card("Aprovados e feitos: 0 de 2", "mudaram", "fica à sua espera")
		for _, id := range []string{first.ID, second.ID} {
			if told := h.learns(id); told.Status != tools.ApprovalWaits {
				t.Errorf("it is %v", told.Status)
			}
		}
		card = ana.card("entretanto@example.com\n→ novo@example.com", "Aprovar tudo (2)")
		ana.pressesIn(card, "approve_all")
		ana.card("Proponente alterado", "Imóvel alterado")
	}},
	{"a corrected request replaces what the card shows", func(t *testing.T, h *harness) {
		ana := h.ana()
		a := h.asks("create_borrower", newBorrower)
		card := ana.card("299999998", "rui@example.com")
		corrected := h.asks("create_borrower", testenv.NewBorrower(map[string]string{"email": `"certo@example.com"`}), testenv.WithKey(a.ID))
		again := ana.card("certo@example.com")
		if corrected.ID != a.ID || again.TS != card.TS || strings.Contains(string(again.Blocks), "rui@example.com") {
			t.Errorf("%v, %s", corrected, again.Blocks)
		}
		must(t, h.press(slacksim.Ana, "approve", valueOf(t, card, "approve"))) // what she saw before
		ana.card("Nada foi feito", "mudaram")
		if h.created() != 0 {
			t.Error("it was made as it was shown before")
		}
	}},
	{"a request that joins an older card moves it to the end, so that she is notified", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.asks("update_borrower", newEmail("novo@example.com"))
		card := ana.card("novo@example.com")
		group := strings.Join([]string{anasID, anasAssistant, "Claude 1.2", "1043"}, "\n")
		h.wait("the card is stored", func() bool {
			stored, known, err := h.replica.store.Get(h.ctx(), "approvals", group)
			must(t, err)
			return known && strings.Contains(string(stored), card.TS)
		})
		stored, _, err := h.replica.store.Get(h.ctx(), "approvals", group)
		must(t, err)
		var kept map[string]any
		must(t, json.Unmarshal(stored, &kept))
		kept["began"] = time.Now().Add(-time.Hour)
		stored, err = json.Marshal(kept)
		must(t, err)
		must(t, h.replica.store.Put(h.ctx(), "approvals", group, stored, time.Hour))
		h.asks("update_property", propertyArgs)
		if moved := ana.card("2 pedidos", "novo@example.com"); moved.TS == card.TS || len(ana.cards()) != 1 {
			t.Errorf("it stays where it was, or there are %d cards", len(ana.cards()))
		}
	}},
	{"a file that she gives in place of the assistant's is hers", func(t *testing.T, h *harness) {
		ana := h.ana()
		a := h.asks("add_document", `{"process":"1042","documentTypeId":203,"files":["upload:example"]}`)
		ana.pressesIn(ana.card("Juntar documentos · processo 1042", "Rever"), "approval_review")
		ana.sees("Pedido do assistente Claude 1.2")
		file, err := ana.Upload("Recibo certo.pdf", strings.NewReader("%PDF-1.7\nrecibo"))
		must(t, err)
		ana.submits(slacksim.Values{"files": file})
		ana.sees("Aprovar", "Recibo certo.pdf")
		ana.submits(nil)
		ana.sees("Documentos entregues")
		if told := h.learns(a.ID); told.Status != tools.ApprovalDone || !slices.Equal(told.Changed, []string{"files"}) {
			t.Errorf("the assistant learns %v %q", told.Status, told.Changed)
		}
	}},
	{"what has no room on a card follows once others are decided", func(t *testing.T, h *harness) {
		ana := h.ana()
		for i := range 14 {
			h.asks("create_borrower", testenv.NewBorrower(map[string]string{"name": `"Rui ` + strings.Repeat("A", i+1) + `"`}))
		}
		card := ana.card("14 pedidos do assistente", "…e mais", "Rever")
		if strings.Contains(card.FullText(), "Aprovar tudo") {
			t.Error("what is not shown can be approved")
		}
		hidden := strings.Count(string(card.Blocks), `"approval_reject"`)
		for range 4 {
			must(t, h.replica.runner.Reject(h.ctx(), tools.Actor{ID: anasID}, h.firstOpen(), ""))
		}
		card = ana.card("10 pedidos do assistente")
		if shown := strings.Count(string(card.Blocks), `"approval_reject"`); shown < hidden {
			t.Errorf("%d are shown, %d were before", shown, hidden)
		}
	}},
	{"what is too long for a message is read and approved in the form", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.asks("send_message", `{"process":"1043","subject":"Documentos","text":"`+strings.Repeat("Seguem os documentos. ", 60)+`"}`)
		card := ana.card("longo demais para uma mensagem")
		if strings.Contains(string(card.Blocks), `"approve"`) || strings.Contains(string(card.Blocks), "Seguem os documentos") {
			t.Errorf("a part of it can be approved: %s", card.Blocks)
		}
		ana.pressesIn(card, "approval_review")
		ana.sees("Pedido do assistente Claude 1.2")
	}},
	{"what is withdrawn or expired leaves the card without values", func(t *testing.T, h *harness) {
		ana := h.ana()
		a := h.asks("create_borrower", newBorrower)
		ana.card("299999998")
		must(t, h.replica.runner.Withdraw(h.ctx(), tools.Actor{ID: anasAssistant, Assistant: true}, a.ID))
		card := ana.card("O assistente retirou o pedido às")
		if clearValues.Match(card.Blocks) || strings.Contains(string(card.Blocks), `"approve"`) {
			t.Errorf("the card shows %s", card.Blocks)
		}
	}},
	{"a form that she closes leaves the card, and keeps what she typed", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.asks("create_borrower", newBorrower)
		card := ana.card("299999998")
		ana.pressesIn(card, "approval_review")
		ana.sees("Página 2 de 7")
		must(t, ana.Close(h.ctx()))
		h.wait("the untouched draft is gone", func() bool { return len(h.drafts()) == 0 })
		ana.pressesIn(card, "approval_review")
		ana.sees("Página 2 de 7")
		ana.submits(slacksim.Values{"personal.mobile": "913333333"})
		ana.sees("Página 3 de 7")
		must(t, ana.Close(h.ctx()))
		ana.readsIn(ana.DM(), "O rascunho de «Novo proponente» fica guardado", "1 campo")
		ana.pressesIn(ana.card("299999998", "Rever"), "approval_review")
		ana.sees("Página 3 de 7", "Pedido do assistente Claude 1.2")
		ana.presses("skip")
		ana.sees("Aprovar", "913333333")
		ana.presses("back")
		ana.sees("Página 6 de 7")
	}},
	{"a form that she changed before the assistant corrected its request keeps hers, and can start over", func(t *testing.T, h *harness) {
		ana := h.ana()
		a := h.asks("create_borrower", newBorrower)
		ana.pressesIn(ana.card("299999998"), "approval_review")
		ana.sees("Página 2 de 7")
		ana.submits(slacksim.Values{"personal.mobile": "913333333"})
		ana.sees("Página 3 de 7")
		must(t, ana.Close(h.ctx()))
		h.asks("create_borrower", testenv.NewBorrower(map[string]string{"email": `"certo@example.com"`}), testenv.WithKey(a.ID))
		ana.pressesIn(ana.card("certo@example.com"), "approval_review")
		ana.sees("Página 3 de 7", "O assistente alterou o pedido entretanto", "Começar de novo")
		ana.presses("restart")
		page := ana.sees("Página 2 de 7")
		values, err := json.Marshal(page.Values)
		must(t, err)
		if text := string(values); !strings.Contains(text, "certo@example.com") || strings.Contains(text, "913333333") {
			t.Errorf("it starts over with %s", text)
		}
	}},
	{"a form whose approval was decided elsewhere says so, and goes on as her own", func(t *testing.T, h *harness) {
		ana := h.ana()
		a := h.asks("create_borrower", newBorrower)
		ana.pressesIn(ana.card("299999998"), "approval_review")
		ana.sees("Página 2 de 7")
		ana.submits(slacksim.Values{"personal.mobile": "913333333"})
		ana.sees("Página 3 de 7")
		must(t, h.replica.runner.Withdraw(h.ctx(), tools.Actor{ID: anasAssistant, Assistant: true}, a.ID))
		ana.presses("skip")
		ana.sees("O assistente retirou o pedido", "Continuar por minha conta")
		ana.presses("own")
		if page := ana.sees("Criar proponente", "913333333"); strings.Contains(page.Text(), "Claude") {
			t.Errorf("it is still the assistant's: %s", page.Text())
		}
		ana.submits(nil)
		ana.sees("Proponente criado")
		if h.created() != 1 || h.learns(a.ID).Status != tools.ApprovalWithdrawn {
			t.Errorf("%d created, %v", h.created(), h.learns(a.ID).Status)
		}
	}},
	{"a form that is confirmed after the card was approved makes nothing twice", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.asks("create_borrower", newBorrower)
		card := ana.card("299999998")
		ana.pressesIn(card, "approval_review")
		ana.sees("Página 2 de 7")
		ana.submits(nil)
		ana.sees("Página 3 de 7")
		ana.presses("skip")
		ana.sees("Página 7 de 7", "Aprovar")
		ana.pressesIn(card, "approve")
		ana.card("Proponente criado")
		ana.submits(nil)
		if view := ana.sees("Aprovado por si às"); strings.Contains(view.Text(), "Continuar por minha conta") {
			t.Errorf("it offers to make it again: %s", view.Text())
		}
		if h.created() != 1 {
			t.Errorf("the bank created %d", h.created())
		}
	}},
	{"the Home tab lists what waits", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.asks("create_borrower", newBorrower)
		ana.card("299999998")
		must(t, ana.OpenHome(h.ctx()))
		home, err := ana.WaitHome(h.ctx(), func(v slacksim.View) bool { return strings.Contains(v.Text(), "À espera da sua aprovação") })
		must(t, err)
		if !strings.Contains(home.Text(), "Novo proponente · processo 1042") || clearValues.MatchString(home.Text()) {
			t.Errorf("it shows %s", home.Text())
		}
		must(t, ana.ClickHome(h.ctx(), "approval_review"))
		ana.sees("Página 2 de 7", "Pedido do assistente Claude 1.2")
	}},
}

// propertyArgs are the arguments of a change of a property.
const propertyArgs = `{"process":"1043","set":{"grossBuiltArea":102.5}}`

// changesEmail changes the address that newEmail changes, as somebody else would.
func (h *harness) changesEmail(to string) {
	h.t.Helper()
	tool, _ := h.replica.runner.Catalogue.Named("update_borrower")
	request := tools.Request{Tool: tool, Actor: tools.Actor{ID: "slack:" + slacksim.TeamID + "/" + slacksim.Tom, Lang: words.English}, Args: json.RawMessage(newEmail(to))}
	_, err := h.replica.runner.Run(h.ctx(), request)
	if failure := tools.AsError(err); err != nil && failure.Kind == tools.Unconfirmed {
		for _, p := range failure.Problems {
			request.Confirmed = append(request.Confirmed, p.Mark)
		}
		_, err = h.replica.runner.Run(h.ctx(), request)
	}
	must(h.t, err)
}

func TestAPersonDecidesInHerDirectMessages(t *testing.T) {
	t.Parallel()
	for _, flow := range approvalFlows {
		t.Run(flow.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, overHTTP, func(o *options) { o.ackWait = ackWaitForever })
			flow.run(t, h)
			h.checkNoRefusals()
		})
	}
}

func TestAnApprovalThatExpiresLeavesTheCardWithoutValues(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	h.asks("create_borrower", newBorrower)
	value := valueOf(t, ana.card("299999998"), "approve")
	h.clock.Add(5 * time.Hour)
	must(t, h.press(slacksim.Ana, "approve", value))
	ana.readsIn(ana.DM(), "O prazo para decidir este pedido terminou.")
	must(t, h.replica.runner.SettleApprovals(h.ctx()))
	if card := ana.card("Ninguém decidiu até às"); clearValues.Match(card.Blocks) || h.created() != 0 {
		t.Errorf("%d created; the card shows %s", h.created(), card.Blocks)
	}
}
