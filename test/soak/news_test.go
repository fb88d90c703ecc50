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

// newsScale is how much moves and what goes wrong meanwhile. Slack's own limit of a message a second and channel would
// make this last for hours in which nothing else happens: here a channel takes one every space. Each time that Slack wants
// to be left alone still costs a second, since it counts in seconds.
type newsScale struct {
	processes, callbacks, replicas int
	rounds                         int           // how often everything has to be told before more moves
	moving                         time.Duration // that all callbacks take
	space, lease                   time.Duration
	killEvery                      time.Duration // on average
	outages                        int           // of Redis
	outage                         time.Duration // each
	unheard                        int           // processes that move in the end without a callback
	endless                        bool          // Slack wants nothing half the time until the end, and not only while processes move
	patience                       time.Duration
}

var (
	newsInShort = newsScale{
		processes: 12, callbacks: 200, replicas: 2, rounds: 2, moving: 6 * time.Second, space: 20 * time.Millisecond, lease: 1500 * time.Millisecond,
		killEvery: time.Second, outages: 1, outage: 400 * time.Millisecond, unheard: 3, patience: 2 * time.Minute,
	}
	newsInFull = newsScale{
		processes: 200, callbacks: 5000, replicas: 3, rounds: 1, moving: 150 * time.Second, space: 50 * time.Millisecond, lease: 3 * time.Second,
		killEvery: 1500 * time.Millisecond, outages: 3, outage: 3 * time.Second, unheard: 20, endless: true, patience: 40 * time.Minute,
	}
)

// newsroom is such a soak under way.
type newsroom struct {
	newsScale
	bank     *sandbox.Bank
	sim      *slacksim.Sim
	slack    *httptest.Server
	redis    *redistest.Server
	notifier notifier // what the replicas are told
	crew     []*replica
	user     *portal.User // at the bank
	news     *notifications.Service
	config   notifications.Config
	ids      []uuid.UUID // of the processes
	states   map[int32]string

	killed, stopped, added int          // replicas, Redis, borrowers
	taken                  atomic.Int64 // callbacks that a replica took

	mu      sync.Mutex
	heard   bytes.Buffer   // all that Slack was ever sent
	said    map[string]int // what Slack answered
	forged  map[string]int // by what was forged, and how it was answered
	strange []string       // forged callbacks that were taken
}

func TestSoakTheTeamHearsOfEveryProcessOnceWhateverFails(t *testing.T) {
	n := &newsroom{newsScale: newsInShort, said: map[string]int{}, forged: map[string]int{}}
	if *full {
		n.newsScale = newsInFull
	}
	ctx, cancel := context.WithTimeout(t.Context(), n.patience)
	defer cancel()
	n.open(t)
	t.Cleanup(func() {
		if t.Failed() {
			n.lastWords(t)
		}
	})
	n.until(ctx, t, "the bank calls, and each process had a first look", n.isReady)
	began := time.Now()
	calm := n.trouble(t)
	defer calm()
	dice := rand.New(rand.NewPCG(*seed, 7))
	for round := range n.rounds {
		n.storm(0.5)
		n.move(ctx, t, dice, n.callbacks*(round+1)/n.rounds)
		n.settle(t, dice, round == n.rounds-1)
		if !n.endless {
			n.storm(0)
		}
		n.until(ctx, t, "everything is told", n.isTold)
	}
	calm()
	took := time.Since(began)
	n.moveUnheard(ctx, t)
	n.storm(0)
	n.stays(ctx, t)
	for _, r := range n.crew {
		r.kill()
	}

	updates := n.updates(t)
	messages := n.readChannel(t, updates)
	n.findNobody(t)
	n.nothingForged(t)
	n.writtenDown(t)
	tally := n.bank.Tally()
	n.mu.Lock()
	defer n.mu.Unlock()
	t.Logf("seed %d: %d processes, %d callbacks in %d tries (%d twice), all told after %s", *seed, n.processes, tally.Arrived, tally.Tries, tally.Duplicated, took.Round(time.Millisecond))
	t.Logf("%d updates in %d messages of %d callbacks taken; Slack's answers: %v", len(updates), messages, n.taken.Load(), n.said)
	t.Logf("%d processes killed, Redis killed %d times; forged callbacks: %v", n.killed, n.stopped, n.forged)
	if n.killed < 3 || n.stopped < n.outages || n.said["cut off"] == 0 || n.said["429"] < int(n.moving/(3*time.Second)) || tally.Tries == tally.Arrived || tally.GivenUp > 0 {
		t.Errorf("too little went wrong for this to show anything, or too much: %+v", tally)
	}
}

