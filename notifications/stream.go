package notifications

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// Keys that belong to the stream share its slot. A trigger is deleted once it is processed, so that the stream holds
// only what is still to do.
const (
	triggersKey    = "triggers"
	attemptsKey    = "{triggers}:attempts"
	deadLettersKey = "{triggers}:dead-letters"
	group          = "team"

	triggerTTL     = 30 * 24 * time.Hour
	deadLetterTTL  = 90 * 24 * time.Hour
	maxDeadLetters = 10_000
	batchSize      = 100
	blockFor       = 500 * time.Millisecond
)

// stream stores triggers until they are processed. Its consumers, one of each replica, share them, and claim those of a
// replica that crashed.
type stream struct {
	redis redis.UniversalClient
	sealer
	consumer  string
	max       int64
	lease     time.Duration
	lastClaim time.Time // when all expired claims were last taken over
	cursor    string
}

func newStream(client redis.UniversalClient, sealer sealer, max int64, lease time.Duration) *stream {
	return &stream{redis: client, sealer: sealer, consumer: uuid.NewString(), max: max, lease: lease, cursor: "0-0"}
}

// streamEntry is a trigger in the stream.
type streamEntry struct {
	id      string
	trigger Trigger
	ok      bool // it could be decoded
}

// add adds a trigger to the stream.
func (s *stream) add(ctx context.Context, trigger Trigger) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	entry, err := s.entry(trigger)
	if err != nil {
		return err
	}
	_, err = s.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.XAdd(ctx, entry)
		pipe.PExpire(ctx, triggersKey, triggerTTL)
		return nil
	})
	return redisError("adding a trigger", err)
}

// entry encodes a trigger with the same field name as all others, which Redis then stores once for many entries.
func (s *stream) entry(trigger Trigger) (*redis.XAddArgs, error) {
	sealed, err := s.seal(triggersKey, trigger)
	return &redis.XAddArgs{Stream: triggersKey, MaxLen: s.max, Approx: true, Values: []any{"sealed", sealed}}, err
}

func (s *stream) readEntry(message redis.XMessage) streamEntry {
	e := streamEntry{id: message.ID}
	sealed, _ := message.Values["sealed"].(string)
	err := s.open("a trigger", triggersKey, sealed, &e.trigger)
	switch e.trigger.Source {
	case Callback, Balcao, Reconciler:
		e.ok = err == nil
	}
	return e
}

// read returns triggers to process: those whose claim expired, or else new ones. If there are none it waits briefly.
func (s *stream) read(ctx context.Context) ([]streamEntry, error) {
	if time.Since(s.lastClaim) >= s.lease/3 {
		old, err := s.claim(ctx)
		if err != nil || len(old) > 0 {
			return old, err
		}
	}
	got, err := s.redis.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: group, Consumer: s.consumer, Streams: []string{triggersKey, ">"}, Count: batchSize, Block: min(blockFor, s.lease/3),
	}).Result()
	if isNoGroup(err) {
		return nil, s.createGroup(ctx)
	}
	if err := redisError("reading triggers", err); err != nil || len(got) == 0 {
		return nil, err
	}
	return s.entries(got[0].Messages), nil
}

// claim takes over a batch of triggers whose claim expired.
func (s *stream) claim(ctx context.Context) ([]streamEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	messages, cursor, err := s.redis.XAutoClaim(ctx, &redis.XAutoClaimArgs{
		Stream: triggersKey, Group: group, Consumer: s.consumer, MinIdle: s.lease, Start: s.cursor, Count: batchSize,
	}).Result()
	if isNoGroup(err) {
		return nil, s.createGroup(ctx)
	}
	if err := redisError("claiming triggers", err); err != nil {
		return nil, err
	}
	if s.cursor = cursor; cursor == "0-0" {
		s.lastClaim = time.Now() // the whole list was scanned
	}
	err = s.redis.PExpire(ctx, triggersKey, triggerTTL).Err()
	return s.entries(messages), redisError("extending the lifetime of the stream", err)
}

// createGroup creates the stream and its consumer group, at the start and after Redis lost them.
func (s *stream) createGroup(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := s.redis.XGroupCreateMkStream(ctx, triggersKey, group, "0").Err()
	if err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
		return redisError("creating the consumer group", err)
	}
	return redisError("creating the consumer group", s.redis.PExpire(ctx, triggersKey, triggerTTL).Err())
}

