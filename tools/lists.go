package tools

import (
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// ListName is what people call one of the bank's lists: «Estado civil» for maritalStatuses.
func ListName(lang words.Lang, list portal.TaxonomyKey) string {
	return engineWords.Say(lang, "list."+string(list), nil)
}

// FindLists returns the lists that a text names, by their key or by their name in either language, the best match first.
// Case, accents and the plural do not matter: «estados civis» finds «Estado civil». An empty text finds all lists.
func FindLists(text string) []portal.TaxonomyKey {
	wanted := Fold(text)
	var ranked [3][]portal.TaxonomyKey
	for _, list := range portal.Taxonomies() {
		best := len(ranked)
		names := []string{string(list)}
		for _, lang := range words.Langs {
			names = append(names, ListName(lang, list))
		}
		for _, name := range names {
			switch name = Fold(name); {
			case name == wanted:
				best = 0
			case strings.Contains(name, wanted):
				best = min(best, 1)
			case alikeWords(name, wanted):
				best = min(best, 2)
			}
		}
		if best < len(ranked) {
			ranked[best] = append(ranked[best], list)
		}
	}
	return slices.Concat(ranked[0], ranked[1], ranked[2])
}

// listNamed returns the list that a text names, and false where it names none or several.
func listNamed(text string) (portal.TaxonomyKey, bool) {
	if text = strings.TrimSpace(text); text == "" {
		return "", false
	}
	found := FindLists(text)
	if len(found) == 0 {
		return "", false
	}
	var plural []portal.TaxonomyKey // that have the text's words and no others, apart from their endings
	for _, list := range found {
		if slices.ContainsFunc(words.Langs, func(lang words.Lang) bool {
			name := Fold(ListName(lang, list))
			return len(strings.Fields(name)) == len(strings.Fields(text)) && alikeWords(name, Fold(text))
		}) {
			plural = append(plural, list)
		}
	}
	exact := slices.ContainsFunc(words.Langs, func(lang words.Lang) bool { return Fold(ListName(lang, found[0])) == Fold(text) })
	if exact = exact || Fold(string(found[0])) == Fold(text); !exact && len(plural) == 1 {
		return plural[0], true
	}
	return found[0], exact || len(found) == 1
}

// listSeparator is between a list and the parent of its items in a [portal.TaxonomyKey] that a person named: «counties/Lisboa».
const listSeparator = "/"

// SplitList returns the list that a person named, and the parent of the items if she named one: «concelhos de Lisboa».
func SplitList(named portal.TaxonomyKey) (list portal.TaxonomyKey, parent string) {
	key, parent, _ := strings.Cut(string(named), listSeparator)
	return portal.TaxonomyKey(key), parent
}

// listWithParent returns the list that the beginning of a text names, and the parent of its items that the rest does.
func listWithParent(text string) (named portal.TaxonomyKey, ok bool) {
	for _, word := range []string{" de ", " do ", " da ", " dos ", " das ", " em ", " of ", " in "} {
		before, after, found := strings.Cut(text, word)
		if list, known := listNamed(before); found && known && ParentList(list) != "" && strings.TrimSpace(after) != "" {
			return list + listSeparator + portal.TaxonomyKey(strings.TrimSpace(after)), true
		}
	}
	return "", false
}

// alikeWords reports whether each word of the text is a word of the name, apart from its ending.
func alikeWords(name, text string) bool {
	inName := strings.Fields(name)
	for _, word := range strings.Fields(text) {
		if !slices.ContainsFunc(inName, func(other string) bool { return alike(word, other) }) {
			return false
		}
	}
	return true
}

// alike reports whether two words begin with the same four letters or more and end within three letters of that.
func alike(a, b string) bool {
	common := 0
	for common < min(len(a), len(b)) && a[common] == b[common] {
		common++
	}
	return a == b || common >= 4 && max(len(a), len(b))-common <= 3
}
