package slackapp_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// personalData is what Ana types on the first page about a borrower.
var personalData = slacksim.Values{
	"borrowerTypeId": "2", "keyBorrowerRelationId": "1",
	"personal.name": "Rui Amostra", "personal.birthDate": "12/04/1985", "personal.taxId": "299999998",
	"personal.mobile": "912345678", "personal.email": "rui@example.com", "personal.genderId": "2",
}

// with returns values with some replaced.
func with(values slacksim.Values, change slacksim.Values) slacksim.Values {
	all := slacksim.Values{}
	for _, some := range []slacksim.Values{values, change} {
		for key, value := range some {
			all[key] = value
		}
	}
	return all
}

// begins opens the form of a new borrower and fills it in up to the confirmation page.
func (s user) begins(process string) {
	s.h.t.Helper()
	s.types("/borrower new " + process)
	s.sees("Página 2 de 7", "Nome completo")
	s.submits(personalData)
	s.sees("Página 3 de 7")
	s.presses("skip")
	s.sees("Página 7 de 7", "Criar proponente", "299999998")
}

// row is a row of a list with a button.
type row struct {
	Text struct {
		Text string `json:"text"`
	} `json:"text"`
	Accessory *struct {
		Action string `json:"action_id"`
		Label  string `json:"accessibility_label"`
		Text   struct {
			Text string `json:"text"`
		} `json:"text"`
	} `json:"accessory"`
}

// number is the process number at the start of a row.
func (r row) number() string { return strings.Trim(strings.Split(r.Text.Text, " · ")[0], "*") }

func rowsOf(t *testing.T, m slacksim.Message) []row {
	t.Helper()
	var rows []row
	must(t, json.Unmarshal(m.Blocks, &rows))
	return slices.DeleteFunc(rows, func(r row) bool { return r.Accessory == nil })
}

// flow is what a person does in Slack, and what she sees.
type flow struct {
	name string
	run  func(t *testing.T, h *harness)
}