// removeConsumer removes the consumer from the group, unless it holds triggers that others have to claim.
func (s *stream) removeConsumer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	held, err := s.redis.XPendingExt(ctx, &redis.XPendingExtArgs{
		Stream: triggersKey, Group: group, Start: "-", End: "+", Count: 1, Consumer: s.consumer,
	}).Result()
	if err == nil && len(held) == 0 {
		err = s.redis.XGroupDelConsumer(ctx, triggersKey, group, s.consumer).Err()
	}
	if isNoGroup(err) {
		return nil
	}
	return redisError("removing the consumer", err)
}

func isNoGroup(err error) bool { return err != nil && strings.Contains(err.Error(), "NOGROUP") }

func (s *stream) entries(messages []redis.XMessage) []streamEntry {
	all := make([]streamEntry, 0, len(messages))
	for _, message := range messages {
		all = append(all, s.readEntry(message))
	}
	return all
}

// newestID returns the id of the newest trigger. A read of the bank that begins now answers all triggers up to it.
func (s *stream) newestID(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	newest, err := s.redis.XRevRangeN(ctx, triggersKey, "+", "-", 1).Result()
	if err != nil || len(newest) == 0 {
		return "0-0", redisError("reading the newest trigger", err)
	}
	return newest[0].ID, nil
}

// renewClaims renews the claims of triggers that are being processed.
func (s *stream) renewClaims(ctx context.Context, ids []string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := s.redis.XClaimJustID(ctx, &redis.XClaimArgs{Stream: triggersKey, Group: group, Consumer: s.consumer, Messages: ids}).Err()
	return redisError("renewing stream claims", err)
}

var addAttempts = redis.NewScript(`
local most = 0
for i = 3, #ARGV do
  most = math.max(most, redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[1]))
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return most`)

// countAttempts adds by to the attempts of each trigger, -1 to take back an attempt that failed through no fault of its
// own, and returns the highest count.
func (s *stream) countAttempts(ctx context.Context, by int, ids []string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	most, err := addAttempts.Run(ctx, s.redis, []string{attemptsKey}, args(ids, by, triggerTTL.Milliseconds())...).Int64()
	return most, redisError("counting attempts", err)
}

var completeTriggers = redis.NewScript(`
redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 2))
redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
redis.call('HDEL', KEYS[2], unpack(ARGV, 2))
return 1`)

// complete removes triggers that are processed.
func (s *stream) complete(ctx context.Context, ids []string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := completeTriggers.Run(ctx, s.redis, []string{triggersKey, attemptsKey}, args(ids, group)...).Err()
	return redisError("completing triggers", err)
}

func args(ids []string, before ...any) []any {
	for _, id := range ids {
		before = append(before, id)
	}
	return before
}

// backlog returns how many triggers are not processed, and how old the oldest is by our clock.
func (s *stream) backlog(ctx context.Context, now time.Time) (triggers int64, oldest time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var length *redis.IntCmd
	var first *redis.XMessageSliceCmd
	_, err = s.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		length = pipe.XLen(ctx, triggersKey)
		first = pipe.XRangeN(ctx, triggersKey, "-", "+", 1)
		return nil
	})
	if err != nil {
		return 0, 0, redisError("reading the stream of triggers", err)
	}
	if len(first.Val()) > 0 {
		oldest = max(0, now.Sub(idTime(first.Val()[0].ID)))
	}
	return length.Val(), oldest, nil
}

// notAfter reports whether a trigger was in the stream when upTo was the newest.
func notAfter(id, upTo string) bool {
	at, n := splitID(id)
	until, most := splitID(upTo)
	return at < until || at == until && n <= most
}

func splitID(id string) (millis, n uint64) {
	before, after, _ := strings.Cut(id, "-")
	millis, _ = strconv.ParseUint(before, 10, 64)
	n, _ = strconv.ParseUint(after, 10, 64)
	return millis, n
}

func idTime(id string) time.Time {
	millis, _ := splitID(id)
	return time.UnixMilli(int64(millis))
}
