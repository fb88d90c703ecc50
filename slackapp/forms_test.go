package slackapp_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// theRest is what else a borrower may have, page by page.
var theRest = []slacksim.Values{
	{
		"personal.nationalityId": "Portugal", "personal.identificationDocumentTypeId": "Passaporte",
		"personal.identificationDocumentNumber": "CC123456", "personal.identificationDocumentExpiredDate": "31/12/2035",
	},
	{
		"personal.maritalStatusId": "Solteiro(a)", "personal.residenceTypeId": "1", "personal.academicLevelId": "Licenciatura (lista do Balcão)",
		"personal.dependentsNumber": "2", "personal.address": "Rua Exemplo <b> & Filhos", "personal.zipCode": "1000-001",
		"personal.zipCodeLocal": "Lisboa", "personal.doorNumber": "12", "personal.floor": "3.º", "personal.countryId": "Portugal",
	},
	{"financial.incomeWagesPensions": "2.500,50", "financial.installmentCreditCard": "1 234,56 €", "financial.hasSocialSecurityDebt": "Não"},
	{"professional.employerName": "Exemplo, Lda.", "professional.employmentDurationMonths": "36"},
}

// formFlows are about forms, over both transports.
var formFlows = []flow{
	{"every kind of field can be filled in, read over and gone back to", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		ana.submits(personalData)
		for i, page := range []string{"Página 3 de 7", "Página 4 de 7", "Página 5 de 7", "Página 6 de 7"} {
			ana.sees(page)
			if done := ana.submits(theRest[i]); done.Action != "update" {
				t.Fatalf("%s: %+v", page, done)
			}
		}
		ana.sees("Página 7 de 7", "Portugal", "Licenciatura", "2\u00a0500,50 €")
		for i := range theRest {
			ana.presses("back")
			page := len(theRest) - 1 - i
			view := ana.sees([]string{"Página 3 de 7", "Página 4 de 7", "Página 5 de 7", "Página 6 de 7"}[page])
			for path := range theRest[page] {
				if typed(view.Values[path]) == "" {
					t.Errorf("%s is empty when she comes back", path)
				}
			}
		}
		ana.presses("skip")
		ana.sees("Página 7 de 7")
		ana.submits(nil)
		ana.sees("Proponente criado")
	}},
	{"an optional choice can be taken back", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		ana.presses("back")
		ana.sees("Página 6 de 7")
		ana.presses("back")
		ana.sees("Página 5 de 7")
		ana.submits(slacksim.Values{"financial.hasSocialSecurityDebt": "Sim"})
		ana.sees("Página 6 de 7")
		ana.presses("back")
		ana.sees("Página 5 de 7")
		ana.submits(slacksim.Values{"financial.hasSocialSecurityDebt": "(em branco)"})
		ana.sees("Página 6 de 7")
		if answer, there := h.draft().Answers["financial.hasSocialSecurityDebt"]; there {
			t.Errorf("the answer is still %q", answer)
		}
	}},
	{"what is wrong stays when she goes back and comes again", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		ana.fills(slacksim.Values{"personal.taxId": "12"})
		ana.presses("back")
		ana.sees("Página 1 de 7")
		ana.submits(nil)
		if view := ana.sees("Página 2 de 7"); typed(view.Values["personal.taxId"]) != "12" {
			t.Errorf("the page holds %v", view.Values["personal.taxId"])
		}
	}},
	{"a skip over what is wrong says so and stays", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		ana.presses("back")
		ana.sees("Página 6 de 7")
		for _, page := range []string{"Página 5 de 7", "Página 4 de 7", "Página 3 de 7", "Página 2 de 7"} {
			ana.presses("back")
			ana.sees(page)
		}
		ana.fills(slacksim.Values{"personal.taxId": "299999990"})
		ana.presses("skip")
		view := ana.sees("Página 2 de 7", "NIF: ")
		if strings.Contains(view.Text(), "299999990") {
			t.Error("the notice repeats the number")
		}
	}},
	{"a warning is read and confirmed", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		ana.submits(with(personalData, slacksim.Values{"personal.name": "Rui"}))
		ana.sees("Página 3 de 7")
		ana.presses("skip")
		ana.sees("Aviso: Nome completo", "«Criar proponente» envia", "Criar proponente")
		ana.presses("fix")
		ana.sees("Página 2 de 7")
		ana.presses("skip")
		ana.sees("Aviso: Nome completo")
		ana.submits(nil)
		ana.sees("Proponente criado")
	}},
	{"what the bank's data forbids blocks the confirmation", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		ana.submits(nil)
		ana.sees("Proponente criado")
		must(t, ana.Close(h.ctx()))
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		ana.submits(personalData)
		ana.sees("Página 3 de 7")
		ana.presses("skip")
		if view := ana.sees("A corrigir: NIF", "Corrija"); view.Submit != "" {
			t.Errorf("it can be confirmed all the same: %q", view.Submit)
		}
	}},
	{"a page too large for an answer comes after it", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		ana.presses("back")
		ana.sees("Página 6 de 7")
		ana.presses("back")
		ana.sees("Página 5 de 7")
		ana.presses("back")
		ana.sees("Página 4 de 7")
		long := strings.Repeat("à", 3000)
		ana.submits(slacksim.Values{"personal.address": long, "personal.zipCodeLocal": long, "personal.floor": long, "personal.doorNumber": long})
		ana.presses("back")
		ana.sees("Página 3 de 7")
		ana.submits(nil)
		if view := ana.sees("Página 4 de 7"); typed(view.Values["personal.address"]) != long {
			t.Error("the page lost what was typed")
		}
	}},
	{"closing a form that only reads leaves nothing behind", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrowers")
		ana.sees("Consultar")
		must(t, ana.Close(h.ctx()))
		must(t, h.replica.app.Close(h.ctx()))
		if len(h.drafts()) != 0 || len(ana.Messages(slacksim.TeamChannel)) != 0 {
			t.Errorf("%d forms and %d messages are left", len(h.drafts()), len(ana.Messages(slacksim.TeamChannel)))
		}
	}},
	{"a card's next steps go on in the same modal", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		ana.submits(nil)
		first := ana.sees("Proponente criado")
		ana.presses("step:b")
		ana.sees("Proponentes do processo 1042", "Rui A.")
		ana.presses("step:b")
		if form := ana.sees("Página 2 de 7"); form.ID != first.ID {
			t.Error("it went on in another modal")
		}
	}},
	{"what cannot be a process is shown as the field's problem", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrowers Maria")
		ana.reads("Há dados a corrigir", "Processo: ", "Referência")
	}},
	{"a result is shown in the channel when its modal was closed", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		must(t, ana.Close(h.ctx()))
		kept := ana.reads("fica guardado")
		ana.pressesIn(kept, "continue")
		ana.sees("Página 7 de 7")
		ana.submits(nil)
		ana.reads("Proponente criado")
	}},
}

