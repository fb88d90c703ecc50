package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/ledongthuc/pdf"
	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/logtest"
)

// screenshot is where to save the image of the README: go test ./cmd/slackbot -run Browser -screenshot ../../docs/playground.png
var screenshot = flag.String("screenshot", "", "save an image of the form with an error under a field")

// playground runs the program in this process, as a newcomer starts it, and returns the address of the simulated Slack.
// Settings beside those of a playground are NAME=value.
func playground(t *testing.T, set ...string) string {
	t.Helper()
	slack, _ := startPlayground(t, set)
	return slack
}

// startPlayground is playground for tests that use the bank as well.
func startPlayground(t *testing.T, set []string, options ...app.Option) (slack, bank string) {
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
		ended <- run(ctx, []string{"-playground", "-addr", "127.0.0.1:0"}, environ, prints, logs, options...)
		prints.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != 0 || t.Failed() {
			t.Errorf("the program ended with %d:\n%s", code, logs)
		}
	})
	banner := make([]byte, 4096)
	n, err := stdout.Read(banner)
	if err != nil {
		t.Fatalf("the program printed nothing: %v\n%s", err, logs)
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	address := func(name string) string {
		match := regexp.MustCompile(name + `:? +(http://\S+)`).FindSubmatch(banner[:n])
		if match == nil {
			t.Fatalf("the program printed %q", banner[:n])
		}
		return strings.TrimSuffix(string(match[1]), "/")
	}
	return address("simulated Slack"), address("bank")
}

// slackPage is the simulated Slack's page in the browser.
type slackPage struct{ *browsertest.Page }

// openSlack opens the page as Ana.
func openSlack(t *testing.T, slack string) slackPage {
	t.Helper()
	page := browsertest.Open(t, slack+"/?user=U0ANA")
	page.Until("the page is ready", `document.querySelector('#channels button') && document.activeElement.id === 'composer'`)
	return slackPage{page}
}

func (p slackPage) typeCommand(line string) { p.Keys(line + kb.Enter) }

func field(path string) string { return `dialog[open] [data-block-id="` + path + `"]` }

func (p slackPage) waitForField(path string) {
	p.Until("the page with "+path+" is there", `document.querySelector('`+field(path)+`')`)
}

func (p slackPage) typeInto(path, text string) {
	p.waitForField(path)
	p.Eval(`document.querySelector('` + field(path) + ` input').focus(); document.querySelector('` + field(path) + ` input').select()`)
	p.Keys(text)
}

// chooseOption types into a type-ahead, and takes the active option once it is the one with this text, or has it in its text if
// none is equal. Until all of the text has been searched for, another option may be active. As a person would, it types again
// where the field says that the bank is slow, or shows something else for long: a busy machine loses keys.
func (p slackPage) chooseOption(path, text string) {
	offered := `((text) => {
		const options = [...document.querySelectorAll('[role=option]')].filter((option) => option.checkVisibility());
		const active = options.find((option) => option.getAttribute('aria-selected') === 'true');
		const equal = options.find((option) => option.innerText.trim() === text || option.innerText.trim().startsWith(text + ' ('));
		return equal ? active === equal : !!active?.innerText.includes(text);
	})(` + browsertest.Quoted(text) + `)`
	// What the field said of the text before may still stand there when a text is typed again: a search takes its time.
	late := `performance.now() - window.typedAt > (document.querySelector('` + field(path) + `').innerText.includes('demora') ? 3000 : 8000)`
	for range 4 {
		p.typeInto(path, text)
		p.Eval(`window.typedAt = performance.now()`)
		p.Until("an option with "+text+" is offered, or it is late", offered+` || `+late)
		if p.Eval(offered) == true {
			break
		}
	}
	p.Until("an option with "+text+" is offered", offered)
	p.Keys(kb.Enter)
}

// clickAction clicks a button of the modal.
func (p slackPage) clickAction(action string) {
	p.Until("there is a button for "+action, `document.querySelector('dialog[open]:not([data-busy]) [data-action-id^="`+action+`"]')`)
	p.Click(`dialog[open] [data-action-id^="` + action + `"]`)
}

func (p slackPage) submit() { p.Click("dialog[open] .submit") }

func (p slackPage) waitForText(text string) {
	p.Until("the page shows "+text, `document.body.innerText.includes(`+browsertest.Quoted(text)+`)`)
}

