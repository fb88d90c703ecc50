package tools

import (
	"fmt"
	"slices"
	"strings"
)

// The names in a selection of toolsets that stand for more than one.
const (
	DefaultToolsets = "default" // every toolset that is not [Toolset.OptIn]
	AllToolsets     = "all"
)

// Only returns a catalogue with the toolsets that are named, in the order of c. A name may also be [DefaultToolsets] or
// [AllToolsets]; without names it is the former. Steps may lead to tools outside the selection: a front end leaves out
// what it does not offer. It returns an error for an unknown name, with the names that exist.
func (c *Catalogue) Only(names ...string) (*Catalogue, error) {
	if len(names) == 0 {
		names = []string{DefaultToolsets}
	}
	known := c.Selectable()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no toolset %q, only %s", name, strings.Join(known, ", "))
		}
	}
	selected := &Catalogue{}
	for _, set := range c.Toolsets {
		if slices.Contains(names, set.Name) || slices.Contains(names, AllToolsets) || !set.OptIn && slices.Contains(names, DefaultToolsets) {
			selected.Toolsets = append(selected.Toolsets, set)
			selected.tools = append(selected.tools, set.Tools...)
		}
	}
	return selected, nil
}

// Selectable lists the names that [Catalogue.Only] knows.
func (c *Catalogue) Selectable() []string {
	names := []string{DefaultToolsets, AllToolsets}
	for _, set := range c.Toolsets {
		names = append(names, set.Name)
	}
	return names
}
