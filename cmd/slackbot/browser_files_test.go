package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/browsertest"
)

// playgroundAssistant is an assistant of a playground.
func playgroundAssistant(t *testing.T, slack string) *client.Client {
	t.Helper()
	assistant, err := client.NewStreamableHttpClient(slack + "/mcp")
	if err == nil {
		_, err = assistant.Initialize(t.Context(), mcp.InitializeRequest{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = assistant.Close() })
	return assistant
}

// calls calls a tool and returns its structured answer.
func calls(t *testing.T, ctx context.Context, assistant *client.Client, tool string, args any) map[string]any {
	t.Helper()
	request := mcp.CallToolRequest{}
	request.Params.Name, request.Params.Arguments = tool, args
	result, err := assistant.CallTool(ctx, request)
	if err != nil || result.IsError {
		t.Fatalf("%s: %+v, %v", tool, result, err)
	}
	data, err := json.Marshal(result.StructuredContent)
	answer := map[string]any{}
	if err == nil {
		err = json.Unmarshal(data, &answer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// upload asks for an address for a file as an assistant.
func upload(t *testing.T, ctx context.Context, assistant *client.Client) (address, file string) {
	t.Helper()
	answer := calls(t, ctx, assistant, "request_upload", map[string]any{})
	address, _ = answer["address"].(string)
	file, _ = answer["file"].(string)
	if address == "" || file == "" {
		t.Fatalf("got %v", answer)
	}
	return address, file
}

// writes writes a file to choose and returns its path.
func writes(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAPersonGivesAnAssistantAFileInTheBrowser(t *testing.T) {
	t.Parallel()
	slack := playground(t)
	ctx := testContext(t)
	address, file := upload(t, ctx, playgroundAssistant(t, slack))
	page := browsertest.Open(t, address)
	page.Do(chromedp.EmulateViewport(390, 760))
	page.Until("the page asks for a file", `document.querySelector('input[type=file][required]') && document.fonts.status === 'loaded'`)
	if page.Eval(`document.documentElement.scrollWidth <= 390 && getComputedStyle(document.querySelector('button')).minHeight === '48px'`) != true {
		t.Error("the page does not fit a telephone, or has no style")
	}
	const input = "input[type=file]"
	page.ChooseFiles(input, writes(t, "recibo.pdf", "MZ\x90\x00 a program"))
	page.Click("button")
	page.Until("it is told what is wrong, and may choose again", `document.querySelector('[role=alert]').innerText.includes('PDF') && document.querySelector('input[type=file]')`)
	page.ChooseFiles(input, writes(t, "recibo.pdf", "%PDF-1.7\n"+strings.Repeat("x", 3<<20)))
	page.Click("button")
	page.Until("the file has arrived", `document.querySelector('main').innerText.includes(`+browsertest.Quoted(file)+`) && !document.querySelector('form')`)
}

// attach chooses files in a file input of the modal.
func (p slackPage) attach(path string, files ...string) {
	p.waitForField(path)
	p.ChooseFiles(field(path)+` input[type=file]`, files...)
	p.Until("the files are uploaded", `document.querySelectorAll('`+field(path)+` .chosen li:not([aria-busy])').length === `+strconv.Itoa(len(files)))
}

func TestABrokerAddsDocumentsAndFetchesOneInTheBrowser(t *testing.T) {
	t.Parallel()
	slack := playground(t)
	ana := openSlack(t, slack)
	september, october := "%PDF-1.7\nsetembro"+strings.Repeat("s", 1<<20), "%PDF-1.7\noutubro"+strings.Repeat("o", 2<<20)

	ana.typeCommand("/documento novo 1042")
	ana.chooseOption("documentTypeId", "Três últimos recibos de vencimento")
	ana.attach("files", writes(t, "Recibo setembro.pdf", "MZ\x90\x00 a program"))
	ana.submit()
	ana.Until("a program is refused under the field", `document.querySelector('`+field("files")+` .problem:not([hidden])')?.innerText.includes('EXE')`)
	ana.Click(field("files") + ` .chosen button`)
	ana.attach("files", writes(t, "Recibo setembro.pdf", september), writes(t, "Recibo outubro.pdf", october))
	ana.typeInto("title", "Recibos do Rui")
	ana.submit()
	ana.Until("both are shown to be confirmed", `document.querySelector('dialog[open]:not([data-busy])').innerText.includes('Recibo setembro.pdf, Recibo outubro.pdf')`)
	ana.clickAction("back")
	ana.Until("the page says what it has", `document.querySelector('dialog[open]').innerText.includes('Já dados: Recibo setembro.pdf, Recibo outubro.pdf')`)
	ana.submit()
	ana.Until("they are shown again", `document.querySelector('dialog[open] .submit').innerText === 'Juntar'`)
	ana.submit()
	ana.waitForText("Documentos entregues")
	ana.Keys(kb.Escape)
	ana.Until("the modal is gone", `!document.querySelector('dialog[open]') && document.activeElement.id === 'composer'`)

	ana.typeCommand("/documento 1042")
	ana.chooseOption("document", "Recibos do Rui 2/2")
	ana.submit()
	ana.Until("the document is in the conversation with the app", `(() => {
		const im = document.querySelector('#ims button'); if (im && !document.querySelector('.file a')) im.click();
		return document.querySelector('.file a') })()`)
	address, _ := ana.Eval(`document.querySelector('.file a').href`).(string)
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if content, err := io.ReadAll(response.Body); err != nil || string(content) != october {
		t.Errorf("the document has %d bytes, %v; want %d", len(content), err, len(october))
	}
}
