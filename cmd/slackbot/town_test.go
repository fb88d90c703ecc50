package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// town is everything around the program, outliving it: a bank, a Slack workspace and a Redis. The program itself is the
// real one, in a process of its own that may be killed.
type town struct {
	bank   *sandbox.Bank
	client *portal.Client
	slack  *slacksim.Sim
	ana    *slacksim.User
	redis  string // its URL
	server *redistest.Server
	logs   *logtest.Log
	env    []string
	addr   string
	path   string
	bot    *exec.Cmd
}

func newTown(t *testing.T) *town {
	t.Helper()
	bank := sandbox.New(sandbox.Config{})
	bankServer := httptest.NewServer(bank)
	t.Cleanup(bankServer.Close)
	client, err := portal.New(portal.Config{BaseURL: bankServer.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	addr := freeAddr(t)
	slack := slacksim.New(slacksim.Config{RequestURL: "http://" + addr + "/slack/events", Manifest: manifest})
	slackServer := httptest.NewServer(slack)
	slack.SetBaseURL(slackServer.URL)
	t.Cleanup(func() { slack.Close(); slackServer.Close() })
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "slackbot")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	server := redistest.StartServer(t)
	town := &town{
		server: server,
		bank:   bank, client: client, slack: slack, ana: slack.User(slacksim.Ana), redis: server.URL(), logs: &logtest.Log{}, addr: addr, path: path,
	}
	town.env = []string{
		"PORTAL_URL=" + bankServer.URL, "PORTAL_CLIENT_ID=" + sandbox.SampleClientID, "PORTAL_CLIENT_SECRET=" + sandbox.SampleClientSecret,
		"PORTAL_BROKER_UID=" + sandbox.BrokerA.UID.String(), "PORTAL_USERNAME=" + sandbox.BrokerA.Users[0], "PORTAL_USERS=*=" + sandbox.BrokerA.Users[0],
		"SLACK_API_URL=" + slackServer.URL + "/api/", "SLACK_BOT_TOKEN=" + slacksim.DefaultBotToken, "SLACK_SIGNING_SECRET=" + slacksim.DefaultSigningSecret,
		"REDIS_URL=" + town.redis, "STATE_KEY=" + key, "ADDR=" + addr, "HOME=" + t.TempDir(),
	}
	t.Cleanup(func() { town.kill() })
	return town
}

func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// start starts the program and waits until it could serve.
func (w *town) start(t *testing.T) {
	t.Helper()
	w.bot = exec.Command(w.path)
	w.bot.Env, w.bot.Stdout, w.bot.Stderr = w.env, w.logs, w.logs
	if err := w.bot.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the bot's readiness", func() bool {
		response, err := http.Get("http://" + w.addr + "/readyz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// kill ends the program as a power cut would.
func (w *town) kill() {
	if w.bot != nil && w.bot.Process != nil {
		_ = w.bot.Process.Kill()
		_ = w.bot.Wait()
		w.bot = nil
	}
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func minute(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// rui is what a person types of a borrower.
var rui = slacksim.Values{
	"borrowerTypeId": "2", "keyBorrowerRelationId": "1",
	"personal.name": "Rui Amostra", "personal.birthDate": "12/04/1985", "personal.taxId": "299 999 998",
	"personal.mobile": "912 345 678", "personal.email": "rui.amostra@example.com", "personal.genderId": "2",
	"financial.incomeWagesPensions": "2.345,67", "personal.address": "Rua da Amostra", "personal.zipCode": "1000-001", "personal.countryId": "1",
}

// fill answers the page in front with what it asks for and presses its button. It returns the view that comes next.
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

// isPage tells a page with something to fill in from the one that asks for confirmation.
func isPage(view slacksim.View) bool {
	for _, block := range view.Blocks {
		if strings.Contains(string(block), `"type":"input"`) {
			return true
		}
	}
	return false
}

// confirm fills what pages are left, confirms, and waits for the result.
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
