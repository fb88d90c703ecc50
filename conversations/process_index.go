package conversations

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// The index holds what was seen of the processes of a broker, in tables: each has values by key. A table is a hash of
// encrypted values and a sorted set of the times when they were stored, in ms by the clock of Redis and different for each
// call. All tables of a broker and the state of its list share a slot. A value that was not stored again for [Lives.Index] is removed.
var putIndexed = redis.NewScript(nowMillis + `
local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local at = string.format('%.0f', math.max(now, (tonumber(last[2]) or 0) + 1))
for i = 3, #ARGV, 2 do
	redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
	redis.call('ZADD', KEYS[2], at, ARGV[i])
end
local function drop(fields)
	for _, field in ipairs(fields) do
		redis.call('HDEL', KEYS[1], field)
		redis.call('ZREM', KEYS[2], field)
	end
end
drop(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - ARGV[1]), 'LIMIT', 0, 500))
local over = redis.call('ZCARD', KEYS[2]) - ARGV[2]
if over > 0 then drop(redis.call('ZRANGE', KEYS[2], 0, over - 1)) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1`)

// The state of a broker's list is a hash: run (the number of the last reading that began), done (of the latest that read the
// whole list), ended (when it was done), wanted (of the one that somebody waits for) and reading (what the reader of a reading stored, encrypted).
var (
	requestList = redis.NewScript(`
local e = redis.call('HMGET', KEYS[1], 'run', 'wanted')
local wanted = math.max((tonumber(e[1]) or 0) + 1, tonumber(e[2]) or 0)
redis.call('HSET', KEYS[1], 'wanted', string.format('%.0f', wanted))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return string.format('%.0f', (tonumber(e[1]) or 0) + 1)`)

	// A repetition after a lost reply leaves out a number, which harms nothing.
	beginList = redis.NewScript(`
local run = redis.call('HINCRBY', KEYS[1], 'run', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return run`)

	// A reading that Redis does not know began before Redis lost its data: what it stored in the index is lost too.
	recordList = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'run', 'done')
local run = tonumber(ARGV[1])
if (tonumber(e[1]) or 0) < run then return 0 end
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'reading', ARGV[2]) end
if ARGV[3] == '1' and (tonumber(e[2]) or 0) < run then
	redis.call('HSET', KEYS[1], 'done', ARGV[1], 'ended', string.format('%.0f', now))
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`)

	listState = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'done', 'ended', 'wanted', 'reading')
return {e[1] or '0', string.format('%.0f', now - (tonumber(e[2]) or now)), e[3] or '0', e[4] or ''}`)

	dropListRequest = redis.NewScript(`
if (tonumber(redis.call('HGET', KEYS[1], 'wanted')) or 0) <= tonumber(ARGV[1]) then redis.call('HDEL', KEYS[1], 'wanted') end
return 1`)
)

const (
	// MaxIndexed is the most values of a table. Beyond, those that were stored longest ago are removed.
	MaxIndexed = 50_000

	maxIndexedPage = 1000 // values in one call
)

// PutIndexed stores values in a table of a broker's index, and replaces those with the same key. table is a constant of the
// caller's code and readable in Redis; keys may be anything.
func (s *Store) PutIndexed(ctx context.Context, broker, table string, values map[string][]byte) error {
	if len(values) == 0 {
		return nil
	}
	if len(values) > maxIndexedPage {
		return fmt.Errorf("indexing %d values: %w", len(values), ErrLimit)
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	name := s.indexKey(broker, table)
	args := make([]any, 0, 2+2*len(values))
	args = append(args, millis(s.lives.Index), MaxIndexed)
	for key, value := range values {
		if len(value) > maxCached {
			return fmt.Errorf("indexing %d bytes: %w", len(value), ErrLimit)
		}
		field := s.name("indexed", broker, table, key)
		sealed, err := s.seal(name+" "+field, value)
		if err != nil {
			return err
		}
		args = append(args, field, sealed)
	}
	return failed("storing in the index", s.run(ctx, putIndexed, []string{name, indexTimes(name)}, args...).Err())
}

// Indexed returns the value of a key; ok is false if there is none.
func (s *Store) Indexed(ctx context.Context, broker, table, key string) (value []byte, ok bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	name, field := s.indexKey(broker, table), s.name("indexed", broker, table, key)
	sealed, err := s.redis.HGet(ctx, name, field).Result()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, failed("reading the index", err)
	}
	value, err = s.open(name+" "+field, sealed)
	return value, err == nil, err
}

