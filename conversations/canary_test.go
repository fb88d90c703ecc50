package conversations

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/keys"
)

// lostFirstKey encrypts with one keyset and fingerprints with another, as a keyset that lost its first key.
type lostFirstKey struct {
	*keys.Keys
	fingerprints *keys.Keys
}

func (k lostFirstKey) Fingerprint(data []byte) string { return k.fingerprints.Fingerprint(data) }

func TestAStoreWithOtherKeysIsRefusedAndChangesNothing(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		write(t, s, "a")
		before := everything(t, s)
		for name, other := range map[string]Keys{
			"another keyset":            newKeys(t),
			"one that decrypts nothing": otherCipher{p.keys, newKeys(t)},
			"one that lost a first key": lostFirstKey{p.keys, newKeys(t)},
		} {
			if _, err := Open(t.Context(), p.url, other); !errors.Is(err, ErrOtherKey) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if after := everything(t, s); len(after) != len(before) {
			t.Errorf("%d keys became %d", len(before), len(after))
		}
		must(s.Verify(t.Context()))(t)
	}, oneNode, aCluster, aSentinel)
}

func TestARotatedKeysetIsAccepted(t *testing.T) {
	text, err := keys.Generate()
	rotated, failed := keys.Rotate(text)
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	on(t, func(t *testing.T, p *testRedis) {
		for _, text := range []string{text, rotated} {
			s := open(t, p.url, must(keys.Parse(text))(t))
			write(t, s, "a")
			must(s.Verify(t.Context()))(t)
		}
		open(t, p.url, must(keys.Parse(text))(t)) // as a replica that does not have the new one yet
	}, oneNode)
}

func TestAnEmptiedOrReplacedRedisIsDetected(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		var log bytes.Buffer
		s := p.replica(t, WithLog(slog.New(slog.NewTextHandler(&log, nil))))
		d := must(s.StartDraft(t.Context(), "u1", "a", "b"))(t)
		empty := func() { must(s.redis.FlushAll(t.Context()).Result())(t) }
		empty()
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("emptied: %v", err)
		}
		if life := must(s.redis.PTTL(t.Context(), canaryKey).Result())(t); life <= 0 || !strings.Contains(log.String(), "Redis was emptied") {
			t.Errorf("the canary expires in %s, the log is %q", life, log.String())
		}
		empty()
		other := open(t, p.url, newKeys(t))
		wantError(t, s.Ready(t.Context()), ErrOtherKey)
		for name, call := range calls(s, d) {
			if err := call(t.Context()); !errors.Is(err, ErrOtherKey) || !errors.Is(err, ErrUnavailable) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		stored := everything(t, other)
		delete(stored, canaryKey)
		delete(stored, epochKey) // of its own
		if len(stored) != 0 {
			t.Errorf("the other's Redis has %v", stored)
		}
		must(other.redis.FlushAll(t.Context()).Result())(t)
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("after the other left: %v", err)
		}
	}, oneNode)
}

func TestAReplacedRedisIsDetectedWithoutReadinessChecks(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		must(s.redis.FlushAll(t.Context()).Result())(t)
		open(t, p.url, newKeys(t))
		s.guard.checked.Add(-int64(guardEvery + time.Second)) // as some seconds later
		_, err := s.MarkSeen(t.Context(), "a", "b", time.Minute)
		wantError(t, err, ErrOtherKey)
	}, oneNode)
}
