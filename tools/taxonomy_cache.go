package tools

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/balcao/balcao/internal/pause"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// How long a taxonomy is fresh, and how long it is used while the bank does not answer.
const (
	taxonomyFresh = 24 * time.Hour
	taxonomyStale = 7 * 24 * time.Hour
)

const (
	maxTaxonomyItems = 50_000                // in the memory of one replica
	taxonomyLease    = readTimeout           // of the replica that reads a list for all
	taxonomyPause    = 50 * time.Millisecond // between two looks whether it has
	taxonomyUnread   = 5 * time.Minute       // after which a nested list that could not be read is tried again
)

// taxonomies caches the bank's lists by language; they are the same for every broker. They are in the store, where one replica
// reads them for all, and in memory, where there is at most one entry for a taxonomy and language.
type taxonomies struct {
	mu     sync.Mutex
	lists  map[taxonomyLang]taxonomyList
	unread map[taxonomyLang]time.Time // when a list that stands in for another could not be read
	flight singleflight.Group
}

type taxonomyLang struct {
	key  portal.TaxonomyKey
	lang words.Lang
}

// taxonomyList is a list as it is stored. It has nothing personal.
type taxonomyList struct {
	Items []portal.TaxonomyItem `json:"items"`
	Read  time.Time             `json:"read"`
}

func (l taxonomyList) fresh(now time.Time) bool  { return l.within(now, taxonomyFresh) }
func (l taxonomyList) usable(now time.Time) bool { return l.within(now, taxonomyStale) }

func (l taxonomyList) within(now time.Time, life time.Duration) bool {
	return l.Items != nil && now.Sub(l.Read) < life
}

func (t *taxonomies) get(at taxonomyLang) taxonomyList {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lists[at]
}

// keep adds a list to those in memory, unless that has a newer one.
func (t *taxonomies) keep(at taxonomyLang, list taxonomyList) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lists[at].Read.After(list.Read) {
		return
	}
	size := len(list.Items)
	for _, other := range t.lists {
		size += len(other.Items)
	}
	if size > maxTaxonomyItems {
		clear(t.lists) // they are read from the store again
	}
	t.lists[at] = list
}

// taxonomy reads one of the bank's lists. It reports whether the list is fresh, or an old one that is used while the bank does
// not answer.
func (c *Call) taxonomy(ctx context.Context, key portal.TaxonomyKey) (items []portal.TaxonomyItem, fresh bool, err error) {
	if items, local := c.Bank.LocalTaxonomy(key); local {
		return items, true, nil
	}
	cache, at, now := &c.runner.taxonomies, taxonomyLang{key, c.Actor.Lang}, c.runner.now()
	list := cache.get(at)
	if list.fresh(now) {
		return list.Items, true, nil
	}
	// One reads for all callers, without the deadline of the first; each waits until its own.
	answer := cache.flight.DoChan(string(key)+" "+string(c.Actor.Lang), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		return nil, c.refreshTaxonomy(ctx, at)
	})
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case result := <-answer:
		err = result.Err
	}
	switch list = cache.get(at); {
	case err == nil || list.fresh(now):
		return list.Items, true, nil
	case list.usable(now):
		return list.Items, false, nil
	}
	return nil, false, err
}

// refreshTaxonomy reads a list from the store or, if that has no fresh one, from the bank: of all replicas one does. The others
// wait for it, and read the list themselves if it fails. Without the store each replica asks the bank.
func (c *Call) refreshTaxonomy(ctx context.Context, at taxonomyLang) error {
	cache, name := &c.runner.taxonomies, c.taxonomyName(at)
	for {
		if c.storedTaxonomy(ctx, at, name) {
			return nil
		}
		ran, err := c.runner.Index.WithLease(ctx, "taxonomy "+name, taxonomyLease, func(ctx context.Context) error {
			if c.storedTaxonomy(ctx, at, name) { // meanwhile
				return nil
			}
			return c.readTaxonomy(ctx, at, name)
		})
		switch {
		case ran:
			return err
		case err != nil: // the store does not answer
			return c.readTaxonomy(ctx, at, name)
		case !pause.For(ctx, taxonomyPause):
			if cache.get(at).usable(c.runner.now()) {
				return nil
			}
			return ctx.Err()
		}
	}
}

