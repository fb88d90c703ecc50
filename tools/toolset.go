package tools

import (
	"io/fs"

	"github.com/balcao/balcao/internal/words"
)

// Toolset is a group of tools that belong together, with their texts.
type Toolset struct {
	Name  string  // in lower case: how settings name it
	Tools []*Tool // in the order in which people meet them
	OptIn bool    // whether assistants get it only when a setting names it
	texts texts
}

// NewToolset makes a toolset. files has a folder «words» with its texts, one file for each language; see [words.Load]. It
// panics when one is missing: the files are embedded.
func NewToolset(name string, files fs.FS, tools ...*Tool) *Toolset {
	set := &Toolset{Name: name, Tools: tools, texts: texts{words.Sub(files, "words")}}
	for _, tool := range tools {
		tool.Toolset, tool.texts = name, set.texts
	}
	return set
}

// Words are the texts of the toolset's own files.
func (s *Toolset) Words() *words.Texts { return s.texts.own }

// HasText tells whether there is a text for a key, of the toolset's own or of those that all share.
func (s *Toolset) HasText(lang words.Lang, key string) bool { return s.texts.has(lang, key) }
