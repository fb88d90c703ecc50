package conversations

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/waittest"
)

// appends counts the scripts that append, and lets a test hold them or make them fail.
type appends struct {
	mu      sync.Mutex
	count   int
	waiting chan struct{} // is closed to let them pass
	err     error
}

func (a *appends) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (a *appends) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (a *appends) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if args := cmd.Args(); len(args) < 2 || args[0] != "evalsha" || args[1] != appendEntries.Hash() {
			return next(ctx, cmd)
		}
		a.mu.Lock()
		a.count++
		err := a.err
		a.mu.Unlock()
		<-a.waiting
		if err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

func (a *appends) seen() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count
}

// waitUntilQueued waits until n entries wait for the group that is on its way.
func waitUntilQueued(t *testing.T, s *Store, n int) {
	t.Helper()
	waittest.Eventually(t, fmt.Sprintf("%d entries wait", n), func() bool {
		s.queue.mu.Lock()
		defer s.queue.mu.Unlock()
		return len(s.queue.waiting) == n
	})
}

// withGroup has an entry on its way, and n that wait for it. The results are sent to the channel.
func withGroup(t *testing.T, s *Store, hook *appends, n int) chan error {
	t.Helper()
	write(t, s, "before") // so that the script is loaded and the chain taken
	hook.waiting = make(chan struct{})
	s.redis.AddHook(hook)
	results := make(chan error, n+1)
	add := func(i int) { go func() { results <- s.Append(context.Background(), fmt.Appendf(nil, "%d", i), "") }() }
	add(0)
	waittest.Eventually(t, "the first entry is on its way", func() bool { return hook.seen() == 1 })
	for i := range n {
		add(i + 1)
		waitUntilQueued(t, s, i+1)
	}
	return results
}

func TestEntriesThatWaitAreWrittenTogetherInTheirOrder(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s, hook := p.replica(t), &appends{}
		const waiting = maxGroup + 10
		results := withGroup(t, s, hook, waiting)
		select {
		case err := <-results:
			t.Fatalf("an entry is reported before it is written: %v", err)
		default:
		}
		close(hook.waiting)
		for range waiting + 1 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if hook.seen() != 3 {
			t.Errorf("%d scripts were run, want 3: the first entry, a full group and the rest", hook.seen())
		}
		for i, entry := range read(t, s, MonthOf(time.Now()))[1:] {
			if string(entry.Entry) != fmt.Sprint(i) {
				t.Errorf("at %d is the entry %s", i, entry.Entry)
			}
		}
		if found := must(s.Verify(t.Context()))(t); found.Entries != waiting+2 {
			t.Errorf("verified %+v", found)
		}
	})
}

func TestAGroupThatFailsFailsEachOfItsEntriesAndNotTheNext(t *testing.T) {
	s, hook := open(t, "memory", newKeys(t), WithLives(Lives{Call: time.Minute})), &appends{err: errors.New("READONLY of the test")}
	results := withGroup(t, s, hook, 3)
	hook.mu.Lock()
	hook.err = nil
	hook.mu.Unlock()
	close(hook.waiting)
	failed := 0
	for range 4 {
		if err := <-results; err != nil {
			failed++
			wantError(t, err, ErrUnavailable)
		}
	}
	if failed != 1 {
		t.Errorf("%d entries failed, want the first", failed)
	}

	again := &appends{waiting: make(chan struct{})}
	s.redis.AddHook(again)
	first := make(chan error, 1)
	go func() { first <- s.Append(context.Background(), []byte("on its way"), "") }()
	waittest.Eventually(t, "the first entry is on its way", func() bool { return again.seen() == 1 })
	together := make(chan error, 3)
	for range 3 {
		go func() { together <- s.Append(context.Background(), []byte("together"), "") }()
	}
	waitUntilQueued(t, s, 3)
	again.mu.Lock()
	again.err = errors.New("a failure of the test")
	again.mu.Unlock()
	close(again.waiting)
	if err := <-first; err != nil {
		t.Error(err)
	}
	for range 3 {
		wantError(t, <-together, ErrUnavailable)
	}
	again.mu.Lock()
	again.err = nil
	again.mu.Unlock()
	write(t, s, "after")
	if found := must(s.Verify(t.Context()))(t); found.Entries != 6 {
		t.Errorf("verified %+v", found)
	}
}

func TestAnEntryWhoseCallerLeavesWhileItWaitsIsNotWritten(t *testing.T) {
	s, hook := open(t, "memory", newKeys(t), WithLives(Lives{Call: time.Minute})), &appends{}
	results := withGroup(t, s, hook, 1)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { left <- s.Append(ctx, []byte("left"), "") }()
	waitUntilQueued(t, s, 2)
	cancel()
	wantError(t, <-left, context.Canceled)
	close(hook.waiting)
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if entries := read(t, s, MonthOf(time.Now())); slices.ContainsFunc(entries, func(m AuditEntry) bool { return string(m.Entry) == "left" }) || len(entries) != 3 {
		t.Errorf("%d entries are written", len(entries))
	}
}

