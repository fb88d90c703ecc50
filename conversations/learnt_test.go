package conversations

import (
	"maps"
	"strings"
	"testing"
	"time"
)

func TestLearntWordsAreSharedAndLastNinetyDaysAfterTheyWereSeen(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
		clock := WithClock(func() time.Time { return now })
		one, other := p.replica(t, clock), p.replica(t, clock)
		learn := func(list string, words map[int32]string) {
			t.Helper()
			if err := one.Learn(t.Context(), list, words); err != nil {
				t.Fatal(err)
			}
		}
		want := func(list string, want map[int32]string) {
			t.Helper()
			if got, err := other.Learnt(t.Context(), list); err != nil || !maps.Equal(got, want) {
				t.Errorf("%s has %v, %v; want %v", list, got, err, want)
			}
		}
		want("academicLevels pt-PT", nil)
		learn("academicLevels pt-PT", map[int32]string{3: "Mestrado", 4: "Licenciado"})
		learn("academicLevels pt-PT", nil)
		learn("academicLevels en", map[int32]string{3: "Master"})
		want("academicLevels pt-PT", map[int32]string{3: "Mestrado", 4: "Licenciado"})
		want("academicLevels en", map[int32]string{3: "Master"})

		now = now.Add(60 * 24 * time.Hour)
		learn("academicLevels pt-PT", map[int32]string{4: "Licenciatura"})
		want("academicLevels pt-PT", map[int32]string{3: "Mestrado", 4: "Licenciatura"})
		now = now.Add(31 * 24 * time.Hour)
		want("academicLevels pt-PT", map[int32]string{4: "Licenciatura"})

		key := one.learntKey("academicLevels pt-PT")
		if life, err := one.redis.PTTL(t.Context(), key).Result(); err != nil || life <= 0 || life > LearntLife {
			t.Errorf("the key lives for %v, %v", life, err)
		}
	})
}

func TestLearntWordsHaveALimitOfNumberAndLength(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		many := map[int32]string{}
		for id := range int32(maxLearnt) {
			many[id] = "a"
		}
		for _, words := range []map[int32]string{many, {5: "b", maxLearnt + 5: "c"}} {
			if err := s.Learn(t.Context(), "professions", words); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Learnt(t.Context(), "professions")
		if err != nil || len(got) != maxLearnt || got[5] != "b" {
			t.Errorf("%d words are stored, the sixth is %q, %v", len(got), got[5], err)
		}
		wantError(t, s.Learn(t.Context(), "professions", map[int32]string{1: strings.Repeat("a", maxLearntText+1)}), ErrLimit)
	})
}

func TestALearntWordThatWasMovedIsNotRead(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		if err := s.Learn(t.Context(), "genders", map[int32]string{1: "Feminino", 2: "Masculino"}); err != nil {
			t.Fatal(err)
		}
		key := s.learntKey("genders")
		sealed := must(s.redis.HGet(t.Context(), key, "1").Result())(t)
		must(s.redis.HSet(t.Context(), key, "2", sealed).Result())(t)
		_, err := s.Learnt(t.Context(), "genders")
		wantError(t, err, ErrSealed)
	})
}
