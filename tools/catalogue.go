package tools

import (
	"fmt"
	"slices"

	"github.com/balcao/balcao/internal/words"
)

// Catalogue is the tools that a program offers.
type Catalogue struct {
	Toolsets []*Toolset
	tools    []*Tool
}

// NewCatalogue returns a catalogue of toolsets, in the order in which people see them. It returns an error if two tools share
// a name or a command, or if a step of a tool leads to a missing tool or has an argument that the tool does not take, or if a
// prompt names a missing tool.
func NewCatalogue(toolsets ...*Toolset) (*Catalogue, error) {
	catalogue := &Catalogue{Toolsets: toolsets}
	named := map[string]*Tool{} // by name and, after a slash, by command
	for _, set := range toolsets {
		for _, tool := range set.Tools {
			for _, name := range append(tool.foldedCommands(), tool.Name) {
				if other := named[name]; other != nil && (other != tool || name == tool.Name) {
					return nil, fmt.Errorf("the tools %s and %s share a name or a command", other.Name, tool.Name)
				}
				named[name] = tool
			}
			catalogue.tools = append(catalogue.tools, tool)
		}
	}
	for _, tool := range catalogue.tools {
		if err := catalogue.checkNext(tool); err != nil {
			return nil, err
		}
	}
	for _, prompt := range catalogue.Prompts() {
		if err := catalogue.checkPrompt(prompt); err != nil {
			return nil, err
		}
	}
	return catalogue, nil
}

// lenient returns the catalogue for a bank that does not insist on the fields that it expects.
func (c *Catalogue) lenient() *Catalogue {
	changed := &Catalogue{}
	for _, set := range c.Toolsets {
		set := *set
		set.Tools = slices.Clone(set.Tools)
		for i, tool := range set.Tools {
			tool := *tool
			tool.Fields = slices.Clone(tool.Fields)
			for f, field := range tool.Fields {
				tool.Fields[f].Required = field.Required && !field.Expected
			}
			set.Tools[i] = &tool
		}
		changed.Toolsets, changed.tools = append(changed.Toolsets, &set), append(changed.tools, set.Tools...)
	}
	return changed
}

func (c *Catalogue) checkNext(tool *Tool) error {
	for name, args := range tool.Next {
		next, known := c.Named(name)
		if !known {
			return fmt.Errorf("the tool %s leads to %s, which is not in the catalogue", tool.Name, name)
		}
		for _, arg := range args {
			if _, takes := next.Field(arg); !takes {
				return fmt.Errorf("the tool %s leads to %s with %s, which it does not take", tool.Name, name, arg)
			}
		}
	}
	return nil
}

// Tools returns all tools, by toolset.
func (c *Catalogue) Tools() []*Tool { return slices.Clone(c.tools) }

// ForPeople returns the tools that people use, by toolset: those with a command.
func (c *Catalogue) ForPeople() []*Tool {
	return slices.DeleteFunc(c.Tools(), func(t *Tool) bool { return t.AssistantsOnly })
}

// Named returns the tool with a name.
func (c *Catalogue) Named(name string) (*Tool, bool) {
	i := slices.IndexFunc(c.tools, func(t *Tool) bool { return t.Name == name })
	if i < 0 {
		return nil, false
	}
	return c.tools[i], true
}

// CreatorOf returns the tool that creates what a tool edits, in which the fields of both are described; found is false if
// the tool edits nothing.
func (c *Catalogue) CreatorOf(editor *Tool) (creator *Tool, found bool) {
	i := slices.IndexFunc(c.tools, func(t *Tool) bool {
		return editor.Edits && t.Effect == Creates && t.Toolset == editor.Toolset && !slices.ContainsFunc(editor.Fields, func(f Field) bool {
			_, shared := t.Field(f.Path)
			return !shared && !f.Refers() && !f.Hidden()
		})
	})
	if i < 0 {
		return nil, false
	}
	return c.tools[i], true
}

// UndoStep returns the step that undoes an announced change of a destination's settings.
func (c *Catalogue) UndoStep(change string, lang words.Lang) Step {
	return c.labelled([]Step{NextStep("undo_change", "change", change)}, lang)[0]
}

// labelled sets the label of steps that have none.
func (c *Catalogue) labelled(steps []Step, lang words.Lang) []Step {
	steps = slices.Clone(steps)
	for i, step := range steps {
		if tool, known := c.Named(step.Tool); known && step.Label == "" {
			steps[i].Label = tool.stepLabel(lang)
		}
	}
	return steps
}

// stepLabel returns the label of a step to the tool: the text step.<tool>, or one with another prefix, or its
// title.
func (t *Tool) stepLabel(lang words.Lang, prefixes ...string) string {
	for _, prefix := range append(prefixes, "step.") {
		if key := prefix + t.Name; t.texts.has(lang, key) {
			return t.texts.say(lang, key, nil)
		}
	}
	return t.Title(lang)
}
