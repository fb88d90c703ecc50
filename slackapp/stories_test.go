package slackapp_test

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/slacksim"
)

// What Ana types of a borrower, page by page.
var (
	firstPage = slacksim.Values{"borrowerTypeId": "2", "keyBorrowerRelationId": "1"}
	whoItIs   = slacksim.Values{
		"personal.name": "Rui Amostra", "personal.birthDate": "12/04/1985", "personal.taxId": "299999998",
		"personal.mobile": "912345678", "personal.email": "rui@example.com", "personal.genderId": "2",
	}
)

// with is values with some others in their place.
func with(values slacksim.Values, change slacksim.Values) slacksim.Values {
	all := slacksim.Values{}
	for _, some := range []slacksim.Values{values, change} {
		for key, value := range some {
			all[key] = value
		}
	}
	return all
}

// begins opens the form of a new borrower and fills it up to its confirmation.
func (s someone) begins(process string) {
	s.h.t.Helper()
	s.types("/borrower-new " + process)
	s.sees("Página 1 de 7", "Papel no processo")
	s.submits(firstPage)
	s.sees("Página 2 de 7", "Nome completo")
	s.submits(whoItIs)
	s.sees("Página 3 de 7")
	s.presses("skip")
	s.sees("Página 7 de 7", "Confirmar", "••••••998")
}

// stories are told the same whichever way Slack delivers.
var stories = []struct {
	name string
	tell func(t *testing.T, h *house)
}{
	{"a broker lists the borrowers of a process", func(t *testing.T, h *house) {
		ana := h.ana()
		ana.types("/borrowers 1042")
		ana.reads("Proponentes do processo 1042", "Maria E.", "NIF")
		ana.reads("A consultar…")
	}},
	{"a broker adds a borrower and finds it in the list", func(t *testing.T, h *house) {
		ana := h.ana()
		ana.begins("1042")
		ana.submits(nil)
		ana.sees("Proponente criado", "Rui A.")
		card := ana.reads("Proponente criado", "1042")
		must(t, ana.Close(h.soon()))
		ana.pressesIn(card, "step:a")
		ana.reads("Proponentes do processo 1042", "Rui A.", "Maria E.")
	}},
	{"a wrong tax number is told under its field and corrected", func(t *testing.T, h *house) {
		ana := h.ana()
		ana.types("/borrower-new 1042")
		ana.sees("Página 1 de 7")
		ana.submits(firstPage)
		ana.sees("Página 2 de 7")
		refused := ana.submits(with(whoItIs, slacksim.Values{"personal.taxId": "299999990"}))
		if refused.Action != "errors" || refused.Errors["personal.taxId"] == "" || len(refused.Errors) != 1 {
			t.Fatalf("a wrong tax number gives %+v", refused)
		}
		if strings.Contains(refused.Errors["personal.taxId"], "299999990") {
			t.Error("the error repeats the number")
		}
		ana.submits(slacksim.Values{"personal.taxId": "299999998"})
		ana.sees("Página 3 de 7")
	}},
	{"a broker gets the ESIS in her own conversation", func(t *testing.T, h *house) {
		ana := h.ana()
		ana.types("/esis 1042")
		ana.reads("FINE do processo 1042", "FINE-1042.pdf")
		document := ana.readsIn(ana.DM(), "FINE do processo 1042")
		if len(document.Files) != 1 || !strings.HasPrefix(string(h.sim.File(document.Files[0].ID)), "%PDF-") {
			t.Fatalf("the conversation holds %+v", document.Files)
		}
	}},
	{"a process is picked from a list that narrows while she types", func(t *testing.T, h *house) {
		ana := h.ana()
		ana.types("/borrowers")
		ana.sees("Consultar", "Processo")
		all, err := ana.Options(h.soon(), "process", "")
		must(t, err)
		some, err := ana.Options(h.soon(), "process", "1043")
		must(t, err)
		if len(all) < 5 || len(some) != 1 || !strings.HasPrefix(some[0].Text, "1043 · Rui A.") || some[0].Description == "" {
			t.Fatalf("found %d, then %+v", len(all), some)
		}
		ana.submits(slacksim.Values{"process": some[0].Text})
		ana.sees("Proponentes do processo 1043", "Rui A.", "Inês M.")
	}},
}

func TestTheSameStoriesHappenOverEitherTransport(t *testing.T) {
	for _, way := range []transport{overHTTP, overSocket} {
		for _, story := range stories {
			t.Run(string(way)+"/"+story.name, func(t *testing.T) {
				h := open(t, way)
				story.tell(t, h)
				h.refusesNothing()
			})
		}
	}
}

func (h *house) created() int { return h.bank.Calls(portal.BorrowerCreate) }
