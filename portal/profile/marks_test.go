package profile

import (
	"slices"
	"testing"
)

func TestEveryEntryOfTheBuiltInProfileHasAMark(t *testing.T) {
	p := Builtin()
	marked := []string{}
	for i := range p.Alternatives {
		marked = append(marked, index("alternatives", i))
	}
	for _, entry := range p.Entries() {
		if entry.Path != "alternatives" { // each has its own
			marked = append(marked, entry.Path)
		}
	}
	for _, path := range marked {
		mark, source := p.Mark(path)
		if !slices.Contains([]Mark{Confirmed, Seen, Inferred}, mark) || source == "" {
			t.Errorf("%s: %q %q", path, mark, source)
		}
	}
}
