package tools

import (
	"fmt"
	"slices"
	"strings"
)

// The names in a selection of tools that stand for more than one toolset.
const (
	CoreTools   = "core" // the tools of every toolset that are [Spec.Core]
	AllToolsets = "all"
)

// Only returns a catalogue with the toolsets that are named, in the order of c. A name may also be [CoreTools] or
// [AllToolsets]; without names it is the former. Steps may lead to tools outside the selection: a front end leaves out
// what it does not offer. It returns an error for an unknown name, with the names that exist.
func (c *Catalogue) Only(names ...string) (*Catalogue, error) {
	if len(names) == 0 {
		names = []string{CoreTools}
	}
	known := c.Selectable()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no toolset %q, only %s", name, strings.Join(known, ", "))
		}
	}
	whole := func(set *Toolset) bool {
		return slices.Contains(names, set.Name) || slices.Contains(names, AllToolsets)
	}
	core := slices.Contains(names, CoreTools)
	selected := &Catalogue{}
	for _, set := range c.Toolsets {
		part := *set
		part.Tools = slices.DeleteFunc(slices.Clone(set.Tools), func(t *Tool) bool { return !whole(set) && !(core && t.Core) })
		if len(part.Tools) > 0 {
			selected.Toolsets = append(selected.Toolsets, &part)
			selected.tools = append(selected.tools, part.Tools...)
		}
	}
	return selected, nil
}

// Selectable lists the names that [Catalogue.Only] knows.
func (c *Catalogue) Selectable() []string {
	names := []string{CoreTools, AllToolsets}
	for _, set := range c.Toolsets {
		names = append(names, set.Name)
	}
	return names
}