func TestABrokerCreatesABorrowerInTheBrowser(t *testing.T) {
	t.Parallel()
	slack := playground(t)
	ana := openSlack(t, slack)

	ana.typeCommand("/borrowers 1042")
	ana.waitForText("Proponentes do processo 1042")

	ana.typeCommand("/borrower new 1042")
	ana.chooseOption("borrowerTypeId", "Proponente")
	ana.chooseOption("keyBorrowerRelationId", "Cônjuge")
	ana.typeInto("personal.name", "Rui Amostra")
	ana.typeInto("personal.birthDate", "12/04/1995")
	ana.typeInto("personal.taxId", "299999990")
	ana.typeInto("personal.mobile", "912 345 678")
	ana.typeInto("personal.email", "rui@example.com")
	ana.chooseOption("personal.genderId", "Masculino")
	ana.submit()
	ana.Until("the problem is under the tax number", `document.querySelector('`+field("personal.taxId")+` .problem').innerText.includes('NIF')`)
	if *screenshot != "" {
		ana.Screenshot(*screenshot)
	}
	ana.typeInto("personal.taxId", "299999998")
	ana.submit()

	ana.waitForField("personal.identificationDocumentNumber")
	ana.clickAction("skip")
	ana.waitForText("Criar proponente")
	if text := ana.Text("dialog[open]"); !strings.Contains(text, "299999998") || !strings.Contains(text, "12/04/1995") || strings.Contains(text, "••") {
		t.Errorf("what was typed cannot be read over:\n%s", text)
	}
	ana.submit()
	ana.Until("the modal shows the result", `document.querySelector('dialog[open]:not([data-busy])').innerText.includes('Rui A. faz agora parte do processo 1042')`)
	ana.Keys(kb.Escape)
	ana.Until("the modal is gone", `!document.querySelector('dialog[open]') && document.activeElement.id === 'composer'`)

	ana.typeCommand("/borrowers 1042")
	ana.Until("the new row is in the list", `[...document.querySelectorAll('.message')].at(-1).innerText.includes('••••••998')`)

	ana.typeCommand("/esis 1042")
	ana.Until("the document is in the conversation with the app", `(() => {
		const im = document.querySelector('#ims button'); if (im && !document.querySelector('.file a')) im.click();
		return document.querySelector('.file a') })()`)
	address, _ := ana.Eval(`document.querySelector('.file a').href`).(string)
	if text := readPDF(t, address); !strings.Contains(text, "1042") {
		t.Errorf("the document says %.300q", text)
	}
}

func TestABrokerChangesABorrowerAndTakesThemOutInTheBrowser(t *testing.T) {
	t.Parallel()
	ana := openSlack(t, playground(t))

	ana.typeCommand("/borrower 1043")
	ana.chooseOption("borrower", "Inês M.")
	ana.submit()
	ana.waitForText("Proponente do processo 1043")
	ana.clickAction("step:a")
	ana.waitForField("personal.mobile")
	if held, _ := ana.Eval(`document.querySelector('` + field("personal.name") + ` input').value`).(string); held != "Inês Modelo" {
		t.Errorf("the form is filled in with %q", held)
	}
	ana.typeInto("personal.mobile", "961 234 567")
	ana.clickAction("skip")
	ana.waitForText("Guardar alterações")
	if text := ana.Text("dialog[open]"); !strings.Contains(text, "→ +351961234567") {
		t.Errorf("the change is not shown:\n%s", text)
	}
	ana.submit()
	ana.waitForText("Proponente alterado")
	ana.clickAction("step:a")
	ana.waitForText("Proponente do processo 1043")

	ana.clickAction("step:c")
	ana.waitForText("vai ser eliminado do processo 1043")
	ana.submit()
	ana.waitForText("Proponente eliminado")
	ana.clickAction("step:a")
	ana.Until("the list lacks her", `(() => { const text = document.querySelector('dialog[open]').innerText;
		return text.includes('Proponentes do processo 1043') && text.includes('Rui A.') && !text.includes('Inês M.') })()`)
}

func TestAProcessIsFoundByTypingInTheBrowser(t *testing.T) {
	t.Parallel()
	ana := openSlack(t, playground(t))
	ana.typeCommand("/borrowers")
	ana.chooseOption("process", "1043")
	ana.submit()
	ana.waitForText("Proponentes do processo 1043")
}

func TestWhatAnAssistantCreatesIsListedInTheBrowser(t *testing.T) {
	t.Parallel()
	slack := playground(t, "ASSISTANT_POLICY=allow")
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
	ana := openSlack(t, slack)
	ana.typeCommand("/borrowers 1042")
	ana.waitForText("••••••998")
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

func TestAClosedFormSaysWhatWasKeptInTheBrowser(t *testing.T) {
	t.Parallel()
	ana := openSlack(t, playground(t))
	ana.typeCommand("/borrower new 1042")
	ana.typeInto("personal.name", "Rui Amostra")
	ana.chooseOption("personal.genderId", "Masculino")
	ana.Until("the choice was sent to the app", `performance.getEntriesByType('resource').some((call) => call.name.endsWith('/sim/action') && call.responseEnd > 0)`)
	ana.typeInto("personal.email", "rui@example.com")
	ana.Keys(kb.Escape)
	ana.waitForText("O rascunho de «Novo proponente» fica guardado durante 24 horas: página 2 (2 campos).")
	ana.waitForText("Não ficou guardado o texto escrito na página 2")
	ana.Click(`#messages [data-action-id=continue], .message [data-action-id=continue]`)
	ana.waitForField("personal.name")
	value := func(path string) string {
		text, _ := ana.Eval(`document.querySelector('` + field(path) + ` input').value`).(string)
		return text
	}
	if value("personal.name") != "Rui Amostra" || value("personal.genderId") != "Masculino" || value("personal.email") != "" {
		t.Errorf("the form holds %q, %q and %q", value("personal.name"), value("personal.genderId"), value("personal.email"))
	}
}
