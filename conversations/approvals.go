package conversations

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// An approval is a call that an assistant has asked for and that a person decides. It is a hash: v (version) and body
// (encrypted). Three sorted sets have ids: those of an owner that are open, those that are due at a time, and those that changed
// since a front end has shown them. All are in one slot, because they change together.

// Limits of approvals.
const (
	MaxApprovals = 50 // open at once, of one owner

	maxApproval        = 256 << 10 // bytes, before encryption
	maxChangedApproval = 1000      // not shown yet; older ones are dropped
	approvalAfter      = 24 * time.Hour
)

const (
	approvalsDue     = "approvals:{approvals}:due"
	approvalsChanged = "approvals:{approvals}:changed"
)

// saveApproval stores a version of an approval if the version before it is stored. A body never encrypts to the same bytes twice:
// if the stored body is ours, this is a repetition after a lost reply. An open approval is due at ARGV[5]; one that is decided,
// with ARGV[5] 0, is in no set but the one for front ends.
var saveApproval = redis.NewScript(`
local now = redis.call('HMGET', KEYS[1], 'v', 'body')
if now[2] == ARGV[3] then return 'saved' end
if (now[1] or '0') ~= ARGV[2] then return 'conflict' end
if ARGV[2] == '0' then
	redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])
	if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[7]) then return 'limit' end
end
redis.call('HSET', KEYS[1], 'v', string.format('%.0f', ARGV[2] + 1), 'body', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if ARGV[5] == '0' then
	redis.call('ZREM', KEYS[2], ARGV[1])
	redis.call('ZREM', KEYS[3], ARGV[1])
else
	redis.call('ZADD', KEYS[2], 'NX', ARGV[6] + ARGV[4], ARGV[1])
	redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1])
end
redis.call('ZADD', KEYS[4], ARGV[6], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -1 - ARGV[8])
for i = 2, 4 do
	if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[i], ARGV[4]) end
end
return 'saved'`)

// SaveApproval stores the record of an approval of owner if version is the stored one, 0 for a new approval. saved is false if
// it was changed meanwhile. due is when it has to be looked at again, and zero once it is decided; until is until when it is
// open. The record is kept for a day longer. SaveApproval returns [ErrLimit] over 256 KiB, and for a new approval of an owner with
// 50 open ones.
func (s *Store) SaveApproval(ctx context.Context, owner, id string, version int64, record []byte, due, until time.Time) (saved bool, err error) {
	if len(record) > maxApproval {
		return false, fmt.Errorf("storing an approval of %d bytes: %w", len(record), ErrLimit)
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key, now := s.approvalKey(id), s.now()
	sealed, err := s.seal(key, record)
	if err != nil {
		return false, err
	}
	at := int64(0)
	if !due.IsZero() {
		at = due.UnixMilli()
	}
	outcome, err := s.run(ctx, saveApproval, []string{key, s.approvalsOf(owner), approvalsDue, approvalsChanged},
		id, version, sealed, millis(max(0, until.Sub(now))+approvalAfter), at, now.UnixMilli(), MaxApprovals, maxChangedApproval).Text()
	switch {
	case err != nil:
		return false, failed("storing an approval", err)
	case outcome == "limit":
		return false, fmt.Errorf("storing an approval with %d others open: %w", MaxApprovals, ErrLimit)
	}
	return outcome == "saved", nil
}

// Approval returns the record of an approval and its version, nil and 0 if there is none.
func (s *Store) Approval(ctx context.Context, id string) (record []byte, version int64, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.approvalKey(id)
	found, err := s.redis.HMGet(ctx, key, "v", "body").Result()
	if err != nil {
		return nil, 0, failed("reading an approval", err)
	}
	stored := stringsOf(found)
	if stored[0] == "" {
		return nil, 0, nil
	}
	version, err = strconv.ParseInt(stored[0], 10, 64)
	if err != nil {
		return nil, 0, failed("reading an approval", err)
	}
	record, err = s.open(key, stored[1])
	return record, version, err
}

// OpenApprovals returns the ids of the owner's open approvals, the first asked first.
func (s *Store) OpenApprovals(ctx context.Context, owner string) ([]string, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	ids, err := s.redis.ZRange(ctx, s.approvalsOf(owner), 0, MaxApprovals-1).Result()
	return ids, failed("listing approvals", err)
}

// DueApprovals returns the ids of up to limit approvals that are due at a time, the first due first.
func (s *Store) DueApprovals(ctx context.Context, at time.Time, limit int64) ([]string, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	ids, err := s.redis.ZRangeByScore(ctx, approvalsDue, &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(at.UnixMilli(), 10), Count: limit}).Result()
	return ids, failed("listing the approvals that are due", err)
}

// ChangedApprovals returns the ids of up to limit approvals that changed and that no front end has shown since, the first changed
// first.
func (s *Store) ChangedApprovals(ctx context.Context, limit int64) ([]string, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	ids, err := s.redis.ZRange(ctx, approvalsChanged, 0, limit-1).Result()
	return ids, failed("listing the approvals that changed", err)
}

// shownApproval removes an approval from those that changed, unless it changed again. One that is gone is removed too.
var shownApproval = redis.NewScript(`
local v = redis.call('HGET', KEYS[1], 'v')
if v and v ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
return 1`)

// ShownApproval records that a front end has shown a version of an approval.
func (s *Store) ShownApproval(ctx context.Context, id string, version int64) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return failed("recording that an approval was shown", s.run(ctx, shownApproval, []string{s.approvalKey(id), approvalsChanged}, id, version).Err())
}

// DropApproval removes an approval that cannot be read from those that are due and those that changed.
func (s *Store) DropApproval(ctx context.Context, id string) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZRem(ctx, approvalsDue, id)
		p.ZRem(ctx, approvalsChanged, id)
		return nil
	})
	return failed("removing an approval", err)
}

func (s *Store) approvalKey(id string) string {
	return "approval:{approvals}:" + s.name("approval", id)
}

func (s *Store) approvalsOf(owner string) string {
	return "approvals:{approvals}:of:" + s.name("approvals", owner)
}
