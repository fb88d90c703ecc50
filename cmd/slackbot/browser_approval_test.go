package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/app"
	"github.com/chromedp/chromedp"

	"github.com/balcao/balcao/conversations"
)

// approvalImages is where to save images of the card: go test ./cmd/slackbot -run ApprovesInTheBrowser -approval-images /tmp
var approvalImages = flag.String("approval-images", "", "save images of the card of an approval in a directory")

// namedAssistant is an assistant of a playground that says what it is called.
func namedAssistant(t *testing.T, slack, name, version string) *client.Client {
	t.Helper()
	assistant, err := client.NewStreamableHttpClient(slack+"/mcp", transport.WithHTTPTimeout(2*time.Minute))
	if err == nil {
		request := mcp.InitializeRequest{}
		request.Params.ClientInfo = mcp.Implementation{Name: name, Version: version}
		_, err = assistant.Initialize(t.Context(), request)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = assistant.Close() })
	return assistant
}

// shownApproval is what an assistant is told of an approval.
type shownApproval struct {
	ID, Status, Reason string
	Missing, Changed   []string
}

// approvalIn reads the approval in an answer.
func approvalIn(t *testing.T, answer map[string]any) (read shownApproval) {
	t.Helper()
	data, err := json.Marshal(answer["approval"])
	if err == nil {
		err = json.Unmarshal(data, &read)
	}
	if err != nil || read.ID == "" {
		t.Fatalf("the answer has no approval: %v, %v", answer, err)
	}
	return read
}

// image saves an image of the page for a desktop and for a telephone, if the test was asked to.
func (p slackPage) image(name string) {
	if *approvalImages == "" {
		return
	}
	for _, width := range []int64{1280, 390} {
		p.Do(chromedp.EmulateViewport(width, 860))
		p.Until("the page has that width", fmt.Sprintf(`window.innerWidth === %d && document.getAnimations().every((a) => a.playState === 'finished' || a.playState === 'idle')`, width))
		p.Eval(`(document.querySelector('dialog[open]') ?? [...document.querySelectorAll('.message')].at(-1)).scrollIntoView({block: 'end'})`)
		p.Screenshot(filepath.Join(*approvalImages, fmt.Sprintf("%s-%d.png", name, width)))
	}
	p.Do(chromedp.EmulateViewport(1280, 860))
}

const ruiArgs = `{"process":"1042","borrowerTypeId":2,"keyBorrowerRelationId":1,"personal":{"name":"Rui Amostra",
	"birthDate":"1995-04-12","taxId":"299999998","mobile":"912345678","email":"rui@example.com","genderId":2}}`

func TestAPersonApprovesInTheBrowserWhatAnAssistantAsksFor(t *testing.T) {
	t.Parallel()
	var system *app.System
	slack, _ := startPlayground(t, []string{"SANDBOX_PACE=off"}, func(s *app.System) { system = s })
	ctx, assistant := testContext(t), namedAssistant(t, slack, "Claude", "1.2")
	ana := openSlack(t, slack)

	asked := calls(t, ctx, assistant, "create_borrower", json.RawMessage(ruiArgs))
	waiting := approvalIn(t, asked)
	if waiting.Status != "waiting" || strings.Contains(fmt.Sprint(asked), "299999998") {
		t.Fatalf("the assistant is told %v", asked)
	}
	ana.Until("the newcomer sees that somebody wrote to her", `document.querySelector('#ims button.unread .count')`)
	ana.Click("#ims button")
	ana.Until("the card is there", lastMessage+`.innerText.includes('Novo proponente · processo 1042')`)
	for _, says := range []string{"Pedido do assistente Claude 1.2 às", "decida até às", "299999998", "12/04/1995", "Aprovar", "Rever", "Recusar"} {
		if text := ana.evalText(lastMessage + `.innerText`); !strings.Contains(text, says) {
			t.Errorf("the card does not say %q:\n%s", says, text)
		}
	}
	ana.image("waiting")

	ana.pressButton("#messages", "Rever")
	ana.waitForField("personal.mobile")
	if held := ana.evalText(`document.querySelector('` + field("personal.name") + ` input').value`); held != "Rui Amostra" {
		t.Errorf("the form is filled in with %q", held)
	}
	ana.typeInto("personal.mobile", "961 234 567")
	ana.image("review")
	ana.submit()
	ana.waitForField("personal.identificationDocumentNumber")
	ana.clickAction("skip")
	ana.Until("all is shown to be approved", `document.querySelector('dialog[open] .submit').innerText === 'Aprovar' && document.querySelector('dialog[open]').innerText.includes('961 234 567')`)
	ana.image("confirm")
	ana.submit()
	ana.Until("the modal shows the result", `document.querySelector('dialog[open]:not([data-busy])').innerText.includes('Rui A. faz agora parte do processo 1042')`)

	answer := calls(t, ctx, assistant, "await_approval", map[string]any{"approval": waiting.ID, "seconds": 30})
	data, err := json.Marshal(answer)
	if told := approvalIn(t, answer); err != nil || told.Status != "done" || !slices.Equal(told.Changed, []string{"personal.mobile"}) || answer["result"] == nil {
		t.Errorf("the assistant learns %s, %v", data, err)
	}
	for _, value := range []string{"299999998", "961234567", "961 234 567", "rui@example.com"} {
		if strings.Contains(string(data), value) {
			t.Errorf("the assistant learns %s: %s", value, data)
		}
	}
	ana.clickClose()
	ana.Until("the card says what happened", lastMessage+`.innerText.includes('Proponente criado') && `+lastMessage+`.innerText.includes('Alterou: Telemóvel')`)
	if text := ana.evalText(`document.querySelector('#messages').innerText`); strings.Contains(text, "299999998") || strings.Contains(text, "961") {
		t.Errorf("the values stay in the conversation:\n%s", text)
	}
	ana.image("done")

	var steps []string
	for entry, err := range system.Store.AuditEntries(ctx, conversations.Month(time.Now().UTC().Format("2006-01"))) {
		if err != nil {
			t.Fatal(err)
		}
		var read struct{ Outcome, Approval string }
		if err := json.Unmarshal(entry.Entry, &read); err != nil {
			t.Fatal(err)
		}
		if read.Approval == waiting.ID && !slices.Contains(steps, read.Outcome) {
			steps = append(steps, read.Outcome)
		}
	}
	if want := []string{"asked", "shown", "reviewed", "changed", "approved", "begun", "done"}; !slices.Equal(steps, want) {
		t.Errorf("the audit log has %q, want %q", steps, want)
	}
}