// IndexedSince returns the values that were stored after a time, oldest first, with the time of the last of them: about a
// thousand at most. more reports whether there may be others: call it again with upTo. Start with 0.
func (s *Store) IndexedSince(ctx context.Context, broker, table string, since int64) (values [][]byte, upTo int64, more bool, err error) {
	name := s.indexKey(broker, table)
	fields, upTo, more, err := s.indexedFields(ctx, name, since)
	if err != nil || len(fields) == 0 {
		return nil, since, false, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found, err := s.redis.HMGet(ctx, name, fields...).Result()
	if err != nil {
		return nil, since, false, failed("reading the index", err)
	}
	for i, sealed := range stringsOf(found) {
		if sealed == "" { // removed meanwhile
			continue
		}
		value, err := s.open(name+" "+fields[i], sealed)
		if err != nil {
			return nil, since, false, err
		}
		values = append(values, value)
	}
	return values, upTo, more, nil
}

// indexedFields returns the fields that were stored after a time, with all those of the last time.
func (s *Store) indexedFields(ctx context.Context, name string, since int64) (fields []string, upTo int64, more bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	stored := func(from, to string) []redis.Z {
		if err != nil {
			return nil
		}
		var found []redis.Z
		found, err = s.redis.ZRangeByScoreWithScores(ctx, indexTimes(name), &redis.ZRangeBy{Min: from, Max: to, Count: maxIndexedPage}).Result()
		return found
	}
	found := stored("("+strconv.FormatInt(since, 10), "+inf")
	if more = len(found) == maxIndexedPage; more {
		last := found[len(found)-1].Score
		at := strconv.FormatFloat(last, 'f', 0, 64)
		found = append(slices.DeleteFunc(found, func(z redis.Z) bool { return z.Score == last }), stored(at, at)...)
	}
	if err != nil || len(found) == 0 {
		return nil, since, false, failed("reading the index", err)
	}
	for _, each := range found {
		fields = append(fields, each.Member.(string))
	}
	return fields, int64(found[len(found)-1].Score), more, nil
}

// RequestList requests that the whole list of a broker's processes is read after now. It returns the number of the next
// reading: once a reading with this number or a later one is done, the list was read after this call.
func (s *Store) RequestList(ctx context.Context, broker string) (next int64, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	next, err = s.run(ctx, requestList, []string{s.listKey(broker)}, millis(s.lives.Index)).Int64()
	return next, failed("requesting a list", err)
}

// BeginList returns the number of a reading that begins now.
func (s *Store) BeginList(ctx context.Context, broker string) (run int64, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	run, err = s.run(ctx, beginList, []string{s.listKey(broker)}, millis(s.lives.Index)).Int64()
	return run, failed("beginning to read a list", err)
}

// RecordList stores how far a reading is, unless reading is nil, and whether it has read the whole list. ok is false if
// Redis lost its data since the reading began.
func (s *Store) RecordList(ctx context.Context, broker string, run int64, reading []byte, done bool) (ok bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.listKey(broker)
	var sealed []byte
	if reading != nil {
		if sealed, err = s.seal(key, reading); err != nil {
			return false, err
		}
	}
	ok, err = s.run(ctx, recordList, []string{key}, run, sealed, done, millis(s.lives.Index)).Bool()
	return ok, failed("recording a reading", err)
}

// DropListRequest drops the requests for a reading up to a number, which cannot be met.
func (s *Store) DropListRequest(ctx context.Context, broker string, upTo int64) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return failed("dropping a request", s.run(ctx, dropListRequest, []string{s.listKey(broker)}, upTo).Err())
}

// ListState returns the number of the latest reading that is done and how long ago one was, the number of the one that is
// requested, and what was last stored of a reading. A number is 0 for none.
func (s *Store) ListState(ctx context.Context, broker string) (done int64, age time.Duration, wanted int64, reading []byte, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.listKey(broker)
	found, err := s.run(ctx, listState, []string{key}).Slice()
	if err != nil {
		return 0, 0, 0, nil, failed("reading the state of a list", err)
	}
	fields := stringsOf(found)
	done, _ = strconv.ParseInt(fields[0], 10, 64) // the scripts write numbers
	wanted, _ = strconv.ParseInt(fields[2], 10, 64)
	if fields[3] != "" {
		if reading, err = s.open(key, fields[3]); err != nil {
			return 0, 0, 0, nil, err
		}
	}
	return done, millisIn(fields[1]), wanted, reading, nil
}

func (s *Store) indexKey(broker, table string) string {
	return "index:{" + s.name("index", broker) + "}:" + table
}

func indexTimes(name string) string { return name + ":times" }

func (s *Store) listKey(broker string) string { return "index:{" + s.name("index", broker) + "}:list" }
