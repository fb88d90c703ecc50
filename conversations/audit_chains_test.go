package conversations

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/keys"
)

func TestEachReplicaHasItsOwnChainAndARestartedOneContinuesIt(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		first, second := p.replica(t), p.replica(t)
		write(t, first, "a")
		write(t, second, "b")
		second.leaveChain()
		third := p.replica(t)
		write(t, third, "c")
		write(t, second, "d") // without its chain, which is the third's now
		write(t, first, "e")
		got := map[string]int{}
		for _, entry := range read(t, first, MonthOf(time.Now())) {
			got[string(entry.Entry)] = entry.Chain
		}
		if want := map[string]int{"a": 0, "b": 1, "c": 1, "d": 2, "e": 0}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the chains are %v, want %v", got, want)
		}
		if found := must(first.Verify(t.Context()))(t); found.Entries != 5 || len(found.Chains) != 3 {
			t.Errorf("verified %+v", found)
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestAReplicaWhoseLeaseAnotherTookTakesTheNextChain(t *testing.T) {
	s := open(t, "memory", newKeys(t))
	p := testRedis{url: "memory", keys: s.keys.(*keys.Keys), first: s}
	write(t, s, "a")
	must(s.redis.HSet(t.Context(), s.leaseKey(chainSubject(0)), "until", "0").Result())(t) // it did nothing for long
	other := p.replica(t)
	write(t, other, "b")
	s.own.renewed = time.Time{}
	write(t, s, "c")
	var chains []int
	for _, entry := range read(t, s, MonthOf(time.Now())) {
		chains = append(chains, entry.Chain)
	}
	if !slices.Equal(chains, []int{0, 0, 1}) {
		t.Errorf("the chains are %v", chains)
	}
}

func TestMoreReplicasThanChainsShareSome(t *testing.T) {
	s := open(t, "memory", newKeys(t))
	p := testRedis{url: "memory", keys: s.keys.(*keys.Keys), first: s}
	const replicas, entries = maxChains + 3, 5
	var all []*Store
	for range replicas {
		all = append(all, p.replica(t))
	}
	replies := atOnce(replicas*entries, func(i int) string {
		return fmt.Sprint(all[i%replicas].Append(context.Background(), fmt.Appendf(nil, "%d", i), ""))
	})
	if replies["<nil>"] != replicas*entries {
		t.Fatalf("appending: %v", replies)
	}
	if found := must(s.Verify(t.Context()))(t); found.Entries != replicas*entries || len(found.Chains) != maxChains {
		t.Errorf("verified %d entries in %d chains", found.Entries, len(found.Chains))
	}
}

func TestTheEntriesOfAllChainsAreListedByTimeWithoutCheckpoints(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		replicas := []*Store{p.replica(t), p.replica(t), p.replica(t)}
		const entries = 3*auditPage + 30 // more than a page of each chain
		for i := range entries {
			if err := replicas[i%3].Append(t.Context(), fmt.Appendf(nil, "%d", i), ""); err != nil {
				t.Fatal(err)
			}
			if i%100 == 0 {
				checkpoint(t, replicas[i/100%3])
			}
		}
		last, ofChain := "0-0", map[int]int{}
		listed := read(t, replicas[0], MonthOf(time.Now()))
		for _, entry := range listed {
			var number int
			must(fmt.Sscan(string(entry.Entry), &number))(t)
			if compareStreamIDs(last, entry.stream) > 0 || number%3 != entry.Chain || number < ofChain[entry.Chain] {
				t.Errorf("%s of chain %d comes after %s", entry.ID, entry.Chain, last)
			}
			last, ofChain[entry.Chain] = entry.stream, number
		}
		if len(listed) != entries {
			t.Errorf("%d entries are listed", len(listed))
		}
	})
}

func TestATextInAnyChainIsErased(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		first, second := p.replica(t), p.replica(t)
		write(t, first, "a")
		write(t, second, "b")
		entries := read(t, first, MonthOf(time.Now()))
		of := entries[slices.IndexFunc(entries, func(m AuditEntry) bool { return m.Chain == 1 })]
		if text := must(first.Text(t.Context(), of))(t); text != "why b" {
			t.Errorf("the text is %q", text)
		}
		if err := first.EraseText(t.Context(), of.ID, []byte("erased")); err != nil {
			t.Fatal(err)
		}
		write(t, second, "c")
		_, err := first.Text(t.Context(), of)
		wantError(t, err, ErrGone)
		found := must(first.Verify(t.Context()))(t)
		if len(found.Gone) != 1 || found.Gone[0].ID != of.ID || found.Gone[0].ByEntry == "" {
			t.Errorf("verified %+v", found)
		}
		for _, id := range []string{of.ID, of.stream + "-0", of.stream + "-16", of.stream + "-2"} {
			wantError(t, first.EraseText(t.Context(), id, nil), ErrGone)
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestACheckpointIsWrittenOnceForWhatIsNew(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		first, second := p.replica(t), p.replica(t)
		alone := func(when string, want ...int) {
			t.Helper()
			for range 2 { // the second time nothing is new
				checkpoint(t, first)
				checkpoint(t, second)
			}
			var got []int
			for _, chain := range must(first.Verify(t.Context()))(t).Chains {
				got = append(got, chain.Checkpoints)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: the chains have %v checkpoints, want %v", when, got, want)
			}
		}
		alone("without entries")
		write(t, first, "a")
		alone("one chain has an entry", 0, 1)
		write(t, second, "b")
		alone("the other has one too", 1, 1)
		write(t, first, "c")
		write(t, first, "d")
		alone("two entries follow", 1, 2)
	})
}

