package tools

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/words"
)

// A part of the texts of a tool counts by how much it says of the tool.
const (
	weightName  = 5 // its name, title, command and words
	weightHelp  = 2 // what it does, and the name of its toolset
	weightField = 1 // the names of its fields
)

// alikeScore is what a word counts that is another form of the wanted one, and typoScore one that differs in some characters.
const (
	alikeScore = 0.7
	typoScore  = 0.4
)

// shareOfBest is the least share of the best score of a result.
const shareOfBest = 0.35

// Search returns the tools that a text is about, the best match first; all of them for an empty text. It looks for each word
// of the text in the names, titles, commands, help texts and fields of the tools, and in their texts «words», in every
// language. Case, accents and endings do not matter. A word that few tools have counts more. Of equal matches those of the core
// are first.
func (c *Catalogue) Search(text string) []*Tool {
	var wanted []string
	fillers := fillers()
	for _, word := range wordsIn(text) {
		if !slices.Contains(fillers, word) && !slices.Contains(wanted, word) {
			wanted = append(wanted, word)
		}
	}
	if len(wanted) == 0 {
		return c.Tools()
	}
	found := make(map[*Tool][]float64, len(c.tools)) // by tool, what each wanted word counts in it
	have := make([]int, len(wanted))                 // the tools that have each
	for _, tool := range c.tools {
		parts := tool.searched()
		counts := make([]float64, len(wanted))
		for i, word := range wanted {
			if counts[i] = parts.count(word); counts[i] > 0 {
				have[i]++
			}
		}
		found[tool] = counts
	}
	scores := map[*Tool]float64{}
	best := 0.0
	for tool, counts := range found {
		matched := 0.0
		for i, count := range counts {
			if count > 0 {
				matched++
				scores[tool] += count * math.Log1p(float64(len(c.tools))/float64(have[i]))
			}
		}
		scores[tool] *= matched / float64(len(wanted)) // a tool that has more of the words is the better one
		best = max(best, scores[tool])
	}
	all := slices.DeleteFunc(c.Tools(), func(t *Tool) bool { return scores[t] == 0 || scores[t] < shareOfBest*best })
	core := func(t *Tool) int {
		if t.Core {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b *Tool) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), core(a)-core(b)) })
	return all
}

// NearestName returns the tools whose names are nearest to one that is no tool's, at most three.
func (c *Catalogue) NearestName(name string) []*Tool {
	found := c.Search(strings.ReplaceAll(name, "_", " "))
	if len(found) == len(c.tools) {
		return nil
	}
	return found[:min(len(found), 3)]
}

// searchedWords are the words of a tool's texts by their weight.
type searchedWords map[float64][]string

func (t *Tool) searched() searchedWords {
	parts := searchedWords{}
	add := func(weight float64, text string) { parts[weight] = append(parts[weight], wordsIn(text)...) }
	add(weightName, strings.ReplaceAll(t.Name, "_", " "))
	add(weightHelp, t.Toolset)
	for _, lang := range words.Langs {
		add(weightName, t.Title(lang))
		add(weightName, t.Command(lang))
		if key := t.Name + ".words"; t.texts.has(lang, key) {
			add(weightName, t.texts.say(lang, key, nil))
		}
		add(weightHelp, t.Help(lang))
		for _, field := range t.Fields {
			add(weightField, field.Label(lang))
		}
	}
	return parts
}

// count returns what a wanted word counts: the most of all words that are like it.
func (s searchedWords) count(wanted string) (most float64) {
	for weight, all := range s {
		for _, word := range all {
			score := 0.0
			switch {
			case word == wanted:
				score = 1
			case alike(word, wanted) || word == wanted+"s" || wanted == word+"s":
				score = alikeScore
			case typos(word, wanted) <= min(maxTypos, utf8.RuneCountInString(wanted)/5):
				score = typoScore
			}
			most = max(most, weight*score)
		}
	}
	return most
}

// fillers are words that say nothing of an operation.
func fillers() []string {
	var all []string
	for _, lang := range words.Langs {
		all = append(all, wordsIn(engineWords.Say(lang, "search.fillers", nil))...)
	}
	return all
}

// wordsIn returns the words of a text without case and accents.
func wordsIn(text string) []string {
	return strings.FieldsFunc(Fold(text), func(c rune) bool { return !unicode.In(c, unicode.L, unicode.N) })
}
