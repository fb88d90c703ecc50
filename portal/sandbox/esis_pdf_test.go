package sandbox_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ledongthuc/pdf"

	"github.com/balcao/balcao/portal/sandbox"
)

// esis reads the PDF of a process, and what its pages say on one line.
func (d *harness) esis(t *testing.T, number int, query string) (file []byte, text string) {
	t.Helper()
	return d.pdfOf(t, processPath(number)+"/esis"+query)
}

// pdfOf reads the PDF at a path.
func (d *harness) pdfOf(t *testing.T, path string) (file []byte, text string) {
	t.Helper()
	got := d.get(t, path)
	var reply struct{ ESIS string }
	if err := json.Unmarshal([]byte(got.body), &reply); err != nil || got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	file, err := base64.StdEncoding.DecodeString(reply.ESIS)
	if err != nil {
		t.Fatal(err)
	}
	document, err := pdf.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatalf("the ESIS is no PDF: %v", err)
	}
	plain, err := document.GetPlainText()
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	return file, strings.Join(strings.Fields(string(all)), " ") // no-break spaces too
}

func TestTheESISShowsFiguresThatFollowFromTheProcess(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	_, text := d.esis(t, sandbox.SampleOpen, "")
	for _, want := range []string{
		"Ficha de Informação Normalizada Europeia", "Amostra, sem valor contratual", "Processo n.º 1042", "Emitida em 22/11/2026",
		"Maria Exemplo", "Mediadora Exemplo", "Aquisição – Habitação própria permanente", "Página 1 de 3",
		"60 000,00 €", "120 meses", // asked for
		"3,00 %", "2,15 %", "0,85 %", // rate, index, spread
		"579,36 €", "621,83 €", // the annuity, now and at 1.5 points more
		"40,00 %",  // of the price
		"360,00 €", // stamp duty on the loan
		"Spread de base", "1,40 %",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the ESIS does not say %q", want)
		}
	}
	if strings.Contains(text, "Uso interno") || strings.Contains(text, "{{") || strings.Contains(text, "%!") {
		t.Error("the ESIS shows what it should not")
	}
}

func TestTheESISIsTheSameUntilSomethingOfTheProcessChanges(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	before, _ := d.esis(t, sandbox.SampleOpen, "")
	d.clock.Add(time.Minute)
	if again, _ := d.esis(t, sandbox.SampleOpen, ""); !bytes.Equal(before, again) {
		t.Error("the same process gives other bytes")
	}
	d.call(t, "POST", borrowersPath(sandbox.SampleOpen), newBorrower(nil)).object(t)
	after, text := d.esis(t, sandbox.SampleOpen, "")
	if bytes.Equal(before, after) || !strings.Contains(text, "Maria Exemplo e mais 1 proponente") || !strings.Contains(text, "Seguro de vida (2 proponentes)") {
		t.Error("a second borrower does not show")
	}
	d.clock.Add(24 * time.Hour)
	d = d.as(t, sandbox.BrokerA, 0)
	if _, text := d.esis(t, sandbox.SampleOpen, ""); !strings.Contains(text, "Emitida em 23/11/2026") {
		t.Error("the ESIS of the next day is not dated by it")
	}
}

func TestTheESISIsPortugueseWhateverLanguageIsAskedFor(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	english, _ := d.esis(t, sandbox.SampleCouple, "")
	d.lang = "pt-PT"
	if portuguese, _ := d.esis(t, sandbox.SampleCouple, ""); !bytes.Equal(english, portuguese) {
		t.Error("the language changes the ESIS")
	}
}

func TestEverySampleThatMayHaveAnESISHasOneOfThreePages(t *testing.T) {
	t.Parallel()
	d := newHarness(t, sandbox.Config{})
	for d, last := range map[*harness]int{d: 1049, d.as(t, sandbox.BrokerB, 0): 1054} {
		_, numbers := d.processes(t, "")
		for _, number := range numbers {
			if number > last || number == sandbox.SampleTooOld {
				continue
			}
			file, text := d.esis(t, number, "")
			if !bytes.HasPrefix(file, []byte("%PDF-")) || !strings.Contains(text, "de 3 ") && !strings.HasSuffix(text, "de 3") {
				t.Errorf("the ESIS of %d: %.80s", number, text)
			}
		}
	}
}

func TestTheRulesRefuseAnESISUnlessTheyAreIgnored(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for path, code := range map[string]string{
		processPath(sandbox.SampleTooOld) + "/esis":                     "070001",
		processPath(sandbox.SampleTooOld) + "/esis?ignoreRules=false":   "070001",
		processPath(sandbox.SampleCancelled) + "/esis":                  "070004",
		processPath(sandbox.SampleCancelled) + "/esis?ignoreRules=true": "070004",
		processPath(sandbox.SampleOpen) + "/esis?ignoreRules=perhaps":   "000007",
		processPath(sandbox.SampleOpen) + "/esis?sendAddress=x":         "000007",
	} {
		if got := d.get(t, path); got.status != http.StatusBadRequest || got.errorsOf(t)[0] != code {
			t.Errorf("%s: %d %s, want %s", path, got.status, got.body, code)
		}
	}
	if _, text := d.esis(t, sandbox.SampleTooOld, "?ignoreRules=true"); !strings.Contains(text, "Uso interno – não entregar ao cliente") {
		t.Error("an ESIS made without the rules does not say so")
	}
}
