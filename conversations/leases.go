package conversations

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// A subject is what a lease protects, such as one borrower of one process, or the reconciliation. One holder at a time, over
// all replicas, has the lease of a subject.
//
// A lease is one hash: token (incremented with each holder, so that earlier ones are fenced), until (the end in ms by the
// clock of Redis), call (the key of the call that holds or last held it, encrypted), before (that of the call before) and
// claimer (random; it distinguishes a repetition after a lost reply from another claim, and two holders that got the same
// token because Redis lost its data in between).
var (
	acquireLease = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'token', 'until', 'call', 'claimer', 'before')
if e[4] == ARGV[2] then return {e[1], '0', e[5]} end
local left = (tonumber(e[2]) or 0) - now
if left > 0 then return {'0', string.format('%.0f', left), e[3]} end
local token = string.format('%.0f', (tonumber(e[1]) or 0) + 1)
local before = e[3] or ''
redis.call('HSET', KEYS[1], 'token', token, 'until', string.format('%.0f', now + ARGV[3]), 'call', ARGV[1],
	'claimer', ARGV[2], 'before', before)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {token, '0', before}`)

	// An empty claimer is not compared.
	holdLease = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'token', 'until', 'claimer')
if e[1] ~= ARGV[1] or ARGV[4] ~= '' and e[3] ~= ARGV[4] then return 0 end
if tonumber(e[2]) < now + ARGV[2] then redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + ARGV[2])) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

	releaseLease = redis.NewScript(`
local e = redis.call('HMGET', KEYS[1], 'token', 'claimer')
if e[1] == ARGV[1] and (ARGV[2] == '' or e[2] == ARGV[2]) then redis.call('HSET', KEYS[1], 'until', '0') end
return 1`)
)

// Acquire acquires the lease of a subject for a call, named by its key in the journal. If another call holds the lease,
// token is 0, other is that call and left the time until its lease expires. Otherwise other is the call that held the lease
// last, "" if there was none in the last 7 days. That call is fenced: it can no longer [Store.Hold] the lease.
func (s *Store) Acquire(ctx context.Context, subject, call string, lease time.Duration) (token int64, other string, left time.Duration, err error) {
	return s.acquire(ctx, subject, call, rand.Text(), lease)
}

func (s *Store) acquire(ctx context.Context, subject, call, claimer string, lease time.Duration) (token int64, other string, left time.Duration, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	name := s.leaseKey(subject)
	sealed, err := s.seal(name, []byte(call))
	if err != nil {
		return 0, "", 0, err
	}
	found, err := s.run(ctx, acquireLease, []string{name}, sealed, claimer, millis(lease), millis(s.lives.Journal)).Slice()
	if err != nil {
		return 0, "", 0, failed("acquiring a lease", err)
	}
	fields := stringsOf(found)
	token, _ = strconv.ParseInt(fields[0], 10, 64) // the script writes numbers
	if fields[2] != "" {
		opened, err := s.open(name, fields[2])
		if err != nil {
			return 0, "", 0, fmt.Errorf("acquiring a lease: %w", err)
		}
		other = string(opened)
	}
	return token, other, millisIn(fields[1]), nil
}

// Hold reports whether token is still that of the last holder, and extends the lease to at least least from now. If Redis
// has replicas, it returns once one of them has acknowledged the write.
func (s *Store) Hold(ctx context.Context, subject string, token int64, least time.Duration) (held bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	held, err = s.hold(ctx, subject, "", token, least)
	if err != nil {
		return false, err
	}
	return held, s.replicated(ctx, s.leaseKey(subject))
}

func (s *Store) hold(ctx context.Context, subject, claimer string, token int64, least time.Duration) (held bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	held, err = s.run(ctx, holdLease, []string{s.leaseKey(subject)},
		token, max(0, least.Milliseconds()), millis(s.lives.Journal), claimer).Bool()
	return held, failed("holding a lease", err)
}

// Release ends a lease if token is still that of its holder. A lease that cannot be released expires.
func (s *Store) Release(ctx context.Context, subject string, token int64) error {
	return s.release(ctx, subject, "", token)
}

func (s *Store) release(ctx context.Context, subject, claimer string, token int64) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return failed("ending a lease", s.run(ctx, releaseLease, []string{s.leaseKey(subject)}, token, claimer).Err())
}

// WithLease runs work while it holds the lease of a subject, and reports false without running it where somebody else
// holds the lease. It extends the lease three times in the time of one, and cancels the context of work once somebody else
// has the lease, or once it could not be extended for the time of a lease. It does not wait for replicas of Redis: use
// Acquire and Hold for what must never happen twice.
func (s *Store) WithLease(ctx context.Context, subject string, lease time.Duration, work func(context.Context) error) (ran bool, err error) {
	claimer, acquired := rand.Text(), time.Now()
	token, _, _, err := s.acquire(ctx, subject, "", claimer, lease)
	if err != nil || token == 0 {
		return false, err
	}
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	var extending sync.WaitGroup
	extending.Go(func() {
		defer cancel()
		tick := time.NewTicker(lease / 3)
		defer tick.Stop()
		for extended := acquired; time.Since(extended) < lease; {
			select {
			case <-working.Done():
				return
			case <-tick.C:
			}
			asked := time.Now()
			held, err := s.hold(working, subject, claimer, token, lease)
			switch {
			case err == nil && !held:
				return
			case err == nil:
				extended = asked
			}
		}
	})
	err = work(working)
	cancel()
	extending.Wait()
	_ = s.release(context.WithoutCancel(ctx), subject, claimer, token) // a lease that is not ended expires
	return true, err
}

// leases begins the names of all leases and of the epoch. They are in one slot, so that in a Cluster a node that loses
// the leases loses the epoch too; there are few enough of them.
const leases = "lease:{leases}:"

func (s *Store) leaseKey(subject string) string { return leases + s.name("lease", subject) }
