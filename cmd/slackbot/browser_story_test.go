package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

// TestTheStoryOfTheREADMEIsToldTwiceInARow does what the README invites to, with a borrower of 41, at a bank that moves
// as fast as it can.
func TestTheStoryOfTheREADMEIsToldTwiceInARow(t *testing.T) {
	t.Parallel()
	ana := sit(t, playground(t, "SANDBOX_PACE=fast"))
	born := time.Now().AddDate(-41, 0, -10).Format("02/01/2006")
	for i, taxID := range []string{"299999998", "123456789"} {
		listed := `[...document.querySelectorAll('#messages .message')].filter((message) => message.innerText.includes('Proponentes do processo 1042'))`
		ana.orders("/borrowers 1042")
		ana.Until("the list is there, and the next command can be typed", listed+`.length > `+[]string{"0", "1"}[i])

		ana.orders("/borrower-new 1042")
		ana.choose("borrowerTypeId", "Proponente")
		ana.choose("keyBorrowerRelationId", "Cônjuge")
		ana.write("personal.name", "Rui Amostra")
		ana.write("personal.birthDate", born)
		ana.write("personal.taxId", taxID)
		ana.write("personal.mobile", "912 345 678")
		ana.write("personal.email", "rui@example.com")
		ana.choose("personal.genderId", "Masculino")
		ana.next()
		ana.showsField("personal.identificationDocumentNumber")
		ana.press("skip")
		ana.Until("the review is in front", `document.querySelector('dialog[open]:not([data-busy])').innerText.includes('Página 7 de 7')`)
		ana.next()
		ana.Until("the borrower was added", `document.querySelector('dialog[open]:not([data-busy])').innerText.includes('faz agora parte do processo 1042')`)
		ana.Keys(kb.Escape)
		ana.Until("the modal is gone", `!document.querySelector('dialog[open]')`)

		ana.orders("/esis 1042")
		sent := `[...document.querySelectorAll('#messages .message')].filter((message) => message.innerText.includes('FINE do processo 1042'))`
		ana.Until("the ESIS is told of", sent+`.length > `+[]string{"0", "1"}[i])
		if told := ana.text(sent + `.at(-1).innerText`); strings.Contains(told, "recusou") {
			t.Fatalf("the ESIS is refused: %s", told)
		}
	}
	ana.Click("#ims button")
	ana.Until("both documents are in the direct messages", `document.querySelectorAll('.file a').length === 2`)
	address := ana.text(`document.querySelectorAll('.file a')[1].href`)
	if text := readPDF(t, address); !strings.Contains(text, "1042") || !strings.Contains(text, "Maria Exemplo") {
		t.Errorf("the document says %.300q", text)
	}
}
