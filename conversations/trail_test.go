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

func TestTheTrailHoldsEveryEntryOnceAndVerifies(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		november := WithClock(func() time.Time { return time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC) })
		replicas := []*Store{p.replica(t, november), p.replica(t, november)}
		const entries = 2*trailPage + 10 // more than two pages
		said := atOnce(entries, func(i int) string {
			return fmt.Sprint(replicas[i%2].Append(context.Background(), fmt.Appendf(nil, "entry %d", i), ""))
		})
		if said["<nil>"] != entries {
			t.Fatalf("appending: %v", said)
		}
		different := make(map[string]int)
		for mark, err := range replicas[0].AuditEntries(t.Context(), "2026-11") {
			if err != nil {
				t.Fatal(err)
			}
			different[string(mark.Entry)]++
		}
		if len(different) != entries {
			t.Errorf("%d different entries, want %d", len(different), entries)
		}
		chain := must(replicas[1].Verify(t.Context()))(t)
		if chain.Entries != entries || chain.Before != "" || chain.Last == "" {
			t.Errorf("verified %+v", chain)
		}
	})
}

func TestTheChainRunsOnFromMonthToMonthAndNeverBack(t *testing.T) {
	everywhere(t, func(t *testing.T, p *place) {
		at := time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC)
		s := p.replica(t, WithClock(func() time.Time { return at }))
		slow := p.replica(t, WithClock(func() time.Time { return at.AddDate(0, 0, -1) }))
		write(t, s, "a", "b")
		at = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) // nothing happened in November
		write(t, s, "c")
		write(t, slow, "d")
		for month, want := range map[Month]int{"2026-10": 2, "2026-11": 0, "2026-12": 2} {
			if marks := read(t, s, month); len(marks) != want {
				t.Errorf("%s has %d entries, want %d", month, len(marks), want)
			}
		}
		if chain := must(s.Verify(t.Context()))(t); chain.Entries != 4 || chain.Before != "" {
			t.Errorf("verified %+v", chain)
		}
	})
}

func TestABrokenTrailIsFoundAndTheErrorSaysWhere(t *testing.T) {
	october, december := trailPrefix+"2026-10", trailPrefix+"2026-12"
	// put writes an entry as somebody would who has Redis but not the keys.
	put := func(s *Store, key, id string, m AuditEntry) error {
		return s.redis.XAdd(context.Background(), &redis.XAddArgs{Stream: key, ID: id, Values: []string{
			"before", m.Before, "entry", m.sealed, "hash", m.Hash, "text", m.Text, "erases", m.Erases,
		}}).Err()
	}
	rewrite := func(s *Store, key string, marks []AuditEntry) error {
		if err := s.redis.Del(context.Background(), key).Err(); err != nil {
			return err
		}
		for _, m := range marks {
			if err := put(s, key, m.ID, m); err != nil {
				return err
			}
		}
		return nil
	}
	for _, crime := range []struct {
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
			m[1].ID = "1600000000000-0"
			return rewrite(s, october, m[1:])
		}},
		{"the last of all removed", "2026-12", func([]AuditEntry) string { return "" }, func(s *Store, m []AuditEntry) error {
			return s.redis.XDel(context.Background(), december, m[1].ID).Err()
		}},
		{"a whole month emptied", "2026-12", func([]AuditEntry) string { return "" }, func(s *Store, _ []AuditEntry) error {
			return s.redis.Del(context.Background(), december).Err()
		}},
		{"the head removed", "2026-12", func([]AuditEntry) string { return "" }, func(s *Store, _ []AuditEntry) error {
			return s.redis.Del(context.Background(), trailHead).Err()
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
			return s.redis.Set(context.Background(), textKey(m[1].Text), "innocent", time.Hour).Err()
		}},
		{"an erasure forged", "2026-10", func(m []AuditEntry) string { return m[2].ID }, func(s *Store, m []AuditEntry) error {
			m[2].Erases = m[1].ID
			return rewrite(s, october, m)
		}},
	} {
		t.Run(crime.name, func(t *testing.T) {
			at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
			s := open(t, "memory", newKeys(t), WithClock(func() time.Time { return at }))
			write(t, s, "a", "b", "c")
			at = at.AddDate(0, 2, 0)
			write(t, s, "d", "e")
			must(s.Verify(t.Context()))(t)
			marks := read(t, s, crime.month)
			if err := crime.commit(s, slices.Clone(marks)); err != nil {
				t.Fatal(err)
			}
			_, err := s.Verify(t.Context())
			wantError(t, err, ErrTampered)
			broken, _ := errors.AsType[*BrokenError](err)
			if broken == nil || crime.broken != nil && (broken.ID != crime.broken(marks) || broken.ID != "" && (broken.Month != crime.month || broken.At.IsZero())) {
				t.Errorf("the error says %v", err)
			}
		})
	}
}

