package conversations

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"
)

const (
	maxGroup        = 64   // entries that are written at once
	maxAuditWaiting = 1024 // entries that wait for the ones before
	keptInMemory    = 2000 // entries of a month that the Redis inside the process keeps; it is lost with the process
	keptInRedis     = 1e12 // more than there are
)

// appendEntries appends entries to a chain if its head still has the hash that the first one continues, and returns the
// head. Otherwise the caller continues from that head and tries again. A repetition after a lost reply finds the hash of its
// last entry at the head. The texts of the entries are written, and those that they erase are deleted, in the same script.
//
// KEYS: the head, the stream of the month, and for each entry the key of its text. ARGV: the month, the hash that the first
// entry continues, the hash of the last one, the lifetime of the month, the lifetime of a text, the number of entries that
// are no checkpoints, the number of entries that are kept of the month; then for each entry before, entry, hash, text, erases, previous, kind and the encrypted text.
var appendEntries = redis.NewScript(`
local head = redis.call('HMGET', KEYS[1], 'month', 'hash')
if head[2] == ARGV[3] then return {ARGV[1], ARGV[3]} end
if (head[2] or '') ~= ARGV[2] or (head[1] or '') > ARGV[1] then return head end
for i = 1, #KEYS - 2 do
	local at = 8 + (i - 1) * 8
	redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[7], '*', 'before', ARGV[at], 'entry', ARGV[at + 1], 'hash', ARGV[at + 2], 'text', ARGV[at + 3],
		'erases', ARGV[at + 4], 'previous', ARGV[at + 5], 'kind', ARGV[at + 6])
	if ARGV[at + 3] ~= '' then redis.call('SET', KEYS[2 + i], ARGV[at + 7], 'PX', ARGV[5]) end
	if ARGV[at + 4] ~= '' then redis.call('DEL', KEYS[2 + i]) end
end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[1], 'month', ARGV[1], 'hash', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'entries', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {ARGV[1], ARGV[3]}`)

// newEntry is an entry that is not stored yet. text is the text to store with it, or to erase if it has Erases.
type newEntry struct {
	AuditEntry
	text storedText
}

// knownHead is the head of a chain as this replica read it last. It may be out of date; appendEntries corrects it.
type knownHead struct {
	sync.Mutex
	auditHead
}

// waitingEntry is an entry that waits for the ones before. The result is sent to done.
type waitingEntry struct {
	newEntry
	done chan error // of capacity 1
}

// auditQueue has the entries that wait for the group that is being written.
type auditQueue struct {
	mu      sync.Mutex
	waiting []*waitingEntry
	writing bool // a goroutine writes groups until none waits
	writers sync.WaitGroup
}

var errTooManyEntries = errors.New("too many entries of the audit log wait for Redis")

// appendInGroup appends an entry to the chain of this replica, together with others that wait. While a group is on its way,
// the next one forms. If a group fails, each of its entries does. If ctx ends first, the entry may be stored or not, as
// after a lost reply, but one that is still waiting is not.
func (s *Store) appendInGroup(ctx context.Context, entry newEntry) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return failed("appending to the audit log", err)
	}
	waiting := &waitingEntry{entry, make(chan error, 1)}
	if !s.queue.add(waiting, s.writeGroups) {
		return failed("appending to the audit log", errTooManyEntries)
	}
	select {
	case err := <-waiting.done:
		return err
	case <-ctx.Done():
		s.queue.remove(waiting)
		return failed("appending to the audit log", ctx.Err())
	}
}

// add adds an entry, and starts write if it is not running. It returns false if too many wait.
func (q *auditQueue) add(entry *waitingEntry, write func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= maxAuditWaiting {
		return false
	}
	q.waiting = append(q.waiting, entry)
	if !q.writing {
		q.writing = true
		q.writers.Go(write)
	}
	return true
}

func (q *auditQueue) remove(entry *waitingEntry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(other *waitingEntry) bool { return other == entry })
}

// take returns the next group, in the order of arrival. It returns none, and the writer ends, if no entry waits.
func (q *auditQueue) take() []*waitingEntry {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), maxGroup)
	group := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	q.writing = n > 0
	return group
}

// writeGroups writes the entries that wait, until none does.
func (s *Store) writeGroups() {
	for {
		runtime.Gosched() // calls that are about to append join the group
		group := s.queue.take()
		if len(group) == 0 {
			return
		}
		entries := make([]newEntry, len(group))
		for i, waiting := range group {
			entries[i] = waiting.newEntry
		}
		err := s.writeToOwnChain(entries)
		for _, waiting := range group {
			waiting.done <- err
		}
	}
}

// writeToOwnChain does not end with the context of one caller, because the group has entries of others.
func (s *Store) writeToOwnChain(entries []newEntry) error {
	ctx, cancel := s.bounded(context.Background())
	defer cancel()
	chain, err := s.takeChain(ctx)
	if err != nil {
		return err
	}
	return s.writeToChain(ctx, chain, entries)
}

// writeToChain appends entries to a chain, all of them or none.
func (s *Store) writeToChain(ctx context.Context, chain int, entries []newEntry) error {
	head := &s.heads[chain]
	head.Lock() // entries of one replica wait here instead of competing in Redis
	defer head.Unlock()
	for {
		month := max(MonthOf(s.now()), head.month) // a slow clock does not return to an earlier month
		keys, args, last, err := s.group(chain, head.auditHead, month, entries)
		if err != nil {
			return err
		}
		found, err := s.run(ctx, appendEntries, keys, args...).Slice()
		if err != nil {
			return failed("appending to the audit log", err)
		}
		fields := stringsOf(found)
		head.auditHead = auditHead{Month(fields[0]), fields[1]}
		if head.hash == last {
			return nil
		}
	}
}

// group returns the keys and the arguments of appendEntries for entries that continue head, and the hash of the last one.
func (s *Store) group(chain int, head auditHead, month Month, entries []newEntry) (keys []string, args []any, last string, err error) {
	keys = []string{auditHeadKey(chain), auditStream(chain, month)}
	args = append(make([]any, 0, 7+8*len(entries)), string(month), head.hash, "", millis(s.lives.AuditLog), millis(s.textLife(month)), 0, cmp.Or(s.kept, keptInRedis))
	last, previous, counted := head.hash, head.month, 0
	if head.hash == "" {
		previous = month
	}
	for _, entry := range entries {
		entry.Chain, entry.month, entry.previous, entry.Before = chain, month, previous, last
		entry.Hash = s.link(entry.AuditEntry)
		sealed, err := s.seal(entry.bound(), entry.Entry)
		if err != nil {
			return nil, nil, "", err
		}
		text, err := s.sealText(chain, entry.text)
		if err != nil {
			return nil, nil, "", err
		}
		keys = append(keys, textKey(chain, entry.text.fingerprint))
		args = append(args, last, sealed, entry.Hash, entry.Text, entry.Erases, string(previous), entry.kind(), text)
		if !entry.checkpoint {
			counted++
		}
		last, previous = entry.Hash, month
	}
	args[2], args[5] = last, counted
	return keys, args, last, nil
}

func (m AuditEntry) kind() string {
	if m.checkpoint {
		return checkpointMark
	}
	return ""
}
