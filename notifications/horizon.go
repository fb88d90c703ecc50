package notifications

import (
	"context"
	"strconv"
	"time"
)

// Horizon says of which time the changelog has every change.
type Horizon struct {
	From    time.Time // when the processes had been read for the first time, or the oldest update that is kept; zero for never
	Checked time.Time // when the bank's list was last compared; zero for never
	Late    bool      // what changed after Checked may be missing: the bank does not call back, or does not answer
}

// Horizon returns of which time [Service.Since] has every change.
func (s *Service) Horizon(ctx context.Context) (Horizon, error) {
	problems, err := s.Problems(ctx)
	if err != nil {
		return Horizon{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client := s.engine.stream.redis
	fields, err := client.HMGet(ctx, reconciliationKey, "first", "done").Result()
	if err != nil {
		return Horizon{}, redisError("reading the first reconciliation", err)
	}
	horizon := Horizon{From: momentIn(fields[0]), Checked: momentIn(fields[1]), Late: s.config.URL == "" || len(problems) > 0}
	oldest, err := client.ZRangeWithScores(ctx, changelogKey, 0, 0).Result()
	if err != nil {
		return Horizon{}, redisError("reading the oldest update", err)
	}
	count, err := client.ZCard(ctx, changelogKey).Result()
	if err != nil {
		return Horizon{}, redisError("counting the updates", err)
	}
	if horizon.From.IsZero() { // of a release that did not store it
		horizon.From = horizon.Checked
		if len(oldest) > 0 {
			horizon.From = time.UnixMicro(int64(oldest[0].Score))
		}
	}
	if kept := s.config.Now().Add(-changelogTTL); !horizon.From.IsZero() && horizon.From.Before(kept) {
		horizon.From = kept
	}
	if full := count >= maxChangelog; full && horizon.From.Before(time.UnixMicro(int64(oldest[0].Score))) {
		horizon.From = time.UnixMicro(int64(oldest[0].Score))
	}
	return horizon, nil
}

// momentIn returns the time of a stored number of milliseconds, zero for none.
func momentIn(field any) time.Time {
	text, _ := field.(string)
	millis, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(millis)
}
