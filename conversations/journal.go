package conversations

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const maxRecord = 1 << 20 // bytes of one intent or outcome

// State is how far a journalled call has come.
type State int

// A call is [Free] until somebody begins it. A begun call is [Held] while its holder's lease runs and [Abandoned]
// after; a finished one is [Done] for good.
const (
	Free State = iota
	Held
	Abandoned
	Done
)

// Entry is what the journal knows of one call.
type Entry struct {
	State      State
	Record     []byte    // the intent; the outcome once Done
	Token      int64     // of the holder: 1 for who began, one more with each takeover. Only the latest can finish
	LeaseUntil time.Time // by the clock of Redis; zero when Free or Done
}

// An entry is one hash: state (held or done), token, lease (its end in ms by the clock of Redis, which is the same for
// every replica) and record (sealed). A record is never sealed to the same bytes twice: finding ours means that a
// first attempt, whose reply was lost, took hold.
const nowMillis = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`

var (
	lookEntry = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'state', 'token', 'lease', 'record')
if not e[1] then return {} end
if e[1] == 'held' and tonumber(e[3]) <= now then e[1] = 'abandoned' end
return e`)

	beginEntry = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'state', 'token', 'lease', 'record')
if e[1] then
  if e[1] == 'held' and tonumber(e[3]) <= now then e[1] = 'abandoned' end
  return e
end
local lease = string.format('%.0f', now + ARGV[2])
redis.call('HSET', KEYS[1], 'state', 'held', 'token', '1', 'lease', lease, 'record', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'held', '1', lease, ARGV[1]}`)

	takeEntry = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'state', 'token', 'lease', 'record', 'taker')
if not e[1] then return {} end
if e[1] == 'held' and e[5] == ARGV[2] then return {'held', e[2], e[3], e[4]} end
if e[1] ~= 'held' or e[2] ~= ARGV[1] or tonumber(e[3]) > now then return {'lost'} end
local token = string.format('%.0f', e[2] + 1)
local lease = string.format('%.0f', now + ARGV[3])
redis.call('HSET', KEYS[1], 'token', token, 'lease', lease, 'taker', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'held', token, lease, e[4]}`)

	finishEntry = redis.NewScript(`
local e = redis.call('HMGET', KEYS[1], 'state', 'token', 'record')
if not e[1] then return 'gone' end
if e[3] == ARGV[2] then return 'done' end
if e[1] ~= 'held' or e[2] ~= ARGV[1] then return 'conflict' end
redis.call('HSET', KEYS[1], 'state', 'done', 'record', ARGV[2])
redis.call('HDEL', KEYS[1], 'lease', 'taker')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 'done'`)
)

// Begin claims a call before it is made: first is true for exactly one caller, who holds the call for lease and makes
// it. Everybody else gets what is recorded, the first caller's intent or its outcome; which of the two, and whether the
// lease still runs, [Store.Entry] tells. key may be anything; intent is sealed and kept for 7 days.
func (s *Store) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) (prior []byte, first bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	name := s.entryKey(key)
	sealed, err := s.sealRecord(name, intent)
	if err != nil {
		return nil, false, err
	}
	found, err := s.run(ctx, beginEntry, []string{name}, sealed, millis(lease), millis(s.lives.Journal)).Slice()
	if err != nil {
		return nil, false, failed("beginning a call in the journal", err)
	}
	if fields := texts(found); fields[3] == string(sealed) {
		return nil, true, nil
	}
	e, err := s.openEntry(name, texts(found))
	return e.Record, false, err
}

// Finish records the outcome of the call that the caller began, in place of the intent, for 7 days. It fails with
// [ErrConflict] when somebody took the call over or finished it before, and with [ErrGone] when nobody began it.
func (s *Store) Finish(ctx context.Context, key string, outcome []byte) error {
	return s.FinishAs(ctx, key, 1, outcome)
}

// Entry returns what the journal knows of a call. A call never begun, or forgotten, is [Free].
func (s *Store) Entry(ctx context.Context, key string) (Entry, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	name := s.entryKey(key)
	found, err := s.run(ctx, lookEntry, []string{name}).Slice()
	if err != nil {
		return Entry{}, failed("reading the journal", err)
	}
	return s.openEntry(name, texts(found))
}

// TakeOver holds, for lease, a call that was seen [Abandoned]: of all who try exactly one gets the entry with the next
// token, the others [ErrConflict]. The holder before can no longer finish, but what it sent may yet take effect: the
// new holder looks whether it did before making the call again.
func (s *Store) TakeOver(ctx context.Context, key string, seen Entry, lease time.Duration) (Entry, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	name := s.entryKey(key)
	found, err := s.run(ctx, takeEntry, []string{name}, seen.Token, rand.Text(), millis(lease), millis(s.lives.Journal)).Slice()
	if err != nil {
		return Entry{}, failed("taking over a call in the journal", err)
	}
	switch len(found) {
	case 0:
		return Entry{}, fmt.Errorf("taking over a call in the journal: %w", ErrGone)
	case 1:
		return Entry{}, fmt.Errorf("taking over a call in the journal: %w", ErrConflict)
	}
	return s.openEntry(name, texts(found))
}

// FinishAs is [Store.Finish] for the holder of the token that [Store.TakeOver] gave.
func (s *Store) FinishAs(ctx context.Context, key string, token int64, outcome []byte) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	name := s.entryKey(key)
	sealed, err := s.sealRecord(name, outcome)
	if err != nil {
		return err
	}
	said, err := s.run(ctx, finishEntry, []string{name}, token, sealed, millis(s.lives.Journal)).Text()
	switch {
	case err != nil:
		return failed("finishing a call in the journal", err)
	case said == "gone":
		return fmt.Errorf("finishing a call in the journal: %w", ErrGone)
	case said == "conflict":
		return fmt.Errorf("finishing a call in the journal: %w", ErrConflict)
	}
	return nil
}

func (s *Store) entryKey(key string) string { return "journal:{" + s.name("journal", key) + "}" }

func (s *Store) sealRecord(name string, record []byte) ([]byte, error) {
	if len(record) > maxRecord {
		return nil, fmt.Errorf("journalling %d bytes: %w", len(record), ErrLimit)
	}
	return s.seal(name, record)
}

var states = map[string]State{"held": Held, "abandoned": Abandoned, "done": Done}

func (s *Store) openEntry(name string, found []string) (Entry, error) {
	if len(found) == 0 {
		return Entry{}, nil
	}
	record, err := s.open(name, found[3])
	if err != nil {
		return Entry{}, fmt.Errorf("reading the journal: %w", err)
	}
	e := Entry{State: states[found[0]], Record: record}
	e.Token, _ = strconv.ParseInt(found[1], 10, 64)
	if e.State == Done {
		return e, nil
	}
	if ms, err := strconv.ParseInt(found[2], 10, 64); err == nil {
		e.LeaseUntil = time.UnixMilli(ms).UTC()
	}
	return e, nil
}