func TestVerifyFindsWhatIsDoneToOneOfSeveralChains(t *testing.T) {
	month := Month("2026-10")
	first, second := auditStream(0, month), auditStream(1, month)
	cut := func(s *Store, chain int, key string, entries []AuditEntry, kept int) error {
		return errors.Join(rewrite(s, key, entries[:kept]), s.redis.HSet(context.Background(), auditHeadKey(chain), "hash", entries[kept-1].Hash).Err())
	}
	begin := func(s *Store) { s.heads[1].auditHead = auditHead{} }
	for _, c := range []struct {
		name   string
		how    Break
		chain  int
		commit func(s, other *Store, a, b []AuditEntry) error
	}{
		{"a chain removed", BreakNamed, 1, func(s, _ *Store, _, _ []AuditEntry) error {
			return s.redis.Del(context.Background(), second, auditHeadKey(1)).Err()
		}},
		{"a chain removed and begun anew", BreakNamed, 1, func(s, other *Store, _, _ []AuditEntry) error {
			err := s.redis.Del(context.Background(), second, auditHeadKey(1)).Err()
			begin(other)
			return errors.Join(err, other.Append(context.Background(), []byte("innocent"), ""))
		}},
		{"a chain removed, but not its head", BreakEnd, 1, func(s, _ *Store, _, _ []AuditEntry) error {
			return s.redis.Del(context.Background(), second).Err()
		}},
		{"the end cut and the head set back", BreakNamed, 1, func(s, _ *Store, _, b []AuditEntry) error { return cut(s, 1, second, b, 1) }},
		{"the end of the other cut", BreakNamed, 0, func(s, _ *Store, a, _ []AuditEntry) error { return cut(s, 0, first, a, 2) }},
		{"an entry exchanged with one of the other", BreakSealed, 0, func(s, _ *Store, a, b []AuditEntry) error {
			a[1], b[0] = b[0], a[1]
			a[1].stream, b[0].stream = b[0].stream, a[1].stream
			a[1].Before, b[0].Before = b[0].Before, a[1].Before
			return errors.Join(rewrite(s, first, a), rewrite(s, second, b))
		}},
		{"an entry moved to the end of the other", BreakLink, 1, func(s, _ *Store, a, b []AuditEntry) error {
			return errors.Join(put(s, second, "*", a[1]), s.redis.HSet(context.Background(), auditHeadKey(1), "hash", a[1].Hash).Err())
		}},
		{"the chains exchanged", BreakSealed, 0, func(s, _ *Store, a, b []AuditEntry) error {
			return errors.Join(rewrite(s, first, b), rewrite(s, second, a))
		}},
		{"a checkpoint removed", BreakLink, 0, func(s, _ *Store, a, _ []AuditEntry) error {
			return rewrite(s, first, slices.DeleteFunc(a, func(m AuditEntry) bool { return m.checkpoint }))
		}},
		{"a checkpoint made an entry", BreakSealed, 0, func(s, _ *Store, a, _ []AuditEntry) error {
			a[2].checkpoint = false
			return rewrite(s, first, a)
		}},
		{"an entry hidden as a checkpoint", BreakSealed, 0, func(s, _ *Store, a, _ []AuditEntry) error {
			a[1].checkpoint = true
			return rewrite(s, first, a)
		}},
		{"a checkpoint forged with the right key", BreakEntry, 0, func(s, _ *Store, a, _ []AuditEntry) error {
			sealed, err := s.seal(a[2].bound(), []byte("[]"))
			a[2].sealed = string(sealed)
			return errors.Join(err, rewrite(s, first, a))
		}},
		{"the entry before said to be of a month that has expired", BreakEntry, 0, func(s, _ *Store, a, _ []AuditEntry) error {
			a[1].previous = "2021-01"
			return rewrite(s, first, a[1:])
		}},
		{"the beginning removed", BreakStart, 1, func(s, _ *Store, _, b []AuditEntry) error { return rewrite(s, second, b[1:]) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			october := WithClock(func() time.Time { return time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC) })
			s := open(t, "memory", newKeys(t), october)
			p := testRedis{url: "memory", keys: s.keys.(*keys.Keys), first: s}
			other := p.replica(t, october)
			write(t, s, "a", "b")
			write(t, other, "c", "d")
			checkpoint(t, s)
			write(t, s, "e")
			checkpoint(t, other)
			if found := must(s.Verify(t.Context()))(t); found.Entries != 5 || found.Chains[0].Checkpoints != 1 || found.Chains[1].Checkpoints != 1 {
				t.Fatalf("verified %+v", found)
			}
			stored := func(chain int) []AuditEntry { return must(s.readEntries(t.Context(), chain, month, "-", 10))(t) }
			if err := c.commit(s, other, stored(0), stored(1)); err != nil {
				t.Fatal(err)
			}
			_, err := s.Verify(t.Context())
			wantError(t, err, ErrTampered)
			if broken, _ := errors.AsType[*BrokenError](err); broken == nil || broken.Break != c.how || broken.Chain != c.chain {
				t.Errorf("got the error %v", err)
			}
		})
	}
}

