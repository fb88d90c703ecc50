package slackapp_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/clocktest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"

	"go.uber.org/goleak"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/slackapp"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

func TestMain(m *testing.M) {
	waittest.Parallel(3 * runtime.GOMAXPROCS(0)) // flows wait half of their time
	goleak.VerifyTestMain(m)
}

// harness is an app between a simulated Slack and a sandbox bank, with a real Redis. All of them talk over the
// network.
type harness struct {
	t           testing.TB
	sim         *slacksim.Sim
	bank        *sandbox.Bank
	redis       *redistest.Server
	first       *testenv.Env // whose bank and Redis all replicas use
	client      *portal.Client
	handler     atomic.Pointer[http.Handler] // of the current replica
	replica     *replica
	log         *logtest.Log
	people      *people
	transport   transport
	address     string          // of the app, over HTTP
	reachable   chan string     // destinations given to Config.Reachable
	updates     updateList      // what the tool of recent changes lists
	gate        bankGate        // in front of the bank
	ackWait     time.Duration   // of the next replicas; 0 for the default
	callTimeout time.Duration   // of a tool's call, of the next replicas; 0 for the default
	clock       clocktest.Clock // of the runner and the store
}

// replica is one running app.
type replica struct {
	app          *slackapp.App
	env          *testenv.Env
	runner       *tools.Runner
	store        *conversations.Store
	closeSockets func() // closes its sockets
	stop         func()
}

// people are everybody's logins. They panic on request.
type people struct {
	tools.Team
	panics atomic.Bool
}

func (p *people) Person(ctx context.Context, actor string) (tools.Person, bool) {
	if p.panics.Load() {
		panic("a fault of ours")
	}
	return p.Team.Person(ctx, actor)
}

// transport is how Slack delivers to the app.
type transport string

const (
	overHTTP   transport = "HTTP"
	overSocket transport = "Socket Mode"
)

// options configure a harness and its workspace.
type options struct {
	slacksim.Config
	ackWait time.Duration
	checks  func(*validation.Options)
	lists   testenv.OtherLists // of the bank
	tools   *tools.Catalogue   // those of Balcão by default
}

// ackWaitForever is long enough for every result that needs no slow bank, on a busy machine too.
const ackWaitForever = 1900 * time.Millisecond

// newHarness starts a harness; change adjusts its options.
func newHarness(t testing.TB, way transport, change ...func(*options)) *harness {
	t.Helper()
	h := &harness{t: t, transport: way, reachable: make(chan string, 16)}
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler := h.handler.Load()
		if handler == nil {
			http.Error(w, "nobody is there", http.StatusBadGateway)
			return
		}
		(*handler).ServeHTTP(w, r)
	}))
	t.Cleanup(bot.Close)
	config := options{Config: slacksim.Config{Manifest: manifest(t, "https://slack.invalid", words.Langs...), RetryDelays: []time.Duration{0, 50 * time.Millisecond}}}
	if way == overHTTP {
		config.RequestURL = bot.URL + "/slack/events"
		h.address = config.RequestURL
	}
	for _, c := range change {
		c(&config)
	}
	h.sim = slacksim.New(config.Config)
	h.ackWait = config.ackWait
	workspace := httptest.NewServer(h.sim)
	h.sim.SetBaseURL(workspace.URL)
	h.redis = redistest.StartServer(t)
	login := func(i int) tools.Person {
		return tools.Person{Login: portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[i]}}
	}
	assistant := login(0)
	assistant.Account = anasID
	h.people = &people{Team: tools.Team{"": login(0), "slack:" + slacksim.TeamID + "/" + slacksim.Tom: login(1), anasAssistant: assistant}}
	h.log = &logtest.Log{}
	now := h.clock.Now
	h.first = testenv.Start(t, testenv.Options{Now: now, Store: []conversations.Option{conversations.WithClock(now)}, Proxy: h.gate.before, Redis: h.redis.URL(), Timeout: 2 * time.Second, Checks: config.checks, Profile: config.lists.Taken, Sandbox: sandbox.Config{Profile: config.lists.Bank}, Runner: func(c *tools.Config) {
		testenv.AuditInStore(c)
		c.Policy = nil
		c.People, c.CallTimeout, c.Log = h.people, h.callTimeout, slog.New(slog.NewJSONHandler(h.log, nil))
		if config.tools != nil {
			c.Catalogue = config.tools
		}
		c.Destinations, c.Updates = destinations{c.Journal.(*conversations.Store)}, h.updates
	}})
	h.bank, h.client = h.first.Bank, h.first.Client
	h.replica = h.startReplica()
	t.Cleanup(func() {
		h.killReplica()
		must(t, h.sim.Close())
		workspace.Close()
	})
	return h
}

