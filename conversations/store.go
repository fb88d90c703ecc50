// Package conversations is what Balcão remembers between two messages: drafts, deliveries already seen, calls already
// made, the audit trail and a small cache. All of it is in Redis, sealed and with a lifetime, so that any replica can
// continue what another began and a copy of the database tells nothing.
//
// The package knows no tool and no front end: people are opaque owners, payloads are text or bytes. Owners, topics and
// ids reach the names of keys only as digests. Keys that change together share a hash tag, so that each script touches
// one slot and everything works on a single node, behind Sentinel and on a Cluster.
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

// The ways in which a call can fail. Compare with [errors.Is].
var (
	// ErrGone says that the thing has ended or expired, or was never the owner's; the three look the same on purpose.
	ErrGone = errors.New("no longer there")
	// ErrConflict says that somebody else was faster; read again and decide again.
	ErrConflict = errors.New("changed by somebody else meanwhile")
	// ErrUnavailable says that Redis could not be reached or refused. What was asked may or may not have happened; with a
	// [RefusedError] among its causes it has not.
	ErrUnavailable = errors.New("the store of conversations is unavailable")
	// ErrSealed says that a stored value does not open: wrong key, moved, or tampered with.
	ErrSealed = errors.New("a stored value cannot be opened")
	// ErrLimit says that something is larger, or more, than the store keeps.
	ErrLimit = errors.New("over the limit of the store")
)

// Keys seals what is stored and digests what names it. Digest must be one-way, keyed, and stable for as long as the
// stored things live; it returns 32 hex digits.
type Keys interface {
	Seal(plaintext, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
	Fingerprint(data []byte) string
}

// Lives says how long things are kept. A zero field keeps its default.
type Lives struct {
	Draft     time.Duration // after the last save; 24 hours
	Tombstone time.Duration // of an ended draft, telling a second click from a lost draft; 1 hour
	Journal   time.Duration // of an intent or an outcome, after it was written; 7 days
	AuditLog  time.Duration // of a month of the audit trail, after its last entry; 5 years
	Call      time.Duration // the longest that one call waits for Redis; 2 seconds, as a front end has 3 to answer
}

var defaults = Lives{
	Draft:     24 * time.Hour,
	Tombstone: time.Hour,
	Journal:   7 * 24 * time.Hour,
	AuditLog:  5 * 366 * 24 * time.Hour,
	Call:      2 * time.Second,
}

// Option changes how a [Store] behaves.
type Option func(*Store)

// WithLives replaces the lifetimes that are not zero in l.
func WithLives(l Lives) Option {
	return func(s *Store) {
		for _, set := range []struct{ to, from *time.Duration }{
			{&s.lives.Draft, &l.Draft}, {&s.lives.Tombstone, &l.Tombstone}, {&s.lives.Journal, &l.Journal},
			{&s.lives.AuditLog, &l.AuditLog}, {&s.lives.Call, &l.Call},
		} {
			if *set.from > 0 {
				*set.to = *set.from
			}
		}
	}
}

// WithClock replaces the clock that dates drafts and chooses the month of an audit entry.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// WithTeam names the place that hears of everything until somebody there says otherwise, and its language.
func WithTeam(id string, lang words.Lang) Option {
	return func(s *Store) {
		s.team = destination.Settings{ID: id, Lang: lang, Subscriptions: []destination.Subscription{{Kind: destination.ScopeAll}}}
	}
}

// WithLog says where to log what no caller learns. By default it is [slog.Default].
func WithLog(log *slog.Logger) Option { return func(s *Store) { s.log = log } }

// Store remembers. Make one with [Open]; it is safe for concurrent use.
type Store struct {
	redis redis.UniversalClient
	keys  Keys
	lives Lives
	now   func() time.Time
	close func() error
	end   lastEnd
	epoch lastEpoch
	team  destination.Settings // the zero value is none
	log   *slog.Logger
	guard *guard
}

// Open connects to the Redis at url and waits until it answers, at most as long as one call may take. It fails with
// [ErrOtherKey] where the Redis is in use with other keys.
//
//	memory                                            a Redis inside this process, lost with it
//	redis://user:password@host:6379/0                 one node (rediss:// for TLS)
//	redis://host:6379?addr=host2:6379&addr=host3:6379 a Cluster; with one address, ?cluster=true
//	redis://host:26379?master_name=balcao             behind Sentinel; more Sentinels with addr=
//
// Time-outs and pool sizes are further parameters, as go-redis reads them (dial_timeout=2s, pool_size=20).
func Open(ctx context.Context, url string, keys Keys, options ...Option) (*Store, error) {
	s := &Store{keys: keys, lives: defaults, now: time.Now, log: slog.Default()}
	for _, option := range options {
		option(s)
	}
	client, stop, err := connect(url, s.lives.Call)
	if err != nil {
		return nil, err
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

// Close lets go of every connection; the embedded Redis of "memory" ends with it.
func (s *Store) Close() error { return s.close() }

// readyKey is written by each [Store.Ready]; nobody reads it.
const (
	readyKey  = "ready"
	readyLife = time.Minute
)

// Ready tells whether Redis is ours, and takes a write, which one that answers may refuse.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.guard.renew(ctx); err != nil {
		return err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return failed("writing to Redis", s.redis.Set(ctx, readyKey, s.now().UnixMilli(), readyLife).Err())
}

// bounded gives every call an end, whether or not the caller thought of one.
func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.lives.Call)
}

// name makes the digest that stands for parts in the name of a key; kind keeps digests of different things apart.
func (s *Store) name(kind string, parts ...string) string {
	return s.keys.Fingerprint(fmt.Appendf(nil, "%s %q", kind, parts))
}

// Seal seals what is kept in Redis in a form of its own, bound to the name of where it is kept; see [Store.Client].
func (s *Store) Seal(at string, plaintext []byte) ([]byte, error) {
	return s.seal("other "+at, plaintext)
}

// Unseal opens what Seal sealed under the same name. It fails with [ErrSealed].
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
		return nil, ErrSealed // the cause of a failed decryption says nothing more, by design
	}
	return plaintext, nil
}

// run runs a script on the keys of one slot. Scripts are written so that running one again with the same arguments
// gives the same answer: go-redis repeats a script whose reply was lost.
func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	return script.Run(ctx, s.redis, keys, args...)
}

// failed gives an error of go-redis its kind. The texts of go-redis hold addresses but never credentials.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, refused(err))
}
