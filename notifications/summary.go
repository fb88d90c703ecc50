package notifications

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// summary is a digest that was, or is about to be, posted: written down before, as an intent is.
type summary struct {
	ID    string           `json:"id"`
	Rest  int64            `json:"rest,omitempty"` // it is not looked for before
	Tells map[string]int64 `json:"tells"`          // of each process, the version up to which it tells
}

// summaryLine is a process in a digest.
type summaryLine struct {
	member  string
	to      int64
	changes int
	picture Snapshot
	waits   side
}

// summarise tells at once what came together since the last digest.
func (t *turn) summarise(ctx context.Context) (over bool, err error) {
	lines, err := t.collect(ctx)
	if err != nil || len(lines) == 0 {
		return true, err
	}
	s := summary{ID: "digest:" + millis(t.now()), Tells: map[string]int64{}}
	for _, line := range lines {
		s.Tells[line.member] = line.to
	}
	if err := t.saveSummary(ctx, &s, 0, ""); err != nil {
		return true, err
	}
	err = t.call(ctx, func(ctx context.Context) error {
		_, err := t.config.Poster.Post(ctx, t.place.ID, "", digestNotice(t.place.Lang, s.ID, lines, t.config.Now()))
		return err
	})
	if err != nil {
		return true, t.summaryFailed(ctx, s, err, true)
	}
	return true, t.summarised(ctx, s)
}

// collect finds the processes that a digest of now tells of.
func (t *turn) collect(ctx context.Context) ([]summaryLine, error) {
	members, stories, err := t.queued(ctx)
	if err != nil {
		return nil, err
	}
	now := t.config.Now()
	var lines []summaryLine
	for i, member := range members {
		s := stories[i]
		if t.now() < s.rest {
			continue
		}
		due, _ := digestAfter(t.place.Digest, time.UnixMilli(s.since))
		if s.process == uuid.Nil || s.intent != nil || s.told >= s.upto || due.After(now) || muted(t.place, s.process, now) {
			continue
		}
		n, err := t.news(ctx, member, s)
		if errors.Is(err, errRights) {
			err = t.postpone(ctx, member, s, err)
		}
		if err != nil {
			return nil, err
		}
		if !n.wanted {
			continue // its own turn takes it from the queue
		}
		changes := int(n.before)
		for _, update := range n.updates {
			changes += len(update.Changes)
		}
		lines = append(lines, summaryLine{member, s.upto, changes, n.picture, n.waits})
	}
	return lines, nil
}

func (t *turn) queued(ctx context.Context) (members []string, stories []story, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	members, err = t.redis.ZRange(ctx, queueKey(t.name), 0, -1).Result()
	if err != nil {
		return nil, nil, stored("reading the queue of a place", err)
	}
	for some := range slices.Chunk(members, 500) {
		var hashes []*redis.MapStringStringCmd
		_, err := t.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, member := range some {
				hashes = append(hashes, p.HGetAll(ctx, storyKey(t.name, member)))
			}
			return nil
		})
		if err != nil {
			return nil, nil, stored("reading what a place was told", err)
		}
		for i, hash := range hashes {
			s, err := t.readStory(some[i], hash.Val())
			if err != nil {
				return nil, nil, err
			}
			stories = append(stories, s)
		}
	}
	return members, stories, nil
}

// resumeSummary finds out what became of a digest that was left behind, before anything else is told. over is false
// where there is none, or it is not there and may be told again.
func (t *turn) resumeSummary(ctx context.Context) (over bool, err error) {
	written, err := t.readSummary(ctx)
	if written == "" || err != nil {
		return err != nil, err
	}
	var s summary
	if err := t.open("a digest", summaryKey(t.name), written, &s); err != nil {
		return true, err
	}
	if wait := time.Duration(s.Rest-t.now()) * time.Millisecond; wait > 0 {
		return true, t.saveSummary(ctx, &s, wait, lullSpace)
	}
	t.instruments.retried()
	var found bool
	err = t.call(ctx, func(ctx context.Context) (err error) {
		_, found, err = t.config.Poster.Find(ctx, t.place.ID, "", s.ID)
		return err
	})
	switch {
	case err != nil:
		return true, t.summaryFailed(ctx, s, err, false)
	case found:
		return true, t.summarised(ctx, s)
	}
	return false, t.saveSummary(ctx, nil, 0, "")
}

// summarised takes from the queue what a digest told.
func (t *turn) summarised(ctx context.Context, s summary) error {
	t.instruments.posted("digest")
	for member, to := range s.Tells {
		told := change{set: fields{"told": millis(to), "since": millis(t.now())}, done: true}
		if err := t.save(ctx, member, told); err != nil {
			return err
		}
	}
	return errors.Join(t.saveSummary(ctx, nil, t.config.MinInterval, lullSpace), t.reached(ctx))
}

// summaryFailed is to a digest what failed is to a process. sure says that but for this failure nothing can have been
// posted.
func (t *turn) summaryFailed(ctx context.Context, s summary, err error, sure bool) error {
	if errors.Is(err, errNotHeld) {
		return err
	}
	f := judge(err)
	lull, reason := max(t.config.MinInterval, t.config.Lease/3), lullSpace
	switch f.result {
	case resultAsked:
		lull, reason = max(f.wait, t.config.MinInterval), lullAsked
	case resultUnreachable:
		if err := t.unreachable(ctx, f.reason); err != nil {
			return err
		}
		lull, reason = t.config.UnreachableRetry, lullUnreachable+f.reason
	}
	kept := &s
	if sure && f.result != resultUnclear {
		kept = nil
	}
	s.Rest = t.now() + min(lull, t.config.Lease/3).Milliseconds()
	t.instruments.posted(f.result)
	t.config.Log.Warn("a digest could not be told", "place", t.name, "result", f.result, "error", err)
	return errors.Join(t.saveSummary(ctx, kept, lull, reason), t.troubled(ctx))
}

func (t *turn) readSummary(ctx context.Context) (string, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	written, err := t.redis.Get(ctx, summaryKey(t.name)).Result()
	return written, stored("reading a digest", err)
}

var saveSummary = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[2]) else redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
if ARGV[4] ~= '0' then redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[4]) end
return 1`)

// saveSummary writes a digest down, or with nil that none is left open, and that the place wants nothing for a while.
func (t *turn) saveSummary(ctx context.Context, s *summary, lull time.Duration, reason string) error {
	var written string
	if s != nil {
		var err error
		if written, err = t.seal(summaryKey(t.name), s); err != nil {
			return err
		}
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	keys := []string{lockKey(t.name), summaryKey(t.name), lullKey(t.name)}
	ours, err := saveSummary.Run(ctx, t.redis, keys, t.token, written, storyLife.Milliseconds(), lull.Milliseconds(), reason).Bool()
	if err == nil && !ours {
		return errTakenOver
	}
	return stored("writing a digest down", err)
}
