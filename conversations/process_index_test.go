package conversations

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const aBroker, otherBroker = "broker maria@example.com", "another broker"

func TestAValueOfTheIndexIsSharedAndReplaced(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		a, b, ctx := p.replica(t), p.replica(t), t.Context()
		if _, ok, err := b.Indexed(ctx, aBroker, "rows", "1042"); ok || err != nil {
			t.Errorf("an empty index has a value: %v, %v", ok, err)
		}
		for _, value := range []string{"first", "second"} {
			if err := a.PutIndexed(ctx, aBroker, "rows", map[string][]byte{"1042": []byte(value), "1043": []byte("other")}); err != nil {
				t.Fatal(err)
			}
			if got, ok, err := b.Indexed(ctx, aBroker, "rows", "1042"); string(got) != value || !ok || err != nil {
				t.Errorf("got %q, %v, %v, want %s", got, ok, err, value)
			}
		}
		for _, elsewhere := range [][3]string{{otherBroker, "rows", "1042"}, {aBroker, "names", "1042"}, {aBroker, "rows", "1044"}} {
			if _, ok, err := b.Indexed(ctx, elsewhere[0], elsewhere[1], elsewhere[2]); ok || err != nil {
				t.Errorf("%v has a value: %v, %v", elsewhere, ok, err)
			}
		}
	}, embeddedRedis, oneNode, aCluster)
}

// indexed reads all values that were stored after since, page by page.
func indexed(t *testing.T, s *Store, since int64) (values []string, upTo int64) {
	t.Helper()
	for more := true; more; {
		var page [][]byte
		var err error
		if page, since, more, err = s.IndexedSince(t.Context(), aBroker, "rows", since); err != nil {
			t.Fatal(err)
		}
		for _, value := range page {
			values = append(values, string(value))
		}
	}
	return values, since
}

func TestAReplicaReadsWhatOthersHaveIndexedSince(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		a, b := p.replica(t), p.replica(t)
		const batches, batch = 9, 300
		for i := range batches {
			values := map[string][]byte{}
			for j := range batch {
				values[fmt.Sprint(i*batch+j)] = fmt.Append(nil, i*batch+j)
			}
			if err := a.PutIndexed(t.Context(), aBroker, "rows", values); err != nil {
				t.Fatal(err)
			}
		}
		all, upTo := indexed(t, b, 0)
		slices.Sort(all)
		if len(all) != batches*batch || len(slices.Compact(all)) != batches*batch {
			t.Fatalf("%d values, %d of them different, want %d", len(all), len(slices.Compact(all)), batches*batch)
		}
		if more, _ := indexed(t, b, upTo); more != nil {
			t.Errorf("%d values are read again", len(more))
		}
		for _, key := range []string{"7", "new"} {
			if err := a.PutIndexed(t.Context(), aBroker, "rows", map[string][]byte{key: []byte("later " + key)}); err != nil {
				t.Fatal(err)
			}
		}
		if later, _ := indexed(t, b, upTo); !slices.Equal(later, []string{"later 7", "later new"}) {
			t.Errorf("got %q", later)
		}
	})
}

func TestWhatIsNotSeenAgainLeavesTheIndex(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t, WithLives(Lives{Call: time.Minute, Index: time.Minute}))
		ctx := t.Context()
		for _, key := range []string{"removed", "seen"} {
			if err := s.PutIndexed(ctx, aBroker, "rows", map[string][]byte{key: []byte(key)}); err != nil {
				t.Fatal(err)
			}
		}
		// The time of one is set back by an hour.
		field, times := s.name("indexed", aBroker, "rows", "removed"), indexTimes(s.indexKey(aBroker, "rows"))
		if err := s.redis.ZIncrBy(ctx, times, -float64(time.Hour.Milliseconds()), field).Err(); err != nil {
			t.Fatal(err)
		}
		if err := s.PutIndexed(ctx, aBroker, "rows", map[string][]byte{"new": []byte("new")}); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]bool{"removed": false, "seen": true, "new": true} {
			if _, ok, err := s.Indexed(ctx, aBroker, "rows", key); ok != want || err != nil {
				t.Errorf("%s is there: %v, %v", key, ok, err)
			}
		}
	})
}

