package conversations

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestTheAuditLogHasEveryEntryOnceAndVerifies(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		november := WithClock(func() time.Time { return time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC) })
		replicas := []*Store{p.replica(t, november), p.replica(t, november)}
		const entries = 2*auditPage + 10 // more than two pages
		replies := atOnce(entries, func(i int) string {
			return fmt.Sprint(replicas[i%2].Append(context.Background(), fmt.Appendf(nil, "entry %d", i), ""))
		})
		if replies["<nil>"] != entries {
			t.Fatalf("appending: %v", replies)
		}
		different := make(map[string]int)
		for entry, err := range replicas[0].AuditEntries(t.Context(), "2026-11") {
			if err != nil {
				t.Fatal(err)
			}
			different[string(entry.Entry)]++
		}
		if len(different) != entries {
			t.Errorf("%d different entries, want %d", len(different), entries)
		}
		found := must(replicas[1].Verify(t.Context()))(t)
		if found.Entries != entries || len(found.Chains) != 2 || found.Chains[0].Before != "" || found.Chains[0].Last == "" {
			t.Errorf("verified %+v", found)
		}
	})
}

func TestTheChainContinuesFromMonthToMonthAndNeverBack(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		at := time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC)
		behind := time.Duration(0)
		s := p.replica(t, WithClock(func() time.Time { return at.Add(behind) }))
		write(t, s, "a", "b")
		at = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) // without entries in November
		write(t, s, "c")
		behind = -24 * time.Hour
		write(t, s, "d")
		for month, want := range map[Month]int{"2026-10": 2, "2026-11": 0, "2026-12": 2} {
			if entries := read(t, s, month); len(entries) != want {
				t.Errorf("%s has %d entries, want %d", month, len(entries), want)
			}
		}
		if found := must(s.Verify(t.Context()))(t); found.Entries != 4 || found.Chains[0].Before != "" {
			t.Errorf("verified %+v", found)
		}
	})
}

func TestVerifyFindsEachBreakAndReportsWhereItIs(t *testing.T) {
	october, december := auditStream(0, "2026-10"), auditStream(0, "2026-12")
	for _, c := range []struct {
		name   string
		month  Month
		broken func(m []AuditEntry) string // the entry at which the chain breaks
		commit func(s *Store, m []AuditEntry) error
	}{
		{"an entry changed", "2026-10", func(m []AuditEntry) string { return m[1].ID }, func(s *Store, m []AuditEntry) error {
			m[1].sealed = "innocent"
			return rewrite(s, october, m)
		}},
		{"another entry sealed with the right key", "2026-10", func(m []AuditEntry) string { return m[1].ID }, func(s *Store, m []AuditEntry) error {
			sealed, err := s.seal(m[1].bound(), []byte("innocent"))
			m[1].sealed = string(sealed)
			return errors.Join(err, rewrite(s, october, m))
		}},
		{"an entry removed", "2026-10", func(m []AuditEntry) string { return m[2].ID }, func(s *Store, m []AuditEntry) error {
			return s.redis.XDel(context.Background(), october, m[1].ID).Err()
		}},
		{"the first of all removed", "2026-10", func(m []AuditEntry) string { return m[1].ID }, func(s *Store, m []AuditEntry) error {
			return s.redis.XDel(context.Background(), october, m[0].ID).Err()
		}},
		{"the first removed and the next dated back", "2026-10", func([]AuditEntry) string { return "1600000000000-0" }, func(s *Store, m []AuditEntry) error {
			m[1].stream = "1600000000000-0"
			return rewrite(s, october, m[1:])
		}},
		{"the last of all removed", "2026-12", func([]AuditEntry) string { return "" }, func(s *Store, m []AuditEntry) error {
			return s.redis.XDel(context.Background(), december, m[1].ID).Err()
		}},
		{"a whole month emptied", "2026-12", func([]AuditEntry) string { return "" }, func(s *Store, _ []AuditEntry) error {
			return s.redis.Del(context.Background(), december).Err()
		}},
		{"the head removed", "2026-12", func([]AuditEntry) string { return "" }, func(s *Store, _ []AuditEntry) error {
			return s.redis.Del(context.Background(), auditHeadKey(0)).Err()
		}},
		{"two exchanged", "2026-10", func(m []AuditEntry) string { return m[0].ID }, func(s *Store, m []AuditEntry) error {
			m[0].sealed, m[1].sealed = m[1].sealed, m[0].sealed
			return rewrite(s, october, m)
		}},
		{"one added at the end", "2026-10", nil, func(s *Store, m []AuditEntry) error {
			forged := m[2]
			forged.Before = m[2].Hash
			return put(s, october, "*", forged)
		}},
		{"a text replaced", "2026-10", func(m []AuditEntry) string { return m[1].ID }, func(s *Store, m []AuditEntry) error {
			return s.redis.Set(context.Background(), textKey(0, m[1].Text), "innocent", time.Hour).Err()
		}},
		{"an erasure forged", "2026-10", func(m []AuditEntry) string { return m[2].ID }, func(s *Store, m []AuditEntry) error {
			m[2].Erases = m[1].ID
			return rewrite(s, october, m)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
			s := open(t, "memory", newKeys(t), WithClock(func() time.Time { return at }))
			write(t, s, "a", "b", "c")
			at = at.AddDate(0, 2, 0)
			write(t, s, "d", "e")
			must(s.Verify(t.Context()))(t)
			entries := read(t, s, c.month)
			if err := c.commit(s, slices.Clone(entries)); err != nil {
				t.Fatal(err)
			}
			_, err := s.Verify(t.Context())
			wantError(t, err, ErrTampered)
			broken, _ := errors.AsType[*BrokenError](err)
			if broken == nil || c.broken != nil && (broken.ID != c.broken(entries) || broken.ID != "" && (broken.Month != c.month || broken.At.IsZero())) {
				t.Errorf("got the error %v", err)
			}
		})
	}
}

