// Package conversations stores in Redis what Balcão keeps between two messages: drafts, deliveries already processed, the
// journal of calls, the audit log, settings of destinations and a small cache. Every value is encrypted and expires, so that
// any replica can continue the work of another and a copy of the database reveals nothing.
//
// The package depends on no tool and no front end: people are opaque owners, payloads are text or bytes. Owners, topics and
// ids appear in the names of keys only as keyed hashes. Keys that change together share a hash tag, so that each script
// touches one slot and works on a single node, behind Sentinel and on a Cluster.
package conversations

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
)

// The errors of this package. Compare with [errors.Is].
var (
	// ErrGone: the value has ended or expired, or belongs to another owner. The three are not distinguished on purpose.
	ErrGone = errors.New("no longer there")
	// ErrConflict: the value was changed concurrently; read it again.
	ErrConflict = errors.New("changed by somebody else meanwhile")
	// ErrUnavailable: Redis could not be reached or returned an error. The write may or may not have happened; with a
	// [RefusedError] among its causes it has not.
	ErrUnavailable = errors.New("the store of conversations is unavailable")
	// ErrSealed: a stored value cannot be decrypted, because of a wrong key, or because it was moved or changed.
	ErrSealed = errors.New("a stored value cannot be decrypted")
	// ErrLimit: a value exceeds a limit of the store in size or number.
	ErrLimit = errors.New("over the limit of the store")
)

// Keys encrypts values and fingerprints names. Fingerprint must be a keyed one-way hash that does not change during the
// lifetime of stored values; it returns 32 hex digits.
type Keys interface {
	Seal(plaintext, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
	Fingerprint(data []byte) string
}

// Lives are lifetimes and time-outs. A zero field keeps its default.
type Lives struct {
	Draft     time.Duration // after the last save; 24 hours
	Tombstone time.Duration // of an ended draft, which distinguishes a second click from an expired draft; 1 hour
	Journal   time.Duration // of an intent or an outcome, after it was written; 7 days
	Index     time.Duration // of what was seen of a process, after it was seen last; 30 days
	AuditLog  time.Duration // of a month of the audit log, after its last entry; 5 years
	Call      time.Duration // the time-out of one call; 2 seconds, because a front end has 3 to answer
	Recovery  time.Duration // between the end of a lease and the recovery of its call, so that the call is begun by then; as long as Call
}

var defaults = Lives{
	Draft:     24 * time.Hour,
	Tombstone: time.Hour,
	Journal:   7 * 24 * time.Hour,
	Index:     30 * 24 * time.Hour,
	AuditLog:  5 * 366 * 24 * time.Hour,
	Call:      2 * time.Second,
}

// Option is an option of [Open].
type Option func(*Store)

// WithLives replaces the lifetimes that are not zero in l.
func WithLives(l Lives) Option {
	return func(s *Store) {
		for _, set := range []struct{ to, from *time.Duration }{
			{&s.lives.Draft, &l.Draft}, {&s.lives.Tombstone, &l.Tombstone}, {&s.lives.Journal, &l.Journal},
			{&s.lives.AuditLog, &l.AuditLog}, {&s.lives.Index, &l.Index}, {&s.lives.Call, &l.Call}, {&s.lives.Recovery, &l.Recovery},
		} {
			if *set.from > 0 {
				*set.to = *set.from
			}
		}
	}
}

// WithClock replaces the clock that dates drafts and chooses the month of an audit entry.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// WithTeam sets the destination that is subscribed to everything by default, and its language.
func WithTeam(id string, lang words.Lang) Option {
	return func(s *Store) {
		s.team = destination.Settings{ID: id, Lang: lang, Subscriptions: []destination.Subscription{{Kind: destination.ScopeAll}}}
	}
}

// WithLog sets the log for events that are not returned to a caller. The default is [slog.Default].
func WithLog(log *slog.Logger) Option { return func(s *Store) { s.log = log } }

// Store is a connection to Redis. Create one with [Open]. It is safe for concurrent use.
type Store struct {
	redis redis.UniversalClient
	keys  Keys
	lives Lives
	now   func() time.Time
	close func() error
	epoch lastEpoch
	team  destination.Settings // zero if there is none
	log   *slog.Logger
	guard *guard

	// The audit log.
	queue      auditQueue
	own        ownChain
	heads      [maxChains]knownHead
	kept       int // entries of a month of the audit log; 0 for all
	checkpoint lastCheckpoint
}

// memory is the address of a Redis inside this process.
const memory = "memory"

// Open connects to the Redis at url. It fails with [ErrUnavailable] if Redis does not answer within the time-out of one
// call, and with [ErrOtherKey] if it is in use with other keys.
//
//	memory                                            a Redis inside this process, lost with it
//	redis://user:password@host:6379/0                 one node (rediss:// for TLS)
//	redis://host:6379?addr=host2:6379&addr=host3:6379 a Cluster; with one address, ?cluster=true
//	redis://host:26379?master_name=balcao             behind Sentinel; more Sentinels with addr=
//
// Further parameters are those of go-redis (dial_timeout=2s, pool_size=20).
func Open(ctx context.Context, url string, keys Keys, options ...Option) (*Store, error) {
	s := &Store{keys: keys, lives: defaults, now: time.Now, log: slog.Default()}
	for _, option := range options {
		option(s)
	}
	client, stop, err := connect(url, s.lives.Call)
	if err != nil {
		return nil, err
	}
	if url == memory {
		s.kept = keptInMemory
	}
	s.redis = client
	s.close = func() error { return errors.Join(client.Close(), stop()) }
	s.guard = &guard{redis: client, keys: keys, life: s.lives.Call, log: s.log}
	_, err = s.guard.check(ctx)
	if err == nil {
		_, _, err = s.Epoch(ctx, 0)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	client.AddHook(s.guard)
	return s, nil
}

// Close waits for entries of the audit log that are on their way, closes all connections, and stops the embedded Redis of
// "memory".
func (s *Store) Close() error {
	s.queue.writers.Wait()
	s.leaveChain()
	return s.close()
}

// readyKey is written by [Store.Ready] and never read.
const (
	readyKey  = "ready"
	readyLife = time.Minute
)

// Ready checks that Redis is in use with our keys and accepts a write.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.guard.renew(ctx); err != nil {
		return err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return failed("writing to Redis", s.redis.Set(ctx, readyKey, s.now().UnixMilli(), readyLife).Err())
}

// bounded returns ctx with the time-out of one call.
func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.lives.Call)
}

