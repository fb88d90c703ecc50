package notifications

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/clocktest"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"

	"log/slog"
)

// fakeSnapshots implements snapshotReader without a bank.
type fakeSnapshots struct {
	mu  sync.Mutex
	all map[uuid.UUID][]Update
}

func (a *fakeSnapshots) snapshot(_ context.Context, of Subject) (Snapshot, bool, error) {
	process := of.UID()
	a.mu.Lock()
	defer a.mu.Unlock()
	updates := a.all[process]
	if len(updates) == 0 {
		return Snapshot{}, false, nil
	}
	return updates[len(updates)-1].Snapshot, true, nil
}

func (a *fakeSnapshots) updates(_ context.Context, of Subject, after int64) (since []Update, err error) {
	process := of.UID()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, update := range a.all[process] {
		if update.Version > after {
			since = append(since, update)
		}
	}
	return since, nil
}

// outboxEnv is a Redis, a fakePoster and as many replicas as a test needs.
type outboxEnv struct {
	t         testing.TB
	url       string
	keys      *keys.Keys
	store     *conversations.Store
	poster    *fakePoster
	snapshots *fakeSnapshots
	log       *logtest.Log
	clock     clocktest.Clock
	config    Config
}

const (
	channel = "slack:C0TEAM"
	admin   = "slack:U0ADMIN"
	ana     = "slack:T0TEAM/U0ANA"
)

var redisKinds = map[string]func(testing.TB) string{
	"memory":  func(testing.TB) string { return "memory" },
	"node":    redistest.Start,
	"cluster": func(t testing.TB) string { return redistest.StartCluster(t).URL() },
}

func newOutboxEnv(t testing.TB, kind string, change ...func(*Config)) *outboxEnv {
	t.Helper()
	k, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	env := &outboxEnv{t: t, url: redisKinds[kind](t), keys: k, snapshots: &fakeSnapshots{all: map[uuid.UUID][]Update{}}, log: &logtest.Log{}}
	env.store = env.openStore()
	env.poster = newFakePoster(t)
	env.config = Config{
		Store: env.store, Poster: env.poster, Fingerprint: k.Fingerprint, Log: slog.New(slog.NewTextHandler(env.log, nil)),
		Now:   env.clock.Now,
		Admin: admin, Lang: words.English, Profile: profile.Builtin(),
		Debounce: 20 * time.Millisecond, MinInterval: 2 * time.Millisecond, Lease: 2 * time.Second, UnreachableRetry: time.Hour,
	}
	for _, c := range change {
		c(&env.config)
	}
	env.poster.minInterval = env.config.MinInterval
	return env
}

func (env *outboxEnv) openStore() *conversations.Store {
	env.t.Helper()
	store, err := conversations.Open(env.t.Context(), env.url, env.keys,
		conversations.WithLives(conversations.Lives{Call: time.Minute}), conversations.WithTeam(channel, words.English))
	if err != nil {
		env.t.Fatal(err)
	}
	env.t.Cleanup(func() { _ = store.Close() }) // the test may have closed it
	return store
}

// replica creates an outbox. Those of "memory" share a connection.
func (env *outboxEnv) replica(change ...func(*Config)) *outbox {
	config := env.config
	for _, c := range change {
		c(&config)
	}
	o := newOutbox(config, env.snapshots, nil)
	o.phases.read = taxonomies
	return o
}

// start runs an outbox until the test ends or stop is called.
func (env *outboxEnv) start(o *outbox) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := o.run(ctx); err != nil {
			env.t.Errorf("running: %v", err)
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	env.t.Cleanup(stop)
	return stop
}

// setClock sets the clock to a time in Lisbon.
func (env *outboxEnv) setClock(moment string) {
	env.t.Helper()
	env.clock.Set(inLisbon(env.t, moment))
}

