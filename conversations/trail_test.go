package conversations

import (
	"context"
	"fmt"
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
			return fmt.Sprint(replicas[i%2].Append(context.Background(), fmt.Appendf(nil, "entry %d", i)))
		})
		if said["<nil>"] != entries {
			t.Fatalf("appending: %v", said)
		}
		read := make(map[string]int)
		for mark, err := range replicas[0].Trail(t.Context(), "2026-11") {
			if err != nil {
				t.Fatal(err)
			}
			read[string(mark.Entry)]++
		}
		if len(read) != entries {
			t.Errorf("%d different entries, want %d", len(read), entries)
		}
		chain := must(replicas[1].Verify(t.Context(), "2026-11"))(t)
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
		october, december := must(s.Verify(t.Context(), "2026-10"))(t), must(s.Verify(t.Context(), "2026-12"))(t)
		if october.Entries != 2 || december.Entries != 2 || december.Before != october.Last {
			t.Errorf("the months are %+v and %+v", october, december)
		}
		if empty := must(s.Verify(t.Context(), "2026-11"))(t); empty.Entries != 0 {
			t.Errorf("an empty month has %d entries", empty.Entries)
		}
	})
}

func TestATamperedTrailIsFound(t *testing.T) {
	october, december := trailPrefix+"2026-10", trailPrefix+"2026-12"
	// forge writes an entry as somebody would who has Redis but not the keys.
	forge := func(s *Store, key, id, before, entry, hash string) error {
		return s.redis.XAdd(context.Background(), &redis.XAddArgs{
			Stream: key, ID: id, Values: []string{"before", before, "entry", entry, "hash", hash},
		}).Err()
	}
	rewrite := func(s *Store, key string, marks []Mark) error {
		if err := s.redis.Del(context.Background(), key).Err(); err != nil {
			return err
		}
		for _, m := range marks {
			if err := forge(s, key, m.ID, m.Before, string(m.Entry), m.Hash); err != nil {
				return err
			}
		}
		return nil
	}
	for _, crime := range []struct {
		name   string
		month  Month
		commit func(s *Store, marks []Mark) error
	}{
		{"an entry changed", "2026-10", func(s *Store, m []Mark) error {
			m[1].Entry = []byte("innocent")
			return rewrite(s, october, m)
		}},
		{"an entry removed", "2026-10", func(s *Store, m []Mark) error {
			return s.redis.XDel(context.Background(), october, m[1].ID).Err()
		}},
		{"the last of a month removed", "2026-10", func(s *Store, m []Mark) error {
			return s.redis.XDel(context.Background(), october, m[2].ID).Err()
		}},
		{"the last of all removed", "2026-12", func(s *Store, m []Mark) error {
			return s.redis.XDel(context.Background(), december, m[1].ID).Err()
		}},
		{"a whole month emptied", "2026-12", func(s *Store, m []Mark) error {
			return s.redis.Del(context.Background(), december).Err()
		}},
		{"two exchanged", "2026-10", func(s *Store, m []Mark) error {
			m[0].Entry, m[1].Entry = m[1].Entry, m[0].Entry
			return rewrite(s, october, m)
		}},
		{"one added at the end", "2026-10", func(s *Store, m []Mark) error {
			return forge(s, october, "*", m[2].Hash, "never happened", m[1].Hash)
		}},
	} {
		t.Run(crime.name, func(t *testing.T) {
			at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
			s := open(t, "memory", newKeys(t), WithClock(func() time.Time { return at }))
			write(t, s, "a", "b", "c")
			at = at.AddDate(0, 2, 0)
			write(t, s, "d", "e")
			must(s.Verify(t.Context(), "2026-10"))(t)
			must(s.Verify(t.Context(), "2026-12"))(t)
			var marks []Mark
			for mark, err := range s.Trail(t.Context(), crime.month) {
				if err != nil {
					t.Fatal(err)
				}
				marks = append(marks, mark)
			}
			if err := crime.commit(s, marks); err != nil {
				t.Fatal(err)
			}
			_, err := s.Verify(t.Context(), crime.month)
			wantError(t, err, ErrTampered)
		})
	}
}

func TestAnEntryOfTheTrailHasABound(t *testing.T) {
	s := open(t, "memory", newKeys(t))
	wantError(t, s.Append(t.Context(), make([]byte, maxAudit+1)), ErrLimit)
}

func write(t *testing.T, s *Store, entries ...string) {
	t.Helper()
	for _, entry := range entries {
		if err := s.Append(t.Context(), []byte(entry)); err != nil {
			t.Fatal(err)
		}
	}
}
