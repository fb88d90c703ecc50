package notifications

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// How long the lease of a replica is in tests. A busy machine must not end it. The short one is for tests that wait for it:
// another replica takes over, or what failed is tried again.
const (
	longLease  = 10 * time.Second
	shortLease = 300 * time.Millisecond
)

func withShortLease(c *Config) { c.Lease = shortLease }

// bankEnv is a simulated bank and a Redis that several replicas share.
type bankEnv struct {
	*testenv.Env
	bank       *sandbox.Bank
	redisURL   string
	dispatched *recordingDispatcher
}

// recordingDispatcher records the updates that any replica enqueues.
type recordingDispatcher struct {
	mu      sync.Mutex
	updates map[string]Update
	calls   int
}

func (d *recordingDispatcher) enqueue(_ context.Context, update Update) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	d.updates[update.ID()] = update
	return nil
}

func (d *recordingDispatcher) of(process uuid.UUID) (updates []Update) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, update := range d.updates {
		if update.Process == process {
			updates = append(updates, update)
		}
	}
	slices.SortFunc(updates, func(a, b Update) int { return int(a.Version - b.Version) })
	return updates
}

func newBankEnv(t testing.TB, redisURL string, change ...func(*sandbox.Config)) *bankEnv {
	t.Helper()
	config := sandbox.Config{LenientTaxIDs: true}
	for _, c := range change {
		c(&config)
	}
	env := testenv.Start(t, testenv.Options{
		Sandbox: config, Redis: redisURL, Timeout: 2 * time.Second, Store: []conversations.Option{conversations.WithTeam("slack:C0TEAM", words.English)},
		Portal: func(c *portal.Config) { c.OpenFor = 50 * time.Millisecond },
	})
	return &bankEnv{Env: env, bank: env.Bank, redisURL: redisURL, dispatched: &recordingDispatcher{updates: map[string]Update{}}}
}

// onEveryRedis runs a test on each kind of Redis.
func onEveryRedis(t *testing.T, test func(t *testing.T, env *bankEnv)) {
	for name, start := range map[string]func(t *testing.T) string{
		"embedded": func(*testing.T) string { return "memory" },
		"one node": func(t *testing.T) string { return redistest.Start(t) },
		"Cluster":  func(t *testing.T) string { return redistest.StartCluster(t).URL() },
		"Sentinel": func(t *testing.T) string { return redistest.StartSentinel(t, redistest.StartServer(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newBankEnv(t, start(t)))
		})
	}
}

type discardPoster struct{}

func (discardPoster) Post(context.Context, string, string, destination.Notice) (string, error) {
	return "1", nil
}
func (discardPoster) Edit(context.Context, string, string, destination.Notice) error { return nil }
func (discardPoster) Find(context.Context, string, string, string) (string, bool, error) {
	return "", false, nil
}

func (env *bankEnv) config(t testing.TB) Config {
	replica := env.Replica(t)
	return Config{
		Store: replica.Store, Bank: replica.User(), Fingerprint: env.Keys.Fingerprint, Poster: discardPoster{},
		Lease: longLease, PageInterval: time.Millisecond, ReconcileInterval: time.Hour, ReadInterval: time.Millisecond, Tokens: []string{"new-token", "old-token"},
	}
}

// replica creates a Service that runs nothing yet, and whose updates go to dispatched.
func (env *bankEnv) replica(t testing.TB, change ...func(*Config)) *Service {
	t.Helper()
	config := env.config(t)
	for _, c := range change {
		c(&config)
	}
	s, err := assemble(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stopMetrics(); err != nil {
			t.Error(err)
		}
	})
	s.engine.dispatcher = env.dispatched
	return s
}

// runEngine processes triggers until the test ends.
func runEngine(t testing.TB, s *Service) *Service {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.engine.run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	return s
}

