package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/addrtest"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// harness is what the program works with: a bank, a Slack workspace and a Redis, which outlive it. The program runs in a
// process of its own that may be killed.
type harness struct {
	bank   *sandbox.Bank
	client *portal.Client
	slack  *slacksim.Sim
	ana    *slacksim.User
	redis  string // its URL
	server *redistest.Server
	logs   *logtest.Log
	env    []string
	addr   string
	bot    *exec.Cmd
}

// bankSecret is the client secret at the bank of a harness.
const bankSecret = "d1f4b06a93c85e27f0a4c6e81b39572d"

func newHarness(t *testing.T, change ...func(*sandbox.Config)) *harness {
	t.Helper()
	config := sandbox.Config{ClientSecret: bankSecret}
	for _, c := range change {
		c(&config)
	}
	bank := sandbox.New(config)
	bankServer := httptest.NewServer(bank)
	t.Cleanup(bankServer.Close)
	client, err := portal.New(portal.Config{BaseURL: bankServer.URL, ClientID: sandbox.SampleClientID, ClientSecret: bankSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	addr := addrtest.Free(t)
	slack := slacksim.New(slacksim.Config{RequestURL: "http://" + addr + "/slack/events", Manifest: playgroundManifest()})
	slackServer := httptest.NewServer(slack)
	slack.SetBaseURL(slackServer.URL)
	t.Cleanup(func() { slack.Close(); slackServer.Close() })
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	server := redistest.StartServer(t)
	h := &harness{
		server: server,
		bank:   bank, client: client, slack: slack, ana: slack.User(slacksim.Ana), redis: server.URL(), logs: &logtest.Log{}, addr: addr,
	}
	h.env = []string{
		"PORTAL_URL=" + bankServer.URL, "PORTAL_CLIENT_ID=" + sandbox.SampleClientID, "PORTAL_CLIENT_SECRET=" + bankSecret,
		"PORTAL_BROKER_UID=" + sandbox.BrokerA.UID.String(), "PORTAL_USERNAME=" + sandbox.BrokerA.Users[0], "PORTAL_USERS=*=" + sandbox.BrokerA.Users[0],
		"SLACK_API_URL=" + slackServer.URL + "/api/", "SLACK_BOT_TOKEN=" + slacksim.DefaultBotToken, "SLACK_SIGNING_SECRET=" + slacksim.DefaultSigningSecret,
		"REDIS_URL=" + h.redis, "STATE_KEY=" + key, "ADDR=" + addr, "HOME=" + t.TempDir(),
		"ASSISTANT_POLICY=allow", // that people approve what assistants ask for has tests of its own
	}
	t.Cleanup(h.kill)
	return h
}

// start starts the program and waits until it is ready.
func (h *harness) start(t *testing.T) {
	t.Helper()
	h.bot = exec.Command(buildProgram(t))
	h.bot.Env, h.bot.Stdout, h.bot.Stderr = h.env, h.logs, h.logs
	if err := h.bot.Start(); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the bot is ready", func() bool {
		response, err := http.Get("http://" + h.addr + "/readyz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// kill ends the program as a power cut would.
func (h *harness) kill() {
	if h.bot != nil && h.bot.Process != nil {
		_ = h.bot.Process.Kill()
		_ = h.bot.Wait()
		h.bot = nil
	}
}

// testContext is the context of a whole test. Its deadline is far above what a test takes on a busy machine.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// rui is the borrower whom tests type into forms.
var rui = slacksim.Values{
	"borrowerTypeId": "2", "keyBorrowerRelationId": "1",
	"personal.name": "Rui Amostra", "personal.birthDate": "12/04/1985", "personal.taxId": "299 999 998",
	"personal.mobile": "912 345 678", "personal.email": "rui.amostra@example.com", "personal.genderId": "2",
	"financial.incomeWagesPensions": "2.345,67", "personal.address": "Rua da Amostra", "personal.zipCode": "1000-001", "personal.countryId": "1",
}

// fill fills in the page in front and submits it. It returns the next view.
func fill(t *testing.T, ctx context.Context, user *slacksim.User, answers slacksim.Values) slacksim.View {
	t.Helper()
	page, _ := user.TopView()
	asked := slacksim.Values{}
	for path, text := range answers {
		if page.Has(path) {
			asked[path] = text
		}
	}
	submitted, err := user.Submit(ctx, asked)
	if err != nil || len(submitted.Errors) > 0 {
		t.Fatalf("submitting %q: %+v, %v", page.Text(), submitted, err)
	}
	next, err := user.WaitView(ctx, func(v slacksim.View) bool { return v.Hash != page.Hash && v.Submit != "" })
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// button returns the action of the button of a card that has a text.
func button(t *testing.T, card slacksim.Message, text string) string {
	t.Helper()
	found := regexp.MustCompile(`"action_id":"(step:[a-z])","text":\{[^{}]*"text":"` + regexp.QuoteMeta(text) + `"`).FindStringSubmatch(string(card.Blocks))
	if found != nil {
		return found[1]
	}
	t.Fatalf("no button %q on %s", text, card.Blocks)
	return ""
}

// isPage reports whether a view is a page to fill in, and not the one that asks for confirmation.
func isPage(view slacksim.View) bool {
	for _, block := range view.Blocks {
		if strings.Contains(string(block), `"type":"input"`) {
			return true
		}
	}
	return false
}

// confirm fills in the remaining pages, confirms, and waits for the result.
func confirm(t *testing.T, ctx context.Context, user *slacksim.User, answers slacksim.Values, result string) {
	t.Helper()
	view, _ := user.TopView()
	for isPage(view) {
		view = fill(t, ctx, user, answers)
	}
	if submitted, err := user.Submit(ctx, nil); err != nil || len(submitted.Errors) > 0 {
		t.Fatalf("confirming: %+v, %v", submitted, err)
	}
	if _, err := user.WaitView(ctx, func(v slacksim.View) bool { return strings.Contains(v.Text(), result) }); err != nil {
		t.Fatal(err)
	}
}
