package tools

import (
	"cmp"
	"io/fs"
	"slices"

	"github.com/balcao/balcao/internal/words"
)

// Toolset is a group of tools that belong together, with their texts.
type Toolset struct {
	Name    string    // in lower case: how settings name it
	Tools   []*Tool   // sorted by effect, reads first, and by name; added by [Define]
	Prompts []*Prompt // added by [DefinePrompt]
	texts   texts
}

// NewToolset returns a toolset without tools. files has a folder «words» with its texts, one file for each language; see
// [words.Load].
func NewToolset(name string, files fs.FS) *Toolset {
	return &Toolset{Name: name, texts: texts{words.Sub(files, "words")}}
}

// effects is the order of tools in a toolset.
var effects = []Effect{Reads, Creates, Updates, Deletes, Sends, Remembers}

func (s *Toolset) add(tool *Tool) {
	tool.Toolset, tool.texts = s.Name, s.texts
	at, _ := slices.BinarySearchFunc(s.Tools, tool, func(a, b *Tool) int {
		return cmp.Or(slices.Index(effects, a.Effect)-slices.Index(effects, b.Effect), cmp.Compare(a.Name, b.Name))
	})
	s.Tools = slices.Insert(s.Tools, at, tool)
}

// Words returns the texts of the toolset's own files.
func (s *Toolset) Words() *words.Texts { return s.texts.own }

// HasText reports whether the toolset or the engine has a text for a key.
func (s *Toolset) HasText(lang words.Lang, key string) bool { return s.texts.has(lang, key) }