// trouble makes everything go wrong until it is told to stop.
func (n *newsroom) trouble(t *testing.T) (calm func()) {
	over := make(chan struct{})
	var under sync.WaitGroup
	under.Go(func() { n.killNowAndThen(t, over) })
	under.Go(func() { n.loseAnswers(over) })
	under.Go(func() { n.forge(over) })
	return sync.OnceFunc(func() {
		close(over)
		under.Wait()
	})
}

// open starts the bank, Slack, Redis and the replicas, with a door before them that leads to any.
func (n *newsroom) open(t *testing.T) {
	t.Helper()
	n.bank = sandbox.New(sandbox.Config{
		Processes: n.processes, LenientTaxIDs: true, Seed: *seed,
		RetryPause: 100 * time.Millisecond, DeliveryTries: 12, DeliveryTimeout: 3 * time.Second,
	})
	bank := httptest.NewServer(n.bank)
	t.Cleanup(bank.Close)
	t.Cleanup(n.bank.Close)
	n.bank.Deliver(sandbox.Deliveries{Duplicate: 0.3, Reorder: true, Seed: *seed})
	n.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Probability: 0.02, Status: http.StatusServiceUnavailable, Seed: *seed})
	n.sim = slacksim.New(slacksim.Config{
		MaxMessages: 100_000, Rate: slacksim.Rate{MessagesPerSecond: float64(time.Second) / float64(n.space), Burst: 1},
	})
	n.slack = httptest.NewServer(n.overheard())
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
	door := httptest.NewUnstartedServer(n.door()) // until it knows the replicas
	t.Cleanup(door.Close)
	n.notifier = notifier{
		Redis: n.redis.URL(), Key: key, Bank: bank.URL, Slack: n.sim.APIURL(), Callbacks: "http://" + door.Listener.Addr().String(), Token: token,
		Lease: n.lease, Hush: 200 * time.Millisecond, Space: n.space, Walk: time.Hour, // what a callback says must not need a walk
	}
	n.openWitness(t)
	for i := range n.processes {
		n.ids = append(n.ids, sandbox.SampleProcess(sandbox.SampleAdded+i))
	}
	for i := range n.replicas {
		log, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprintf("notifier-%d.log", i)))
		if err != nil {
			t.Fatal(err)
		}
		r := &replica{program: os.Args[0], environ: n.environ(t), log: log}
		n.crew = append(n.crew, r)
		t.Cleanup(func() { _ = log.Close() })
	}
	door.Start()
	for _, r := range n.crew {
		if err := r.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.kill)
	}
}

const token = "the-token-of-the-soak"

func (n *newsroom) environ(t *testing.T) []string {
	t.Helper()
	return append(os.Environ(), asNotifier+"="+string(encodedNotifier(t, n.notifier)))
}

