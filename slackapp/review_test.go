package slackapp_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal/sandbox"
)

// TestAReviewIsInClearForItsPersonAloneAndNowhereElse goes through every confirmation page: the modal shows what was
// typed and what the bank has in clear, and nothing else that leaves the app does.
func TestAReviewIsInClearForItsPersonAloneAndNowhereElse(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP, func(c *options) { c.Rate.MessagesPerSecond = -1 })
	ana, bank := h.ana(), h.storedBorrower().Personal
	inClear := []string{}
	review := func(view slacksim.View, button string, values ...string) {
		t.Helper()
		if view.Submit != button {
			t.Errorf("the button says %q, want %q", view.Submit, button)
		}
		for _, value := range values {
			if !strings.Contains(view.Text(), value) {
				t.Errorf("%q is not in the review:\n%s", value, view.Text())
			}
		}
		if strings.Contains(view.Text(), "•••") {
			t.Errorf("something is masked in the review:\n%s", view.Text())
		}
		for _, hidden := range behind(t, view) {
			for _, value := range values {
				if strings.Contains(hidden, value) {
					t.Errorf("%q is readable in %q", value, hidden)
				}
			}
		}
		inClear = append(inClear, values...)
	}

	ana.types("/borrower new 1042")
	ana.sees("Página 2 de 7")
	ana.submits(with(personalData, slacksim.Values{"personal.birthDate": "12.4.1985"}))
	for i, page := range []string{"Página 3 de 7", "Página 4 de 7", "Página 5 de 7", "Página 6 de 7"} {
		ana.sees(page)
		ana.submits(theRest[i])
	}
	review(ana.sees("Página 7 de 7"), "Criar proponente", "Rui Amostra", "12/04/1985", "299999998", "912345678", "rui@example.com",
		"CC123456", "31/12/2035", "Rua Exemplo <b> & Filhos", "1000-001", "2\u00a0500,50 €", "1\u00a0234,56 €", "Exemplo, Lda.")
	ana.submits(nil)
	ana.sees("Proponente criado", "Rui A.")
	must(t, ana.Close(h.ctx()))

	ana.edits()
	ana.fills(slacksim.Values{"personal.mobile": "961 234 567", "personal.birthDate": "31.1.1990"})
	ana.presses("skip")
	review(ana.sees("Página 8 de 8"), "Guardar alterações", bank.Mobile.Reveal()+"\n→ +351961234567", "→ 31/01/1990", bank.TaxID.Reveal())
	ana.submits(nil)
	ana.sees("Proponente alterado")
	must(t, ana.Close(h.ctx()))

	ana.picks("/esis send")
	review(ana.sees("Página 3 de 3"), "Enviar FINE", "segue para "+bank.Email.Reveal(), bank.Name.Reveal())
	ana.submits(nil)
	ana.sees("FINE do processo 1043 enviada")
	must(t, ana.Close(h.ctx()))
	ana.types("/esis send 1043")
	ana.sees("Página 2 de 3")
	ana.submits(slacksim.Values{"borrower": "(em branco)", "email": "outra_pessoa_@example.com"})
	review(ana.sees("Página 3 de 3"), "Enviar FINE", "segue para outra_pessoa_@example.com")
	ana.submits(nil)
	ana.sees("FINE do processo 1043 enviada")
	must(t, ana.Close(h.ctx()))

	ana.picks("/borrower delete")
	review(ana.sees("Página 3 de 3"), "Eliminar", bank.Name.Reveal()+" · "+bank.TaxID.Reveal()+" (")
	ana.submits(nil)
	ana.sees("Proponente eliminado")
	ana.readsIn(slacksim.TeamChannel, "Proponente eliminado")

	for _, value := range inClear {
		if strings.Contains(h.log.String(), value) {
			t.Errorf("the log has %q", value)
		}
	}
	for _, user := range []string{slacksim.Ana, slacksim.Tom} {
		someone := h.user(user)
		for _, channel := range []string{slacksim.TeamChannel, slacksim.GeneralChannel, someone.DM()} {
			for _, message := range someone.Messages(channel) {
				shown := message.Text + string(message.Blocks)
				for _, value := range inClear {
					if strings.Contains(shown, value) {
						t.Errorf("a message has %q: %s", value, shown)
					}
				}
			}
		}
	}
	h.checkNoRefusals()
}

// behind returns what a view carries and does not show: its metadata, and the ids and values of its blocks.
func behind(t *testing.T, view slacksim.View) []string {
	t.Helper()
	hidden := []string{view.PrivateMetadata, view.CallbackID, view.ExternalID}
	type element struct {
		Action string `json:"action_id"`
		Value  string `json:"value"`
	}
	for _, raw := range view.Blocks {
		var block struct {
			ID        string    `json:"block_id"`
			Elements  []element `json:"elements"`
			Accessory element   `json:"accessory"`
			Element   element   `json:"element"`
		}
		must(t, json.Unmarshal(raw, &block))
		hidden = append(hidden, block.ID)
		for _, one := range append(block.Elements, block.Accessory, block.Element) {
			hidden = append(hidden, one.Action, one.Value)
		}
	}
	return hidden
}

func TestAReviewIsInTheLanguageOfItsPerson(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	tom := h.user(slacksim.Tom)
	tom.types("/borrower edit 1043")
	tom.sees("Page 2 of 8")
	tom.submits(slacksim.Values{"borrower": sandbox.SampleBorrower(sandbox.SampleCouple, 1).String()})
	tom.sees("Page 3 of 8")
	for _, page := range []string{"Page 4 of 8", "Page 5 of 8", "Page 6 of 8"} {
		tom.submits(nil)
		tom.sees(page)
	}
	tom.submits(slacksim.Values{"financial.incomeRents": "12,250.50", "financial.hasSocialSecurityDebt": "Yes"})
	tom.sees("Page 7 of 8")
	tom.submits(nil)
	if view := tom.sees("Page 8 of 8", "→ €12,250.50", "No\n→ Yes"); view.Submit != "Save changes" {
		t.Errorf("the button says %q", view.Submit)
	}
}