// generalFlows are run over both transports.
var generalFlows = []flow{
	{"a broker lists the borrowers of a process", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrowers 1042")
		ana.reads("Proponentes do processo 1042", "Maria E.", "NIF")
		if seen := ana.Messages(slacksim.TeamChannel); len(seen) != 1 {
			t.Errorf("what is quick takes %d messages", len(seen))
		}
	}},
	{"each of several processes found has a button that opens it", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/processes")
		found := ana.reads("1042", "1043", "Abrir")
		for i, row := range rowsOf(t, found) {
			if row.Accessory.Text.Text != "Abrir" || row.Accessory.Label != "Abrir "+row.number() {
				t.Errorf("row %d has the button %+v", i, row.Accessory)
			}
			if row.number() == "1043" {
				ana.pressesIn(found, row.Accessory.Action)
			}
		}
		ana.reads("Processo 1043", "Fase", "Inês M.", "Ver proponentes")
		ana.types("/processes 1042")
		if only := ana.reads("1042", "Ver proponentes"); len(rowsOf(t, only)) != 0 {
			t.Error("one process alone has a button beside it too")
		}
	}},
	{"a broker adds a borrower and finds it in the list", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		ana.submits(nil)
		ana.sees("Proponente criado", "Rui A.")
		card := ana.reads("Proponente criado", "1042")
		must(t, ana.Close(h.ctx()))
		ana.pressesIn(card, "step:b")
		ana.reads("Proponentes do processo 1042", "Rui A.", "Maria E.")
	}},
	{"a wrong tax number is shown under its field and corrected", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		refused := ana.submits(with(personalData, slacksim.Values{"personal.taxId": "299999990"}))
		if refused.Action != "errors" || refused.Errors["personal.taxId"] == "" || len(refused.Errors) != 1 {
			t.Fatalf("a wrong tax number gives %+v", refused)
		}
		if strings.Contains(refused.Errors["personal.taxId"], "299999990") {
			t.Error("the error repeats the number")
		}
		ana.submits(slacksim.Values{"personal.taxId": "299999998"})
		ana.sees("Página 3 de 7")
	}},
	{"a broker gets the ESIS in her own conversation", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/esis 1042")
		ana.reads("FINE do processo 1042", "FINE-1042.pdf")
		document := ana.readsIn(ana.DM(), "FINE do processo 1042")
		if len(document.Files) != 1 || !strings.HasPrefix(string(h.sim.File(document.Files[0].ID)), "%PDF-") {
			t.Fatalf("the conversation holds %+v", document.Files)
		}
	}},
	{"a process is picked from a list that narrows while she types", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrowers")
		ana.sees("Consultar", "Processo")
		all, err := ana.Options(h.ctx(), "process", "")
		must(t, err)
		some, err := ana.Options(h.ctx(), "process", "1043")
		must(t, err)
		if len(all) < 5 || len(some) != 1 || !strings.HasPrefix(some[0].Text, "1043 · Rui A.") || some[0].Description == "" {
			t.Fatalf("found %d, then %+v", len(all), some)
		}
		ana.submits(slacksim.Values{"process": some[0].Text})
		ana.sees("Proponentes do processo 1043", "Rui A.", "Inês M.")
	}},
	{"somebody who works in English is answered in English", func(t *testing.T, h *harness) {
		tom := h.user(slacksim.Tom)
		tom.types("/borrowers 1042")
		tom.reads("Borrowers of process 1042", "Tax number")
		tom.types("/borrower new 1042")
		tom.sees("New borrower", "Page 2 of 7", "Role in the process")
	}},
	{"guests and strangers are refused", func(t *testing.T, h *harness) {
		for id, channel := range map[string]string{slacksim.Guest: slacksim.TeamChannel, slacksim.Stranger: slacksim.SharedChannel} {
			outsider := h.user(id)
			must(t, outsider.Command(h.ctx(), channel, "/borrowers 1042"))
			outsider.readsIn(channel, "Não tem permissão")
			must(t, outsider.Command(h.ctx(), channel, "/borrower new"))
			if _, open := outsider.TopView(); open || len(outsider.Messages(channel)) != 2 {
				t.Errorf("%s got further than a refusal", id)
			}
			must(t, outsider.OpenHome(h.ctx()))
			home, err := outsider.WaitHome(h.ctx(), func(v slacksim.View) bool { return says(v.Text(), []string{"Não tem permissão", "Peça acesso"}) })
			must(t, err)
			if says(home.Text(), []string{"O que pode fazer"}) {
				t.Errorf("%s is promised something: %s", id, home.Text())
			}
		}
	}},
	{"help is given where it is asked for", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new ajuda")
		ana.reads("Novo proponente", "/proponente novo [processo]")
		must(t, ana.Say(h.ctx(), ana.DM(), "olá"))
		ana.readsIn(ana.DM(), "/proponentes [processo]", "/fine", "/processos")
	}},
	{"what was typed survives the death of the app", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		h.restart()
		ana.submits(personalData)
		ana.sees("Página 3 de 7")
		ana.presses("back")
		view := ana.sees("Página 2 de 7")
		if got := view.Values["personal.name"]; !strings.Contains(typed(got), "Rui Amostra") {
			t.Errorf("the page holds %v", got)
		}
		must(t, ana.Close(h.ctx()))
		kept := ana.reads("fica guardado", "Novo proponente")
		h.restart()
		ana.pressesIn(kept, "continue")
		ana.sees("Página 2 de 7", "Retomámos o que começou")
	}},
	{"a double press on confirm makes one borrower", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: time.Second})
		view, _ := ana.TopView()
		var presses sync.WaitGroup
		for range 3 {
			presses.Go(func() { _, _ = h.sim.User(slacksim.Ana).Submit(h.ctx(), nil) }) // all but one find the modal changed
		}
		presses.Wait()
		ana.sees("Proponente criado")
		if view.ID == "" || h.created() != 1 {
			t.Errorf("%d borrowers were created", h.created())
		}
	}},
	{"the same deliveries again do nothing again", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		ana.submits(nil)
		ana.sees("Proponente criado")
		ana.reads("Proponente criado")
		opened, seen := h.sim.Calls("views.open"), len(ana.Messages(slacksim.TeamChannel))
		for _, earlier := range h.sim.Deliveries() {
			again, err := h.sim.Redeliver(h.ctx(), earlier.ID)
			must(t, err)
			if again.Status != 200 || earlier.Kind != "block_suggestion" && string(again.Body) != string(earlier.Body) {
				t.Errorf("%s again is answered with %d %s, the first was %s", earlier.Kind, again.Status, again.Body, earlier.Body)
			}
		}
		must(t, h.replica.app.Close(h.ctx())) // waits for their work
		if h.created() != 1 || h.sim.Calls("views.open") != opened || len(ana.Messages(slacksim.TeamChannel)) != seen {
			t.Errorf("%d borrowers, %d modals, %d messages", h.created(), h.sim.Calls("views.open"), len(ana.Messages(slacksim.TeamChannel)))
		}
	}},
	{"starting over forgets what was typed", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		ana.submits(personalData)
		ana.sees("Página 3 de 7")
		must(t, ana.Close(h.ctx()))
		ana.types("/borrower new 1042")
		ana.sees("Página 3 de 7", "Retomámos o que começou")
		ana.presses("restart")
		view := ana.sees("Página 2 de 7", "1042")
		if got := typed(view.Values["personal.name"]); got != "" {
			t.Errorf("the new form holds %v", view.Values)
		}
	}},
	{"the window that was left behind shows what happened since", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		h.editInOtherWindow(func(d *conversations.Draft) { d.Page, d.Answers["personal.name"] = "document", "Rui Modelo" })
		ana.submits(personalData)
		ana.sees("continuado noutra janela", "Página 3 de 7")
		ana.presses("back")
		view := ana.sees("Página 2 de 7")
		if got := typed(view.Values["personal.name"]); got != "Rui Modelo" {
			t.Errorf("the page holds %q", got)
		}
	}},
	{"the window that was left behind on the same page shows what was typed since", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		h.editInOtherWindow(func(d *conversations.Draft) { d.Answers["personal.name"] = "Rui Modelo" })
		ana.submits(personalData)
		view := ana.sees("continuado noutra janela", "Página 2 de 7")
		if got := typed(view.Values["personal.name"]); got != "Rui Modelo" {
			t.Errorf("the page holds %q", got)
		}
	}},
	{"the Home tab leads back to what was begun", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		ana.fills(personalData)
		must(t, ana.Close(h.ctx()))
		must(t, ana.OpenHome(h.ctx()))
		_, err := ana.WaitHome(h.ctx(), func(v slacksim.View) bool { return says(v.Text(), []string{"Por terminar", "Novo proponente · 1042"}) })
		must(t, err)
		must(t, ana.ClickHome(h.ctx(), "continue"))
		ana.sees("Página 2 de 7", "Retomámos o que começou")
	}},
}

// typed is the text or the chosen value of an input.
func typed(input map[string]map[string]any) string {
	for _, entry := range input {
		if text, ok := entry["value"].(string); ok {
			return text
		}
		if chosen, ok := entry["selected_option"].(map[string]any); ok {
			return chosen["value"].(string)
		}
	}
	return ""
}

func TestFlowsOverEitherTransport(t *testing.T) {
	t.Parallel()
	for _, way := range []transport{overHTTP, overSocket} {
		for _, flow := range slices.Concat(generalFlows, formFlows, borrowerFlows, draftFlows, propertyFlows, ruleFlows) {
			t.Run(string(way)+"/"+flow.name, func(t *testing.T) {
				t.Parallel()
				h := newHarness(t, way, func(o *options) { o.ackWait = ackWaitForever })
				flow.run(t, h)
				h.checkNoRefusals()
			})
		}
	}
}

func (h *harness) created() int { return h.bank.Calls(portal.BorrowerCreate) }

func TestACommandOfAnotherManifestIsAnsweredWithHelp(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP, func(c *options) { c.Manifest = nil })
	h.ana().types("/novelty 1042")
	h.ana().reads("Esse comando não existe", "/proponentes [processo]")
	h.checkNoRefusals()
}