func TestNothingPersonalLeavesTheSealedDraft(t *testing.T) {
	t.Parallel()
	secrets := []string{"Rui", "Amostra", "299999998", "1985-04", "04/1985", "912345678", "rui@example.com"}
	h := newHarness(t, overHTTP)
	ana := h.ana()
	check := func(view slacksim.View) {
		t.Helper()
		inView := []string{view.PrivateMetadata, view.CallbackID, view.ExternalID}
		for _, raw := range view.Blocks {
			var block struct {
				ID       string `json:"block_id"`
				Elements []struct {
					Action string `json:"action_id"`
					Value  string `json:"value"`
				} `json:"elements"`
			}
			must(t, json.Unmarshal(raw, &block))
			inView = append(inView, block.ID)
			for _, element := range block.Elements {
				inView = append(inView, element.Action, element.Value)
			}
		}
		for _, secret := range secrets {
			if slices.ContainsFunc(inView, func(text string) bool { return strings.Contains(text, secret) }) {
				t.Errorf("%q is readable in %q", secret, inView)
			}
		}
	}
	ana.types("/borrower new 1042")
	check(ana.sees("Página 2 de 7"))
	ana.submits(with(personalData, slacksim.Values{"personal.taxId": "299999990"}))
	ana.submits(personalData)
	check(ana.sees("Página 3 de 7"))
	ana.presses("skip")
	check(ana.sees("Página 7 de 7"))
	bankIsBack := h.bank.Inject(sandbox.Fault{Status: 503})
	ana.submits(nil)
	ana.sees("Não foi possível contactar o banco")
	bankIsBack()
	ana.presses("continue")
	ana.sees("Página 7 de 7")
	ana.submits(nil)
	check(ana.sees("Proponente criado"))
	card := ana.reads("Proponente criado")
	for _, secret := range secrets[1:] {
		for where, text := range map[string]string{"the log": h.log.String(), "the card": card.FullText()} {
			if strings.Contains(text, secret) {
				t.Errorf("%s says %q", where, secret)
			}
		}
	}
	tom := h.user(slacksim.Tom)
	if seen := tom.Messages(slacksim.TeamChannel); len(seen) > 0 {
		t.Errorf("somebody else in the channel sees %d messages", len(seen))
	}
}

func TestEveryToolCanBeReachedAndFilledIn(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP, func(c *options) { c.Rate.MessagesPerSecond = -1 })
	ana := h.ana()
	for _, tool := range catalogue.New().ForPeople() {
		ana.types("/" + tool.Command(words.English))
		asks := tool.AlwaysForm || slices.ContainsFunc(tool.Fields, func(f tools.Field) bool { return f.Required || f.Asked })
		if !asks && !tool.Effect.Writes() {
			ana.reads(tool.Title("pt-PT"))
			continue
		}
		ana.sees(tool.Title("pt-PT"), tool.PageTitle("pt-PT", tool.Pages[0]))
		for _, field := range tool.FieldsOn(tool.Pages[0]) { // which the page shown while they load does not have
			if _, err := ana.WaitView(h.ctx(), func(v slacksim.View) bool { return v.Has(field.Path) }); err != nil {
				t.Errorf("the form of %s has no %s: %v", tool.Name, field.Path, err)
			}
		}
		must(t, ana.Close(h.ctx()))
	}
	h.checkNoRefusals()
}
