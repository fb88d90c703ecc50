package tools

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/sync/singleflight"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// How long a taxonomy is fresh, and how long it is used while the bank does not answer.
const (
	taxonomyFresh = 24 * time.Hour
	taxonomyStale = 7 * 24 * time.Hour
)

// taxonomies caches the bank's lists by language; they are the same for every broker. It holds at most one entry a
// taxonomy and language.
type taxonomies struct {
	mu     sync.Mutex
	lists  map[taxonomyLang]taxonomyList
	flight singleflight.Group
}

type taxonomyLang struct {
	key  portal.TaxonomyKey
	lang words.Lang
}

type taxonomyList struct {
	items []portal.TaxonomyItem
	read  time.Time
}

// Taxonomy returns the items of one of the bank's lists, in the actor's language.
func (c *Call) Taxonomy(ctx context.Context, key portal.TaxonomyKey) ([]portal.TaxonomyItem, error) {
	items, _, err := c.taxonomy(ctx, key)
	return items, err
}

// taxonomy also reports whether the list is fresh, or an old one that is used while the bank does not answer.
func (c *Call) taxonomy(ctx context.Context, key portal.TaxonomyKey) (items []portal.TaxonomyItem, fresh bool, err error) {
	cache, at, now := &c.runner.taxonomies, taxonomyLang{key, c.Actor.Lang}, c.runner.now()
	cache.mu.Lock()
	list := cache.lists[at]
	cache.mu.Unlock()
	if age := now.Sub(list.read); list.items != nil && age < taxonomyFresh {
		return list.items, true, nil
	}
	// One reads for all callers, without the deadline of the first; each waits until its own.
	answer := cache.flight.DoChan(string(key)+" "+string(c.Actor.Lang), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		items, err := c.Bank.Taxonomy(ctx, key)
		if err != nil {
			return nil, err
		}
		cache.mu.Lock()
		defer cache.mu.Unlock()
		cache.lists[at] = taxonomyList{items, now}
		return items, nil
	})
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case result := <-answer:
		if result.Err == nil {
			return result.Val.([]portal.TaxonomyItem), true, nil
		}
		err = result.Err
	}
	if list.items != nil && now.Sub(list.read) < taxonomyStale {
		return list.items, false, nil
	}
	return nil, false, err
}

// ReadAhead reads the lists of choices concurrently, so that a caller who needs several waits for a slow bank once. Errors are
// reported when a list is needed.
func (c *Call) ReadAhead(ctx context.Context, fields []Field) {
	var all sync.WaitGroup
	for _, field := range fields {
		if field.Taxonomy != "" {
			all.Go(func() { _, _ = c.Taxonomy(ctx, field.Taxonomy) })
		}
	}
	all.Wait()
}

// Described returns an id with its description, "" if there is no id or no list.
func (c *Call) Described(ctx context.Context, key portal.TaxonomyKey, id *int32) (int32, string) {
	if id == nil {
		return 0, ""
	}
	items, err := c.Taxonomy(ctx, key)
	if err != nil {
		return *id, ""
	}
	for _, item := range items {
		if item.ID == *id {
			return *id, item.Description
		}
	}
	return *id, ""
}

// MatchItems returns the items whose description contains text, whatever its case and accents. The description that is the
// text comes first, then those that begin with it.
func MatchItems(items []portal.TaxonomyItem, text string) []portal.TaxonomyItem {
	wanted := Fold(text)
	ranked := [3][]portal.TaxonomyItem{}
	for _, item := range items {
		switch description := Fold(item.Description); {
		case description == wanted:
			ranked[0] = append(ranked[0], item)
		case strings.HasPrefix(description, wanted):
			ranked[1] = append(ranked[1], item)
		case strings.Contains(description, wanted):
			ranked[2] = append(ranked[2], item)
		}
	}
	return slices.Concat([]portal.TaxonomyItem{}, ranked[0], ranked[1], ranked[2])
}

// Fold removes case and accents, so that «uniao» finds «União».
func Fold(s string) string {
	bare, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), s)
	if err != nil {
		bare = s
	}
	return strings.ToLower(strings.TrimSpace(bare))
}
