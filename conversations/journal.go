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

// A call is held until the lease of its holder expires, then orphaned, and done once it has an outcome.
//
// A call is one hash: state (held or done), token, lease (its end in ms by the clock of Redis, which is the same for
// every replica) and record (encrypted). A record never encrypts to the same bytes twice. If the stored record is ours,
// this is a repetition after a lost reply.
const nowMillis = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`

var (
	lookCall = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'state', 'token', 'lease', 'record')
if not e[1] then return {} end
return {e[1], e[2], string.format('%.0f', (e[3] or now) - now), e[4]}`)

	beginCall = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'state', 'token', 'lease', 'record')
if e[1] then return e end
local lease = string.format('%.0f', now + ARGV[2])
redis.call('HSET', KEYS[1], 'state', 'held', 'token', '1', 'lease', lease, 'record', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'held', '1', lease, ARGV[1]}`)

	takeCall = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'state', 'token', 'lease', 'taker')
if e[1] == 'held' and e[4] == ARGV[2] then return e[2] end
if e[1] ~= 'held' or e[2] ~= ARGV[1] or tonumber(e[3]) > now then return '0' end
local token = string.format('%.0f', e[2] + 1)
local lease = string.format('%.0f', now + ARGV[3])
redis.call('HSET', KEYS[1], 'token', token, 'lease', lease, 'taker', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return token`)

	amendCall = redis.NewScript(`
local e = redis.call('HMGET', KEYS[1], 'state', 'token')
if not e[1] then return 'gone' end
if e[1] ~= 'held' or e[2] ~= ARGV[1] then return 'conflict' end
redis.call('HSET', KEYS[1], 'record', ARGV[2])
return 'done'`)

	finishCall = redis.NewScript(`
local e = redis.call('HMGET', KEYS[1], 'state', 'token', 'record')
if not e[1] then return 'gone' end
if e[3] == ARGV[2] then return 'done' end
if e[1] ~= 'held' or e[2] ~= ARGV[1] then return 'conflict' end
redis.call('HSET', KEYS[1], 'state', 'done', 'record', ARGV[2])
redis.call('HDEL', KEYS[1], 'lease', 'taker')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 'done'`)
)

// Begin records a call before it is made. first is true for exactly one caller, who holds the call with token 1 for lease
// and makes it; the others get the stored record. key may be anything; intent is encrypted and kept for 7 days. If Redis
// has replicas, Begin returns once one of them has the intent, and fails if none has it in time. The intent is stored
// then, and [Store.Orphaned] returns it later.
func (s *Store) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) (prior []byte, first bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	name := s.callKey(key)
	sealed, err := s.sealRecord(name, intent)
	if err != nil {
		return nil, false, err
	}
	if err := s.addToIndex(ctx, name, lease); err != nil {
		return nil, false, err
	}
	found, err := s.run(ctx, beginCall, []string{name}, sealed, millis(lease), millis(s.lives.Journal)).Slice()
	if err != nil {
		return nil, false, failed("beginning a call in the journal", err)
	}
	recorded := stringsOf(found)[3]
	if recorded == string(sealed) {
		return nil, true, s.replicated(ctx, name)
	}
	prior, err = s.openRecord(name, recorded)
	return prior, false, err
}

// Look returns the stored record of a call, nil if it was never begun or has expired. While the call is not finished,
// token is that of its holder and lease the time left to them. With lease 0, any caller may [Store.TakeOver].
func (s *Store) Look(ctx context.Context, key string) (record []byte, token int64, lease time.Duration, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return s.look(ctx, s.callKey(key))
}

func (s *Store) look(ctx context.Context, name string) (record []byte, token int64, lease time.Duration, err error) {
	found, err := s.run(ctx, lookCall, []string{name}).Slice()
	if err != nil {
		return nil, 0, 0, failed("reading the journal", err)
	}
	if len(found) == 0 {
		return nil, 0, 0, nil
	}
	fields := stringsOf(found)
	if fields[0] == "held" {
		token, _ = strconv.ParseInt(fields[1], 10, 64) // the scripts write numbers
		lease = max(millisIn(fields[2]), 0)
	}
	record, err = s.openRecord(name, fields[3])
	return record, token, lease, err
}

// TakeOver acquires, for lease, an orphaned call whose last holder had token. taken is true for exactly one of all callers,
// who holds it with the token next. The previous holder can no longer record anything, but what it sent may still take
// effect: the new holder must check whether it did before it makes the call again.
func (s *Store) TakeOver(ctx context.Context, key string, token int64, lease time.Duration) (next int64, taken bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	name := s.callKey(key)
	next, err = s.run(ctx, takeCall, []string{name}, token, rand.Text(), millis(lease), millis(s.lives.Journal)).Int64()
	if err != nil {
		return 0, false, failed("taking over a call in the journal", err)
	}
	if next > 0 {
		err = s.replicated(ctx, name)
	}
	return next, next > 0, err
}

// Amend replaces the intent of a call that is held with token, and leaves its lease unchanged. It fails as [Store.Finish]
// does.
func (s *Store) Amend(ctx context.Context, key string, token int64, record []byte) error {
	return s.write(ctx, "amending a call in the journal", amendCall, s.callKey(key), token, record)
}

// Finish replaces the intent of a call that is held with token by its outcome, for 7 days. It fails with [ErrConflict] if
// the call was taken over or finished by another caller, and with [ErrGone] if it was never begun.
func (s *Store) Finish(ctx context.Context, key string, token int64, outcome []byte) error {
	name := s.callKey(key)
	err := s.write(ctx, "finishing a call in the journal", finishCall, name, token, outcome)
	if err == nil {
		s.removeFromIndex(ctx, name)
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
	outcome, err := s.run(ctx, script, []string{name}, token, sealed, millis(s.lives.Journal)).Text()
	switch {
	case err != nil:
		return failed(doing, err)
	case outcome == "gone":
		return fmt.Errorf("%s: %w", doing, ErrGone)
	case outcome == "conflict":
		return fmt.Errorf("%s: %w", doing, ErrConflict)
	}
	_ = s.replicated(ctx, name) // an outcome lost with its node is read from the bank again
	return nil
}

// millisIn parses a number of milliseconds written by a script.
func millisIn(text string) time.Duration {
	n, _ := strconv.ParseInt(text, 10, 64)
	return time.Duration(n) * time.Millisecond
}

func (s *Store) callKey(key string) string { return "journal:{" + s.name("journal", key) + "}" }

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
