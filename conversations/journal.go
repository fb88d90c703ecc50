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

// A call is held while the lease of who began it runs, abandoned after, and in the end done.
//
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
return {e[1], e[2], string.format('%.0f', (e[3] or now) - now), e[4]}`)

	beginEntry = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'state', 'token', 'lease', 'record')
if e[1] then return e end
local lease = string.format('%.0f', now + ARGV[2])
redis.call('HSET', KEYS[1], 'state', 'held', 'token', '1', 'lease', lease, 'record', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'held', '1', lease, ARGV[1]}`)

	takeEntry = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'state', 'token', 'lease', 'taker')
if e[1] == 'held' and e[4] == ARGV[2] then return e[2] end
if e[1] ~= 'held' or e[2] ~= ARGV[1] or tonumber(e[3]) > now then return '0' end
local token = string.format('%.0f', e[2] + 1)
local lease = string.format('%.0f', now + ARGV[3])
redis.call('HSET', KEYS[1], 'token', token, 'lease', lease, 'taker', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return token`)

	amendEntry = redis.NewScript(`
local e = redis.call('HMGET', KEYS[1], 'state', 'token')
if not e[1] then return 'gone' end
if e[1] ~= 'held' or e[2] ~= ARGV[1] then return 'conflict' end
redis.call('HSET', KEYS[1], 'record', ARGV[2])
return 'done'`)

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

// Begin claims a call before it is made: first is true for exactly one caller, who holds the call under the token 1 for
// lease and makes it. Everybody else gets what is recorded. key may be anything; intent is sealed and kept for 7 days.
// It returns once a replica of Redis has the intent, where there is one, and fails when none has it in time: the intent
// stands then, and whoever finds it makes the call.
func (s *Store) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) (prior []byte, first bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	name := s.entryKey(key)
	sealed, err := s.sealRecord(name, intent)
	if err != nil {
		return nil, false, err
	}
	if err := s.remind(ctx, name, lease); err != nil {
		return nil, false, err
	}
	found, err := s.run(ctx, beginEntry, []string{name}, sealed, millis(lease), millis(s.lives.Journal)).Slice()
	if err != nil {
		return nil, false, failed("beginning a call in the journal", err)
	}
	recorded := texts(found)[3]
	if recorded == string(sealed) {
		return nil, true, s.replicated(ctx, name)
	}
	prior, err = s.openRecord(name, recorded)
	return prior, false, err
}

// Look tells what the journal holds of a call: nothing of one never begun, or forgotten. While the call is not finished,
// token is its holder's, and lease what is left to them; 0 when it is over, and anybody may [Store.TakeOver].
func (s *Store) Look(ctx context.Context, key string) (record []byte, token int64, lease time.Duration, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return s.look(ctx, s.entryKey(key))
}

func (s *Store) look(ctx context.Context, name string) (record []byte, token int64, lease time.Duration, err error) {
	found, err := s.run(ctx, lookEntry, []string{name}).Slice()
	if err != nil {
		return nil, 0, 0, failed("reading the journal", err)
	}
	if len(found) == 0 {
		return nil, 0, 0, nil
	}
	fields := texts(found)
	if fields[0] == "held" {
		token, _ = strconv.ParseInt(fields[1], 10, 64) // the scripts write numbers
		lease = max(millisIn(fields[2]), 0)
	}
	record, err = s.openRecord(name, fields[3])
	return record, token, lease, err
}

// TakeOver holds, for lease, an abandoned call whose holder was seen to have token: of all who try, taken is true for
// exactly one, who holds it under the token next. The holder before can record nothing any more, but what it sent may
// yet take effect: the new holder looks whether it did before making the call again.
func (s *Store) TakeOver(ctx context.Context, key string, token int64, lease time.Duration) (next int64, taken bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	name := s.entryKey(key)
	next, err = s.run(ctx, takeEntry, []string{name}, token, rand.Text(), millis(lease), millis(s.lives.Journal)).Int64()
	if err != nil {
		return 0, false, failed("taking over a call in the journal", err)
	}
	if next > 0 {
		err = s.replicated(ctx, name)
	}
	return next, next > 0, err
}

// Amend puts another record in the place of the intent of a call that is held under token, and leaves its lease as it
// is. It fails as [Store.Finish] does.
func (s *Store) Amend(ctx context.Context, key string, token int64, record []byte) error {
	return s.write(ctx, "amending a call in the journal", amendEntry, s.entryKey(key), token, record)
}

// Finish records the outcome of a call that is held under token, for 7 days, in place of the intent. It fails with
// [ErrConflict] when somebody took the call over or finished it before, and with [ErrGone] when nobody began it.
func (s *Store) Finish(ctx context.Context, key string, token int64, outcome []byte) error {
	name := s.entryKey(key)
	err := s.write(ctx, "finishing a call in the journal", finishEntry, name, token, outcome)
	if err == nil {
		s.dismiss(ctx, name)
	}
	return err
}

func (s *Store) write(ctx context.Context, doing string, script *redis.Script, name string, token int64, record []byte) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	sealed, err := s.sealRecord(name, record)
	if err != nil {
		return err
	}
	said, err := s.run(ctx, script, []string{name}, token, sealed, millis(s.lives.Journal)).Text()
	switch {
	case err != nil:
		return failed(doing, err)
	case said == "gone":
		return fmt.Errorf("%s: %w", doing, ErrGone)
	case said == "conflict":
		return fmt.Errorf("%s: %w", doing, ErrConflict)
	}
	_ = s.replicated(ctx, name) // an outcome that is lost with its node is found at the bank again
	return nil
}

// millisIn reads a number of milliseconds that a script wrote.
func millisIn(text string) time.Duration {
	n, _ := strconv.ParseInt(text, 10, 64)
	return time.Duration(n) * time.Millisecond
}

func (s *Store) entryKey(key string) string { return "journal:{" + s.name("journal", key) + "}" }

func (s *Store) sealRecord(name string, record []byte) ([]byte, error) {
	if len(record) > maxRecord {
		return nil, fmt.Errorf("journalling %d bytes: %w", len(record), ErrLimit)
	}
	return s.seal(name, record)
}

func (s *Store) openRecord(name, sealed string) ([]byte, error) {
	record, err := s.open(name, sealed)
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	return record, nil
}
