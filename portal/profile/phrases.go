package profile

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxBetween = 3 // words of a text between two words of a phrase
	maxWords   = 60
	maxWhole   = 3 // characters of a word that does not stand for longer ones
)

// word is a word of a text, folded, and the number of its clause.
type word struct {
	text   string
	clause int
}

// wordsOf returns the words of a text without case and accents. A clause ends at punctuation, at a dash between spaces, and
// before each of the words in breaks.
func wordsOf(text string, breaks []string) []word {
	var words []word
	var current strings.Builder
	clause, before := 0, ' '
	end := func() {
		if current.Len() == 0 {
			return
		}
		if slices.Contains(breaks, current.String()) {
			clause++
		}
		words = append(words, word{current.String(), clause})
		current.Reset()
	}
	for _, c := range norm.NFD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, c):
			continue
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			current.WriteRune(unicode.ToLower(c))
		case c == '-':
			if end(); unicode.IsSpace(before) {
				clause++
			}
		case unicode.IsPunct(c):
			end()
			clause++
		default:
			end()
		}
		if before = c; len(words) >= maxWords {
			return words
		}
	}
	end()
	return words
}

// phraseWords returns the words of a phrase. Most phrases are folded already.
func phraseWords(phrase string) []string {
	if strings.IndexFunc(phrase, func(c rune) bool { return c != ' ' && (c < 'a' || c > 'z') }) < 0 {
		return strings.Fields(phrase)
	}
	var texts []string
	for _, word := range wordsOf(phrase, nil) {
		texts = append(texts, word.text)
	}
	return texts
}

// phraseFound is a phrase of a meaning in a text.
type phraseFound struct {
	meaning string
	ends    End
	at      []int // its words in the text
	clause  int   // of the first
	clauses int   // how many end between its words
	length  int   // of the phrase, in characters
}

// inWords returns the name of the meaning that a description has. Of two meanings, one that does not end the process counts
// if it begins first: «Avaliação concluída» is about the valuation. If it follows in the same clause, as in «Cancelada a
// avaliação», the text says of something else that it has ended, and its meaning is not known.
func (s States) inWords(description string) (name string, known bool) {
	var open, ended []phraseFound
	for _, f := range s.find(wordsOf(description, s.Breaks)) {
		if f.ends == Open {
			open = append(open, f)
		} else {
			ended = append(ended, f)
		}
	}
	candidates := open
	if len(ended) > 0 {
		first := slices.MinFunc(ended, func(a, b phraseFound) int { return cmp.Compare(a.at[0], b.at[0]) })
		switch {
		case slices.ContainsFunc(open, func(f phraseFound) bool { return f.at[0] <= first.at[0] }):
		case slices.ContainsFunc(open, func(f phraseFound) bool { return f.clause == first.clause }):
			return "", false
		default:
			candidates = ended
		}
	}
	if slices.ContainsFunc(candidates, func(f phraseFound) bool { return f.ends == Cancelled }) { // «Encerrado: cancelado»
		candidates = slices.DeleteFunc(candidates, func(f phraseFound) bool { return f.ends == Granted })
	}
	if len(candidates) == 0 {
		return "", false
	}
	return best(candidates).meaning, true
}

// best returns the phrase that counts, of one or more.
func best(found []phraseFound) phraseFound {
	return slices.MinFunc(found, func(a, b phraseFound) int {
		return cmp.Or(cmp.Compare(len(b.at), len(a.at)), cmp.Compare(a.clauses, b.clauses), cmp.Compare(a.at[0], b.at[0]), cmp.Compare(b.length, a.length))
	})
}

// find returns the phrases of the meanings of states in a text.
func (s States) find(text []word) []phraseFound {
	phrases := map[string][]string{}
	for name, meaning := range s.Meanings {
		phrases[name] = meaning.Words
	}
	found := s.findAny(text, phrases)
	for i, f := range found {
		found[i].ends = s.Meanings[f.meaning].Ends
	}
	return found
}

// findAny returns phrases in a text, but for those that are part of a longer one, by the name of their meaning.
func (s States) findAny(text []word, phrases map[string][]string) []phraseFound {
	var all []phraseFound
	for _, name := range slices.Sorted(maps.Keys(phrases)) {
		for _, phrase := range phrases[name] {
			if at := s.match(text, phraseWords(phrase)); at != nil {
				all = append(all, phraseFound{
					meaning: name, at: at,
					clause: text[at[0]].clause, clauses: text[at[len(at)-1]].clause - text[at[0]].clause, length: utf8.RuneCountInString(phrase),
				})
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(f phraseFound) bool {
		return slices.ContainsFunc(all, func(longer phraseFound) bool {
			return len(longer.at) > len(f.at) && !slices.ContainsFunc(f.at, func(i int) bool { return !slices.Contains(longer.at, i) })
		})
	})
}

// position returns the number of words in a text before a phrase; ok is false if the text does not have it.
func (s States) position(text, phrase string) (before int, ok bool) {
	at := s.match(wordsOf(text, s.Breaks), phraseWords(phrase))
	if at == nil {
		return 0, false
	}
	return at[0], true
}

// match returns where the words of a phrase are in a text, nil if the text does not have them or negates them.
func (s States) match(text []word, phrase []string) []int {
	for start := range text {
		if at := matchAt(text, phrase, start); at != nil && !s.negated(text, at) {
			return at
		}
	}
	return nil
}

// matchAt is match for a phrase that begins at a word of the text.
func matchAt(text []word, phrase []string, start int) (at []int) {
	next := start
	for i, want := range phrase {
		last := min(next+maxBetween, len(text)-1)
		if i == 0 {
			last = start
		}
		for ; next <= last && !begins(text[next].text, want); next++ {
		}
		if next > last {
			return nil
		}
		at = append(at, next)
		next++
	}
	return at
}

// begins reports whether a word of a text is one that a word of a phrase stands for.
func begins(text, phrase string) bool {
	return text == phrase || utf8.RuneCountInString(phrase) > maxWhole && strings.HasPrefix(text, phrase)
}

// negated reports whether a negation that is not part of a phrase stands before one of its words in the same clause.
func (s States) negated(text []word, at []int) bool {
	for _, i := range at {
		for before := i - 1; before >= 0 && text[before].clause == text[i].clause; before-- {
			if slices.Contains(s.Negations, text[before].text) && !slices.Contains(at, before) {
				return true
			}
		}
	}
	return false
}
