package mcpapp

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// The longest arguments of a prompt, in characters.
const (
	maxPromptRef  = 100  // what names something, such as a process
	maxPromptText = 8000 // a free text
)

// missingPrompt is a name that no prompt has.
const missingPrompt = "missing"

// addPrompts offers the prompts whose tools can be called.
func (a *App) addPrompts() {
	for _, prompt := range a.config.Runner.Catalogue.Prompts() {
		if slices.ContainsFunc(prompt.Needs, func(name string) bool { return a.tools[name] == nil }) {
			continue
		}
		a.prompts[prompt.Name] = prompt
		a.server.AddPrompt(a.promptIn(words.English, prompt), a.getPrompt)
	}
}

// promptIn returns the definition of a prompt. Unlike those of tools, its texts are for people: clients show them as commands.
func (a *App) promptIn(lang words.Lang, prompt *tools.Prompt) mcp.Prompt {
	shown := mcp.Prompt{Name: prompt.Name, Title: prompt.Title(lang), Description: prompt.Help(lang)}
	for _, arg := range prompt.Args {
		label, help := a.config.Runner.Catalogue.ArgTexts(lang, prompt, arg)
		shown.Arguments = append(shown.Arguments, mcp.PromptArgument{Name: arg.Name, Title: label, Description: help, Required: arg.Required})
	}
	return shown
}

// filterPrompts returns the prompts that the caller may use, in its language.
func (a *App) filterPrompts(ctx context.Context, all []mcp.Prompt) []mcp.Prompt {
	offered := []mcp.Prompt{}
	for _, each := range all {
		if prompt := a.prompts[each.Name]; a.offersAll(ctx, prompt.Needs) {
			offered = append(offered, a.promptIn(callerOf(ctx).Lang, prompt))
		}
	}
	return offered
}

func (a *App) offersAll(ctx context.Context, names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !a.offers(ctx, name) })
}

// offers reports whether the caller may use a tool, and is not refused by the policy for assistants.
func (a *App) offers(ctx context.Context, name string) bool {
	return a.permits(ctx, name) && a.config.Runner.Policy.Of(a.tools[name]) != tools.Deny
}

// checkPrompt replaces the name in a request with wrong arguments by one that no prompt has, so that the library answers with
// the right code, and does not repeat what it was given.
func (a *App) checkPrompt(_ context.Context, _ any, request *mcp.GetPromptRequest) {
	prompt, known := a.prompts[request.Params.Name]
	if !known || !a.takes(prompt, request.Params.Arguments) {
		request.Params.Name = missingPrompt
	}
}

// takes reports whether a prompt takes these arguments.
func (a *App) takes(prompt *tools.Prompt, given map[string]string) bool {
	for name := range given {
		if !slices.ContainsFunc(prompt.Args, func(arg tools.PromptArg) bool { return arg.Name == name }) {
			return false
		}
	}
	for _, arg := range prompt.Args {
		longest := maxPromptText
		if _, names := a.config.Runner.Catalogue.ArgField(prompt, arg); names {
			longest = maxPromptRef
		}
		value := strings.TrimSpace(given[arg.Name])
		if arg.Required && value == "" || utf8.RuneCountInString(value) > longest {
			return false
		}
	}
	return true
}

// getPrompt returns what the person says to the assistant. A free text that she gave is a message of its own, after the task.
func (a *App) getPrompt(ctx context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	prompt, lang := a.prompts[request.Params.Name], callerOf(ctx).Lang
	called, rules := map[string]string{}, map[string]bool{}
	for _, name := range prompt.Tools() {
		if a.offers(ctx, name) {
			called[name] = a.spokenCall(lang, a.tools[name])
			decision := a.config.Runner.Policy.Of(a.tools[name])
			rules["prompt.waits"] = rules["prompt.waits"] || decision == tools.Approve || decision == tools.Elicit
			rules["prompt.asks"] = rules["prompt.asks"] || a.tools[name].Effect.Writes() && decision == tools.Allow
		}
	}
	args, given := map[string]string{}, ""
	for _, arg := range prompt.Args {
		value := strings.TrimSpace(request.Params.Arguments[arg.Name])
		if _, names := a.config.Runner.Catalogue.ArgField(prompt, arg); !names {
			given = value
		}
		args[arg.Name] = sanitize(value)
	}
	text := []string{prompt.Text(lang, called, args)}
	outcome := ""
	if _, has := a.own[awaitApproval]; has {
		outcome = awaitApproval
	}
	for _, rule := range []string{"prompt.waits", "prompt.asks"} {
		if rules[rule] {
			text = append(text, book.Say(lang, rule, map[string]any{"outcome": outcome}))
		}
	}
	text = append(text, book.Say(lang, "prompt.reads", nil))
	answer := &mcp.GetPromptResult{Description: prompt.Help(lang), Messages: []mcp.PromptMessage{spoken(strings.Join(text, "\n\n"))}}
	if given != "" {
		answer.Messages = append(answer.Messages, spoken(book.Say(lang, "prompt.given", map[string]any{"given": sanitizeLines(given)})))
	}
	a.config.Log.InfoContext(ctx, "prompt got", "prompt", prompt.Name, "transport", callerOf(ctx).transport)
	return answer, nil
}

func spoken(text string) mcp.PromptMessage {
	return mcp.PromptMessage{Role: mcp.RoleUser, Content: mcp.NewTextContent(text)}
}

// spokenCall says how the assistant calls an operation: by its own tool, or through one that reaches all.
func (a *App) spokenCall(lang words.Lang, tool *tools.Tool) string {
	name := a.nameOfCall(tool)
	if name == tool.Name {
		return name
	}
	return book.Say(lang, "prompt.through", map[string]any{"tool": name, "operation": tool.Name})
}

// sanitizeLines returns text with each of its lines sanitized.
func sanitizeLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimRight(sanitize(line), " "))
	}
	return strings.Join(lines, "\n")
}
