package tools

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// List is one of the bank's lists, in the actor's language.
type List struct {
	Items  []portal.TaxonomyItem // to choose from
	Origin Origin
	lang   words.Lang
	fresh  bool             // the bank's list of today
	own    map[int32]bool   // the items of Balcão's own list; they are the last
	learnt map[int32]string // what replies said of ids
}

// Origin is where the items of a list are from.
type Origin string

// The origins.
const (
	FromBank    Origin = "bank"    // its list, perhaps some days old
	FromReplies Origin = "replies" // only the items that replies had, since the list cannot be read
	FromOwn     Origin = "own"     // the bank has no operation for the list: items that replies had, and Balcão's own
)

// Match returns the items that match a text, as [MatchItems], marked where they are of Balcão's own list.
func (l List) Match(text string) []portal.TaxonomyItem {
	items := MatchItems(l.Items, text)
	for i := range items {
		items[i] = l.marked(items[i])
	}
	return items
}

func (l List) marked(item portal.TaxonomyItem) portal.TaxonomyItem {
	if l.own[item.ID] {
		item.Description = engineWords.Say(l.lang, "choice.own", map[string]any{"text": item.Description})
	}
	return item
}

// item returns the item with an id, without a mark; also one that is not in the list and that replies had.
func (l List) item(id int32) (portal.TaxonomyItem, bool) {
	for _, item := range l.Items {
		if item.ID == id {
			return item, true
		}
	}
	text, known := l.learnt[id]
	return portal.TaxonomyItem{ID: id, Description: text}, known
}

// List returns one of the bank's lists. If it cannot be read, the items that replies had are the list; without any it returns
// the error.
func (c *Call) List(ctx context.Context, key portal.TaxonomyKey) (List, error) {
	items, fresh, err := c.withParents(ctx, key)
	list := List{Items: items, Origin: FromBank, lang: c.Actor.Lang, fresh: fresh, learnt: c.runner.Learnt.Words(ctx, key, c.Actor.Lang)}
	switch {
	case err != nil && len(list.learnt) == 0:
		return List{}, err
	case err != nil:
		list.Origin, list.Items = FromReplies, learntItems(list.learnt)
	case c.Bank.OwnList(key):
		list.Origin, list.fresh = FromOwn, false
		list.completeWith(items)
	}
	return list, nil
}

// completeWith lets the items that replies had be followed by those of Balcão's own list, but for the ids and the words that
// replies had: of these it is wrong.
func (l *List) completeWith(own []portal.TaxonomyItem) {
	l.Items, l.own = learntItems(l.learnt), map[int32]bool{}
	for _, item := range own {
		said := slices.ContainsFunc(l.Items, func(other portal.TaxonomyItem) bool { return Fold(other.Description) == Fold(item.Description) })
		if _, learnt := l.learnt[item.ID]; !learnt && !said {
			l.own[item.ID] = true
			l.Items = append(l.Items, item)
		}
	}
}

func learntItems(learnt map[int32]string) []portal.TaxonomyItem {
	var items []portal.TaxonomyItem
	for _, id := range slices.Sorted(maps.Keys(learnt)) {
		items = append(items, portal.TaxonomyItem{ID: id, Description: learnt[id]})
	}
	return items
}

// ReadAhead reads the lists of choices concurrently, so that a caller who needs several waits for a slow bank once. Errors are
// reported when a list is needed.
func (c *Call) ReadAhead(ctx context.Context, fields []Field) {
	var all sync.WaitGroup
	for _, field := range fields {
		if field.Taxonomy != "" {
			all.Go(func() { _, _, _ = c.taxonomy(ctx, field.Taxonomy) })
		}
	}
	all.Wait()
}

// Described returns an id with its description, for rules; "" if there is no id, or no word for it.
func (c *Call) Described(ctx context.Context, key portal.TaxonomyKey, id *int32) (int32, string) {
	if id == nil {
		return 0, ""
	}
	list, err := c.List(ctx, key)
	if err != nil {
		return *id, ""
	}
	item, _ := list.item(*id)
	return *id, item.Description
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

// withoutAccents has transformers that remove accents. Each has large buffers.
var withoutAccents = sync.Pool{New: func() any {
	return transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
}}

// Fold removes case and accents, so that «uniao» finds «União».
func Fold(s string) string {
	if isASCII(s) { // most names are, and the general way takes twenty times as long
		return strings.ToLower(strings.TrimSpace(s))
	}
	without := withoutAccents.Get().(transform.Transformer)
	defer withoutAccents.Put(without)
	bare, _, err := transform.String(without, s)
	if err != nil {
		bare = s
	}
	return strings.ToLower(strings.TrimSpace(bare))
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c > unicode.MaxASCII })
}