// storedTaxonomy takes a list from the store into memory. It reports whether the list is fresh.
func (c *Call) storedTaxonomy(ctx context.Context, at taxonomyLang, name string) bool {
	data, known, err := c.runner.Index.Get(ctx, "taxonomy", name)
	var list taxonomyList
	switch {
	case err != nil:
		c.runner.Log.WarnContext(ctx, "reading a list from the store failed", "list", string(at.key), "error", pii.Scrub(err.Error()))
		return false
	case !known || json.Unmarshal(data, &list) != nil || list.Items == nil: // or of another version
		return false
	}
	c.runner.taxonomies.keep(at, list)
	return list.fresh(c.runner.now())
}

// readTaxonomy reads a list from the bank and stores it.
func (c *Call) readTaxonomy(ctx context.Context, at taxonomyLang, name string) error {
	items, err := c.Bank.Taxonomy(ctx, at.key)
	if err != nil {
		return err
	}
	if items == nil {
		items = []portal.TaxonomyItem{}
	}
	list := taxonomyList{items, c.runner.now().UTC()}
	c.runner.taxonomies.keep(at, list)
	data, err := json.Marshal(list)
	if err == nil {
		err = c.runner.Index.Put(ctx, "taxonomy", name, data, taxonomyStale)
	}
	if err != nil {
		c.runner.Log.WarnContext(ctx, "storing a list failed", "list", string(at.key), "error", pii.Scrub(err.Error()))
	}
	return nil
}

// taxonomyName is the name of a list in the store: a bank or a profile that has other lists has other names.
func (c *Call) taxonomyName(at taxonomyLang) string {
	return strings.Join([]string{string(at.key), string(at.lang), c.Bank.TaxonomyVersion()}, " ")
}

// nestedIn are the lists that have the items of another inside those of its parents.
var nestedIn = map[portal.TaxonomyKey]portal.TaxonomyKey{
	"districts": "countryWithDistricts", "counties": "districtsWithCounties", "parishes": "countyWithParishes",
}

// withParents reads one of the bank's lists. Where the list cannot be read, or does not say what its items belong to, they are
// taken from the list that has them inside their parents, if the bank has that one.
func (c *Call) withParents(ctx context.Context, key portal.TaxonomyKey) (items []portal.TaxonomyItem, fresh bool, err error) {
	items, fresh, err = c.taxonomy(ctx, key)
	nested, has := nestedIn[key]
	if !has || err == nil && hasParents(items) || c.unreadBefore(nested) {
		return items, fresh, err
	}
	parents, newer, failed := c.taxonomy(ctx, nested)
	inside := []portal.TaxonomyItem{}
	for _, parent := range parents {
		inside = append(inside, parent.Children...)
	}
	if failed != nil || len(inside) == 0 {
		c.noteUnread(nested)
		return items, fresh, err
	}
	return inside, newer, nil
}

func hasParents(items []portal.TaxonomyItem) bool {
	for _, item := range items {
		if item.ParentID != 0 {
			return true
		}
	}
	return false
}

func (c *Call) unreadBefore(key portal.TaxonomyKey) bool {
	t := &c.runner.taxonomies
	t.mu.Lock()
	defer t.mu.Unlock()
	at, tried := t.unread[taxonomyLang{key, c.Actor.Lang}]
	return tried && c.runner.now().Sub(at) < taxonomyUnread
}

func (c *Call) noteUnread(key portal.TaxonomyKey) {
	t := &c.runner.taxonomies
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unread[taxonomyLang{key, c.Actor.Lang}] = c.runner.now()
}
