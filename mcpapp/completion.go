package mcpapp

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/tools"
)

// completer completes the arguments of prompts and of resources, which are fields of tools. What cannot be completed gets no
// values: a completion is a help, and clients ask for one at each key stroke.
type completer struct{ app *App }

// CompletePromptArgument implements [server.PromptCompletionProvider].
func (c completer) CompletePromptArgument(ctx context.Context, name string, argument mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	prompt, known := c.app.prompts[name]
	if !known || !c.app.offersAll(ctx, prompt.Needs) {
		return &mcp.Completion{}, nil
	}
	for _, arg := range prompt.Args {
		if field, names := c.app.config.Runner.Catalogue.ArgField(prompt, arg); names && arg.Name == argument.Name {
			return c.complete(ctx, field, argument.Value), nil
		}
	}
	return &mcp.Completion{}, nil
}

// CompleteResourceArgument implements [server.ResourceCompletionProvider].
func (c completer) CompleteResourceArgument(ctx context.Context, uri string, argument mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	for _, resource := range c.app.resources {
		if resource.tool.Resource != uri || !resource.has(argument.Name) || !c.app.permits(ctx, resource.tool.Name) {
			continue
		}
		if field, takes := resource.tool.Field(argument.Name); takes {
			return c.complete(ctx, field, argument.Value), nil
		}
	}
	return &mcp.Completion{}, nil
}

func (c completer) complete(ctx context.Context, field tools.Field, text string) (completion *mcp.Completion) {
	defer func() {
		if recovered := recover(); recovered != nil {
			c.app.reportPanic(ctx, "", recovered)
			completion = &mcp.Completion{}
		}
	}()
	found, err := c.app.config.Runner.Complete(ctx, callerOf(ctx).Actor, field, text)
	if err != nil {
		c.app.config.Log.WarnContext(ctx, "completing an argument failed", "field", field.Path, "error", pii.Scrub(err.Error()))
		return &mcp.Completion{}
	}
	return &mcp.Completion{Values: found.Values, Total: found.Total, HasMore: found.More}
}
