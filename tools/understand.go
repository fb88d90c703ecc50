package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
)

// Chosen is a choice of a call, by its label.
type Chosen struct {
	Path  string // of the field
	Field string // what the field is called
	Label string // what was chosen
}

// understand replaces what a call gives in words by what the bank takes: the label of a choice by its id. It returns the
// problems of what is not understood, and leaves it out. The arguments of a call that gives nothing in words are not
// changed.
func (r *Runner) understand(ctx context.Context, call *Call, request Request) (args json.RawMessage, problems []Problem) {
	tool, lang := request.Tool, request.Actor.Lang
	decoder := json.NewDecoder(bytes.NewReader(request.Args))
	decoder.UseNumber()
	var given map[string]any
	if len(request.Args) > maxArgs || decoder.Decode(&given) != nil || decoder.More() {
		return request.Args, nil // as decode reports
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	problems = tool.expand(given, lang)
	changed := len(problems) > 0
	call.given = given
	for _, field := range tool.Fields {
		group, name := within(given, field.Path)
		text, isText := group[name].(string)
		if text = strings.TrimSpace(text); !isText || text == "" {
			continue
		}
		value, wrong := field.Kind.understood(ctx, call, field, text)
		if value == nil && wrong == nil {
			continue
		}
		problems, changed = append(problems, wrong...), true
		if group[name] = value; wrong != nil {
			delete(group, name)
		}
	}
	if !changed {
		return request.Args, nil
	}
	args, err := json.Marshal(given)
	if err != nil {
		panic(err) // it was parsed from JSON
	}
	return args, problems
}

// within returns the object of the arguments that has the field at a path, nil if there is none, and the field's name in it.
func within(args map[string]any, path string) (group map[string]any, name string) {
	for {
		around, rest, nested := strings.Cut(path, ".")
		if !nested {
			return args, path
		}
		args, _ = args[around].(map[string]any)
		path = rest
	}
}

// chosen returns the choices that the arguments of a call make, by their labels.
func (r *Runner) choices(ctx context.Context, actor Actor, tool *Tool, args json.RawMessage) (all []Chosen) {
	in, _ := tool.decode(args, actor.Lang)
	if in == nil {
		return nil
	}
	for _, field := range tool.Fields {
		if _, given := field.Value(in); !given || field.Taxonomy == "" {
			continue
		}
		if label := r.shown(ctx, actor, field, in, nil); label != "" {
			all = append(all, Chosen{field.Path, field.Label(actor.Lang), label})
		}
	}
	return all
}
