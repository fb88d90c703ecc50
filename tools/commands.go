package tools

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"

	"github.com/balcao/balcao/internal/words"
)

// Command returns how a person types the tool's slash command in a language, without the slash: «proponente novo». The first
// word is the command's name; a second one is its verb. It is "" for a tool that people do not use.
func (t *Tool) Command(lang words.Lang) string {
	if t.AssistantsOnly {
		return ""
	}
	return t.texts.say(lang, t.Name+".command", nil)
}

// CommandName splits a tool's command into its name and its verb, which may be "".
func (t *Tool) CommandName(lang words.Lang) (name, verb string) {
	name, verb, _ = strings.Cut(t.Command(lang), " ")
	return name, verb
}

// foldedCommands returns the tool's command in every language as Fold leaves it, with a slash before it.
func (t *Tool) foldedCommands() []string {
	var commands []string
	for _, lang := range words.Langs {
		if command := Fold(t.Command(lang)); command != "" {
			commands = append(commands, "/"+command)
		}
	}
	return commands
}

// ForCommand returns the tool of a slash command and the text after it, in either language, and the rest of the text with
// single spaces between its words. ok is false for a command that is nobody's, and for a word that is not a verb of the
// command but looks like one.
func (c *Catalogue) ForCommand(command, text string) (tool *Tool, rest string, ok bool) {
	text = strings.Join(strings.Fields(text), " ") // pasted text has tabs, line ends and non-breaking spaces
	first, after, _ := strings.Cut(text, " ")
	for _, each := range c.WithCommand(command) {
		switch {
		case each.hasVerb(""):
			tool = each
		case each.hasVerb(first):
			return each, after, true
		}
	}
	if tool == nil || len(c.Nearest(command, text)) > 0 {
		return nil, "", false
	}
	return tool, text, true
}

// hasVerb reports whether the tool's command has this verb in any language; "" is that of a command without one.
func (t *Tool) hasVerb(verb string) bool {
	return slices.ContainsFunc(words.Langs, func(lang words.Lang) bool {
		_, own := t.CommandName(lang)
		return Fold(own) == Fold(verb)
	})
}

// WithCommand returns the tools whose command has this name in any language, in the catalogue's order.
func (c *Catalogue) WithCommand(command string) []*Tool {
	command = Fold(strings.TrimPrefix(command, "/"))
	return slices.DeleteFunc(c.Tools(), func(t *Tool) bool {
		return !slices.ContainsFunc(words.Langs, func(lang words.Lang) bool {
			name, _ := t.CommandName(lang)
			return name != "" && Fold(name) == command
		})
	})
}

// maxTypos is the number of letters to change, add or remove at which a word still resembles a verb of six letters or more.
// Shorter verbs allow fewer: «Nuno» is not «novo».
const maxTypos = 2

// typos returns the number of letters to change, add or remove to turn one word into the other. Two neighbours that are
// swapped count as one.
func typos(a, b string) int {
	from, to := []rune(a), []rune(b)
	for i := 1; i < len(from) && len(from) == len(to); i++ {
		if from[i-1] != to[i-1] {
			from[i-1], from[i] = from[i], from[i-1]
			if slices.Equal(from, to) {
				return 1
			}
			break
		}
	}
	return levenshtein.ComputeDistance(a, b)
}

// Nearest returns the tools of a command whose verbs are nearest to the first word of text, the nearest first; none where it
// is like none of them.
func (c *Catalogue) Nearest(command, text string) []*Tool {
	first := ""
	if all := strings.Fields(text); len(all) > 0 {
		first = Fold(all[0])
	}
	distance := map[*Tool]int{}
	for _, tool := range c.WithCommand(command) {
		for _, lang := range words.Langs {
			_, verb := tool.CommandName(lang)
			verb = Fold(verb)
			away := typos(first, verb)
			if best, found := distance[tool]; away > 0 && away <= min(maxTypos, utf8.RuneCountInString(verb)/3) && (!found || away < best) {
				distance[tool] = away
			}
		}
	}
	near := slices.DeleteFunc(c.Tools(), func(t *Tool) bool { return distance[t] == 0 })
	slices.SortStableFunc(near, func(a, b *Tool) int { return distance[a] - distance[b] })
	return near
}

// CommandHelp says what a slash command is for that has no tool of its own, only verbs; "" for any other.
func (c *Catalogue) CommandHelp(lang words.Lang, command string) string {
	for _, tool := range c.WithCommand(command) {
		name, _ := tool.CommandName(words.English)
		if key := "command." + name + ".help"; tool.texts.has(lang, key) {
			return tool.texts.say(lang, key, nil)
		}
	}
	return ""
}