func TestAnAuditLogOfWhichOldMonthsExpiredVerifies(t *testing.T) {
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, "memory", newKeys(t), WithClock(func() time.Time { return at }))
	if empty := must(s.Verify(t.Context()))(t); empty.Entries != 0 || len(empty.Chains) != 0 {
		t.Errorf("an audit log without entries: %+v", empty)
	}
	write(t, s, "a", "b")
	at = at.AddDate(0, 2, 0)
	write(t, s, "c")
	at = at.AddDate(4, 11, 0)
	must(s.redis.Del(t.Context(), auditStream(0, "2026-10")).Result())(t)
	if found := must(s.Verify(t.Context()))(t); found.Entries != 1 || found.Chains[0].Before == "" {
		t.Errorf("verified %+v", found)
	}
}

func TestATextIsErasedWithoutBreakingTheChain(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		write(t, s, "a", "a")
		month := MonthOf(time.Now())
		entries := read(t, s, month)
		if entries[0].Text == entries[1].Text {
			t.Error("the same text has the same fingerprint twice")
		}
		if text := must(s.Text(t.Context(), entries[1]))(t); text != "why a" {
			t.Errorf("the text is %q", text)
		}
		if err := s.EraseText(t.Context(), entries[1].ID, []byte("erased")); err != nil {
			t.Fatal(err)
		}
		if left := must(s.redis.Exists(t.Context(), textKey(0, entries[1].Text)).Result())(t); left != 0 {
			t.Error("the text is still in Redis")
		}
		_, err := s.Text(t.Context(), entries[1])
		wantError(t, err, ErrGone)
		write(t, s, "b")
		must(s.redis.Del(t.Context(), textKey(0, entries[0].Text)).Result())(t)
		chain := must(s.Verify(t.Context()))(t)
		erasure := read(t, s, month)[2]
		if chain.Entries != 4 || chain.Texts != 1 || len(chain.Gone) != 2 ||
			chain.Gone[0].ID != entries[0].ID || chain.Gone[0].ByEntry != "" ||
			chain.Gone[1].ID != entries[1].ID || chain.Gone[1].ByEntry != erasure.ID {
			t.Errorf("verified %+v", chain)
		}
		for _, id := range []string{entries[1].ID, erasure.ID, "1-1", "1", "no id", "99999999999999999999-1"} {
			wantError(t, s.EraseText(t.Context(), id, []byte("erased")), ErrGone)
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestAnAuditEntryHasALimit(t *testing.T) {
	s := open(t, "memory", newKeys(t))
	wantError(t, s.Append(t.Context(), make([]byte, maxAudit+1), ""), ErrLimit)
	wantError(t, s.Append(t.Context(), nil, strings.Repeat("x", maxAudit+1)), ErrLimit)
}

// put writes an entry as an attacker would who has access to Redis but not the keys.
func put(s *Store, key, id string, m AuditEntry) error {
	return s.redis.XAdd(context.Background(), &redis.XAddArgs{Stream: key, ID: id, Values: []string{
		"before", m.Before, "entry", m.sealed, "hash", m.Hash, "text", m.Text, "erases", m.Erases, "previous", string(m.previous), "kind", m.kind(),
	}}).Err()
}

// rewrite replaces all entries of a stream.
func rewrite(s *Store, key string, entries []AuditEntry) error {
	if err := s.redis.Del(context.Background(), key).Err(); err != nil {
		return err
	}
	for _, m := range entries {
		if err := put(s, key, m.stream, m); err != nil {
			return err
		}
	}
	return nil
}

// write appends entries, each with a text.
func write(t *testing.T, s *Store, entries ...string) {
	t.Helper()
	for _, entry := range entries {
		if err := s.Append(t.Context(), []byte(entry), "why "+entry); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, s *Store, month Month) (entries []AuditEntry) {
	t.Helper()
	for entry, err := range s.AuditEntries(t.Context(), month) {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry)
	}
	return entries
}