func TestAPersonApprovesAFileOfAnAssistantInTheBrowser(t *testing.T) {
	t.Parallel()
	slack := playground(t, "SANDBOX_PACE=off")
	ctx, assistant := testContext(t), namedAssistant(t, slack, "Claude", "1.2")
	ana := openSlack(t, slack)
	address, file := upload(t, ctx, assistant)
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, address+"Recibo%20outubro.pdf", strings.NewReader("%PDF-1.7\nrecibo"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	waiting := approvalIn(t, calls(t, ctx, assistant, "write_operation", json.RawMessage(`{"operation":"add_document","arguments":{"process":"1042","documentTypeId":203,"files":["`+file+`"]}}`)))
	ana.Until("there is a conversation", `document.querySelector('#ims button')`)
	ana.Click("#ims button")
	ana.Until("the card names the file", lastMessage+`.innerText.includes('Juntar documentos · processo 1042') && `+lastMessage+`.innerText.includes('Recibo outubro.pdf')`)
	ana.pressButton("#messages", "Aprovar")
	ana.Until("it is given to the bank", lastMessage+`.innerText.includes('Documentos entregues')`)
	if told := approvalIn(t, calls(t, ctx, assistant, "await_approval", map[string]any{"approval": waiting.ID, "seconds": 30})); told.Status != "done" || len(told.Changed) > 0 {
		t.Errorf("the assistant learns %+v", told)
	}
}

// lastMessage is the last message of the conversation.
const lastMessage = `[...document.querySelectorAll('#messages .message')].at(-1)`

// clickClose closes the modal.
func (p slackPage) clickClose() {
	p.Eval(`document.querySelector('dialog[open] .close, dialog[open] [data-close]').click()`)
	p.Until("the modal is gone", `!document.querySelector('dialog[open]')`)
}

func TestAPersonRejectsAndApprovesTogetherInTheBrowser(t *testing.T) {
	t.Parallel()
	slack := playground(t, "SANDBOX_PACE=off")
	ctx, assistant := testContext(t), namedAssistant(t, slack, "Claude", "1.2")
	ana := openSlack(t, slack)
	first := approvalIn(t, calls(t, ctx, assistant, "create_borrower", json.RawMessage(ruiArgs)))
	second := approvalIn(t, calls(t, ctx, assistant, "write_operation", json.RawMessage(`{"operation":"update_property","arguments":{"process":"1042","set":{"grossBuiltArea":102.5}}}`)))
	third := approvalIn(t, calls(t, ctx, assistant, "write_operation", json.RawMessage(`{"operation":"send_message","arguments":{"process":"1042","subject":"Documentos","text":"Seguem os documentos."}}`)))
	ana.Until("there is a conversation", `document.querySelector('#ims button')`)
	ana.Click("#ims button")
	ana.Until("all three are on one card", `document.querySelectorAll('#messages .message').length === 1 && `+lastMessage+`.innerText.includes('Aprovar tudo (3)')`)
	ana.image("several")
	ana.Eval(`[...document.querySelectorAll('#messages button')].filter((button) => button.innerText.trim() === 'Recusar').at(-1).click()`)
	ana.waitForText("Vai recusar: Nova mensagem · processo 1042")
	ana.Eval(`document.querySelector('dialog[open] textarea').focus()`)
	ana.Keys("Escrevo eu.")
	ana.image("reject")
	ana.submit()
	ana.Until("it is rejected", lastMessage+`.innerText.includes('Escrevo eu.') && `+lastMessage+`.innerText.includes('Aprovar tudo (2)')`)
	ana.pressButton("#messages", "Aprovar tudo (2)")
	ana.Until("all are decided", lastMessage+`.innerText.includes('3 pedidos do assistente, decididos')`)
	ana.image("together")
	for id, want := range map[string]string{first.ID: "done", second.ID: "done", third.ID: "rejected"} {
		if told := approvalIn(t, calls(t, ctx, assistant, "await_approval", map[string]any{"approval": id, "seconds": 30})); told.Status != want || want == "rejected" && told.Reason != "Escrevo eu." {
			t.Errorf("the assistant learns %+v, want %s", told, want)
		}
	}
}
