package testenv

import (
	"maps"
	"slices"

	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

// WithoutTool sets the catalogue of a version of the program that does not have a tool.
func WithoutTool(name string) func(*tools.Config) {
	return func(c *tools.Config) {
		var sets []*tools.Toolset
		for _, all := range catalogue.New().Toolsets {
			set := *all
			set.Tools, set.Prompts = nil, nil
			for _, each := range all.Tools {
				tool := *each
				tool.Next = maps.Clone(each.Next)
				delete(tool.Next, name)
				set.Tools = append(set.Tools, &tool)
			}
			set.Tools = slices.DeleteFunc(set.Tools, func(tool *tools.Tool) bool { return tool.Name == name })
			sets = append(sets, &set)
		}
		var err error
		if c.Catalogue, err = tools.NewCatalogue(sets...); err != nil {
			panic(err)
		}
	}
}

// allowAll is a policy that has every call of an assistant made at once, also what deletes.
func allowAll() tools.Policy {
	policy := tools.Policy{"*": tools.Allow}
	for _, tool := range operations().Tools() {
		if tool.Effect == tools.Deletes {
			policy[tool.Name] = tools.Allow
		}
	}
	return policy
}
