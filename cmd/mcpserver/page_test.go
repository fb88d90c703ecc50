package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
)

// addresses returns the addresses of the page that a program prints.
func addresses(out io.Reader) <-chan string {
	found := make(chan string, 16)
	go func() { // ends with the program
		defer close(found)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if _, address, is := strings.Cut(lines.Text(), "http://"); is && strings.Contains(address, "/mcp/approvals/open/") {
				found <- "http://" + address
			}
		}
	}()
	return found
}

// printed returns the next address that a program prints.
func printed(t *testing.T, found <-chan string) string {
	t.Helper()
	address := waittest.Receive(t, "the program prints an address", found)
	if address == "" {
		t.Fatal("the program ended")
	}
	return address
}

// startPlayground starts a playground in which nothing is done without its person, and returns its assistant and the addresses
// that it prints.
func startPlayground(t *testing.T, onHTTP bool, environ ...string) (*client.Client, <-chan string) {
	t.Helper()
	assistant, found, _ := startKillable(t, onHTTP, environ...)
	return assistant, found
}

// startKillable is startPlayground with the program's process.
func startKillable(t *testing.T, onHTTP bool, environ ...string) (*client.Client, <-chan string, *os.Process) {
	t.Helper()
	program, environ := build(t), append([]string{"LANG=pt_PT.UTF-8"}, environ...)
	ctx, cancel := context.WithCancel(context.Background())
	var assistant *client.Client
	var printing io.Reader
	var run *exec.Cmd
	end := func() {}
	if onHTTP {
		server := exec.CommandContext(ctx, program, "-playground", "-open=false", "-http", "127.0.0.1:0")
		server.Env = environ
		out, err := server.StdoutPipe()
		if err == nil {
			err = server.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		run = server
		lines := bufio.NewReader(out)
		url := ""
		for url == "" {
			line, err := lines.ReadString('\n')
			if _, address, found := strings.Cut(strings.TrimSpace(line), "http://"); found && strings.HasSuffix(address, "/mcp") {
				url = "http://" + address
			}
			if err != nil {
				t.Fatal("no address for assistants is printed")
			}
		}
		printing, end = lines, func() { _ = server.Wait() }
		if assistant, err = client.NewStreamableHttpClient(url); err != nil {
			t.Fatal(err)
		}
	} else {
		var err error
		command := transport.WithCommandFunc(func(ctx context.Context, program string, environ, args []string) (*exec.Cmd, error) {
			run = exec.CommandContext(ctx, program, args...)
			run.Env = append(os.Environ(), environ...)
			return run, nil
		})
		if assistant, err = client.NewStdioMCPClientWithOptions(program, environ, []string{"-playground", "-open=false"}, command); err != nil {
			t.Fatal(err)
		}
		stderr, _ := client.GetStderr(assistant)
		printing = stderr
	}
	t.Cleanup(func() { _ = assistant.Close(); cancel(); end() })
	if err := assistant.Start(ctx); err != nil {
		t.Fatal(err)
	}
	hello := mcp.InitializeParams{ClientInfo: mcp.Implementation{Name: "Test Assistant", Version: "1.0"}}
	if _, err := assistant.Initialize(ctx, mcp.InitializeRequest{Params: hello}); err != nil {
		t.Fatal(err)
	}
	return assistant, addresses(printing), run.Process
}

// learnt is what an assistant learns of a call that waits.
type learnt struct {
	Approval struct {
		ID, Status       string
		Changed, Missing []string
	}
	Result map[string]any
}

// asks calls a tool whose answer is about an approval.
func asks(t *testing.T, ctx context.Context, assistant *client.Client, tool, args string) (about learnt, text string) {
	t.Helper()
	text = call(t, ctx, assistant, tool, args)
	var result struct{ StructuredContent json.RawMessage }
	err := json.Unmarshal([]byte(text), &result)
	if err == nil {
		err = json.Unmarshal(result.StructuredContent, &about)
	}
	if err != nil {
		t.Fatal(err)
	}
	return about, text
}

const borrower = `{"process":"1042","borrowerTypeId":2,"keyBorrowerRelationId":1,"personal":{
	"name":"Rui Amostra","birthDate":"1990-04-12","taxId":"299999998","mobile":"912345678","email":"rui@example.com","genderId":2}}`

func TestAPersonDecidesInTheBrowserWhatAnAssistantAsksFor(t *testing.T) {
	t.Parallel()
	for name, onHTTP := range map[string]bool{"stdio": false, "HTTP": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			assistant, found := startPlayground(t, onHTTP)
			asked, said := asks(t, ctx, assistant, "create_borrower", borrower)
			address := printed(t, found)
			if asked.Approval.Status != "waiting" || strings.Contains(said, "/approvals/") {
				t.Fatalf("the assistant is told %s", said)
			}
			page := browsertest.OpenIn(t, address, "pt-PT")
			page.Do(chromedp.EmulateViewport(390, 760))
			page.Until("the page shows what is asked for", `document.querySelector('.card').innerText.includes('299999998') && document.body.innerText.includes('Test Assistant 1.0')`)
			fits(t, page)
			page.Click(`.card a.button`)
			page.Until("the form is filled in", `document.querySelector('[name="is.personal.mobile"]').value === '912345678'`)
			fits(t, page)
			page.Fill(`[name="is.personal.mobile"]`, "12")
			page.Click(`.bar button`)
			page.Until("she is told what is wrong, under the field, and keeps what she typed", `document.querySelector('[data-path="personal.mobile"] [role=alert]') && document.querySelector('[name="is.personal.mobile"]').value === '12'`)
			fits(t, page)
			if said := page.Text(`main > .problem`); !strings.Contains(said, "Antes de continuar, complete ou corrija:\n") || !strings.Contains(said, "Telemóvel") {
				t.Errorf("the form says first: %s", said)
			}
			page.Click(`main > .problem a`)
			page.Until("it leads to the field", `(() => { const at = document.querySelector('[name="is.personal.mobile"]').getBoundingClientRect(); return at.top > 0 && at.bottom < document.querySelector('.bar').getBoundingClientRect().top; })()`)
			page.Fill(`[name="is.personal.mobile"]`, "913 333 333")
			page.Click(`.bar button`)
			page.Until("she is shown what will be done", `document.querySelector('button[value=approve]') && document.querySelector('.card').innerText.includes('913 333 333')`)
			fits(t, page)

			waiting := make(chan string, 1)
			go func() { // the assistant waits meanwhile
				request := mcp.CallToolRequest{}
				request.Params.Name, request.Params.Arguments = "await_approval", map[string]any{"approval": asked.Approval.ID, "seconds": 50}
				result, err := assistant.CallTool(ctx, request)
				data, _ := json.Marshal([]any{result, err})
				waiting <- string(data)
			}()
			page.Click(`button[value=approve]`)
			page.Until("she is told that it is done", `document.querySelector('.news.done')`)
			learns := waittest.Receive(t, "the assistant learns the outcome", waiting)
			for _, want := range []string{`"status":"done"`, `"changed":["personal.mobile"]`, "Rui A."} {
				if !strings.Contains(learns, want) {
					t.Errorf("the assistant does not learn %s: %s", want, learns)
				}
			}
			for _, hidden := range []string{"299999998", "913333333", "913 333 333", "/approvals/open/"} {
				if strings.Contains(said+learns, hidden) {
					t.Errorf("the assistant learns %s", hidden)
				}
			}
			if listed := call(t, ctx, assistant, "list_borrowers", `{"process":"1042"}`); !strings.Contains(listed, "Rui A.") {
				t.Errorf("the bank has %s", listed)
			}
			response, err := http.Get(address)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusGone {
				t.Errorf("the address works again: %d", response.StatusCode)
			}

			// The page that is open shows what is asked for next by itself.
			draft, _ := asks(t, ctx, assistant, "create_borrower", `{"process":"1042","borrowerTypeId":2,"keyBorrowerRelationId":1,"personal":{"name":"Eva Amostra"}}`)
			if draft.Approval.Status != "draft" || len(draft.Approval.Missing) == 0 {
				t.Errorf("got %+v", draft)
			}
			page.Until("the draft appears", `document.querySelector('.card').innerText.includes('Eva Amostra')`)
			page.Click(`.reject summary`)
			page.Fill(`.reject textarea`, "Falta o NIF dela.")
			page.Click(`.reject button`)
			page.Until("it is gone", `document.querySelector('.news.ended') && !document.querySelector('.card')`)
			if _, told := asks(t, ctx, assistant, "await_approval", `{"approval":"`+draft.Approval.ID+`"}`); !strings.Contains(told, "Falta o NIF dela.") {
				t.Errorf("the assistant learns %s", told)
			}
		})
	}
}

