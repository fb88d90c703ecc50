package notifications

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/destination"
)

// Versions already delivered, or committed before this destination subscribed, are skipped: delivered becomes
// version-1.
var requestDelivery = redis.NewScript(`
local e = redis.call('HMGET', KEYS[2], 'delivered', 'requested')
local delivered, requested = tonumber(e[1] or 0), tonumber(e[2] or 0)
local version = tonumber(ARGV[2])
if version > requested then
  if delivered >= requested then
    delivered = version - 1
    redis.call('HSET', KEYS[2], 'delivered', string.format('%.0f', delivered), 'since', ARGV[4])
  end
  requested = version
  redis.call('HSET', KEYS[2], 'requested', ARGV[2])
  local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
  if not due or tonumber(due) > tonumber(ARGV[3]) then redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if ARGV[7] ~= '' then redis.call('HSETNX', KEYS[2], ARGV[8], ARGV[7]) end
if delivered < requested then return 1 end
return 0`)

var scheduleEarlier = redis.NewScript(`
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not at or tonumber(at) > tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

// enqueue queues the subject of an update for every destination that subscribed to it. Repeating it changes nothing.
func (o *outbox) enqueue(ctx context.Context, update Update) error {
	dests, err := o.audience(ctx, update)
	if err != nil {
		return fmt.Errorf("finding the destinations of an update: %w", err)
	}
	due := o.now() + o.config.Debounce.Milliseconds()
	for _, dest := range dests {
		name := o.name(dest.ID)
		member := o.member(name, update.Subject)
		about := sealedSubject{field: update.Kind()}
		about.id, err = o.seal(deliveryBinding(name, member, about.field), update.UID())
		if err == nil {
			err = o.enqueueMember(ctx, dest.ID, member, about, update.Version, due, deliveryTTL)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sealedSubject is the id of a process or simulation, sealed, and the field of a delivery that stores it. The zero value is
// that of a member that is about neither.
type sealedSubject struct{ field, id string }

// enqueueMember queues a member of a destination's queue.
func (o *outbox) enqueueMember(ctx context.Context, dest, member string, about sealedSubject, version, due int64, life time.Duration) error {
	name := o.name(dest)
	if err := o.storeID(ctx, name, dest); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	waits, err := requestDelivery.Run(ctx, o.redis, []string{queueKey(name), deliveryKey(name, member)},
		member, version, due, o.now(), life.Milliseconds(), deliveryTTL.Milliseconds(), about.id, about.field).Bool()
	if err == nil && waits {
		err = o.scheduleBy(ctx, name, due)
	}
	return redisError("queuing for a destination", err)
}

// scheduleBy schedules a destination for the given time, or leaves an earlier one.
func (o *outbox) scheduleBy(ctx context.Context, name string, at int64) error {
	err := scheduleEarlier.Run(ctx, o.redis, []string{destinationIndex}, name, at, deliveryTTL.Milliseconds()).Err()
	o.wakeUp()
	return err
}

// scheduleAt schedules a destination for the given time.
func (o *outbox) scheduleAt(ctx context.Context, name string, at int64) error {
	_, err := o.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZAdd(ctx, destinationIndex, redis.Z{Score: float64(at), Member: name})
		p.PExpire(ctx, destinationIndex, deliveryTTL)
		return nil
	})
	return err
}

var endBackoff = redis.NewScript(`
if string.find(redis.call('GET', KEYS[2]) or '', ARGV[2], 1, true) == 1 then redis.call('DEL', KEYS[2]) end
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('ZADD', KEYS[1], ARGV[1], member) end
return 1`)

// retry schedules a destination for now: it may be reachable again, or its schedule was changed.
func (o *outbox) retry(ctx context.Context, dest string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	name, now := o.name(dest), o.now()
	err := endBackoff.Run(ctx, o.redis, []string{queueKey(name), backoffKey(name)}, now, backoffUnreachable).Err()
	if err == nil {
		err = o.scheduleBy(ctx, name, now)
	}
	return redisError("retrying a destination", err)
}

// settings returns the settings of the destination with this name.
func (o *outbox) settings(ctx context.Context, name string) (destination.Settings, error) {
	id, err := o.destinationID(ctx, name)
	if err != nil {
		return destination.Settings{}, err
	}
	dest, err := o.config.Store.Destination(ctx, id)
	dest.Lang = cmp.Or(dest.Lang, o.config.Lang)
	return dest, err
}

// Names of destinations are fingerprints. The id is stored sealed by name, for replicas that queued nothing for the
// destination.
const destinationKind = "destination-name"

func (o *outbox) storeID(ctx context.Context, name, id string) error {
	o.mu.Lock()
	known := o.ids[name] != ""
	o.mu.Unlock()
	if known {
		return nil
	}
	if err := o.config.Store.Put(ctx, destinationKind, name, []byte(id), deliveryTTL); err != nil {
		return err
	}
	o.mu.Lock()
	o.ids[name] = id
	o.mu.Unlock()
	return nil
}

func (o *outbox) destinationID(ctx context.Context, name string) (string, error) {
	o.mu.Lock()
	id := o.ids[name]
	o.mu.Unlock()
	if id != "" {
		return id, nil
	}
	stored, ok, err := o.config.Store.Get(ctx, destinationKind, name)
	if err == nil && !ok {
		err = errUnknownDestination
	}
	if err != nil {
		return "", err
	}
	return string(stored), o.storeID(ctx, name, string(stored))
}
