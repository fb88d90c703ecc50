package tools_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// wordStore is a store of words that counts the writes, and fails on request.
type wordStore struct {
	tools.WordStore
	mu     sync.Mutex
	writes int
	err    error
}

func (s *wordStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *wordStore) Learn(ctx context.Context, list string, words map[int32]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes++; s.err != nil {
		return s.err
	}
	return s.WordStore.Learn(ctx, list, words)
}

// learners are replicas that learn, on one Redis and with one clock.
type learners struct {
	store *wordStore
	now   time.Time
	log   *logtest.Log
}

func newLearners(t *testing.T) *learners {
	return &learners{&wordStore{WordStore: testenv.Start(t, testenv.Options{Redis: redistest.Start(t)}).Store}, time.Now(), &logtest.Log{}}
}

func (l *learners) replica(bank string) *tools.Learnt {
	return tools.NewLearnt(l.store, bank, slog.New(slog.NewJSONHandler(l.log, nil)), func() time.Time { return l.now })
}

func level(id int32, text string) []portal.Description {
	return []portal.Description{{Taxonomy: "academicLevels", ID: id, Given: true, Text: text}}
}

func TestWordsAreLearntForAllReplicasOfABank(t *testing.T) {
	t.Parallel()
	l := newLearners(t)
	one, other, elsewhere := l.replica("https://bank"), l.replica("https://bank"), l.replica("https://sandbox")
	want := func(who *tools.Learnt, lang words.Lang, want map[int32]string) {
		t.Helper()
		if got := who.Words(t.Context(), "academicLevels", lang); !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	want(other, words.Portuguese, map[int32]string{})
	one.Learn(t.Context(), "pt-PT", level(3, "  Mestrado\n integrado "))
	one.Learn(t.Context(), "en", level(4, "Bachelor"))
	want(one, words.Portuguese, map[int32]string{3: "Mestrado integrado", 4: "Bachelor"})
	want(other, words.Portuguese, map[int32]string{}) // until it reads again
	l.now = l.now.Add(5 * time.Minute)
	want(other, words.Portuguese, map[int32]string{3: "Mestrado integrado", 4: "Bachelor"})
	want(elsewhere, words.Portuguese, map[int32]string{})

	one.Learn(t.Context(), "en", level(3, "Master"))
	want(one, words.English, map[int32]string{3: "Master", 4: "Bachelor"})
	want(one, words.Portuguese, map[int32]string{3: "Mestrado integrado", 4: "Bachelor"})

	l.now = l.now.Add(2 * time.Minute)
	one.Learn(t.Context(), "en", level(3, "Master's degree"))
	l.now = l.now.Add(5 * time.Minute)
	want(other, words.English, map[int32]string{3: "Master's degree", 4: "Bachelor"})

	var none *tools.Learnt
	none.Learn(t.Context(), "en", level(3, "Master"))
	want(none, words.English, map[int32]string{})
}

func TestAWordIsStoredOnceADay(t *testing.T) {
	t.Parallel()
	l := newLearners(t)
	one := l.replica("https://bank")
	for _, c := range []struct {
		after  time.Duration
		text   string
		writes int
	}{
		{0, "Mestrado", 1},
		{0, "Mestrado", 1},
		{30 * time.Second, "Mestre", 1}, // the bank says both: stored once a minute at most
		{30 * time.Second, "Mestre", 2},
		{time.Hour, "Mestre", 2},
		{24 * time.Hour, "Mestre", 3},
	} {
		l.now = l.now.Add(c.after)
		one.Learn(t.Context(), "pt-PT", level(3, c.text))
		if l.store.writes != c.writes {
			t.Errorf("%s after %v: %d writes, want %d", c.text, c.after, l.store.writes, c.writes)
		}
	}
}

func TestWhatIsNoWordOfAListIsNotLearnt(t *testing.T) {
	t.Parallel()
	l := newLearners(t)
	one := l.replica("https://bank")
	for name, said := range map[string]portal.Description{
		"no list":            {ID: 1, Given: true, Text: "Rossio"},
		"another text":       {Taxonomy: "countries", Other: true, ID: 1, Given: true, Text: "Portuguesa"},
		"no id":              {Taxonomy: "genders", Text: "Feminino"},
		"no text":            {Taxonomy: "genders", ID: 1, Given: true},
		"nothing visible":    {Taxonomy: "genders", ID: 1, Given: true, Text: " \u200b"},
		"a number of person": {Taxonomy: "genders", ID: 1, Given: true, Text: "NIF 299999998"},
		"an address":         {Taxonomy: "genders", ID: 1, Given: true, Text: "maria@example.com"},
		"a long text":        {Taxonomy: "genders", ID: 1, Given: true, Text: strings.Repeat("a", 201)},
	} {
		one.Learn(t.Context(), "en", []portal.Description{said})
		if l.store.writes > 0 || len(one.Words(t.Context(), "genders", words.English))+len(one.Words(t.Context(), "countries", words.English)) > 0 {
			t.Errorf("%s was learnt", name)
		}
	}
	var many []portal.Description
	for id := range int32(1100) {
		many = append(many, portal.Description{Taxonomy: "professions", ID: id, Given: true, Text: fmt.Sprint("profession ", id)})
	}
	one.Learn(t.Context(), "en", many)
	if got := len(one.Words(t.Context(), "professions", words.English)); got != 1000 {
		t.Errorf("%d professions were learnt, want 1000", got)
	}
}

func TestAStoreThatFailsIsTriedAgainAndNothingElseFails(t *testing.T) {
	t.Parallel()
	l := newLearners(t)
	one, other := l.replica("https://bank"), l.replica("https://bank")
	l.store.fail(errors.New("out of order"))
	one.Learn(t.Context(), "en", level(3, "Master"))
	if got := one.Words(t.Context(), "academicLevels", words.English); got[3] != "Master" {
		t.Errorf("the replica itself knows %v", got)
	}
	if !strings.Contains(l.log.String(), "out of order") || strings.Contains(l.log.String(), "Master") {
		t.Errorf("the log is %s", l.log)
	}
	l.store.fail(nil)
	one.Learn(t.Context(), "en", level(3, "Master"))
	l.now = l.now.Add(time.Minute)
	one.Learn(t.Context(), "en", level(3, "Master"))
	if got := other.Words(t.Context(), "academicLevels", words.English); got[3] != "Master" || l.store.writes != 2 {
		t.Errorf("another replica knows %v after %d writes", got, l.store.writes)
	}
}