func encodedNotifier(t *testing.T, n notifier) []byte {
	t.Helper()
	data, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// openWitness looks on: it takes no part in the work.
func (n *newsroom) openWitness(t *testing.T) {
	t.Helper()
	config, client, err := n.notifier.config(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	n.config, n.user = config, config.Bank
	if n.news, err = notifications.Open(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.news.Close()
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

// door leads the bank's callbacks to any replica; who is dead right then does not answer.
func (n *newsroom) door() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			if to, err := url.Parse(n.any().address()); err == nil {
				r.SetURL(to)
			}
		},
		Transport: &http.Transport{DisableKeepAlives: true},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode == http.StatusAccepted {
				n.taken.Add(1)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}

func (n *newsroom) any() *replica { return n.crew[rand.N(len(n.crew))] }

// overheard is Slack, with all that it is sent written down.
func (n *newsroom) overheard() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender is dead
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := &status{ResponseWriter: w, code: http.StatusOK}
		n.mu.Lock()
		n.heard.Write(append(body, '\n'))
		n.mu.Unlock()
		said := "cut off"
		defer func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.said[said]++
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

// isReady tells whether the bank knows where to call, and every process was looked at, so that what comes is news.
func (n *newsroom) isReady(ctx context.Context) bool {
	ailments, err := n.news.Problems(ctx)
	registered, lost := n.config.Store.Client().HGet(ctx, "registration", "at").Result()
	walked, none := n.config.Store.Client().HGet(ctx, "reconciliation", "done").Result()
	return err == nil && lost == nil && none == nil && len(ailments) == 0 && registered != "" && walked != ""
}

// storm has Slack want nothing, at a share of the calls.
func (n *newsroom) storm(share float64) {
	for i, method := range methods {
		n.sim.FailRandomly(method, share, *seed+uint64(i), slacksim.RateLimited(time.Second))
	}
}

var methods = []string{"chat.postMessage", "chat.update", "conversations.history", "conversations.replies", "auth.test"}

// move moves processes, each step at a time and several at once, until there were so many callbacks.
func (n *newsroom) move(ctx context.Context, t *testing.T, dice *rand.Rand, upTo int) {
	t.Helper()
	began, before := time.Now(), n.sent()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for n.sent() < upTo-n.processes && ctx.Err() == nil {
		process := n.ids[dice.IntN(len(n.ids))]
		for range 1 + dice.IntN(3) {
			switch luck := dice.IntN(20); {
			case luck == 0 && len(n.bank.Borrowers(process)) < 9:
				_, err := n.user.CreateBorrower(ctx, process, somebody(t, n.added))
				must(err)
				n.added++
				must(n.bank.WriteMessage(process)) // of which the bank tells us
			case luck < 3:
				must(n.bank.WriteMessage(process))
			case luck < 5:
				must(n.bank.AskForDocument(process))
			default:
				must(n.bank.MoveTo(process, 1+dice.Int32N(6)))
			}
		}
		due := time.Duration(float64(n.moving) * float64(n.sent()-before) / float64(n.callbacks))
		select {
		case <-time.After(due - time.Since(began)):
		case <-ctx.Done():
		}
	}
}

// settle puts processes where they are to stay, for now or for good.
func (n *newsroom) settle(t *testing.T, dice *rand.Rand, forGood bool) {
	t.Helper()
	states := []int32{2, 3, 4, 5, 6}
	if forGood {
		states = append(states, 7, 9) // ended
	}
	for _, process := range n.ids {
		if err := n.bank.MoveTo(process, states[dice.IntN(len(states))]); err != nil {
			t.Fatal(err)
		}
	}
}

// sent is how many callbacks the bank has sent, or is about to.
func (n *newsroom) sent() int {
	tally := n.bank.Tally()
	return tally.Waiting + tally.Arrived + tally.GivenUp
}

// somebody is a borrower whose data nobody may read in a channel.
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

// killNowAndThen kills replicas, and at times Redis with one of them.
func (n *newsroom) killNowAndThen(t *testing.T, over <-chan struct{}) {
	dice := rand.New(rand.NewPCG(*seed, 99))
	for {
		select {
		case <-time.After(n.killEvery/2 + time.Duration(dice.Int64N(int64(n.killEvery)))):
		case <-over:
			return
		}
		victim := n.crew[dice.IntN(len(n.crew))]
		victim.kill()
		n.killed++
		if n.stopped < n.outages && n.sent() >= n.callbacks*(n.stopped+1)/(n.outages+1) {
			n.redis.Stop()
			n.stopped++
			select {
			case <-time.After(n.outage):
			case <-over:
			}
			n.redis.Start()
		}
		if err := victim.start(); err != nil {
			t.Errorf("a replica does not start again: %v", err)
			return
		}
	}
}

// loseAnswers has one of about eight of Slack's answers get lost.
func (n *newsroom) loseAnswers(over <-chan struct{}) {
	dice, next, times := rand.New(rand.NewPCG(*seed, 5)), map[string]int{}, map[string]int{}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-over:
			return
		}
		for _, method := range methods[:2] {
			if n.sim.Calls(method) < next[method] {
				continue
			}
			next[method] = n.sim.Calls(method) + 5 + dice.IntN(6)
			n.sim.Fail(method, 1, losses[times[method]%len(losses)])
			times[method]++
		}
	}
}

// losses are the ways in which an answer is lost, in turn: mostly after what was asked for has happened.
var losses = []slacksim.Failure{
	{Drop: true, AfterEffect: true}, {Error: "internal_error", AfterEffect: true}, {Drop: true, AfterEffect: true},
	{Status: http.StatusServiceUnavailable}, {Drop: true, AfterEffect: true},
}

// moveUnheard moves some processes of which no callback comes: a walk over the bank's list finds them.
func (n *newsroom) moveUnheard(ctx context.Context, t *testing.T) {
	t.Helper()
	n.bank.Deliver(sandbox.Deliveries{Lose: 1})
	left := n.unheard
	for _, process := range n.ids {
		if state := n.bank.State(process); left > 0 && state < 7 {
			left--
			if err := n.bank.MoveTo(process, 7+state%2*2); err != nil {
				t.Fatal(err)
			}
		}
	}
	if left > 0 {
		t.Errorf("%d processes could not be moved any more", left)
	}
	n.notifier.Walk = time.Second
	for _, r := range n.crew {
		r.kill()
		r.environ = n.environ(t)
		if err := r.start(); err != nil {
			t.Fatal(err)
		}
	}
	n.until(ctx, t, "a walk has found what no callback told of", n.isTold)
}

// until asks again and again.
func (n *newsroom) until(ctx context.Context, t *testing.T, what string, yes func(context.Context) bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !yes(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s; not told are %v", what, n.untold(t.Context()))
		}
	}
}