func TestAnOldCopyOfAChainIsFoundByTheOthersAndOneOfAllByWhatIsKnown(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s, other := p.replica(t), p.replica(t)
		write(t, s, "a")
		write(t, other, "b")
		old := map[string][]redis.XMessage{}
		heads := map[string]map[string]string{}
		month := MonthOf(time.Now())
		for chain := range 2 {
			old[auditStream(chain, month)] = must(s.redis.XRange(t.Context(), auditStream(chain, month), "-", "+").Result())(t)
			heads[auditHeadKey(chain)] = must(s.redis.HGetAll(t.Context(), auditHeadKey(chain)).Result())(t)
		}
		restore := func(chain int) {
			stream, head := auditStream(chain, month), auditHeadKey(chain)
			must(s.redis.Del(t.Context(), stream, head).Result())(t)
			for _, m := range old[stream] {
				must(s.redis.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, ID: m.ID, Values: m.Values}).Result())(t)
			}
			must(s.redis.HSet(t.Context(), head, heads[head]).Result())(t)
		}
		write(t, s, "c")
		write(t, other, "d")
		checkpoint(t, s)
		known := must(s.Verify(t.Context()))(t).Known()
		if len(known) != 2 || !slices.ContainsFunc(known, func(k Known) bool { parsed, ok := ParseKnown(string(k)); return ok && parsed == k }) {
			t.Fatalf("known are %q", known)
		}
		write(t, other, "e")
		if _, err := s.Verify(t.Context(), known...); err != nil {
			t.Errorf("with what is known, and more: %v", err)
		}
		restore(1)
		_, err := s.Verify(t.Context())
		wantError(t, err, ErrTampered)
		restore(0)
		if _, err := s.Verify(t.Context()); err != nil {
			t.Errorf("an old copy of all: %v", err)
		}
		_, err = s.Verify(t.Context(), known...)
		if broken, _ := errors.AsType[*BrokenError](err); broken == nil || broken.Break != BreakNamed {
			t.Errorf("an old copy of all, with what is known: %v", err)
		}
	})
}

func TestChainsThatNobodyContinuesExpireAndLaterOnesVerify(t *testing.T) {
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	clock := WithClock(func() time.Time { return at })
	s := open(t, "memory", newKeys(t), clock)
	p := testRedis{url: "memory", keys: s.keys.(*keys.Keys), first: s}
	other := p.replica(t, clock)
	write(t, s, "a")
	write(t, other, "b")
	checkpoint(t, s)
	at = at.AddDate(1, 0, 0) // longer than a month is looked for
	write(t, s, "c")
	write(t, other, "d")
	checkpoint(t, s)
	must(s.Verify(t.Context()))(t)

	at = at.AddDate(4, 1, 0)
	must(s.redis.Del(t.Context(), auditStream(0, "2026-10"), auditStream(1, "2026-10")).Result())(t)
	if found := must(s.Verify(t.Context()))(t); found.Entries != 2 || found.Chains[1].Before == "" {
		t.Errorf("the first year has expired: %+v", found)
	}
	at = at.AddDate(1, 0, 0)
	must(s.redis.Del(t.Context(), auditStream(1, "2027-10"), auditHeadKey(1)).Result())(t)
	if found := must(s.Verify(t.Context()))(t); found.Entries != 1 || len(found.Chains) != 1 {
		t.Errorf("the chain of the other replica has expired: %+v", found)
	}
	at = at.AddDate(-2, 0, 0)
	_, err := s.Verify(t.Context())
	wantError(t, err, ErrTampered) // it is missing, and too recent
}

func checkpoint(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
}
