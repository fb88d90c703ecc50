package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// notificationScale sets how much changes and what fails meanwhile. With Slack's limit of a message a second and channel
// the test would take hours; here a channel accepts one every minInterval. Each rate-limited call still costs a second,
// since Retry-After is in seconds.
type notificationScale struct {
	processes, callbacks, replicas int
	rounds                         int           // everything is delivered before the next one begins
	moving                         time.Duration // over which the callbacks are spread
	minInterval, lease             time.Duration
	killEvery                      time.Duration // on average
	outages                        int           // of Redis
	outage                         time.Duration // each
	withoutCallback                int           // processes that change in the end without a callback
	rateLimitedThroughout          bool          // Slack limits half the calls until the end, and not only while processes change
	timeout                        time.Duration
}

var (
	shortNotifications = notificationScale{
		processes: 12, callbacks: 200, replicas: 2, rounds: 2, moving: 6 * time.Second, minInterval: 20 * time.Millisecond, lease: 1500 * time.Millisecond,
		killEvery: time.Second, outages: 1, outage: 400 * time.Millisecond, withoutCallback: 3, timeout: 2 * time.Minute,
	}
	fullNotifications = notificationScale{
		processes: 200, callbacks: 5000, replicas: 3, rounds: 1, moving: 150 * time.Second, minInterval: 50 * time.Millisecond, lease: 3 * time.Second,
		killEvery: 1500 * time.Millisecond, outages: 3, outage: 3 * time.Second, withoutCallback: 20, rateLimitedThroughout: true, timeout: 40 * time.Minute,
	}
)

// notificationSoak is a running soak.
type notificationSoak struct {
	notificationScale
	bank          *sandbox.Bank
	sim           *slacksim.Sim
	slack         *httptest.Server
	redis         *redistest.Server
	replicaConfig replicaConfig
	running       []*replica
	user          *portal.User // at the bank
	service       *notifications.Service
	config        notifications.Config
	ids           []uuid.UUID // of the processes
	states        map[int32]string

	killed, stopped, added int          // replicas, Redis, borrowers
	accepted               atomic.Int64 // callbacks that a replica accepted

	mu                sync.Mutex
	slackRequests     bytes.Buffer   // all requests
	slackAnswers      map[string]int // by status
	forged            map[string]int // by forgery and answer
	acceptedForgeries []string
}

func TestSoakEveryChangeIsPostedOnceDespiteFaults(t *testing.T) {
	parallel(t)
	n := &notificationSoak{notificationScale: shortNotifications, slackAnswers: map[string]int{}, forged: map[string]int{}}
	if *full {
		n.notificationScale = fullNotifications
	}
	ctx, cancel := context.WithTimeout(t.Context(), n.timeout)
	defer cancel()
	n.start(t)
	t.Cleanup(func() {
		if t.Failed() {
			n.logFailure(t)
		}
	})
	n.waitUntil(ctx, t, "the bot is registered and each process has a snapshot", n.isReady)
	began := time.Now()
	stopFaults := n.startFaults(t)
	defer stopFaults()
	rng := rand.New(rand.NewPCG(*seed, 7))
	for round := range n.rounds {
		n.rateLimit(0.5)
		n.changeProcesses(ctx, t, rng, n.callbacks*(round+1)/n.rounds)
		n.setFinalStates(t, rng, round == n.rounds-1)
		if !n.rateLimitedThroughout {
			n.rateLimit(0)
		}
		n.waitUntil(ctx, t, "everything is delivered", n.allDelivered)
	}
	stopFaults()
	took := time.Since(began)
	n.changeWithoutCallbacks(ctx, t)
	n.rateLimit(0)
	n.checkNothingComesLate(ctx, t)
	for _, r := range n.running {
		r.kill()
	}

	updates := n.checkUpdates(t)
	messages := n.checkChannel(t, updates)
	n.checkNoPersonalData(t)
	n.checkForgeries(t)
	n.checkLogs(t)
	tally := n.bank.DeliveryStats()
	n.mu.Lock()
	defer n.mu.Unlock()
	t.Logf("seed %d: %d processes, %d callbacks in %d tries (%d twice), all delivered after %s", *seed, n.processes, tally.Arrived, tally.Tries, tally.Duplicated, took.Round(time.Millisecond))
	t.Logf("%d updates in %d messages of %d callbacks accepted; Slack's answers: %v", len(updates), messages, n.accepted.Load(), n.slackAnswers)
	t.Logf("%d processes killed, Redis killed %d times; forged callbacks: %v", n.killed, n.stopped, n.forged)
	if n.killed < 3 || n.stopped < n.outages || n.slackAnswers["cut off"] == 0 || n.slackAnswers["429"] < int(n.moving/(3*time.Second)) || tally.Tries == tally.Arrived || tally.GivenUp > 0 {
		t.Errorf("too few or too many faults for a meaningful test: %+v", tally)
	}
}