func TestATrailOfWhichOldMonthsExpiredIsWhole(t *testing.T) {
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, "memory", newKeys(t), WithClock(func() time.Time { return at }))
	if empty := must(s.Verify(t.Context()))(t); empty.Entries != 0 || empty.Last != "" {
		t.Errorf("a trail without entries: %+v", empty)
	}
	write(t, s, "a", "b")
	at = at.AddDate(0, 2, 0)
	write(t, s, "c")
	at = at.AddDate(4, 11, 0)
	must(s.redis.Del(t.Context(), trailPrefix+"2026-10").Result())(t)
	if chain := must(s.Verify(t.Context()))(t); chain.Entries != 1 || chain.Before == "" {
		t.Errorf("verified %+v", chain)
	}
}

func TestATextIsErasedWithoutBreakingTheChain(t *testing.T) {
	on(t, func(t *testing.T, p *place) {
		s := p.replica(t)
		write(t, s, "a", "a")
		month := MonthOf(time.Now())
		marks := read(t, s, month)
		if marks[0].Text == marks[1].Text {
			t.Error("the same text has the same fingerprint twice")
		}
		if text := must(s.Text(t.Context(), marks[1]))(t); text != "why a" {
			t.Errorf("the text is %q", text)
		}
		if err := s.EraseText(t.Context(), marks[1].ID, []byte("erased")); err != nil {
			t.Fatal(err)
		}
		if left := must(s.redis.Exists(t.Context(), textKey(marks[1].Text)).Result())(t); left != 0 {
			t.Error("the text is still in Redis")
		}
		_, err := s.Text(t.Context(), marks[1])
		wantError(t, err, ErrGone)
		write(t, s, "b")
		must(s.redis.Del(t.Context(), textKey(marks[0].Text)).Result())(t)
		chain := must(s.Verify(t.Context()))(t)
		erasure := read(t, s, month)[2]
		if chain.Entries != 4 || chain.Texts != 1 || len(chain.Gone) != 2 ||
			chain.Gone[0].ID != marks[0].ID || chain.Gone[0].ByEntry != "" ||
			chain.Gone[1].ID != marks[1].ID || chain.Gone[1].ByEntry != erasure.ID {
			t.Errorf("verified %+v", chain)
		}
		for _, id := range []string{marks[1].ID, erasure.ID, "1-1", "1", "no id", "99999999999999999999-1"} {
			wantError(t, s.EraseText(t.Context(), id, []byte("erased")), ErrGone)
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestAnEntryOfTheTrailHasABound(t *testing.T) {
	s := open(t, "memory", newKeys(t))
	wantError(t, s.Append(t.Context(), make([]byte, maxAudit+1), ""), ErrLimit)
	wantError(t, s.Append(t.Context(), nil, strings.Repeat("x", maxAudit+1)), ErrLimit)
}

// write appends entries, each with a text beside it.
func write(t *testing.T, s *Store, entries ...string) {
	t.Helper()
	for _, entry := range entries {
		if err := s.Append(t.Context(), []byte(entry), "why "+entry); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, s *Store, month Month) (marks []AuditEntry) {
	t.Helper()
	for mark, err := range s.AuditEntries(t.Context(), month) {
		if err != nil {
			t.Fatal(err)
		}
		marks = append(marks, mark)
	}
	return marks
}