// name returns the fingerprint of parts for the name of a key. kind separates the fingerprints of different kinds of keys.
func (s *Store) name(kind string, parts ...string) string {
	return s.keys.Fingerprint(fmt.Appendf(nil, "%s %q", kind, parts))
}

// Seal encrypts a value for a data structure of another package (see [Store.Client]), bound to the name of its key.
func (s *Store) Seal(at string, plaintext []byte) ([]byte, error) {
	return s.seal("other "+at, plaintext)
}

// Unseal decrypts a value of Seal with the same name. It fails with [ErrSealed].
func (s *Store) Unseal(at, sealed string) ([]byte, error) { return s.open("other "+at, sealed) }

func (s *Store) seal(key string, plaintext []byte) ([]byte, error) {
	sealed, err := s.keys.Seal(plaintext, []byte(key))
	if err != nil {
		return nil, fmt.Errorf("sealing a value: %w", err)
	}
	return sealed, nil
}

func (s *Store) open(key, sealed string) ([]byte, error) {
	plaintext, err := s.keys.Open([]byte(sealed), []byte(key))
	if err != nil {
		return nil, ErrSealed // the cause of a failed decryption has no details, by design
	}
	return plaintext, nil
}

// run runs a script on the keys of one slot. go-redis repeats a script after a lost reply, so every script must return the
// same when it runs again with the same arguments.
func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	return script.Run(ctx, s.redis, keys, args...)
}

// failed wraps an error of go-redis in [ErrUnavailable]. Errors of go-redis contain addresses but never credentials.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, refused(err))
}
