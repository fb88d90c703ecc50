package main_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/addrtest"
	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// mortal is a program that is killed and started again at the same address, and what outlives it: a bank and a Redis.
type mortal struct {
	bank    *sandbox.Bank
	addr    string
	environ []string
	log     *logtest.Log
	run     *exec.Cmd // nil while it is dead
	found   <-chan string
}

func newMortal(t *testing.T, environ ...string) *mortal {
	t.Helper()
	const secret = "d1f4b06a93c85e27f0a4c6e81b39572d"
	bank := sandbox.New(sandbox.Config{ClientSecret: secret, LenientTaxIDs: true})
	server := httptest.NewServer(bank)
	t.Cleanup(func() { bank.Close(); server.Close() })
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	m := &mortal{bank: bank, addr: addrtest.Free(t), log: &logtest.Log{}, environ: append([]string{
		"LANG=en", "PORTAL_URL=" + server.URL, "PORTAL_CLIENT_ID=" + sandbox.SampleClientID, "PORTAL_CLIENT_SECRET=" + secret,
		"PORTAL_BROKER_UID=" + sandbox.BrokerA.UID.String(), "PORTAL_USERNAME=" + sandbox.BrokerA.Users[0],
		"REDIS_URL=" + redistest.StartServer(t).URL(), "STATE_KEY=" + key, "HOME=" + t.TempDir(),
	}, environ...)}
	t.Cleanup(m.kill)
	return m
}

// start starts the program and waits until it is ready. It returns a client of an assistant.
func (m *mortal) start(t *testing.T, ctx context.Context) *client.Client {
	t.Helper()
	m.run = exec.Command(build(t), "-http", m.addr)
	m.run.Env, m.run.Stderr = m.environ, m.log
	out, err := m.run.StdoutPipe()
	if err == nil {
		err = m.run.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	m.found = addresses(out)
	waittest.Eventually(t, "the program is ready", func() bool {
		response, err := http.Get("http://" + m.addr + "/readyz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	assistant, err := client.NewStreamableHttpClient("http://" + m.addr + "/mcp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = assistant.Close() })
	if err := assistant.Start(ctx); err != nil {
		t.Fatal(err)
	}
	hello := mcp.InitializeParams{ClientInfo: mcp.Implementation{Name: "Test Assistant", Version: "1.0"}}
	if _, err := assistant.Initialize(ctx, mcp.InitializeRequest{Params: hello}); err != nil {
		t.Fatal(err)
	}
	return assistant
}

// kill ends the program with SIGKILL.
func (m *mortal) kill() {
	if m.run != nil {
		_ = m.run.Process.Kill()
		_ = m.run.Wait()
		m.run = nil
	}
}

// The person has the page open when the program is killed: while the request waits, and while it is done. What she typed is lost
// with the page; what the assistant asked for is not, and is done once.
func TestAProgramKilledWhileItsPageIsOpenInTheBrowserMakesItOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	m := newMortal(t, "CALL_TIMEOUT=20s")
	asked, _ := asks(t, ctx, m.start(t, ctx), "create_borrower", borrower)
	first := printed(t, m.found)
	page := browsertest.OpenIn(t, first, "pt-PT")
	page.Do(chromedp.EmulateViewport(390, 760))
	page.Until("it waits", `document.querySelector('.card').innerText.includes('299999998')`)

	m.kill() // while it waits
	assistant := m.start(t, ctx)
	page.Click(`button.approve`)
	page.Until("the page that was open decides nothing", `document.body.innerText.includes('A página não está aberta')`)
	if told, text := asks(t, ctx, assistant, "await_approval", `{"approval":"`+asked.Approval.ID+`","seconds":0}`); told.Approval.Status != "waiting" || m.bank.Calls(portal.BorrowerCreate) != 0 {
		t.Fatalf("after the kill the assistant learns %s", text)
	}
	second := printed(t, m.found)
	if second == first {
		t.Error("the address is the same")
	}
	page.Do(chromedp.Navigate(second))
	page.Until("it waits still", `document.querySelector('.card').innerText.includes('299999998')`)
	slow := m.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: 30 * time.Second})
	page.Click(`button.approve`)
	waittest.Eventually(t, "the bank is asked", func() bool { return m.bank.Calls(portal.BorrowerCreate) == 1 })

	m.kill() // between the approval and what comes of it: the bank has the request, and has changed nothing
	slow()
	assistant = m.start(t, ctx)
	page.Do(chromedp.Navigate(printed(t, m.found)))
	page.Until("she sees that it is being done, and cannot approve it again", `document.querySelector('.card .warning').innerText.includes('Aprovado') && !document.querySelector('button.approve')`)
	page.Within(time.Minute, "she is told that it is done", `document.querySelector('.news.done') && !document.querySelector('.card')`)
	told, text := asks(t, ctx, assistant, "await_approval", `{"approval":"`+asked.Approval.ID+`","seconds":30}`)
	if there := m.bank.Borrowers(sandbox.SampleProcess(1042)); told.Approval.Status != "done" || len(there) != 2 {
		t.Errorf("the bank has %d borrowers, and the assistant learns %s", len(there), text)
	}
	if log := m.log.String(); strings.Contains(log, "299999998") || strings.Contains(log, "/approvals/open/") {
		t.Errorf("the log has what it may not: %s", log)
	}
}
