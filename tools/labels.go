package tools

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/validation"
)

// labelsNamed is the most labels that a problem names, and shortList the length up to which it names all of a list.
const (
	labelsNamed = 5
	shortList   = 10
)

// itemNamed returns the id of the item that a text names: by its label in either language, whatever case, accents and endings,
// by words that one label alone has, or by another word for what one item alone means. A text that names none or several is a
// problem that names the nearest labels.
func itemNamed(ctx context.Context, call *Call, field Field, text string) (value any, problems []Problem) {
	lang := call.Actor.Lang
	own, err := call.List(ctx, field.Taxonomy)
	if err != nil {
		return nil, []Problem{problem(lang, field.Path, "choice.unread")}
	}
	items := slices.Concat(own.Items, call.itemsInOtherLanguages(ctx, field.Taxonomy))
	if beneath, limited := call.beneath(ctx, field, func(other Field) (int32, bool) { return call.givenID(ctx, other) }); limited {
		outside := func(item portal.TaxonomyItem) bool { return !beneath(item) }
		items, own.Items = slices.DeleteFunc(items, outside), slices.DeleteFunc(slices.Clone(own.Items), outside)
	}
	near := own.Items
	for _, names := range []func(portal.TaxonomyItem) bool{
		func(item portal.TaxonomyItem) bool { return Fold(item.Description) == Fold(text) },
		func(item portal.TaxonomyItem) bool { return sameWords(item.Description, text) },
		func(item portal.TaxonomyItem) bool { return hasWords(item.Description, text) },
		call.meansTheSame(field.Taxonomy, text),
	} {
		ids := idsOf(items, names)
		switch {
		case len(ids) == 1:
			return ids[0], nil
		case len(ids) > 1:
			near = slices.DeleteFunc(slices.Clone(own.Items), func(item portal.TaxonomyItem) bool { return !slices.Contains(ids, item.ID) })
			for i, item := range near {
				if parent := call.parentName(ctx, field, item); parent != "" {
					near[i].Description += " (" + parent + ")"
				}
			}
			return nil, []Problem{problem(lang, field.Path, "choice.ambiguous", "labels", labelsOf(near, labelsNamed))}
		}
	}
	if len(near) <= shortList {
		return nil, []Problem{problem(lang, field.Path, "choice.unknown", "labels", labelsOf(near, shortList))}
	}
	nearest := nearestItems(near, text)
	return nil, []Problem{problem(lang, field.Path, "choice.unlisted", "labels", labelsOf(nearest, labelsNamed), "list", string(field.Taxonomy))}
}

// itemsInOtherLanguages returns the items of a list as the bank describes them in the languages that are not the actor's, none
// where it cannot be read.
func (c *Call) itemsInOtherLanguages(ctx context.Context, list portal.TaxonomyKey) (items []portal.TaxonomyItem) {
	for _, lang := range words.Langs {
		actor := c.Actor
		if actor.Lang == lang {
			continue
		}
		actor.Lang = lang
		other, err := c.runner.admit(ctx, actor, c.tool, Reads)
		if err != nil {
			continue
		}
		if found, err := other.List(ctx, list); err == nil {
			items = append(items, found.Items...)
		}
	}
	return items
}

// FindItems returns the items of a list that match a text in any language, described in the actor's; see [List.Match].
func (c *Call) FindItems(ctx context.Context, key portal.TaxonomyKey, text string) (list List, items []portal.TaxonomyItem, err error) {
	if list, err = c.List(ctx, key); err != nil {
		return list, nil, err
	}
	items = append([]portal.TaxonomyItem{}, list.Match(text)...)
	if strings.TrimSpace(text) == "" {
		return list, items, nil
	}
	for _, other := range MatchItems(c.itemsInOtherLanguages(ctx, key), text) {
		item, known := list.item(other.ID)
		if known && !slices.ContainsFunc(items, func(each portal.TaxonomyItem) bool { return each.ID == item.ID }) {
			items = append(items, list.marked(item))
		}
	}
	return list, items, nil
}

// idsOf returns the ids of the items for which names is true, each once.
func idsOf(items []portal.TaxonomyItem, names func(portal.TaxonomyItem) bool) (ids []int32) {
	for _, item := range items {
		if names(item) && !slices.Contains(ids, item.ID) {
			ids = append(ids, item.ID)
		}
	}
	return ids
}

// sameWords reports whether a label and a text have the same words apart from their endings.
func sameWords(label, text string) bool {
	a, b := strings.Join(wordsIn(label), " "), strings.Join(wordsIn(text), " ")
	return b != "" && alikeWords(a, b) && alikeWords(b, a)
}

// hasWords reports whether a label has all words of a text apart from their endings.
func hasWords(label, text string) bool {
	wanted := strings.Join(wordsIn(text), " ")
	return utf8.RuneCountInString(wanted) >= 3 && alikeWords(strings.Join(wordsIn(label), " "), wanted)
}

// meansTheSame returns whether an item means what a text calls it: «his wife» is the spouse.
func (c *Call) meansTheSame(list portal.TaxonomyKey, text string) func(portal.TaxonomyItem) bool {
	fillers := fillers()
	said := strings.Join(slices.DeleteFunc(wordsIn(text), func(word string) bool { return slices.Contains(fillers, word) }), " ")
	return func(item portal.TaxonomyItem) bool {
		return c.Checks().MeansNamed(string(list), validation.Item{ID: &item.ID, Description: item.Description}, said)
	}
}

// nearestItems returns the items whose labels have a word that is like one of the text, the nearest first.
func nearestItems(items []portal.TaxonomyItem, text string) []portal.TaxonomyItem {
	distance := func(item portal.TaxonomyItem) int {
		best := maxTypos + 2
		for _, word := range wordsIn(item.Description) {
			for _, wanted := range wordsIn(text) {
				away := typos(word, wanted)
				if alike(word, wanted) {
					away = min(away, 1)
				}
				if away <= utf8.RuneCountInString(wanted)/2 {
					best = min(best, away)
				}
			}
		}
		return best
	}
	near := slices.DeleteFunc(slices.Clone(items), func(item portal.TaxonomyItem) bool { return distance(item) > maxTypos+1 })
	slices.SortStableFunc(near, func(a, b portal.TaxonomyItem) int { return cmp.Compare(distance(a), distance(b)) })
	return near
}

// labelsOf returns labels for a sentence, most at most.
func labelsOf(items []portal.TaxonomyItem, most int) string {
	var labels []string
	for _, item := range items[:min(len(items), most)] {
		labels = append(labels, "«"+Clean(item.Description)+"»")
	}
	return strings.Join(labels, ", ")
}