func TestATableOfTheIndexIsBounded(t *testing.T) {
	t.Parallel()
	s, ctx := (&testRedis{url: "memory", keys: newKeys(t)}).replica(t), t.Context()
	name := s.indexKey(aBroker, "rows")
	old := make([]redis.Z, MaxIndexed)
	for i := range old {
		old[i] = redis.Z{Score: float64(time.Now().UnixMilli() - int64(MaxIndexed-i)), Member: fmt.Sprint(i)}
	}
	if err := s.redis.ZAdd(ctx, indexTimes(name), old...).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.PutIndexed(ctx, aBroker, "rows", map[string][]byte{"a": nil, "b": nil}); err != nil {
		t.Fatal(err)
	}
	if n := must(s.redis.ZCard(ctx, indexTimes(name)).Result())(t); n > MaxIndexed {
		t.Errorf("%d values", n)
	}
	if _, ok, err := s.Indexed(ctx, aBroker, "rows", "a"); !ok || err != nil {
		t.Errorf("the newest is gone: %v", err)
	}
	large := map[string][]byte{}
	for i := range maxIndexedPage + 1 {
		large[fmt.Sprint(i)] = nil
	}
	wantError(t, s.PutIndexed(ctx, aBroker, "rows", large), ErrLimit)
}

func TestAReadingIsDoneForThoseWhoAskedBeforeItBegan(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		a, b, ctx := p.replica(t), p.replica(t), t.Context()
		before := must(a.RequestList(ctx, aBroker))(t)
		run := must(b.BeginList(ctx, aBroker))(t)
		during := must(a.RequestList(ctx, aBroker))(t)
		if before > run || during <= run {
			t.Errorf("asked before reading %d: %d, during it: %d", run, before, during)
		}
		if ok, err := b.RecordList(ctx, aBroker, run, []byte("at page 1"), false); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if done, _, wanted, reading, err := a.ListState(ctx, aBroker); done != 0 || wanted != during || string(reading) != "at page 1" || err != nil {
			t.Errorf("got %d, %d, %q, %v", done, wanted, reading, err)
		}
		later := must(b.BeginList(ctx, aBroker))(t)
		for _, each := range []int64{later, run} { // the earlier one ends last
			if ok, err := b.RecordList(ctx, aBroker, each, nil, true); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		if done, age, _, reading, err := a.ListState(ctx, aBroker); done != later || age < 0 || age > time.Minute || string(reading) != "at page 1" || err != nil {
			t.Errorf("got %d, %q, %v", done, reading, err)
		}
		for _, step := range []struct{ upTo, want int64 }{{during - 1, during}, {during, 0}} {
			if err := a.DropListRequest(ctx, aBroker, step.upTo); err != nil {
				t.Fatal(err)
			}
			if _, _, wanted, _, err := a.ListState(ctx, aBroker); wanted != step.want || err != nil {
				t.Errorf("after dropping up to %d: %d, %v", step.upTo, wanted, err)
			}
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestAReadingFromBeforeALossOfDataIsNotDone(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s, ctx := p.replica(t), t.Context()
		must(s.BeginList(ctx, aBroker))(t)
		run := must(s.BeginList(ctx, aBroker))(t)
		if err := s.redis.FlushAll(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		must(s.RequestList(ctx, aBroker))(t)
		if ok, err := s.RecordList(ctx, aBroker, run, []byte("page 2"), true); ok || err != nil {
			t.Errorf("it was recorded: %v, %v", ok, err)
		}
		if done, _, _, _, err := s.ListState(ctx, aBroker); done != 0 || err != nil {
			t.Errorf("%d is done, %v", done, err)
		}
	})
}