func TestTooManyWaitingEntriesAreRefused(t *testing.T) {
	s, hook := open(t, "memory", newKeys(t), WithLives(Lives{Call: time.Minute})), &appends{}
	results := withGroup(t, s, hook, 1)
	s.queue.mu.Lock()
	s.queue.waiting = append(s.queue.waiting, make([]*waitingEntry, maxAuditWaiting-1)...)
	s.queue.mu.Unlock()
	wantError(t, s.Append(t.Context(), []byte("one more"), ""), ErrUnavailable)
	s.queue.mu.Lock()
	s.queue.waiting = s.queue.waiting[:1]
	s.queue.mu.Unlock()
	close(hook.waiting)
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestAGroupWhoseReplyIsLostIsWrittenOnce(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		write(t, s, "a")
		entries := []newEntry{{AuditEntry: AuditEntry{Entry: []byte("b")}}, {AuditEntry: AuditEntry{Entry: []byte("c")}}}
		keys, args, last, err := s.group(0, s.heads[0].auditHead, MonthOf(time.Now()), entries)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // go-redis runs the script again when the reply does not come
			head := stringsOf(must(s.run(t.Context(), appendEntries, keys, args...).Slice())(t))
			if head[1] != last {
				t.Errorf("the head is %q, want %q", head, last)
			}
		}
		write(t, s, "d") // continues from what was written, which this store did not learn
		if found := must(s.Verify(t.Context()))(t); found.Entries != 4 {
			t.Errorf("verified %+v", found)
		}
	})
}

// appendEntryBefore is the script with which versions with a single chain append.
var appendEntryBefore = redis.NewScript(`
local head = redis.call('HMGET', KEYS[1], 'month', 'hash')
if head[2] == ARGV[4] then return {ARGV[1], ARGV[4]} end
if (head[2] or '') ~= ARGV[2] or (head[1] or '') > ARGV[1] then return head end
redis.call('XADD', KEYS[2], '*', 'before', ARGV[2], 'entry', ARGV[3], 'hash', ARGV[4], 'text', ARGV[6], 'erases', ARGV[7])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if ARGV[6] ~= '' then redis.call('SET', KEYS[3], ARGV[8], 'PX', ARGV[9]) end
redis.call('HSET', KEYS[1], 'month', ARGV[1], 'hash', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {ARGV[1], ARGV[4]}`)

// writeBefore appends an entry with a text as those versions do.
func writeBefore(t *testing.T, s *Store, entry string) {
	t.Helper()
	head, month := must(s.readHead(t.Context(), 0))(t), MonthOf(time.Now())
	text := must(s.newText("why " + entry))(t)
	m := AuditEntry{Entry: []byte(entry), Text: text.fingerprint, Before: head.hash, month: month}
	m.Hash = s.keys.Fingerprint([]byte("audit " + m.Before + " " + m.Text + " " + m.Erases + " " + entry))
	sealed := must(s.seal("audit:{audit}:"+string(month)+" "+m.Before, m.Entry))(t)
	sealedText := must(s.seal("audit:{audit}:text:"+m.Text, text.salted))(t)
	keys := []string{"audit:{audit}:head", "audit:{audit}:" + string(month), "audit:{audit}:text:" + m.Text}
	reply := must(s.run(t.Context(), appendEntryBefore, keys,
		string(month), m.Before, sealed, m.Hash, millis(s.lives.AuditLog), m.Text, "", sealedText, millis(s.lives.AuditLog)).Slice())(t)
	if got := stringsOf(reply); got[1] != m.Hash {
		t.Fatalf("the version before got the head %q", got)
	}
}

func TestTheChainOfVersionsBeforeIsContinuedAndVerified(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		s, other := p.replica(t), p.replica(t)
		writeBefore(t, s, "a")
		writeBefore(t, s, "b")
		if found := must(s.Verify(t.Context()))(t); found.Entries != 2 || found.Texts != 2 {
			t.Fatalf("verified %+v", found)
		}
		write(t, s, "c")
		write(t, other, "d")
		checkpoint(t, other)
		writeBefore(t, s, "e") // a replica that is not replaced yet
		write(t, s, "f")
		checkpoint(t, other)
		var all []string
		for _, entry := range read(t, s, MonthOf(time.Now())) {
			if entry.Chain == 0 {
				all = append(all, string(entry.Entry)+" "+must(s.Text(t.Context(), entry))(t))
			}
		}
		if got := strings.Join(all, ", "); got != "a why a, b why b, c why c, e why e, f why f" {
			t.Errorf("the first chain is %s", got)
		}
		if found := must(s.Verify(t.Context()))(t); found.Entries != 6 || len(found.Chains) != 2 || found.Texts != 6 {
			t.Errorf("verified %+v", found)
		}
		stored := must(s.readEntries(t.Context(), 0, MonthOf(time.Now()), "-", 10))(t)
		if err := rewrite(s, auditStream(0, MonthOf(time.Now())), slices.Delete(stored, 1, 2)); err != nil {
			t.Fatal(err)
		}
		_, err := s.Verify(t.Context())
		wantError(t, err, ErrTampered)
	}, embeddedRedis, oneNode, aCluster)
}

func TestARedisInsideTheProcessKeepsTheLastEntries(t *testing.T) {
	t.Parallel()
	s := open(t, memory, newKeys(t), WithLives(Lives{Call: time.Minute}))
	const more = 50
	for range 4 {
		atOnce(keptInMemory/4, func(int) string { return fmt.Sprint(s.Append(context.Background(), []byte("first"), "")) })
	}
	for range more {
		if err := s.Append(t.Context(), []byte("last"), ""); err != nil {
			t.Fatal(err)
		}
	}
	entries := read(t, s, MonthOf(time.Now()))
	if len(entries) != keptInMemory || string(entries[keptInMemory-more-1].Entry) != "first" || string(entries[keptInMemory-more].Entry) != "last" {
		t.Errorf("%d entries are kept", len(entries))
	}
}
