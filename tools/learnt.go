package tools

import (
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/singleflight"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// WordStore stores what the bank calls the ids of its lists, for all replicas.
type WordStore interface {
	Learn(ctx context.Context, list string, words map[int32]string) error
	Learnt(ctx context.Context, list string) (map[int32]string, error)
}

const (
	learntFresh   = 5 * time.Minute // after which the words that other replicas have learnt are read
	learntKept    = 24 * time.Hour  // after which a word that is seen again is stored again
	learntPause   = time.Minute     // between two attempts to store a word
	learntTimeout = 500 * time.Millisecond

	maxLearnt     = 1000 // words of one list and language
	maxLearntText = 200  // characters of a word
)

// Learnt are the words that the bank's replies use for its ids, by list and language. They stand in for a list that the
// bank does not give. Its methods may be called on nil, which learns nothing.
type Learnt struct {
	store  WordStore
	bank   string // whose words they are
	log    *slog.Logger
	now    func() time.Time
	flight singleflight.Group

	mu    sync.Mutex // guards all below
	lists map[taxonomyLang]*learntList
}

type learntList struct {
	words map[int32]learntWord
	read  time.Time // from the store
}

type learntWord struct {
	said   string // by the bank
	text   string // as it is shown
	stored string // the text that the store has
	at     time.Time
}

// NewLearnt returns the words that were learnt from a bank, which its address identifies.
func NewLearnt(store WordStore, bank string, log *slog.Logger, now func() time.Time) *Learnt {
	return &Learnt{store: store, bank: bank, log: log, now: now, lists: map[taxonomyLang]*learntList{}}
}

// Learn learns from a reply in a language; see [portal.Config]. Of the descriptions that are not in the store yet it waits
// half a second for the store. An error is logged.
func (l *Learnt) Learn(ctx context.Context, language string, said []portal.Description) {
	if l == nil {
		return
	}
	for at, fresh := range l.note(words.Match(language), said) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), learntTimeout)
		err := l.store.Learn(ctx, l.name(at), fresh)
		cancel()
		if err != nil {
			l.log.WarnContext(ctx, "storing the bank's words failed", "list", at.key, "error", err)
			continue
		}
		l.mu.Lock()
		for id, text := range fresh {
			word := l.lists[at].words[id]
			word.stored = text
			l.lists[at].words[id] = word
		}
		l.mu.Unlock()
	}
}

// note notes descriptions, and returns those that have to be stored.
func (l *Learnt) note(lang words.Lang, said []portal.Description) map[taxonomyLang]map[int32]string {
	now, fresh := l.now(), map[taxonomyLang]map[int32]string{}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range said {
		if one.Taxonomy == "" || one.Other || !one.Given || one.Text == "" {
			continue
		}
		at := taxonomyLang{one.Taxonomy, lang}
		list := l.list(at)
		word, known := list.words[one.ID]
		if !known && len(list.words) >= maxLearnt {
			continue
		}
		if !known || word.said != one.Text {
			text, ok := learnable(one.Text)
			if !ok {
				continue
			}
			word.said, word.text = one.Text, text
		}
		age := now.Sub(word.at)
		if !known || age >= learntKept || word.stored != word.text && age >= learntPause {
			word.at = now
			if fresh[at] == nil {
				fresh[at] = map[int32]string{}
			}
			fresh[at][one.ID] = word.text
		}
		list.words[one.ID] = word
	}
	return fresh
}

// learnable returns a description as it is shown. It is not learnt if it is long, or has what looks like personal data.
func learnable(said string) (text string, ok bool) {
	if utf8.RuneCountInString(said) > maxLearntText || pii.Scrub(said) != said {
		return "", false
	}
	text = strings.Join(strings.Fields(Clean(said)), " ")
	return text, text != ""
}

// Words returns what the bank calls the ids of a list: in a language where it has said it in that, else in another.
func (l *Learnt) Words(ctx context.Context, key portal.TaxonomyKey, lang words.Lang) map[int32]string {
	known := map[int32]string{}
	if l == nil {
		return known
	}
	for _, other := range words.Langs {
		if other != lang {
			maps.Copy(known, l.wordsIn(ctx, taxonomyLang{key, other}))
		}
	}
	maps.Copy(known, l.wordsIn(ctx, taxonomyLang{key, lang}))
	return known
}

func (l *Learnt) wordsIn(ctx context.Context, at taxonomyLang) map[int32]string {
	l.mu.Lock()
	stale := l.now().Sub(l.list(at).read) >= learntFresh
	l.mu.Unlock()
	if stale {
		_, _, _ = l.flight.Do(l.name(at), func() (any, error) { l.read(ctx, at); return nil, nil })
	}
	known := map[int32]string{}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, word := range l.list(at).words {
		known[id] = word.text
	}
	return known
}

// read reads the words that all replicas have learnt. If that fails, it is tried again when learntFresh is over.
func (l *Learnt) read(ctx context.Context, at taxonomyLang) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), learntTimeout)
	defer cancel()
	stored, err := l.store.Learnt(ctx, l.name(at))
	if err != nil {
		l.log.WarnContext(ctx, "reading the bank's words failed", "list", at.key, "error", err)
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.list(at)
	list.read = now
	if err != nil {
		return
	}
	maps.DeleteFunc(list.words, func(id int32, word learntWord) bool {
		_, there := stored[id]
		return !there && now.Sub(word.at) >= learntKept // it has expired
	})
	for id, text := range stored {
		word, known := list.words[id]
		switch {
		case !known && len(list.words) < maxLearnt:
			list.words[id] = learntWord{text: text, stored: text}
		case known && word.stored == word.text && text != word.text: // another replica has learnt another word
			list.words[id] = learntWord{text: text, stored: text, at: word.at}
		}
	}
}

// list returns the words of a list. The caller holds mu.
func (l *Learnt) list(at taxonomyLang) *learntList {
	if l.lists[at] == nil {
		l.lists[at] = &learntList{words: map[int32]learntWord{}}
	}
	return l.lists[at]
}

func (l *Learnt) name(at taxonomyLang) string {
	return strings.Join([]string{l.bank, string(at.key), string(at.lang)}, " ")
}
