package conversations

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/keys"
)

// personal are texts that must not be in Redis unencrypted.
var personal = []string{"Maria Exemplo", "maria@example.com", "299999998", "+351912345678", "1985-04-12", "borrower-subject"}

// useEverything calls every method of the store that writes, with personal data in every argument that may have some.
func useEverything(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	for i, topic := range []string{"299999998", "+351912345678", "left open", "{curly} and\nmore"} {
		d := must(s.StartDraft(ctx, "maria@example.com", "borrower-subject", topic))(t)
		d.Page, d.Answers = "personal", map[string]string{"name": "Maria Exemplo", "taxId": "299999998", "born": "1985-04-12"}
		d.Notes = map[string]string{"to": "maria@example.com"}
		d = must(s.SaveDraft(ctx, d))(t)
		if i == 0 {
			must(s.EndDraft(ctx, d))(t)
		}
	}
	if got := must(s.Drafts(ctx, "maria@example.com"))(t); len(got) != 3 {
		t.Errorf("%d drafts are open, want 3", len(got))
	}
	must(s.MarkSeen(ctx, "slack", "maria@example.com", time.Hour))(t)
	must(s.Claim(ctx, "confirmation", "maria@example.com", "maria@example.com", time.Hour))(t)
	for _, key := range []string{"Maria Exemplo", "299999998"} {
		if _, _, err := s.Begin(ctx, key, []byte("Maria Exemplo 299999998"), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for _, subject := range []string{"Maria Exemplo", "299999998"} {
		token, _, _, err := s.Acquire(ctx, subject, "maria@example.com create_borrower", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		must(s.Hold(ctx, subject, token, time.Minute))(t)
	}
	if err := errors.Join(
		s.Release(ctx, "299999998", 1),
		s.Finish(ctx, "299999998", 1, []byte("Maria Exemplo has an id")),
		s.Put(ctx, "processes", "maria@example.com", []byte("Maria Exemplo 299999998"), time.Hour),
		s.Learn(ctx, "maria@example.com", map[int32]string{1: "Maria Exemplo"}),
		s.Append(ctx, []byte(`{"operation":"create_borrower","actor":"maria@example.com"}`), "Maria Exemplo asked for it"),
	); err != nil {
		t.Fatal(err)
	}
	giveUpload(t, s, "maria@example.com")
	if err := s.NewPace("maria@example.com", 1, 1).Wait(ctx); err != nil {
		t.Fatal(err)
	}
	must(s.PutOnce(ctx, "download", []byte("Maria Exemplo"), time.Hour))(t)
	run := must(s.BeginList(ctx, "maria@example.com"))(t)
	must(s.RequestList(ctx, "maria@example.com"))(t)
	must(s.RecordList(ctx, "maria@example.com", run, []byte("after Maria Exemplo"), true))(t)
	if err := s.PutIndexed(ctx, "maria@example.com", "rows", map[string][]byte{"299999998": []byte("Maria Exemplo")}); err != nil {
		t.Fatal(err)
	}
	must(s.Verify(ctx))(t)
	for _, id := range []string{"maria@example.com", "slack:C0TEAM"} {
		must(s.ChangeDestination(ctx, id, func(p *destination.Settings) error {
			p.Subscriptions = []destination.Subscription{{Kind: destination.ScopePerson, Value: "maria@example.com"}, {Kind: destination.ScopeBranch, Value: "299999998", Name: "Maria Exemplo"}}
			return nil
		}))(t)
	}
	if _, _, err := s.ChangeOwner(ctx, uuid.New(), "maria@example.com", "rui@example.com", anybody); err != nil {
		t.Fatal(err)
	}
	if got := must(s.Destinations(ctx))(t); len(got) != 2 {
		t.Errorf("%d destinations are stored, want 2", len(got))
	}
}

func TestEveryKeyIsEncryptedAndExpires(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		useEverything(t, s)
		stored := everything(t, s)
		if len(stored) < 10 {
			t.Fatalf("only %d keys were found", len(stored))
		}
		for key, value := range stored {
			if left := must(s.redis.PTTL(t.Context(), key).Result())(t); left <= 0 {
				t.Errorf("%s does not expire", key)
			}
			for _, secret := range personal {
				if strings.Contains(key+value, secret) {
					t.Errorf("%s contains %q", key, secret)
				}
			}
		}
	}, embeddedRedis, oneNode, aCluster, aSentinel)
}

func TestTheKeysOfOnePersonsDraftsShareASlot(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		for _, owner := range []string{"maria", "joana"} {
			must(s.StartDraft(t.Context(), owner, "borrower", "1"))(t)
			must(s.StartDraft(t.Context(), owner, "borrower", "2"))(t)
		}
		slots := make(map[int64]int)
		stored := everything(t, s)
		delete(stored, canaryKey)
		delete(stored, epochKey)
		for key := range stored {
			slots[must(s.redis.ClusterKeySlot(t.Context(), key).Result())(t)]++
		}
		if got := slices.Collect(maps.Values(slots)); !slices.Equal(got, []int{3, 3}) {
			t.Errorf("the keys of two people, with two drafts and an index each, are in the slots %v", slots)
		}
	}, aCluster)
}

// otherCipher fingerprints with one keyset and encrypts with another: it finds every key and decrypts no value.
type otherCipher struct {
	*keys.Keys
	seal *keys.Keys
}

func (k otherCipher) Seal(p, a []byte) ([]byte, error) { return k.seal.Seal(p, a) }
func (k otherCipher) Open(p, a []byte) ([]byte, error) { return k.seal.Open(p, a) }

func TestAWrongKeyDecryptsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s, thief := p.replica(t), p.replica(t)
		thief.keys = otherCipher{p.keys, newKeys(t)}
		d := secrets(t, s)
		for name, open := range opens(thief, d) {
			if err := open(t.Context()); !errors.Is(err, ErrSealed) {
				t.Errorf("%s: got %v, want ErrSealed", name, err)
			}
		}
		for name, open := range opens(s, d) {
			if err := open(t.Context()); err != nil {
				t.Errorf("%s with the right key: %v", name, err)
			}
		}
	})
}

func TestAValueMovedToAnotherKeyCannotBeDecrypted(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		ctx := t.Context()
		d := secrets(t, s)
		if err := s.Put(ctx, "cached", "hers", []byte("b"), time.Hour); err != nil {
			t.Fatal(err)
		}
		hers := s.redis.Get(ctx, s.cacheKey("cached", "hers")).Val()
		must(s.redis.Set(ctx, s.cacheKey("cached", "id"), hers, redis.KeepTTL).Result())(t)
		if _, _, err := s.Get(ctx, "cached", "id"); !errors.Is(err, ErrSealed) {
			t.Errorf("a moved value: got %v", err)
		}

		key := s.draftKey("maria", s.name("topic", "borrower", "")).name
		old := s.redis.HGet(ctx, key, "body").Val()
		must(s.SaveDraft(ctx, d))(t)
		must(s.redis.HSet(ctx, key, "body", old).Result())(t)
		if _, err := s.Draft(ctx, "maria", d.ID); !errors.Is(err, ErrSealed) {
			t.Errorf("an older body put back: got %v", err)
		}
	})
}

// secrets stores one value of each kind that is encrypted.
func secrets(t *testing.T, s *Store) Draft {
	t.Helper()
	d := must(s.StartDraft(t.Context(), "maria", "borrower", ""))(t)
	_, _, _, err := s.Acquire(t.Context(), "subject", "call", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Begin(t.Context(), "call", []byte("intent"), time.Minute)
	_, _, owning := s.ChangeOwner(t.Context(), uuid.Nil, "maria", "rui", anybody)
	learning := s.Learn(t.Context(), "genders", map[int32]string{1: "Feminino"})
	if err := errors.Join(err, s.Put(t.Context(), "cached", "id", []byte("value"), time.Hour), owning, learning); err != nil {
		t.Fatal(err)
	}
	must(s.ChangeDestination(t.Context(), "slack:C0TEAM", subscribeTo("1")))(t)
	must(s.RecordList(t.Context(), "maria", must(s.BeginList(t.Context(), "maria"))(t), []byte("reading"), false))(t)
	if err := s.PutIndexed(t.Context(), "maria", "rows", map[string][]byte{"id": []byte("value")}); err != nil {
		t.Fatal(err)
	}
	return d
}

// opens returns every method that decrypts a value, each as a call.
func opens(s *Store, d Draft) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"draft": func(ctx context.Context) error { _, err := s.Draft(ctx, "maria", d.ID); return err },
		"find":  func(ctx context.Context) error { _, _, err := s.FindDraft(ctx, "maria", "borrower", ""); return err },
		"start": func(ctx context.Context) error { _, err := s.StartDraft(ctx, "maria", "borrower", ""); return err },
		"list":  func(ctx context.Context) error { _, err := s.Drafts(ctx, "maria"); return err },
		"begin": func(ctx context.Context) error { _, _, err := s.Begin(ctx, "call", nil, time.Minute); return err },
		"claim": func(ctx context.Context) error {
			_, _, _, err := s.Acquire(ctx, "subject", "call", time.Minute)
			return err
		},
		"look":         func(ctx context.Context) error { _, _, _, err := s.Look(ctx, "call"); return err },
		"destinations": func(ctx context.Context) error { _, err := s.Destinations(ctx); return err },
		"destination":  func(ctx context.Context) error { _, err := s.Destination(ctx, "slack:C0TEAM"); return err },
		"change": func(ctx context.Context) error {
			_, err := s.ChangeDestination(ctx, "slack:C0TEAM", subscribeTo(uuid.NewString()))
			return err
		},
		"owner":             func(ctx context.Context) error { _, err := s.Owner(ctx, uuid.Nil); return err },
		"indexed":           func(ctx context.Context) error { _, _, err := s.Indexed(ctx, "maria", "rows", "id"); return err },
		"since":             func(ctx context.Context) error { _, _, _, err := s.IndexedSince(ctx, "maria", "rows", 0); return err },
		"list of processes": func(ctx context.Context) error { _, _, _, _, err := s.ListState(ctx, "maria"); return err },
		"get":               func(ctx context.Context) error { _, _, err := s.Get(ctx, "cached", "id"); return err },
		"words":             func(ctx context.Context) error { _, err := s.Learnt(ctx, "genders"); return err },
	}
}

// everything returns all keys of Redis with their stored values.
func everything(t *testing.T, s *Store) map[string]string {
	t.Helper()
	ctx := t.Context()
	stored := make(map[string]string)
	scan := s.redis.Scan(ctx, 0, "*", 1000).Iterator()
	for scan.Next(ctx) {
		key := scan.Val()
		var value any
		var err error
		switch kind := s.redis.Type(ctx, key).Val(); kind {
		case "string":
			value, err = s.redis.Get(ctx, key).Result()
		case "hash":
			value, err = s.redis.HGetAll(ctx, key).Result()
		case "zset":
			value, err = s.redis.ZRange(ctx, key, 0, -1).Result()
		case "stream":
			value, err = s.redis.XRange(ctx, key, "-", "+").Result()
		default:
			t.Fatalf("%s is a %s, which this test cannot read", key, kind)
		}
		if err != nil {
			t.Fatal(err)
		}
		stored[key] = fmt.Sprint(value)
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	return stored
}
