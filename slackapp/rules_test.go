package slackapp_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/validation"
)

// typedOn returns what a person types on a page for a request of the bank's reference.
func typedOn(page string, example map[string]any) slacksim.Values {
	typed := slacksim.Values{}
	var walk func(prefix string, values map[string]any)
	walk = func(prefix string, values map[string]any) {
		for name, value := range values {
			if group, ok := value.(map[string]any); ok {
				walk(prefix+name+".", group)
				continue
			}
			if field, known := borrowers.Create.Field(prefix + name); known && field.Page == page {
				typed[field.Path] = fmt.Sprint(value)
			}
		}
	}
	walk("", example)
	return typed
}

// fillsIn fills in the pages of a borrower's form from page first of all.
func (s user) fillsIn(first, all int, example map[string]any) {
	s.h.t.Helper()
	for i, page := range []string{"personal", "document", "household", "financial", "professional"} {
		s.sees(fmt.Sprintf("Página %d de %d", first+i, all))
		if done := s.submits(typedOn(page, example)); done.Action != "update" {
			s.h.t.Fatalf("%s: %+v", page, done)
		}
	}
}

const bankDecides = "quem decide é o banco"

// ruleFlows are about rules that depend on the bank, over both transports.
var ruleFlows = []flow{
	{"the bank's example of a new borrower is sent once its warnings are read", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.fillsIn(2, 7, testenv.BankExample(t, "create"))
		ana.sees("Página 7 de 7", "Aviso: Número do documento: O número do Cartão de Cidadão não tem 8 algarismos.", "Aviso: NISS: ", bankDecides, "Criar proponente")
		before := h.borrowers()
		ana.submits(nil)
		ana.sees("Proponente criado")
		if made := h.borrowers() - before; made != 1 {
			t.Errorf("made %d borrowers", made)
		}
	}},
	{"the bank's example of an update is sent once its warnings are read", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower edit 1043")
		ana.sees("Página 2 de 8")
		ana.submits(slacksim.Values{"borrower": sandbox.SampleBorrower(sandbox.SampleCouple, 0).String()})
		ana.fillsIn(3, 8, testenv.BankExample(t, "update"))
		ana.sees("Página 8 de 8", "Aviso: NISS: ", bankDecides, "Guardar alterações")
		ana.submits(nil)
		ana.sees("Proponente alterado")
		if calls := h.bank.Calls(portal.BorrowerUpdate); calls != 1 {
			t.Errorf("the bank was asked %d times", calls)
		}
	}},
	{"a residence permit is asked about when it has expired", func(t *testing.T, h *harness) {
		h.ana().asksAboutPermit(2, "dura mais seis meses do que o título")
	}},
	{"a residence permit is asked about otherwise when the right of residence has lapsed", func(t *testing.T, h *harness) {
		h.ana().asksAboutPermit(8, "há mais de seis meses")
	}},
}

// asksAboutPermit fills in a residence permit that expired months ago, and sees a warning.
func (s user) asksAboutPermit(months int, warning string) {
	s.h.t.Helper()
	s.types("/borrower new 1042")
	s.sees("Página 2 de 7")
	s.submits(personalData)
	s.sees("Página 3 de 7")
	s.submits(slacksim.Values{
		"personal.identificationDocumentTypeId": "Título de residência", "personal.identificationDocumentNumber": "A1B2C3D4E",
		"personal.identificationDocumentExpiredDate": validation.Today(time.Now()).AddMonths(-months).String(),
	})
	s.sees("Página 4 de 7")
	s.presses("skip")
	s.sees("Página 7 de 7", "Aviso: Data de validade: ", warning, bankDecides)
	s.submits(nil)
	s.sees("Proponente criado")
}

func TestARulesStrictnessIsASetting(t *testing.T) {
	t.Parallel()
	for strictness, c := range map[validation.Strictness]struct{ refused, warned bool }{
		validation.Refuse: {refused: true}, validation.Ask: {warned: true}, validation.Off: {},
	} {
		t.Run(string(strictness), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, overHTTP, func(o *options) {
				o.checks = func(o *validation.Options) {
					o.Rules[validation.NISSLegacyLength], o.Rules[validation.Expected] = strictness, strictness
				}
			})
			ana := h.ana()
			ana.types("/borrower new 1042")
			ana.sees("Página 2 de 7")
			if done := ana.submits(with(personalData, slacksim.Values{"personal.email": ""})); (done.Errors["personal.email"] != "") != c.refused {
				t.Errorf("without an e-mail address: got %+v", done)
			}
			if c.refused {
				ana.submits(personalData)
			}
			ana.sees("Página 3 de 7")
			if done := ana.submits(slacksim.Values{"personal.socialSecurityNumber": "987654321"}); (done.Errors["personal.socialSecurityNumber"] != "") != c.refused {
				t.Errorf("nine digits: got %+v", done)
			}
			if c.refused {
				return
			}
			ana.sees("Página 4 de 7")
			ana.presses("skip")
			review := ana.sees("Página 7 de 7", "Criar proponente").Text()
			for _, warning := range []string{"Aviso: E-mail: Falta preencher este campo. ", "Aviso: NISS: ", bankDecides} {
				if strings.Contains(review, warning) != c.warned {
					t.Errorf("%q is not as it should be in %s", warning, review)
				}
			}
		})
	}
}
