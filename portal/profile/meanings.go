package profile

import (
	"maps"
	"slices"
)

// Meanings are what items of the bank's lists mean, by the key of the list and the name of the meaning.
type Meanings map[string]map[string]ItemMeaning

// ItemMeaning says which items of a list have a meaning.
type ItemMeaning struct {
	IDs   []int32  `json:"ids"`   // of the items, whatever the bank calls them
	Words []string `json:"words"` // phrases of what the bank calls such an item
	// Examples are ids of the bank's examples. They count where the bank does not say what an item is called, and the
	// meaning has no ids.
	Examples []int32 `json:"examples"`
}

// MeaningIn returns the name of what an item of a list means: by its id, or else by what the bank calls it, or else, if the
// bank does not say that, by the bank's examples. It is "" if that is not known.
func (p *Profile) MeaningIn(list string, id int32, description string) string {
	meanings := p.Meanings[list]
	names := slices.Sorted(maps.Keys(meanings))
	for _, name := range names {
		if slices.Contains(meanings[name].IDs, id) {
			return name
		}
	}
	if text := wordsOf(description, p.States.Breaks); len(text) > 0 {
		if found := p.phrasesIn(list, text); len(found) > 0 {
			return best(found).meaning
		}
		return ""
	}
	for _, name := range names {
		if len(meanings[name].IDs) == 0 && slices.Contains(meanings[name].Examples, id) {
			return name
		}
	}
	return ""
}

// MeaningNamed returns the name of what somebody calls an item of a list by a text all of which is a phrase of the meaning. It
// is "" if the text says more: «ex wife» is no spouse.
func (p *Profile) MeaningNamed(list, text string) string {
	all := wordsOf(text, p.States.Breaks)
	if found := p.phrasesIn(list, all); len(found) > 0 && len(best(found).at) == len(all) {
		return best(found).meaning
	}
	return ""
}

// phrasesIn returns the phrases of the meanings of a list's items in a text.
func (p *Profile) phrasesIn(list string, text []word) []phraseFound {
	phrases := map[string][]string{}
	for name, meaning := range p.Meanings[list] {
		phrases[name] = meaning.Words
	}
	return p.States.findAny(text, phrases)
}