// start starts the bank, Slack, Redis, the replicas and a proxy that forwards callbacks to any of them.
func (n *notificationSoak) start(t *testing.T) {
	t.Helper()
	n.bank = sandbox.New(sandbox.Config{
		Processes: n.processes, LenientTaxIDs: true, Seed: *seed,
		RetryPause: 100 * time.Millisecond, DeliveryTries: 12, DeliveryTimeout: 3 * time.Second,
	})
	bank := httptest.NewServer(n.bank)
	t.Cleanup(bank.Close)
	t.Cleanup(n.bank.Close)
	n.bank.SetDeliveryFaults(sandbox.DeliveryFaults{Duplicate: 0.3, Reorder: true, Seed: *seed})
	n.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Probability: 0.02, Status: http.StatusServiceUnavailable, Seed: *seed})
	n.sim = slacksim.New(slacksim.Config{
		MaxMessages: 100_000, Rate: slacksim.Rate{MessagesPerSecond: float64(time.Second) / float64(n.minInterval), Burst: 1},
	})
	n.slack = httptest.NewServer(n.recordingSlack())
	n.sim.SetBaseURL(n.slack.URL)
	t.Cleanup(func() {
		if err := n.sim.Close(); err != nil {
			t.Error(err)
		}
		n.slack.Close()
	})
	n.redis = redistest.StartServer(t)
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(n.callbackProxy()) // started when the replicas are known
	t.Cleanup(server.Close)
	n.replicaConfig = replicaConfig{
		Redis: n.redis.URL(), Key: key, Bank: bank.URL, Slack: n.sim.APIURL(), Callbacks: "http://" + server.Listener.Addr().String(), Token: token,
		Lease: n.lease, Debounce: 200 * time.Millisecond, MinInterval: n.minInterval, ReconcileInterval: time.Hour, // so that changes are found by callbacks alone
	}
	n.openObserver(t)
	for i := range n.processes {
		n.ids = append(n.ids, sandbox.SampleProcess(sandbox.SampleAdded+i))
	}
	for i := range n.replicas {
		log, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprintf("notifier-%d.log", i)))
		if err != nil {
			t.Fatal(err)
		}
		r := &replica{program: os.Args[0], environ: n.environ(t), log: log}
		n.running = append(n.running, r)
		t.Cleanup(func() { _ = log.Close() })
	}
	server.Start()
	for _, r := range n.running {
		if err := r.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.kill)
	}
}

const token = "the-token-of-the-soak"

func (n *notificationSoak) environ(t *testing.T) []string {
	t.Helper()
	return append(os.Environ(), replicaVariable+"="+string(encodeConfig(t, n.replicaConfig)))
}

func encodeConfig(t *testing.T, n replicaConfig) []byte {
	t.Helper()
	data, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// openObserver opens a service that reads what the replicas store and processes nothing.
func (n *notificationSoak) openObserver(t *testing.T) {
	t.Helper()
	config, client, err := n.replicaConfig.config(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	n.config, n.user = config, config.Bank
	if n.service, err = notifications.Open(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.service.Close()
		client.Close()
		if err := config.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	items, err := n.user.Taxonomy(t.Context(), "workflowStatesProposal")
	if err != nil {
		t.Fatal(err)
	}
	n.states = map[int32]string{}
	for _, item := range items {
		n.states[item.ID] = item.Description
	}
}

// callbackProxy forwards the bank's callbacks to a random replica, which may be dead.
func (n *notificationSoak) callbackProxy() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			if to, err := url.Parse(n.anyReplica().address()); err == nil {
				r.SetURL(to)
			}
		},
		Transport: &http.Transport{DisableKeepAlives: true},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode == http.StatusAccepted {
				n.accepted.Add(1)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}

func (n *notificationSoak) anyReplica() *replica { return n.running[rand.N(len(n.running))] }

// recordingSlack is Slack, with its requests and answers recorded.
func (n *notificationSoak) recordingSlack() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the replica was killed
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := &status{ResponseWriter: w, code: http.StatusOK}
		n.mu.Lock()
		n.slackRequests.Write(append(body, '\n'))
		n.mu.Unlock()
		said := "cut off"
		defer func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.slackAnswers[said]++
		}()
		n.sim.ServeHTTP(answer, r)
		said = fmt.Sprint(answer.code)
	})
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// isReady reports whether the bot is registered at the bank and every process has a snapshot, so that changes are notified.
func (n *notificationSoak) isReady(ctx context.Context) bool {
	problems, err := n.service.Problems(ctx)
	registered, lost := n.config.Store.Client().HGet(ctx, "registration", "at").Result()
	reconciled, none := n.config.Store.Client().HGet(ctx, "reconciliation", "done").Result()
	return err == nil && lost == nil && none == nil && len(problems) == 0 && registered != "" && reconciled != ""
}

