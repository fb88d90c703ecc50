package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/ledongthuc/pdf"
	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/logtest"
)

// picture is where to save the README's picture: go test ./cmd/slackbot -run Browser -picture ../../docs/playground.png
var picture = flag.String("picture", "", "save a picture of the form with an error under a field")

func TestMain(m *testing.M) { browsertest.Main(m) }

// playground runs the program as a newcomer does, in this process, and gives the address of the simulated Slack. Settings
// beside those of a playground are NAME=value.
func playground(t *testing.T, set ...string) string {
	t.Helper()
	slack, _ := played(t, set...)
	return slack
}

// played is a playground of which the address of the bank matters too.
func played(t *testing.T, set ...string) (slack, bank string) {
	t.Helper()
	environ := map[string]string{"LANG": "en_GB.UTF-8"}
	for _, setting := range set {
		name, value, _ := strings.Cut(setting, "=")
		environ[name] = value
	}
	ctx, cancel := context.WithCancel(context.Background())
	stdout, prints := io.Pipe()
	logs, ended := &logtest.Log{}, make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"-playground", "-addr", "127.0.0.1:0"}, environ, prints, logs)
		prints.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != 0 || t.Failed() {
			t.Errorf("the program ended with %d:\n%s", code, logs)
		}
	})
	said := make([]byte, 4096)
	n, err := stdout.Read(said)
	if err != nil {
		t.Fatalf("the program said nothing: %v\n%s", err, logs)
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	printed := func(name string) string {
		_, rest, found := strings.Cut(string(said[:n]), name+":")
		if !found {
			t.Fatalf("the program said %q", said[:n])
		}
		return strings.TrimSuffix(strings.Fields(rest)[0], "/")
	}
	return printed("simulated Slack"), printed("bank")
}

// desk is the simulated Slack's page in the browser.
type desk struct{ *browsertest.Page }

func sit(t *testing.T, slack string) desk {
	t.Helper()
	page := browsertest.Open(t, slack+"/?user=U0ANA")
	page.Until("the page is ready", `document.querySelector('#channels button') && document.activeElement.id === 'composer'`)
	return desk{page}
}

func (d desk) command(line string) { d.Keys(line + kb.Enter) }

func field(path string) string { return `dialog[open] [data-block-id="` + path + `"]` }

func (d desk) showsField(path string) {
	d.Until("the page with "+path+" is there", `document.querySelector('`+field(path)+`')`)
}

func (d desk) write(path, text string) {
	d.showsField(path)
	d.Eval(`document.querySelector('` + field(path) + ` input').focus(); document.querySelector('` + field(path) + ` input').select()`)
	d.Keys(text)
}

// choose types into a type-ahead and takes the option that it then offers.
func (d desk) choose(path, text string) {
	d.write(path, text)
	d.Until("an option with "+text+" is offered", `[...document.querySelectorAll('[role=option]')].some((option) => option.checkVisibility() && option.innerText.includes(`+browsertest.Quoted(text)+`))`)
	d.Keys(kb.Enter)
}

// press uses a button of the modal.
func (d desk) press(action string) {
	d.Until("there is a button for "+action, `document.querySelector('dialog[open]:not([data-busy]) [data-action-id^="`+action+`"]')`)
	d.Click(`dialog[open] [data-action-id^="` + action + `"]`)
}

func (d desk) next() { d.Click("dialog[open] .submit") }

func (d desk) reads(text string) {
	d.Until("she reads "+text, `document.body.innerText.includes(`+browsertest.Quoted(text)+`)`)
}

func TestABrokerCreatesABorrowerInTheBrowser(t *testing.T) {
	slack := playground(t)
	ana := sit(t, slack)

	ana.command("/borrowers 1042")
	ana.reads("Proponentes do processo 1042")

	ana.command("/borrower-new 1042")
	ana.choose("borrowerTypeId", "Proponente")
	ana.choose("keyBorrowerRelationId", "Cônjuge")
	ana.write("personal.name", "Rui Amostra")
	ana.write("personal.birthDate", "12/04/1995")
	ana.write("personal.taxId", "299999990")
	ana.write("personal.mobile", "912 345 678")
	ana.write("personal.email", "rui@example.com")
	ana.choose("personal.genderId", "Masculino")
	ana.next()
	ana.Until("the problem is under the tax number", `document.querySelector('`+field("personal.taxId")+` .problem').innerText.includes('NIF')`)
	if *picture != "" {
		ana.Screenshot(*picture)
	}
	ana.write("personal.taxId", "299999998")
	ana.next()

	ana.showsField("personal.identificationDocumentNumber")
	ana.press("skip")
	ana.reads("Criar proponente")
	if text := ana.Text("dialog[open]"); !strings.Contains(text, "299999998") || !strings.Contains(text, "12/04/1995") || strings.Contains(text, "••") {
		t.Errorf("what was typed cannot be read over:\n%s", text)
	}
	ana.next()
	ana.Until("the modal shows what came of it", `document.querySelector('dialog[open]:not([data-busy])').innerText.includes('Rui A. faz agora parte do processo 1042')`)
	ana.Keys(kb.Escape)
	ana.Until("the modal is gone", `!document.querySelector('dialog[open]') && document.activeElement.id === 'composer'`)

	ana.command("/borrowers 1042")
	ana.Until("the new row is in the list", `[...document.querySelectorAll('.message')].at(-1).innerText.includes('••••••998')`)

	ana.command("/esis 1042")
	ana.Until("the document is in the conversation with the app", `(() => {
		const im = document.querySelector('#ims button'); if (im && !document.querySelector('.file a')) im.click();
		return document.querySelector('.file a') })()`)
	address, _ := ana.Eval(`document.querySelector('.file a').href`).(string)
	if text := readPDF(t, address); !strings.Contains(text, "1042") {
		t.Errorf("the document says %.300q", text)
	}
}

