package notifications

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"

	"log/slog"
)

// noticeboard is a strict stand-in for where people read: it holds what was posted, and says when it is misused.
type noticeboard struct {
	t     testing.TB
	space time.Duration

	mu     sync.Mutex
	places map[string]*board
	calls  atomic.Int64
	now    atomic.Int64 // calls under way
	most   atomic.Int64

	fault func(place, method string) error // what happens instead of a call, or after it: see errLost
	wait  func(ctx context.Context)        // how slow it is
}

type board struct {
	messages []*message
	busy     bool
	last     time.Time // when the last message was written, or refused
}

type message struct {
	id, thread string
	notice     destination.Notice
	edits      int
	gone       bool
}

// The faults: each says one thing about itself.
type (
	asked       time.Duration
	unreachable string
	gone        struct{}
	notSent     struct{}
)

func (a asked) Error() string             { return "too many" }
func (a asked) RetryAfter() time.Duration { return time.Duration(a) }
func (u unreachable) Error() string       { return string(u) }
func (u unreachable) Unreachable() string { return string(u) }
func (gone) Error() string                { return "message_not_found" }
func (gone) Gone() bool                   { return true }
func (notSent) Error() string             { return "invalid_blocks" }
func (notSent) NotSent() bool             { return true }

// errLate fails, and what was to be posted is there a while later.
type errLate time.Duration

func (errLate) Error() string { return "the time is over" }

// errLost has a call done and its answer lost.
var errLost = errors.New("the connection ended")

func newNoticeboard(t testing.TB) *noticeboard {
	n := &noticeboard{t: t, places: map[string]*board{}}
	t.Cleanup(n.holdsNobodysData)
	return n
}

// secrets stand in every picture, and nowhere else.
var secrets = []string{"3c0ffee0-0000-4000-8000-00000000beef", "digest-of-maria-exemplo", "Maria Exemplo", "299999998"}

func (n *noticeboard) holdsNobodysData() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for place, board := range n.places {
		for _, m := range board.messages {
			text, err := json.Marshal(m.notice)
			if err != nil {
				n.t.Error(err)
			}
			for _, secret := range secrets {
				if strings.Contains(string(text), secret) {
					n.t.Errorf("%s was told of a person: %s", place, text)
				}
			}
		}
	}
}

// enter begins a call; only one at a time may be under way for a place, and messages keep their distance.
func (n *noticeboard) enter(ctx context.Context, place, method string) (b *board, leave func(), err error) {
	n.mu.Lock()
	b = n.places[place]
	if b == nil {
		b = &board{}
		n.places[place] = b
	}
	if b.busy {
		n.t.Errorf("two call for %s at once", place)
	}
	if gap := time.Since(b.last); method != "find" && gap < n.space {
		n.t.Errorf("%s comes %s after the last at %s", method, gap, place)
	}
	b.busy = true
	n.mu.Unlock()
	n.calls.Add(1)
	under := n.now.Add(1)
	for most := n.most.Load(); under > most && !n.most.CompareAndSwap(most, under); most = n.most.Load() {
	}
	if n.wait != nil {
		n.wait(ctx)
	}
	if n.fault != nil {
		err = n.fault(place, method)
	}
	n.mu.Lock()
	return b, func() {
		b.busy = false
		if method != "find" {
			b.last = time.Now()
		}
		n.now.Add(-1)
		n.mu.Unlock()
	}, err
}

func (n *noticeboard) Post(ctx context.Context, place, thread string, notice destination.Notice) (string, error) {
	b, leave, err := n.enter(ctx, place, "post")
	defer leave()
	switch late := errLate(0); {
	case errors.As(err, &late):
		time.AfterFunc(time.Duration(late), func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			b.add(n.t, place, thread, notice)
		})
		return "", err
	case err != nil && !errors.Is(err, errLost):
		return "", err
	case thread != "" && b.find(thread) == nil:
		return "", gone{}
	}
	m := b.add(n.t, place, thread, notice)
	if err != nil {
		return "", err
	}
	return m.id, nil
}

func (b *board) add(t testing.TB, place, thread string, notice destination.Notice) *message {
	for _, m := range b.messages {
		if m.notice.ID == notice.ID && !m.gone {
			t.Errorf("%s was posted twice at %s", notice.ID, place)
		}
	}
	m := &message{id: fmt.Sprintf("%s#%d", place, len(b.messages)+1), thread: thread, notice: notice}
	b.messages = append(b.messages, m)
	return m
}

func (n *noticeboard) Edit(ctx context.Context, place, id string, notice destination.Notice) error {
	b, leave, err := n.enter(ctx, place, "edit")
	defer leave()
	if err != nil && !errors.Is(err, errLost) {
		return err
	}
	m := b.find(id)
	if m == nil {
		return gone{}
	}
	m.notice, m.edits = notice, m.edits+1
	return err
}