func inLisbon(t testing.TB, moment string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", moment, lisbon.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// process returns the id of the n-th process of a test.
func process(n int) uuid.UUID { return uuid.NewSHA1(uuid.Nil, fmt.Append(nil, n)) }

// update adds an update of a process and returns it.
func (env *outboxEnv) update(n int, status string, change ...func(*Update)) Update {
	env.snapshots.mu.Lock()
	defer env.snapshots.mu.Unlock()
	id := process(n)
	before := env.snapshots.all[id]
	version := int64(len(before) + 1)
	was := "In Creation"
	if version > 1 {
		was = before[version-2].Snapshot.Status
	}
	u := Update{
		Subject: OfProcess(id), Version: version, Number: int64(1000 + n), At: env.config.Now(),
		Changes: []Change{{StatusChanged, was, status}},
		Snapshot: Snapshot{
			Subject: OfProcess(id), Version: version, Number: int64(1000 + n), Status: status, StatusID: 99, BranchID: 7, Branch: "Lisboa",
			Borrowers: map[string]string{secrets[0]: secrets[1]}, Read: env.config.Now(),
		},
	}
	for _, c := range change {
		c(&u)
	}
	env.snapshots.all[id] = append(before, u)
	return u
}

func (env *outboxEnv) enqueue(o *outbox, updates ...Update) {
	env.t.Helper()
	for _, u := range updates {
		if err := o.enqueue(context.Background(), u); err != nil {
			env.t.Fatalf("enqueuing %s: %v", u.ID(), err)
		}
	}
}

func (env *outboxEnv) changeSettings(dest string, change func(*destination.Settings)) {
	env.t.Helper()
	_, err := env.store.ChangeDestination(context.Background(), dest, func(p *destination.Settings) error { change(p); return nil })
	if err != nil {
		env.t.Fatal(err)
	}
}

func (env *outboxEnv) subscribe(dest string, subs ...destination.Subscription) {
	env.t.Helper()
	env.changeSettings(dest, func(p *destination.Settings) { p.Subscriptions = subs })
}

// waitUntilIdle waits until nothing is due at a destination within a minute of the clock.
func (env *outboxEnv) waitUntilIdle(o *outbox, dest string) {
	env.t.Helper()
	waittest.Eventually(env.t, dest+" is idle", func() bool {
		ctx, name := context.Background(), o.name(dest)
		held, err := o.redis.Exists(ctx, lockKey(name)).Result()
		if err != nil || held > 0 {
			return false
		}
		due, err := o.redis.ZCount(ctx, queueKey(name), "-inf", millis(o.now()+time.Minute.Milliseconds())).Result()
		return err == nil && due == 0
	})
}

// checkKeys requires that each key has a lifetime, and that no key shows the id of a destination.
func (env *outboxEnv) checkKeys(o *outbox) {
	env.t.Helper()
	ctx := context.Background()
	found, err := o.redis.Keys(ctx, "*").Result()
	if err != nil {
		env.t.Fatal(err)
	}
	for _, key := range found {
		if strings.Contains(key, "C0TEAM") || strings.Contains(key, "U0ADMIN") {
			env.t.Errorf("the key %s shows a destination", key)
		}
		life, err := o.redis.PTTL(ctx, key).Result()
		if err != nil || life == -1 {
			env.t.Errorf("%s has no lifetime (%v)", key, err)
		}
	}
	members, err := o.redis.ZRange(ctx, destinationIndex, 0, -1).Result()
	if err != nil || len(members) == 0 || strings.Contains(strings.Join(members, " "), "slack") {
		env.t.Errorf("the index of destinations holds %q, %v", members, err)
	}
}

// taxonomies returns the lists of a bank with four phases.
func taxonomies(_ context.Context, key portal.TaxonomyKey) ([]portal.TaxonomyItem, error) {
	if key == "workflowPhases" {
		return []portal.TaxonomyItem{{ID: 1, Description: "Preparation"}, {ID: 2, Description: "Decision"}, {ID: 3, Description: "Contract"}, {ID: 4, Description: "Ended"}}, nil
	}
	return []portal.TaxonomyItem{
		{ID: 1, Description: "In Creation"}, {ID: 4, Description: "Valuation"}, {ID: 8, Description: "Expired"},
		{ID: 20, Description: "Step 20", ParentID: 3}, {ID: 21, Description: "Step 21"},
	}, nil
}

// statuses returns n different statuses.
func statuses(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("Step %d", i+1))
	}
	return all
}

// statusLines returns the lines of a thread after a process went through the statuses.
func statusLines(statuses ...string) (lines []string) {
	was := "In Creation"
	for _, status := range statuses {
		lines = append(lines, "Status: "+was+" → "+status)
		was = status
	}
	return lines
}

func (env *outboxEnv) wantPosted(dest string, n int, statuses ...string) {
	env.t.Helper()
	want := statusLines(statuses...)
	waittest.Within(waittest.Deadline, func() bool { return len(env.poster.replies(dest, process(n))) >= len(want) })
	if got := env.poster.replies(dest, process(n)); !slices.Equal(got, want) {
		env.t.Errorf("%s got of process %d\n%q, want\n%q", dest, n, got, want)
	}
	card, many := env.poster.card(dest, process(n))
	if status := card.fact("label.status"); many != 1 || status != statuses[len(statuses)-1] {
		env.t.Errorf("%s has %d cards of process %d, with %q", dest, many, n, status)
	}
}

func queueLength(t testing.TB, o *outbox, dest string) int64 {
	t.Helper()
	n, err := o.redis.ZCard(context.Background(), queueKey(o.name(dest))).Result()
	if err != nil {
		t.Fatal(err)
	}
	return n
}