// reconcile reconciles once.
func reconcile(t testing.TB, s *Service) {
	t.Helper()
	if err := s.reconciler.reconcile(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
}

func trigger(t testing.TB, s *Service, process uuid.UUID) {
	t.Helper()
	if err := s.Trigger(t.Context(), Trigger{Subject: OfProcess(process), Source: Callback, Type: 1}); err != nil {
		t.Fatal(err)
	}
}

// waitUntilIdle waits until every trigger is processed.
func waitUntilIdle(t testing.TB, s *Service) {
	t.Helper()
	waittest.Eventually(t, "every trigger is processed", func() bool {
		triggers, _, err := s.engine.stream.backlog(t.Context(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return triggers == 0
	})
}

// wantOnce requires this many updates of a process: dispatched once each, in order, without a gap, and in the
// changelog.
func (env *bankEnv) wantOnce(t testing.TB, s *Service, process uuid.UUID, many int) []Update {
	t.Helper()
	updates := env.dispatched.of(process)
	recorded, err := s.Since(t.Context(), time.Time{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	recorded = slices.DeleteFunc(recorded, func(u Update) bool { return u.Process != process })
	stored, err := s.engine.snapshots.updates(t.Context(), OfProcess(process), 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(updates) != many || len(recorded) != many || len(stored) != many {
		t.Fatalf("%d updates dispatched, %d in the changelog, %d stored, want %d", len(updates), len(recorded), len(stored), many)
	}
	for i, update := range updates {
		if v := int64(i + 1); update.Version != v || recorded[i].Version != v || stored[i].Version != v {
			t.Errorf("update %d has version %d, %d in the changelog, %d stored", v, update.Version, recorded[i].Version, stored[i].Version)
		}
	}
	return updates
}

func (env *bankEnv) advance(t testing.TB, process uuid.UUID) {
	t.Helper()
	if err := env.bank.Advance(process); err != nil {
		t.Fatal(err)
	}
}

// crashHook makes a replica crash at one of its commands to Redis: before it, or after it and before the reply arrives.
type crashHook struct {
	crashAt int64 // 1 is the first
	after   bool
	count   atomic.Int64
	crashed atomic.Bool
}

var errCrashed = errors.New("the replica crashed")

func (m *crashHook) step(do func() error) error {
	n := m.count.Add(1)
	switch {
	case m.crashed.Load():
		return errCrashed
	case n == m.crashAt && m.after:
		m.crashed.Store(true)
		_ = do()
		return errCrashed
	case n == m.crashAt:
		m.crashed.Store(true)
		return errCrashed
	}
	return do()
}

func (m *crashHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (m *crashHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if strings.HasPrefix(cmd.Name(), "script") {
			return next(ctx, cmd)
		}
		err := m.step(func() error { return next(ctx, cmd) })
		if errors.Is(err, errCrashed) {
			cmd.SetErr(err)
		}
		return err
	}
}

func (m *crashHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := m.step(func() error { return next(ctx, cmds) })
		if errors.Is(err, errCrashed) {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
		}
		return err
	}
}

var (
	a1042 = sandbox.SampleProcess(sandbox.SampleOpen)
	a1043 = sandbox.SampleProcess(sandbox.SampleCouple)
	b1051 = sandbox.SampleProcess(sandbox.SampleOthers)
)

// rui returns a borrower who can be added to a process, with much of the data of an existing one.
func (env *bankEnv) rui(t testing.TB) portal.BorrowerRequest {
	t.Helper()
	known, err := env.User().Borrower(t.Context(), a1042, sandbox.SampleBorrower(sandbox.SampleOpen, 0))
	if err != nil {
		t.Fatal(err)
	}
	one, someone := int32(1), known.Request()
	someone.BorrowerTypeID, someone.KeyBorrowerRelationID = 2, &one
	someone.Personal.Name, someone.Personal.TaxID = pii.New[pii.Name]("Rui Amostra"), pii.New[pii.TaxID]("299999998")
	return someone
}