func (n *noticeboard) Find(ctx context.Context, place, thread, noticeID string) (string, bool, error) {
	b, leave, err := n.enter(ctx, place, "find")
	defer leave()
	if err != nil {
		return "", false, err
	}
	for _, m := range b.messages {
		if m.notice.ID == noticeID && m.thread == thread && !m.gone {
			return m.id, true, nil
		}
	}
	return "", false, nil
}

func (b *board) find(id string) *message {
	for _, m := range b.messages {
		if m.id == id && !m.gone {
			return m
		}
	}
	return nil
}

// at gives what can be read at a place.
func (n *noticeboard) at(place string) (all []message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if b := n.places[place]; b != nil {
		for _, m := range b.messages {
			if !m.gone {
				all = append(all, *m)
			}
		}
	}
	return all
}

// told gives the lines of the replies at a place about a process, in order.
func (n *noticeboard) told(place string, process uuid.UUID) (lines []string) {
	for _, m := range n.at(place) {
		switch {
		case m.thread == "" || m.notice.Process != process:
		case len(m.notice.Lines) > 0:
			for _, line := range m.notice.Lines {
				_, text, _ := strings.Cut(line, " · ")
				lines = append(lines, text)
			}
		default:
			lines = append(lines, m.notice.Text)
		}
	}
	return lines
}

// card gives the card of a process at a place.
func (n *noticeboard) card(place string, process uuid.UUID) (card message, many int) {
	for _, m := range n.at(place) {
		if m.notice.Card && m.notice.Process == process {
			card, many = m, many+1
		}
	}
	return card, many
}

func (m message) fact(label string) string {
	for _, fact := range m.notice.Facts {
		if fact[0] == say(m.notice.Lang, label) {
			return fact[1]
		}
	}
	return ""
}

// album is what is known of processes, without a bank.
type album struct {
	mu    sync.Mutex
	moved map[uuid.UUID][]Update
}

func (a *album) picture(_ context.Context, process uuid.UUID) (Snapshot, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	updates := a.moved[process]
	if len(updates) == 0 {
		return Snapshot{}, false, nil
	}
	return updates[len(updates)-1].Snapshot, true, nil
}

func (a *album) updates(_ context.Context, process uuid.UUID, after int64) (since []Update, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, update := range a.moved[process] {
		if update.Version > after {
			since = append(since, update)
		}
	}
	return since, nil
}

// team is a Redis, a noticeboard and as many replicas as a story needs.
type team struct {
	t      testing.TB
	url    string
	keys   *keys.Keys
	store  *conversations.Store
	board  *noticeboard
	album  *album
	log    *logtest.Log
	ahead  atomic.Int64 // of our clock
	config Config
}

const (
	channel = "slack:C0TEAM"
	admin   = "slack:U0ADMIN"
	ana     = "slack:T0TEAM/U0ANA"
)

var redises = map[string]func(testing.TB) string{
	"memory":  func(testing.TB) string { return "memory" },
	"node":    redistest.Start,
	"cluster": func(t testing.TB) string { return redistest.StartCluster(t).URL() },
}

func newTeam(t testing.TB, kind string, change ...func(*Config)) *team {
	t.Helper()
	k, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	h := &team{t: t, url: redises[kind](t), keys: k, album: &album{moved: map[uuid.UUID][]Update{}}, log: &logtest.Log{}}
	h.store = h.open()
	h.board = newNoticeboard(t)
	h.config = Config{
		Store: h.store, Poster: h.board, Fingerprint: k.Fingerprint, Log: slog.New(slog.NewTextHandler(h.log, nil)),
		Now:   func() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) },
		Admin: admin, Lang: words.English,
		Debounce: 20 * time.Millisecond, MinInterval: 2 * time.Millisecond, Lease: 2 * time.Second, UnreachableRetry: time.Hour,
	}
	for _, c := range change {
		c(&h.config)
	}
	h.board.space = h.config.MinInterval
	return h
}

func (h *team) open() *conversations.Store {
	h.t.Helper()
	store, err := conversations.Open(h.t.Context(), h.url, h.keys,
		conversations.WithLives(conversations.Lives{Call: time.Minute}), conversations.WithTeam(channel, words.English))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = store.Close() }) // a story may have closed it already
	return store
}

// replica makes an outbox; those of "memory" share a connection, because there is no other.
func (h *team) replica(change ...func(*Config)) *outbox {
	config := h.config
	for _, c := range change {
		c(&config)
	}
	o := newOutbox(config, h.album, nil)
	o.phases.read = taxonomies
	return o
}

// start runs an outbox until its story ends, or stop is called.
func (h *team) start(o *outbox) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := o.run(ctx); err != nil {
			h.t.Errorf("running: %v", err)
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	h.t.Cleanup(stop)
	return stop
}

// at sets the clock to a moment in Lisbon.
func (h *team) at(moment string) {
	h.t.Helper()
	h.ahead.Store(int64(time.Until(inLisbon(h.t, moment))))
}