// startReplica starts a replica of the app, which receives Slack's deliveries from now on.
func (h *harness) startReplica(change ...func(*tools.Config)) *replica {
	h.t.Helper()
	env := h.first
	if h.replica != nil {
		env = h.first.Replica(h.t, change...)
	}
	app, err := slackapp.New(slackapp.Config{
		Runner: env.Runner, Store: env.Store, BotToken: slacksim.DefaultBotToken, SigningSecret: slacksim.DefaultSigningSecret,
		AppToken: slacksim.DefaultAppToken, APIURL: h.sim.APIURL(), Log: env.Runner.Log,
		AckWait: h.ackWait, Reachable: func(dest string) { h.reachable <- dest },
	})
	must(h.t, err)
	r := &replica{app: app, env: env, runner: env.Runner, store: env.Store}
	handler := app.Handler()
	h.handler.Store(&handler)
	ctx, closeSockets := context.WithCancel(context.Background())
	var listening sync.WaitGroup
	if h.transport == overSocket {
		listening.Go(func() {
			if err := app.RunSocket(ctx); err != nil {
				h.t.Errorf("the socket ended: %v", err)
			}
		})
		h.wait("two sockets", func() bool { return h.sim.Sockets() == 2 })
	}
	r.closeSockets = func() {
		closeSockets()
		listening.Wait()
		if h.transport == overSocket { // else Slack may still deliver to one of them
			h.wait("its sockets to be gone", func() bool { return h.sim.Sockets() == 0 })
		}
	}
	r.stop = func() {
		r.closeSockets()
		late, cancel := context.WithTimeout(context.Background(), waittest.Deadline)
		defer cancel()
		must(h.t, app.Close(late))
		env.Close()
	}
	return r
}

// restart replaces the replica by a new one.
func (h *harness) restart() {
	h.t.Helper()
	h.killReplica()
	h.replica = h.startReplica()
}

// killReplica stops the replica. Slack can no longer reach it.
func (h *harness) killReplica() {
	h.handler.Store(nil)
	h.replica.stop()
}

const (
	anasID        = "slack:" + slacksim.TeamID + "/" + slacksim.Ana
	anasAssistant = "mcp:ana"
)

// drafts returns the forms that Ana has open.
func (h *harness) drafts() []conversations.Draft {
	h.t.Helper()
	drafts, err := h.replica.store.Drafts(h.ctx(), anasID)
	must(h.t, err)
	return drafts
}

// draft returns Ana's only form.
func (h *harness) draft() conversations.Draft {
	h.t.Helper()
	drafts := h.drafts()
	if len(drafts) != 1 {
		h.t.Fatalf("Ana has %d forms open", len(drafts))
	}
	return drafts[0]
}

// editInOtherWindow changes Ana's form as another window of hers would.
func (h *harness) editInOtherWindow(typing func(*conversations.Draft)) {
	h.t.Helper()
	draft := h.draft()
	draft.Notes["view"] = "V0TELEPHONE"
	typing(&draft)
	_, err := h.replica.store.SaveDraft(h.ctx(), draft)
	must(h.t, err)
}

// borrowers counts the borrowers of process 1042.
func (h *harness) borrowers() int {
	h.t.Helper()
	login := h.people.Team[""].Login
	found, err := h.client.As(login, "pt-PT").ListBorrowers(h.ctx(), sandbox.SampleProcess(sandbox.SampleOpen))
	must(h.t, err)
	return len(found)
}