// fits fails if a page is wider than a telephone, or has no style.
func fits(t *testing.T, page *browsertest.Page) {
	t.Helper()
	if page.Eval(`document.documentElement.scrollWidth <= 390 && [...document.querySelectorAll('button:not(.default), .button')].every(b => b.getBoundingClientRect().height >= 44)`) != true {
		t.Errorf("the page does not fit a telephone:\n%s", page.Text("body"))
	}
}

// A program that is killed while something waits shows it again when it starts anew.
func TestWhatWaitsIsShownInTheBrowserAfterAKill(t *testing.T) {
	t.Parallel()
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	environ := []string{"LANG=en", "REDIS_URL=" + redistest.Start(t), "STATE_KEY=" + key}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	first, found, process := startKillable(t, false, environ...)
	asked, _ := asks(t, ctx, first, "create_borrower", borrower)
	before := printed(t, found)
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range found { // until it is dead
	}
	second, found := startPlayground(t, false, environ...)
	after := printed(t, found)
	if before == after {
		t.Error("the address is the same")
	}
	page := browsertest.Open(t, after)
	page.Until("it waits still", `document.querySelector('.card').innerText.includes('299999998')`)
	page.Click(`button.approve`)
	page.Until("it is done", `document.querySelector('.news.done')`)
	if told, text := asks(t, ctx, second, "await_approval", `{"approval":"`+asked.Approval.ID+`"}`); told.Approval.Status != "done" {
		t.Errorf("the assistant learns %s", text)
	}
}
