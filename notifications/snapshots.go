package notifications

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/conversations"
)

const (
	snapshotTTL = 400 * 24 * time.Hour
	absentTTL   = time.Hour // how long it is cached that a subject is not ours
	maxUpdates  = 200       // of a subject
	callTimeout = 2 * time.Second
)

// snapshotStore stores the last snapshot of each process and simulation and, in the same slot, its last updates and those that are not
// dispatched yet. If two replicas commit at once, one is refused and reads the bank again.
type snapshotStore struct {
	redis redis.UniversalClient
	sealer
}

func (p *snapshotStore) snapshotKey(subject Subject) string {
	return "snapshot:{" + p.subject(subject) + "}"
}
func (p *snapshotStore) pendingKey(subject Subject) string {
	return "pending:{" + p.subject(subject) + "}"
}
func (p *snapshotStore) updatesKey(subject Subject) string {
	return "updates:{" + p.subject(subject) + "}"
}

// snapshotBinding returns what a sealed snapshot is bound to.
func (p *snapshotStore) snapshotBinding(subject Subject, version string) string {
	return p.snapshotKey(subject) + " " + version
}

// storedState is what is stored of a subject.
type storedState struct {
	snapshot Snapshot
	known    bool
	upTo     string   // triggers in the stream up to this id are answered
	pending  []string // updates not dispatched yet, as sealed by the commit
}

// version returns the version that a commit expects to find, "" for none.
func (s storedState) version() string {
	if !s.known {
		return ""
	}
	return strconv.FormatInt(s.snapshot.Version, 10)
}

func (p *snapshotStore) load(ctx context.Context, subject Subject) (s storedState, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var fields *redis.SliceCmd
	var pending *redis.StringSliceCmd
	_, err = p.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		fields = pipe.HMGet(ctx, p.snapshotKey(subject), "snapshot", "up_to", "version")
		pending = pipe.LRange(ctx, p.pendingKey(subject), 0, -1)
		return nil
	})
	if err != nil {
		return storedState{}, redisError("reading a snapshot", err)
	}
	text, known := fields.Val()[0].(string)
	s.upTo, _ = fields.Val()[1].(string)
	s.known, s.pending = known, pending.Val()
	if known {
		version, _ := fields.Val()[2].(string)
		err = p.open("a snapshot", p.snapshotBinding(subject, version), text, &s.snapshot)
	}
	return s, err
}

// snapshot returns what was last read of a subject.
func (p *snapshotStore) snapshot(ctx context.Context, subject Subject) (Snapshot, bool, error) {
	s, err := p.load(ctx, subject)
	return s.snapshot, s.known, err
}

// updates returns the updates of a subject after a version, in order. The last 200 are stored.
func (p *snapshotStore) updates(ctx context.Context, subject Subject, after int64) ([]Update, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	all, err := p.redis.LRange(ctx, p.updatesKey(subject), 0, -1).Result()
	if err != nil {
		return nil, redisError("reading updates", err)
	}
	updates := []Update{}
	for _, text := range all {
		u, err := p.openUpdate(text)
		if err != nil {
			return nil, err
		}
		if u.Version > after {
			updates = append(updates, u)
		}
	}
	return updates, nil
}

// A snapshot is replaced only if it is the one that the new one was compared with. If the new one is stored already,
// this is a repetition of a commit whose reply was lost.
var commitSnapshot = redis.NewScript(`
local e = redis.call('HMGET', KEYS[1], 'version', 'snapshot')
if e[2] == ARGV[3] then return 1 end
if (e[1] or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'snapshot', ARGV[3], 'up_to', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
if ARGV[5] ~= '' then
  redis.call('RPUSH', KEYS[2], ARGV[5])
  redis.call('RPUSH', KEYS[3], ARGV[5])
  redis.call('LTRIM', KEYS[3], -tonumber(ARGV[7]), -1)
  redis.call('PEXPIRE', KEYS[2], ARGV[6])
end
redis.call('PEXPIRE', KEYS[3], ARGV[6])
return 1`)

// commit replaces the state before by the snapshot after, and stores the sealed update between them, "" for none. It
// returns false if another replica committed first.
func (p *snapshotStore) commit(ctx context.Context, before storedState, after Snapshot, moved, upTo string) (bool, error) {
	version := strconv.FormatInt(after.Version, 10)
	snapshot, err := p.seal(p.snapshotBinding(after.Subject, version), after)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	keys := []string{p.snapshotKey(after.Subject), p.pendingKey(after.Subject), p.updatesKey(after.Subject)}
	done, err := commitSnapshot.Run(ctx, p.redis, keys,
		before.version(), version, snapshot, upTo, moved, snapshotTTL.Milliseconds(), maxUpdates).Bool()
	return done, redisError("committing a snapshot", err)
}

var recordAbsent = redis.NewScript(`
redis.call('HSET', KEYS[1], 'up_to', ARGV[1])
if redis.call('HEXISTS', KEYS[1], 'version') == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`)

// recordAbsent records that the bank does not have the subject, so that triggers up to upTo do not read it again.
func (p *snapshotStore) recordAbsent(ctx context.Context, subject Subject, upTo string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := recordAbsent.Run(ctx, p.redis, []string{p.snapshotKey(subject)}, upTo, absentTTL.Milliseconds()).Err()
	return redisError("storing that a subject is absent", err)
}

var removePending = redis.NewScript(`
if redis.call('LINDEX', KEYS[1], 0) == ARGV[1] then redis.call('LPOP', KEYS[1]) end
return 1`)

// removePending removes an update that is dispatched, unless another replica did.
func (p *snapshotStore) removePending(ctx context.Context, subject Subject, pending string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return redisError("removing a dispatched update", removePending.Run(ctx, p.redis, []string{p.pendingKey(subject)}, pending).Err())
}

// redisError wraps an error of Redis as [conversations.ErrUnavailable].
func redisError(doing string, err error) error {
	if err == nil || errors.Is(err, redis.Nil) {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", doing, conversations.ErrUnavailable, err)
}
