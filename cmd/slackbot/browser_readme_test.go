package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

// TestWhatTheREADMESuggestsWorksTwiceInTheBrowser does what the README suggests, with a borrower of 41, while the bank's processes
// advance as fast as they can.
func TestWhatTheREADMESuggestsWorksTwiceInTheBrowser(t *testing.T) {
	t.Parallel()
	ana := openSlack(t, playground(t, "SANDBOX_PACE=fast"))
	born := time.Now().AddDate(-41, 0, -10).Format("02/01/2006")
	for i, taxID := range []string{"299999998", "123456789"} {
		listed := `[...document.querySelectorAll('#messages .message')].filter((message) => message.innerText.includes('Proponentes do processo 1042'))`
		ana.runCommand("/borrowers 1042")
		ana.Until("the list is there, and the next command can be typed", listed+`.length > `+[]string{"0", "1"}[i])

		ana.runCommand("/borrower new 1042")
		ana.chooseOption("borrowerTypeId", "Proponente")
		ana.chooseOption("keyBorrowerRelationId", "Cônjuge")
		ana.typeInto("personal.name", "Rui Amostra")
		ana.typeInto("personal.birthDate", born)
		ana.typeInto("personal.taxId", taxID)
		ana.typeInto("personal.mobile", "912 345 678")
		ana.typeInto("personal.email", "rui@example.com")
		ana.chooseOption("personal.genderId", "Masculino")
		ana.submit()
		ana.waitForField("personal.identificationDocumentNumber")
		ana.clickAction("skip")
		ana.Until("the review is in front", `document.querySelector('dialog[open]:not([data-busy])').innerText.includes('Página 7 de 7')`)
		ana.submit()
		ana.Until("the borrower was added", `document.querySelector('dialog[open]:not([data-busy])').innerText.includes('faz agora parte do processo 1042')`)
		ana.Keys(kb.Escape)
		ana.Until("the modal is gone", `!document.querySelector('dialog[open]')`)

		ana.runCommand("/esis 1042")
		sent := `[...document.querySelectorAll('#messages .message')].filter((message) => message.innerText.includes('FINE do processo 1042'))`
		ana.Until("the ESIS is announced", sent+`.length > `+[]string{"0", "1"}[i])
		if text := ana.evalText(sent + `.at(-1).innerText`); strings.Contains(text, "recusou") {
			t.Fatalf("the ESIS is refused: %s", text)
		}
	}
	ana.Click("#ims button")
	ana.Until("both documents are in the direct messages", `document.querySelectorAll('.file a').length === 2`)
	address := ana.evalText(`document.querySelectorAll('.file a')[1].href`)
	if text := readPDF(t, address); !strings.Contains(text, "1042") || !strings.Contains(text, "Maria Exemplo") {
		t.Errorf("the document says %.300q", text)
	}
}