// changeProcesses changes processes until the bank has sent upTo callbacks.
func (n *notificationSoak) changeProcesses(ctx context.Context, t *testing.T, rng *rand.Rand, upTo int) {
	t.Helper()
	began, before := time.Now(), n.sent()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for n.sent() < upTo-n.processes && ctx.Err() == nil {
		process := n.ids[rng.IntN(len(n.ids))]
		for range 1 + rng.IntN(3) {
			switch luck := rng.IntN(20); {
			case luck == 0 && len(n.bank.Borrowers(process)) < 9:
				_, err := n.user.CreateBorrower(ctx, process, somebody(t, n.added))
				must(err)
				n.added++
				must(n.bank.WriteMessage(process)) // for which the bank sends a callback
			case luck < 3:
				must(n.bank.WriteMessage(process))
			case luck < 5:
				must(n.bank.AskForDocument(process))
			case luck < 6:
				must(n.bank.ValueProperty(process))
			case luck < 7:
				must(n.bank.IssueESIS(process))
			default:
				must(n.bank.SetState(process, 1+rng.Int32N(6)))
			}
		}
		due := time.Duration(float64(n.moving) * float64(n.sent()-before) / float64(n.callbacks))
		select {
		case <-time.After(due - time.Since(began)):
		case <-ctx.Done():
		}
	}
}

// sent returns how many callbacks the bank has sent or queued.
func (n *notificationSoak) sent() int {
	tally := n.bank.DeliveryStats()
	return tally.Waiting + tally.Arrived + tally.GivenUp
}

// somebody returns a borrower whose data must not appear in a channel.
func somebody(t *testing.T, i int) (request portal.BorrowerRequest) {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(requestOf(i), &fields); err != nil {
		t.Fatal(err)
	}
	fields["financialDataBorrowerRequest"] = map[string]any{"incomeWagesPensions": 7351.49}
	if err := json.Unmarshal(encoded(fields), &request); err != nil {
		t.Fatal(err)
	}
	return request
}

// waitUntil polls a condition until it holds.
func (n *notificationSoak) waitUntil(ctx context.Context, t *testing.T, what string, yes func(context.Context) bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !yes(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("timed out waiting until %s; undelivered: %v", what, n.undelivered(t.Context()))
		}
	}
}

// checkNothingComesLate checks that the channel does not change for longer than a lease.
func (n *notificationSoak) checkNothingComesLate(ctx context.Context, t *testing.T) {
	t.Helper()
	before, until := fmt.Sprintf("%+v", n.sim.Threads(slacksim.TeamChannel)), time.Now().Add(2*n.lease)
	n.waitUntil(ctx, t, "time has passed", func(ctx context.Context) bool { return time.Now().After(until) })
	if after := fmt.Sprintf("%+v", n.sim.Threads(slacksim.TeamChannel)); after != before {
		t.Error("the channel changed after everything was delivered")
	}
}

func (n *notificationSoak) allDelivered(ctx context.Context) bool {
	return len(n.undelivered(ctx)) == 0
}

// undelivered returns the processes whose card or thread is behind the bank, and all other unfinished work.
func (n *notificationSoak) undelivered(ctx context.Context) (missing []string) {
	threads := map[string]slacksim.Thread{}
	for _, thread := range n.sim.Threads(slacksim.TeamChannel) {
		threads[noticeOf(thread.Message)] = thread
	}
	for i, process := range n.ids {
		thread, state := threads[process.String()+":card"], n.states[n.bank.State(process)]
		if !strings.Contains(thread.FullText(), "*Status*\n"+state) || len(thread.Replies) == 0 {
			missing = append(missing, fmt.Sprint(sandbox.SampleAdded+i))
			continue
		}
		snapshot, _, err := n.service.Snapshot(ctx, notifications.OfProcess(process))
		last := noticeOf(thread.Replies[len(thread.Replies)-1])
		if err != nil || snapshot.Status != state || last != fmt.Sprintf("%s:%d", process, snapshot.Version) {
			missing = append(missing, fmt.Sprintf("%d (%s, %d, after %s: %v)", sandbox.SampleAdded+i, snapshot.Status, snapshot.Version, last, err))
		}
	}
	if triggers, err := n.config.Store.Client().XLen(ctx, "triggers").Result(); triggers > 0 || err != nil {
		missing = append(missing, fmt.Sprintf("%d triggers, %v", triggers, err))
	}
	if waiting := n.bank.DeliveryStats().Waiting; waiting > 0 {
		missing = append(missing, fmt.Sprintf("%d callbacks", waiting))
	}
	return missing
}

// noticeOf returns the id of the notice in a message, or "".
func noticeOf(m slacksim.Message) string {
	var payload struct{ ID string }
	_ = json.Unmarshal(m.Payload(), &payload) // not every message has one
	return payload.ID
}

// logFailure logs the end of the log of each replica.
func (n *notificationSoak) logFailure(t *testing.T) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.running {
		log, _ := os.ReadFile(r.log.Name())
		t.Logf("%s ends with\n%s", filepath.Base(r.log.Name()), log[max(0, len(log)-3000):])
	}
	t.Logf("Slack's answers: %v; killed %d; seed %d; refused %v", n.slackAnswers, n.killed, *seed, slices.Collect(maps.Keys(n.refusals())))
}

// refusals returns the errors that Slack never returns to a correct app.
func (n *notificationSoak) refusals() map[string]string {
	codes := map[string]string{}
	for _, refused := range n.sim.Refusals() {
		if refused.Error != "ratelimited" {
			codes[refused.Error] = refused.Method + " " + refused.Detail
		}
	}
	return codes
}