// stays makes sure that nothing comes late: for longer than a lease, the channel stays as it is.
func (n *newsroom) stays(ctx context.Context, t *testing.T) {
	t.Helper()
	before, until := fmt.Sprintf("%+v", n.sim.Threads(slacksim.TeamChannel)), time.Now().Add(2*n.lease)
	n.until(ctx, t, "time has passed", func(ctx context.Context) bool { return time.Now().After(until) })
	if after := fmt.Sprintf("%+v", n.sim.Threads(slacksim.TeamChannel)); after != before {
		t.Error("the channel changed after all was told")
	}
}

func (n *newsroom) isTold(ctx context.Context) bool { return len(n.untold(ctx)) == 0 }

// untold are the processes whose card or thread are behind the bank, and what else is not done.
func (n *newsroom) untold(ctx context.Context) (untold []string) {
	threads := map[string]slacksim.Thread{}
	for _, thread := range n.sim.Threads(slacksim.TeamChannel) {
		threads[noticeOf(thread.Message)] = thread
	}
	for i, process := range n.ids {
		thread, state := threads[process.String()+":card"], n.states[n.bank.State(process)]
		if !strings.Contains(thread.FullText(), "*Status*\n"+state) || len(thread.Replies) == 0 {
			untold = append(untold, fmt.Sprint(sandbox.SampleAdded+i))
			continue
		}
		picture, _, err := n.news.Snapshot(ctx, process)
		last := noticeOf(thread.Replies[len(thread.Replies)-1])
		if err != nil || picture.Status != state || last != fmt.Sprintf("%s:%d", process, picture.Version) {
			untold = append(untold, fmt.Sprintf("%d (%s, %d, after %s: %v)", sandbox.SampleAdded+i, picture.Status, picture.Version, last, err))
		}
	}
	if hints, err := n.config.Store.Client().XLen(ctx, "triggers").Result(); hints > 0 || err != nil {
		untold = append(untold, fmt.Sprintf("%d hints, %v", hints, err))
	}
	if waiting := n.bank.Tally().Waiting; waiting > 0 {
		untold = append(untold, fmt.Sprintf("%d callbacks", waiting))
	}
	return untold
}

// noticeOf is the id of the notice that a message is.
func noticeOf(m slacksim.Message) string {
	var payload struct{ ID string }
	_ = json.Unmarshal(m.Payload(), &payload) // a message without one is no notice
	return payload.ID
}

// lastWords shows how the logs of the replicas end.
func (n *newsroom) lastWords(t *testing.T) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.crew {
		log, _ := os.ReadFile(r.log.Name())
		t.Logf("%s ends with\n%s", filepath.Base(r.log.Name()), log[max(0, len(log)-3000):])
	}
	t.Logf("Slack's answers: %v; killed %d; seed %d; refused %v", n.said, n.killed, *seed, slices.Collect(maps.Keys(n.refusals())))
}

// refusals are Slack's codes for what a right app never does.
func (n *newsroom) refusals() map[string]string {
	codes := map[string]string{}
	for _, refused := range n.sim.Refusals() {
		if refused.Error != "ratelimited" {
			codes[refused.Error] = refused.Method + " " + refused.Detail
		}
	}
	return codes
}