func TestABrokerChangesABorrowerAndTakesThemOutInTheBrowser(t *testing.T) {
	ana := sit(t, playground(t))

	ana.command("/borrower 1043")
	ana.choose("borrower", "Inês M.")
	ana.next()
	ana.reads("Proponente do processo 1043")
	ana.press("step:a")
	ana.showsField("personal.mobile")
	if held, _ := ana.Eval(`document.querySelector('` + field("personal.name") + ` input').value`).(string); held != "Inês Modelo" {
		t.Errorf("the form is filled in with %q", held)
	}
	ana.write("personal.mobile", "961 234 567")
	ana.press("skip")
	ana.reads("Guardar alterações")
	if text := ana.Text("dialog[open]"); !strings.Contains(text, "→ +351961234567") {
		t.Errorf("the change is not shown:\n%s", text)
	}
	ana.next()
	ana.reads("Proponente alterado")
	ana.press("step:a")
	ana.reads("Proponente do processo 1043")

	ana.press("step:c")
	ana.reads("vai ser eliminado do processo 1043")
	ana.next()
	ana.reads("Proponente eliminado")
	ana.press("step:a")
	ana.Until("the list lacks her", `(() => { const text = document.querySelector('dialog[open]').innerText;
		return text.includes('Proponentes do processo 1043') && text.includes('Rui A.') && !text.includes('Inês M.') })()`)
}

func TestAProcessIsFoundByTypingInTheBrowser(t *testing.T) {
	ana := sit(t, playground(t))
	ana.command("/borrowers")
	ana.choose("process", "1043")
	ana.next()
	ana.reads("Proponentes do processo 1043")
}

func TestWhatAnAssistantCreatesShowsUpInSlack(t *testing.T) {
	slack := playground(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	assistant, err := client.NewStreamableHttpClient(slack + "/mcp")
	if err != nil {
		t.Fatal(err)
	}
	defer assistant.Close()
	if _, err := assistant.Initialize(ctx, mcp.InitializeRequest{}); err != nil {
		t.Fatal(err)
	}
	request := mcp.CallToolRequest{}
	request.Params.Name = "create_borrower"
	request.Params.Arguments = json.RawMessage(`{"process":"1042","borrowerTypeId":2,"keyBorrowerRelationId":1,"personal":{"name":"Rui Amostra",
		"birthDate":"1995-04-12","taxId":"299999998","mobile":"912345678","email":"rui@example.com","genderId":2}}`)
	if result, err := assistant.CallTool(ctx, request); err != nil || result.IsError {
		t.Fatalf("got %+v, %v", result, err)
	}
	ana := sit(t, slack)
	ana.command("/borrowers 1042")
	ana.reads("••••••998")
}

func readPDF(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", address, response.Status, err)
	}
	document, err := pdf.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("%.20q is no PDF: %v", data, err)
	}
	text, err := document.GetPlainText()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func TestWhatWasKeptOfAClosedFormIsToldInTheBrowser(t *testing.T) {
	ana := sit(t, playground(t))
	ana.command("/borrower-new 1042")
	ana.write("personal.name", "Rui Amostra")
	ana.choose("personal.genderId", "Masculino")
	ana.Until("the app has heard of the choice", `performance.getEntriesByType('resource').some((call) => call.name.endsWith('/sim/action') && call.responseEnd > 0)`)
	ana.write("personal.email", "rui@example.com")
	ana.Keys(kb.Escape)
	ana.reads("«Novo proponente» ficou guardado por 24 horas: página 2 (2 campos).")
	ana.reads("Não ficou guardado: texto escrito na página 2")
	ana.Click(`#messages [data-action-id=continue], .message [data-action-id=continue]`)
	ana.showsField("personal.name")
	value := func(path string) string {
		text, _ := ana.Eval(`document.querySelector('` + field(path) + ` input').value`).(string)
		return text
	}
	if value("personal.name") != "Rui Amostra" || value("personal.genderId") != "Masculino" || value("personal.email") != "" {
		t.Errorf("the form holds %q, %q and %q", value("personal.name"), value("personal.genderId"), value("personal.email"))
	}
}
