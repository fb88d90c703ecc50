package bank

import (
	"slices"
	"strings"
	"unicode"
)

// vocabulary compares names of fields by the words in them.
type vocabulary struct{ groups [][]string }

// wordsIn returns the words of a name in camel case, snake case or with dots, in lower case and without a plural's «s».
func wordsIn(name string) (words []string) {
	start := 0
	runes := []rune(name)
	add := func(end int) {
		if word := strings.ToLower(string(runes[start:end])); word != "" {
			words = append(words, strings.ToLower(word))
		}
	}
	for i, c := range runes {
		switch {
		case !unicode.In(c, unicode.L, unicode.N):
			add(i)
			start = i + 1
		case i > start && unicode.IsUpper(c) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			add(i)
			start = i
		}
	}
	add(len(runes))
	return words
}

// meanings returns the words of a name, each as the first word of its group.
func (v vocabulary) meanings(name string) []string {
	text := " " + strings.Join(wordsIn(name), " ") + " "
	for _, group := range v.groups { // phrases first
		for _, phrase := range group {
			if strings.Contains(phrase, " ") {
				text = strings.ReplaceAll(text, " "+phrase+" ", " "+strings.ReplaceAll(group[0], " ", "_")+" ")
			}
		}
	}
	var all []string
	for _, word := range strings.Fields(text) {
		meaning := word
		for _, group := range v.groups {
			if slices.Contains(group, word) || len(word) > 3 && slices.Contains(group, strings.TrimSuffix(word, "s")) {
				meaning = strings.ReplaceAll(group[0], " ", "_")
				break
			}
		}
		if !slices.Contains(all, meaning) {
			all = append(all, meaning)
		}
	}
	return all
}

// weak are the words that say little of a field: what the whole object is about, and what every id is.
const weakWeight = 0.2

// likeness returns how much two names mean the same: 0 to 1. The words in about count little.
func (v vocabulary) likeness(a, b string, about []string) float64 {
	weight := func(word string) float64 {
		if word == "unique" || slices.Contains(about, word) {
			return weakWeight
		}
		return 1
	}
	left, right := v.meanings(a), v.meanings(b)
	var both, all float64
	for _, word := range left {
		all += weight(word)
		if slices.Contains(right, word) {
			both += weight(word)
		}
	}
	for _, word := range right {
		if !slices.Contains(left, word) {
			all += weight(word)
		}
	}
	if all == 0 {
		return 0
	}
	return both / all
}
