package profile

import (
	"cmp"
	"embed"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"

	"github.com/balcao/balcao/internal/words"
)

//go:embed words
var wordFiles embed.FS

var texts = words.Sub(wordFiles, "words")

// maxProblems is how many problems of a file are reported.
const maxProblems = 100

// Problem is an entry of a file that is wrong.
type Problem struct {
	Line int    // 0 if it is of the whole file
	Key  string // its dotted path, "" if it is of the whole file
	What string // the kind of problem: the key of its text

	args  map[string]any
	types []string // that are expected
	known []string // what could stand there
}

// Problems are everything that is wrong with a file.
type Problems struct {
	File string
	List []Problem
}

// Error returns the problems in English, in one line.
func (p *Problems) Error() string {
	return strings.ReplaceAll(strings.TrimSpace(p.Text(words.English)), "\n", "; ")
}

// Text returns a line for each problem.
func (p *Problems) Text(lang words.Lang) string {
	var text strings.Builder
	for i, problem := range p.List {
		if i == maxProblems {
			fmt.Fprintln(&text, texts.Say(lang, "more", map[string]any{"count": len(p.List) - i}))
			break
		}
		where := p.File
		if problem.Line > 0 {
			where = fmt.Sprintf("%s:%d", p.File, problem.Line)
		}
		if problem.Key != "" {
			where += ": " + bounded(problem.Key)
		}
		fmt.Fprintf(&text, "%s: %s\n", where, problem.Reason(lang))
	}
	return text.String()
}

func (p *Problems) sort() {
	slices.SortStableFunc(p.List, func(a, b Problem) int {
		return cmp.Or(a.Line-b.Line, strings.Compare(a.Key, b.Key), strings.Compare(a.What, b.What))
	})
}

// Reason says in a person's language what is wrong.
func (p Problem) Reason(lang words.Lang) string {
	args := map[string]any{"types": "", "known": ""}
	for name, value := range p.args {
		args[name] = value
	}
	types := []string{}
	for _, name := range p.types {
		types = append(types, texts.Say(lang, "type."+name, nil))
	}
	args["types"] = strings.Join(types, texts.Say(lang, "or", nil))
	if got, ok := args["got"].(string); ok && texts.Has(lang, "type."+got) {
		args["got"] = texts.Say(lang, "type."+got, nil)
	}
	reason := texts.Say(lang, "problem."+p.What, args)
	_, own := split(p.Key)
	if text, ok := p.args["text"].(string); ok {
		own = text
	}
	if near := nearest(own, p.known); near != "" {
		reason += " " + texts.Say(lang, "near", map[string]any{"near": near})
	} else if len(p.known) > 0 && len(p.known) <= 16 {
		reason += " " + texts.Say(lang, "known", map[string]any{"known": strings.Join(p.known, ", ")})
	}
	return reason
}

// nearest returns the name that a person may have meant, "" if none is near. The same characters in another order are nearer
// than others.
func nearest(text string, names []string) string {
	if len(text) > 80 {
		return ""
	}
	text = strings.ToLower(text)
	best, least := "", 2*max(2, len(text)/3)+1
	for _, name := range names {
		lower := strings.ToLower(name)
		distance := 2 * levenshtein.ComputeDistance(text, lower)
		if sorted(text) == sorted(lower) {
			distance--
		}
		if distance < least {
			best, least = name, distance
		}
	}
	return best
}

func sorted(text string) string {
	runes := []rune(text)
	slices.Sort(runes)
	return string(runes)
}

// twice is the problem of a key that is there again.
func twice(line int, key string, first int) Problem {
	return Problem{Line: line, Key: key, What: "twice", args: map[string]any{"first": first}}
}

// bounded returns a text of a file as it is printed: cut, and without characters that a terminal may obey.
func bounded(text string) string {
	const most = 200
	runes := []rune(text[:min(len(text), 4*most)])
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = '?'
		}
	}
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(runes)
}
