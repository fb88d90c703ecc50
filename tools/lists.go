package tools

import (
	"slices"
	"strings"
	"sync"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// ListName is what people call one of the bank's lists: «Estado civil» for maritalStatuses.
func ListName(lang words.Lang, list portal.TaxonomyKey) string {
	return engineWords.Say(lang, "list."+string(list), nil)
}

// namedList is a list and what it is called, folded.
type namedList struct {
	key    portal.TaxonomyKey
	names  []string // in each language
	keyToo []string // its key, and names
}

// namedLists are all lists with their names. They never change, and folding them takes longer than a search.
var namedLists = sync.OnceValue(func() (all []namedList) {
	for _, key := range portal.Taxonomies() {
		list := namedList{key: key, keyToo: []string{Fold(string(key))}}
		for _, lang := range words.Langs {
			list.names = append(list.names, Fold(ListName(lang, key)))
		}
		list.keyToo = append(list.keyToo, list.names...)
		all = append(all, list)
	}
	return all
})

// listsByName are the first of the lists with a name or key, folded.
var listsByName = sync.OnceValue(func() map[string]portal.TaxonomyKey {
	byName := map[string]portal.TaxonomyKey{}
	for _, list := range namedLists() {
		for _, name := range list.keyToo {
			if _, taken := byName[name]; !taken {
				byName[name] = list.key
			}
		}
	}
	return byName
})

// FindLists returns the lists that a text names, by their key or by their name in either language, the best match first.
// Case, accents and the plural do not matter: «estados civis» finds «Estado civil». An empty text finds all lists.
func FindLists(text string) []portal.TaxonomyKey {
	wanted := Fold(text)
	var ranked [3][]portal.TaxonomyKey
	for _, list := range namedLists() {
		best := len(ranked)
		for _, name := range list.keyToo {
			switch {
			case name == wanted:
				best = 0
			case strings.Contains(name, wanted):
				best = min(best, 1)
			case alikeWords(name, wanted):
				best = min(best, 2)
			}
		}
		if best < len(ranked) {
			ranked[best] = append(ranked[best], list.key)
		}
	}
	return slices.Concat(ranked[0], ranked[1], ranked[2])
}

// listNamed returns the list that a text names, and false where it names none or several.
func listNamed(text string) (portal.TaxonomyKey, bool) {
	if text = strings.TrimSpace(text); text == "" {
		return "", false
	}
	folded := Fold(text)
	if list, exact := listsByName()[folded]; exact {
		return list, true
	}
	found := FindLists(text)
	if len(found) == 0 {
		return "", false
	}
	var plural []portal.TaxonomyKey // that have the text's words and no others, apart from their endings
	for _, list := range namedLists() {
		if slices.Contains(found, list.key) && slices.ContainsFunc(list.names, func(name string) bool {
			return len(strings.Fields(name)) == len(strings.Fields(text)) && alikeWords(name, folded)
		}) {
			plural = append(plural, list.key)
		}
	}
	if len(plural) == 1 {
		return plural[0], true
	}
	return found[0], len(found) == 1
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
