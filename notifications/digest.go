package notifications

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/portal/profile"
)

// digest is a digest that is about to be posted, or was. Like an intent, it is stored before the call, so that after a
// crash it is looked for before it is posted again.
type digest struct {
	ID        string           `json:"id"`
	NotBefore int64            `json:"notBefore,omitempty"` // it is not looked for before
	Versions  map[string]int64 `json:"versions"`            // of each member, the last version in the digest
}

// digestLine is a process or simulation in a digest.
type digestLine struct {
	member   string
	to       int64
	changes  int
	snapshot Snapshot
	turn     profile.Turn
}

// postDigest posts all updates that are due since the last digest as one message.
func (w *worker) postDigest(ctx context.Context) (over bool, err error) {
	lines, err := w.collect(ctx)
	if err != nil || len(lines) == 0 {
		return true, err
	}
	s := digest{ID: "digest:" + millis(w.now()), Versions: map[string]int64{}}
	for _, line := range lines {
		s.Versions[line.member] = line.to
	}
	if err := w.saveDigest(ctx, &s, 0, ""); err != nil {
		return true, err
	}
	err = w.call(ctx, func(ctx context.Context) error {
		_, err := w.config.Poster.Post(ctx, w.dest.ID, "", digestNotice(w.dest.Lang, s.ID, lines, w.config.Now()))
		return err
	})
	if err != nil {
		return true, w.digestFailed(ctx, s, err, true)
	}
	return true, w.digestPosted(ctx, s)
}

// collect returns the processes and simulations of a digest that is posted now.
func (w *worker) collect(ctx context.Context) ([]digestLine, error) {
	members, deliveries, err := w.queued(ctx)
	if err != nil {
		return nil, err
	}
	now := w.config.Now()
	var lines []digestLine
	for i, member := range members {
		s := deliveries[i]
		if w.now() < s.notBefore {
			continue
		}
		due, _ := digestAfter(w.dest.Digest, time.UnixMilli(s.since))
		if s.subject.isZero() || s.intent != nil || s.delivered >= s.requested || due.After(now) || muted(w.dest, s.subject, now) {
			continue
		}
		n, err := w.load(ctx, s)
		if errors.Is(err, errRights) {
			err = w.postpone(ctx, member, s, err)
		}
		if err != nil {
			return nil, err
		}
		if !n.wanted {
			continue // its own step removes it from the queue
		}
		changes := int(n.missing)
		for _, update := range n.updates {
			changes += len(update.Changes)
		}
		lines = append(lines, digestLine{member, s.requested, changes, n.snapshot, n.turn})
	}
	return lines, nil
}

func (w *worker) queued(ctx context.Context) (members []string, deliveries []delivery, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	members, err = w.redis.ZRange(ctx, queueKey(w.name), 0, -1).Result()
	if err != nil {
		return nil, nil, redisError("reading the queue of a destination", err)
	}
	for some := range slices.Chunk(members, 500) {
		var hashes []*redis.MapStringStringCmd
		_, err := w.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, member := range some {
				hashes = append(hashes, p.HGetAll(ctx, deliveryKey(w.name, member)))
			}
			return nil
		})
		if err != nil {
			return nil, nil, redisError("reading a delivery", err)
		}
		for i, hash := range hashes {
			s, err := w.parseDelivery(some[i], hash.Val())
			if err != nil {
				return nil, nil, err
			}
			deliveries = append(deliveries, s)
		}
	}
	return members, deliveries, nil
}

// resumeDigest resolves a digest that was started and not confirmed, before anything else is posted. over is false if
// there is none, or if it was not posted and may be posted again.
func (w *worker) resumeDigest(ctx context.Context) (over bool, err error) {
	written, err := w.loadDigest(ctx)
	if written == "" || err != nil {
		return err != nil, err
	}
	var s digest
	if err := w.open("a digest", digestKey(w.name), written, &s); err != nil {
		return true, err
	}
	if wait := time.Duration(s.NotBefore-w.now()) * time.Millisecond; wait > 0 {
		return true, w.saveDigest(ctx, &s, wait, backoffInterval)
	}
	w.instruments.retry()
	var found bool
	err = w.call(ctx, func(ctx context.Context) (err error) {
		_, found, err = w.config.Poster.Find(ctx, w.dest.ID, "", s.ID)
		return err
	})
	switch {
	case err != nil:
		return true, w.digestFailed(ctx, s, err, false)
	case found:
		return true, w.digestPosted(ctx, s)
	}
	return false, w.saveDigest(ctx, nil, 0, "")
}

// digestPosted stores that the updates of a digest are delivered.
func (w *worker) digestPosted(ctx context.Context, s digest) error {
	w.instruments.post("digest")
	for member, to := range s.Versions {
		delivered := outcome{set: fields{"delivered": millis(to), "since": millis(w.now())}, done: true}
		if err := w.save(ctx, member, delivered); err != nil {
			return err
		}
	}
	return errors.Join(w.saveDigest(ctx, nil, w.config.MinInterval, backoffInterval), w.clearFailing(ctx))
}

// digestFailed is for a digest what failed is for a process. notPosted is true if nothing was posted unless this very
// call did.
func (w *worker) digestFailed(ctx context.Context, s digest, err error, notPosted bool) error {
	if errors.Is(err, errNotHeld) {
		return err
	}
	f := classify(err)
	backoff, reason := max(w.config.MinInterval, w.config.Lease/3), backoffInterval
	switch f.result {
	case resultRateLimited:
		backoff, reason = max(f.wait, w.config.MinInterval), backoffRateLimited
	case resultUnreachable:
		if err := w.reportUnreachable(ctx, f.reason); err != nil {
			return err
		}
		backoff, reason = w.config.UnreachableRetry, backoffUnreachable+f.reason
	}
	stored := &s
	if notPosted && f.result != resultUnclear {
		stored = nil
	}
	s.NotBefore = w.now() + min(backoff, w.config.Lease/3).Milliseconds()
	w.instruments.post(f.result)
	w.config.Log.Warn("posting a digest failed", "destination", w.name, "result", f.result, "error", err)
	return errors.Join(w.saveDigest(ctx, stored, backoff, reason), w.markFailing(ctx))
}

func (w *worker) loadDigest(ctx context.Context) (string, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	written, err := w.redis.Get(ctx, digestKey(w.name)).Result()
	return written, redisError("reading a digest", err)
}

var saveDigest = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[2]) else redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
if ARGV[4] ~= '0' then redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[4]) end
return 1`)

// saveDigest stores a digest, or removes it if s is nil, and lets the destination back off. It returns errLockLost if
// another replica holds the destination.
func (w *worker) saveDigest(ctx context.Context, s *digest, backoff time.Duration, reason string) error {
	var written string
	if s != nil {
		var err error
		if written, err = w.seal(digestKey(w.name), s); err != nil {
			return err
		}
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	keys := []string{lockKey(w.name), digestKey(w.name), backoffKey(w.name)}
	ours, err := saveDigest.Run(ctx, w.redis, keys, w.token, written, deliveryTTL.Milliseconds(), backoff.Milliseconds(), reason).Bool()
	if err == nil && !ours {
		return errLockLost
	}
	return redisError("storing a digest", err)
}