// ctx returns a context that ends before a test is stuck.
func (h *harness) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), waittest.Deadline)
	h.t.Cleanup(cancel)
	return ctx
}

// wait waits until a condition holds.
func (h *harness) wait(what string, so func() bool) {
	h.t.Helper()
	waittest.Eventually(h.t, what, so)
}

// checkNoRefusals fails the test if Slack refused a call.
func (h *harness) checkNoRefusals() {
	h.t.Helper()
	for _, refused := range h.sim.Refusals() {
		h.t.Errorf("Slack refused %s: %s %s", refused.Method, refused.Error, refused.Detail)
	}
}

// user is a person of the workspace, for a test.
type user struct {
	*slacksim.User
	h *harness
}

// user is a person of the workspace.
func (h *harness) user(id string) user { return user{h.sim.User(id), h} }

func (h *harness) ana() user { return h.user(slacksim.Ana) }

// types types a command in the team's channel.
func (s user) types(line string) {
	s.h.t.Helper()
	must(s.h.t, s.Command(s.h.ctx(), slacksim.TeamChannel, line))
}

// sees waits for a modal that contains all texts.
func (s user) sees(texts ...string) slacksim.View {
	s.h.t.Helper()
	view, err := s.WaitView(s.h.ctx(), func(v slacksim.View) bool { return says(v.Text()+"\n"+v.Submit, texts) })
	if err != nil {
		s.h.t.Fatalf("wanted a modal with %q: %v\n%s", texts, err, s.h.log)
	}
	return view
}

// reads waits for an ephemeral message in the team's channel that contains all texts.
func (s user) reads(texts ...string) slacksim.Message {
	s.h.t.Helper()
	return s.readsIn(slacksim.TeamChannel, texts...)
}

func (s user) readsIn(channel string, texts ...string) slacksim.Message {
	s.h.t.Helper()
	message, err := s.WaitMessage(s.h.ctx(), channel, func(m slacksim.Message) bool { return says(m.FullText(), texts) })
	if err != nil {
		var seen []string
		for _, m := range s.Messages(channel) {
			seen = append(seen, m.FullText())
		}
		s.h.t.Fatalf("wanted a message with %q, but there are %q\n%s", texts, seen, s.h.log)
	}
	if channel == slacksim.TeamChannel && !message.Ephemeral {
		s.h.t.Errorf("the whole channel sees %q", message.FullText())
	}
	return message
}

// fills fills in fields of the modal.
func (s user) fills(values slacksim.Values) {
	s.h.t.Helper()
	s.h.wait("she filled the fields in", func() bool {
		err := s.Fill(s.h.ctx(), values)
		if err != nil && !errors.Is(err, slacksim.ErrNoOption) { // a busy machine may return the options late
			s.h.t.Fatalf("filling in: %v\n%s", err, s.h.log)
		}
		return err == nil
	})
}

// submits fills in fields of the modal and submits it.
func (s user) submits(values slacksim.Values) slacksim.SubmitResult {
	s.h.t.Helper()
	ctx := s.h.ctx()
	done, err := s.Submit(ctx, values)
	for errors.Is(err, slacksim.ErrNoOption) && ctx.Err() == nil { // a busy machine may return the options late
		done, err = s.Submit(ctx, values)
	}
	if err != nil {
		s.h.t.Fatalf("submitting: %v\n%s", err, s.h.log)
	}
	return done
}

func (s user) presses(button string) {
	s.h.t.Helper()
	must(s.h.t, s.Click(s.h.ctx(), button))
}

func (s user) pressesIn(m slacksim.Message, button string) {
	s.h.t.Helper()
	must(s.h.t, s.ClickMessage(s.h.ctx(), m.Channel, m.TS, button))
}

func says(text string, all []string) bool {
	for _, one := range all {
		if !strings.Contains(text, one) {
			return false
		}
	}
	return true
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
