package notifications

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	changelogKey = "changelog"
	changelogTTL = 90 * 24 * time.Hour
	maxChangelog = 100_000
	maxSince     = 500
)

// changelog stores all updates in the order in which they were appended. The order is that of the clock of Redis, and
// never goes back, because the clocks of replicas differ: a reader who continues from the last update read misses none.
type changelog struct {
	redis redis.UniversalClient
	sealer
	log *slog.Logger
}

// Scores hold microseconds since 1970 exactly. An update that is stored already keeps its score.
var appendUpdate = redis.NewScript(`
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] and now <= tonumber(last[2]) then now = tonumber(last[2]) + 1 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[2] * 1000))
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`)

// append stores an update once, and reports whether this was the first time.
func (r changelog) append(ctx context.Context, update string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	first, err := appendUpdate.Run(ctx, r.redis, []string{changelogKey}, update, changelogTTL.Milliseconds(), maxChangelog).Bool()
	return first, redisError("appending to the changelog", err)
}

// since returns the first updates that were appended after t, in order.
func (r changelog) since(ctx context.Context, t time.Time, limit int) ([]Update, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if limit <= 0 || limit > maxSince {
		limit = maxSince
	}
	found, err := r.redis.ZRangeByScoreWithScores(ctx, changelogKey, &redis.ZRangeBy{
		Min: "(" + strconv.FormatInt(max(0, t.UnixMicro()), 10), Max: "+inf", Count: int64(limit),
	}).Result()
	if err != nil {
		return nil, redisError("reading the changelog", err)
	}
	updates := make([]Update, 0, len(found))
	for _, one := range found {
		text, _ := one.Member.(string)
		update, err := r.openUpdate(text)
		if err != nil { // the other updates are still returned
			r.log.ErrorContext(ctx, "changelog entry cannot be read, skipped", "error", err)
			continue
		}
		update.At = time.UnixMicro(int64(one.Score)).UTC()
		updates = append(updates, update)
	}
	return updates, nil
}