func inLisbon(t testing.TB, moment string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", moment, lisbon.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// process names the n-th process of a story.
func process(n int) uuid.UUID { return uuid.NewSHA1(uuid.Nil, fmt.Append(nil, n)) }

// moves makes an update of a process and gives it.
func (h *team) moves(n int, status string, change ...func(*Update)) Update {
	h.album.mu.Lock()
	defer h.album.mu.Unlock()
	id := process(n)
	before := h.album.moved[id]
	version := int64(len(before) + 1)
	was := "In Creation"
	if version > 1 {
		was = before[version-2].Snapshot.Status
	}
	u := Update{
		Process: id, Version: version, Number: int64(1000 + n), At: h.config.Now(),
		Changes: []Change{{StatusChanged, was, status}},
		Snapshot: Snapshot{
			Process: id, Version: version, Number: int64(1000 + n), Status: status, StatusID: 99, BranchID: 7, Branch: "Lisboa",
			Borrowers: map[string]string{secrets[0]: secrets[1]}, Read: h.config.Now(),
		},
	}
	for _, c := range change {
		c(&u)
	}
	h.album.moved[id] = append(before, u)
	return u
}

func (h *team) put(o *outbox, updates ...Update) {
	h.t.Helper()
	for _, u := range updates {
		if err := o.put(context.Background(), u); err != nil {
			h.t.Fatalf("putting %s: %v", u.ID(), err)
		}
	}
}

func (h *team) changePlace(place string, change func(*destination.Settings)) {
	h.t.Helper()
	_, err := h.store.ChangeDestination(context.Background(), place, func(p *destination.Settings) error { change(p); return nil })
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *team) watch(place string, watches ...destination.Subscription) {
	h.t.Helper()
	h.changePlace(place, func(p *destination.Settings) { p.Subscriptions = watches })
}

// rests waits until nothing is to be done for a place before later by our clock.
func (h *team) rests(o *outbox, place string) {
	h.t.Helper()
	eventually(h.t, place+" rests", func() bool {
		ctx, name := context.Background(), o.name(place)
		held, err := o.redis.Exists(ctx, lockKey(name)).Result()
		if err != nil || held > 0 {
			return false
		}
		due, err := o.redis.ZCount(ctx, queueKey(name), "-inf", millis(o.now()+time.Minute.Milliseconds())).Result()
		return err == nil && due == 0
	})
}

// everyKey checks that each key has a life, and that none says who is told.
func (h *team) everyKey(o *outbox) {
	h.t.Helper()
	ctx := context.Background()
	found, err := o.redis.Keys(ctx, "*").Result()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, key := range found {
		if strings.Contains(key, "C0TEAM") || strings.Contains(key, "U0ADMIN") {
			h.t.Errorf("the key %s says who is told", key)
		}
		life, err := o.redis.PTTL(ctx, key).Result()
		if err != nil || life == -1 {
			h.t.Errorf("%s lives for ever (%v)", key, err)
		}
	}
	members, err := o.redis.ZRange(ctx, placeIndex, 0, -1).Result()
	if err != nil || len(members) == 0 || strings.Contains(strings.Join(members, " "), "slack") {
		h.t.Errorf("the index of places holds %q, %v", members, err)
	}
}

// taxonomies are the lists of a bank of four phases.
func taxonomies(_ context.Context, key portal.TaxonomyKey) ([]portal.TaxonomyItem, error) {
	if key == "workflowPhases" {
		return []portal.TaxonomyItem{{ID: 1, Description: "Preparation"}, {ID: 2, Description: "Decision"}, {ID: 3, Description: "Contract"}, {ID: 4, Description: "Ended"}}, nil
	}
	return []portal.TaxonomyItem{{ID: 1, Description: "In Creation"}, {ID: 4, Description: "Valuation"}}, nil
}

// statuses gives n different ones.
func statuses(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("Step %d", i+1))
	}
	return all
}

// story is what a thread has to tell after a process went through statuses.
func wantTold(statuses ...string) (lines []string) {
	was := "In Creation"
	for _, status := range statuses {
		lines = append(lines, "Status: "+was+" → "+status)
		was = status
	}
	return lines
}

func (h *team) wantTold(place string, n int, statuses ...string) {
	h.t.Helper()
	want := wantTold(statuses...)
	soonOr(h.t, func() bool { return len(h.board.told(place, process(n))) >= len(want) })
	if got := h.board.told(place, process(n)); !slices.Equal(got, want) {
		h.t.Errorf("%s was told of process %d\n%q, want\n%q", place, n, got, want)
	}
	card, many := h.board.card(place, process(n))
	if status := card.fact("label.status"); many != 1 || status != statuses[len(statuses)-1] {
		h.t.Errorf("%s has %d cards of process %d, with %q", place, many, n, status)
	}
}

// soonOr waits, and leaves it to the story to say what is wrong.
func soonOr(t testing.TB, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(30 * time.Second); !yes(); {
		select {
		case <-tick.C:
		case <-limit:
			return
		}
	}
}

func queueLength(t testing.TB, o *outbox, place string) int64 {
	t.Helper()
	n, err := o.redis.ZCard(context.Background(), queueKey(o.name(place))).Result()
	if err != nil {
		t.Fatal(err)
	}
	return n
}
