package tools

import (
	"fmt"
	"slices"

	"github.com/balcao/balcao/internal/words"
)

// PromptSpec describes a prompt, besides its texts.
type PromptSpec struct {
	Name  string   // in snake_case: the prompt's name for assistants and the prefix of its texts
	Needs []string // the tools without which the prompt is not offered
	Uses  []string // the other tools that its text names, for a caller who may use them
	Args  []PromptArg
}

// PromptArg is an argument of a prompt.
type PromptArg struct {
	Name     string // the path of a field of the first of Needs, or else the name of a free text
	Required bool
}

// Prompt is a text with which a person has her assistant do a task that takes several calls. Its text names the tools that it
// speaks of by placeholders, because how a tool is called depends on what the assistant is offered.
type Prompt struct {
	PromptSpec
	texts texts
}

// DefinePrompt adds a prompt to a toolset.
func DefinePrompt(set *Toolset, spec PromptSpec) *Prompt {
	prompt := &Prompt{spec, set.texts}
	set.Prompts = append(set.Prompts, prompt)
	return prompt
}

// Prompts returns all prompts, by toolset.
func (c *Catalogue) Prompts() (all []*Prompt) {
	for _, set := range c.Toolsets {
		all = append(all, set.Prompts...)
	}
	return all
}

// checkPrompt returns an error if a prompt names a tool that is missing, or if a placeholder would have two meanings.
func (c *Catalogue) checkPrompt(prompt *Prompt) error {
	if len(prompt.Needs) == 0 {
		return fmt.Errorf("the prompt %s needs no tool", prompt.Name)
	}
	placeholders := map[string]bool{}
	for _, name := range prompt.Tools() {
		if _, known := c.Named(name); !known {
			return fmt.Errorf("the prompt %s names %s, which is not in the catalogue", prompt.Name, name)
		}
		placeholders[name] = true
	}
	for _, arg := range prompt.Args {
		placeholders[arg.Name] = true
	}
	if len(placeholders) < len(prompt.Tools())+len(prompt.Args) {
		return fmt.Errorf("the prompt %s names a tool or an argument twice", prompt.Name)
	}
	return nil
}

// Tools lists the tools that the text of the prompt may name.
func (p *Prompt) Tools() []string { return slices.Concat(p.Needs, p.Uses) }

// Title returns the prompt's name for people.
func (p *Prompt) Title(lang words.Lang) string { return p.texts.say(lang, p.Name+".title", nil) }

// Help returns what the prompt is for, in a sentence.
func (p *Prompt) Help(lang words.Lang) string { return p.texts.say(lang, p.Name+".help", nil) }

// Text returns what is said to the assistant. called has how it calls each of the tools that it may use, and args the values of
// the arguments, each by name.
func (p *Prompt) Text(lang words.Lang, called, args map[string]string) string {
	values := map[string]any{}
	for _, name := range p.Tools() {
		values[name] = called[name]
	}
	for _, arg := range p.Args {
		values[arg.Name] = args[arg.Name]
	}
	return p.texts.say(lang, p.Name+".text", values)
}

// ArgField returns the field that an argument of a prompt is a value of; ok is false if it is a free text.
func (c *Catalogue) ArgField(prompt *Prompt, arg PromptArg) (field Field, ok bool) {
	tool, known := c.Named(prompt.Needs[0])
	if !known {
		return Field{}, false
	}
	return tool.Field(arg.Name)
}

// ArgTexts returns what an argument of a prompt is called and what to give: as its field says, or else by the texts
// <prompt>.<name>.label and .help.
func (c *Catalogue) ArgTexts(lang words.Lang, prompt *Prompt, arg PromptArg) (label, help string) {
	if field, ok := c.ArgField(prompt, arg); ok {
		return field.Label(lang), field.Help(lang)
	}
	key := prompt.Name + "." + arg.Name
	return prompt.texts.say(lang, key+".label", nil), prompt.texts.say(lang, key+".help", nil)
}
