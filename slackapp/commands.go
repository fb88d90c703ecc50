package slackapp

import (
	"context"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// What a button does; see [App.onButton].
const (
	actBack     = "back"     // to the page before
	actSkip     = "skip"     // to the confirmation
	actFix      = "fix"      // to the page with a problem; its value is the page
	actRestart  = "restart"  // throws away what was typed
	actContinue = "continue" // opens a draft; its value is the draft
	actOutcome  = "outcome"  // asks what became of a draft that was sent; its value is the draft
	actStart    = "start"    // opens a tool; its value is the tool
	actStep     = "step"     // a card's next step; its value is a step. After a colon, what tells one from another
)

// onCommand answers a slash command. What follows its name is the answer to the tool's first field, perhaps with a day
// after it, or names a field that is answered by yes.
func (a *App) onCommand(ctx context.Context, req request, c command) any {
	lang := req.actor.Lang
	tool, text, known := a.runner.Catalogue.ForCommand(c.Command, c.Text)
	text = unescaped(text)
	switch {
	case !known:
		return ephemeral(a.unknownCommand(ctx, req.actor, c))
	case text == "help" || text == say(lang, "command.help"):
		return ephemeral(toolHelp(lang, tool))
	}
	given := parseAnswers(lang, tool, text)
	if !needsNoForm(tool, given) {
		if err := a.start(ctx, req, tool, given, false); err != nil {
			return a.ackText(&req, err)
		}
		return nil
	}
	told, err := ackOrUpdate(a, req, message{Text: say(lang, "form.reading")}, func(ctx context.Context, req *request) (told message) {
		err := a.recovered(func() (err error) {
			told, err = a.runRead(ctx, req, tool, given)
			return err
		})
		if err != nil {
			return a.errorMessage(req, err)
		}
		return told
	}, a.reply)
	if err != nil {
		return a.ackText(&req, err)
	}
	return ephemeral(told)
}

// parseAnswers reads what follows a command's name.
func parseAnswers(lang words.Lang, tool *tools.Tool, text string) map[string]string {
	if text == "" || len(tool.Fields) == 0 {
		return map[string]string{}
	}
	for _, field := range tool.Fields {
		named := strings.EqualFold(text, field.Name()) || strings.EqualFold(text, field.Label(lang))
		if named && field.Kind == tools.YesNo && !field.Hidden() {
			return map[string]string{field.Path: "true"}
		}
	}
	first, last := tool.Fields[0], trailingField(tool)
	if about, more, found := strings.Cut(text, " "); found && last != nil {
		return map[string]string{first.Path: about, last.Path: mentionedUser(strings.TrimSpace(more))}
	}
	return map[string]string{first.Path: text}
}

// trailingField is the day, or the colleague, that may follow a process on the line of a command whose form asks for nothing
// else; nil where none does.
func trailingField(tool *tools.Tool) *tools.Field {
	asked := slices.DeleteFunc(slices.Clone(tool.Fields), tools.Field.Hidden)
	if len(asked) == 2 && asked[0].Kind == tools.Process && (asked[1].Kind == tools.Date || asked[1].Kind == tools.Somebody) {
		return &asked[1]
	}
	return nil
}

// needsNoForm tells whether a tool needs no form: the bank hears of no change, and it has all it needs.
func needsNoForm(tool *tools.Tool, given map[string]string) bool {
	asked := form{tool, conversations.Draft{Answers: given}}
	return !tool.Effect.Writes() && asked.complete() && !(tool.AlwaysForm && len(given) == 0)
}

// start starts a tool behind a person's back: it shows its result, or its form, which opens in any case where asks says so.
func (a *App) start(ctx context.Context, req request, tool *tools.Tool, given map[string]string, asks bool) error {
	if !a.runner.Permits(ctx, req.actor, tool) {
		return &tools.Error{Kind: tools.Forbidden, Tool: tool}
	}
	return a.inBackground(req, func(ctx context.Context, req *request) error {
		if needsNoForm(tool, given) && !asks {
			return a.showResult(ctx, req, tool, given)
		}
		return a.openForm(ctx, req, tool, given)
	})
}

// showResult runs a tool that changes nothing and shows what it gives where the person is.
func (a *App) showResult(ctx context.Context, req *request, tool *tools.Tool, given map[string]string) error {
	lang := req.actor.Lang
	if req.view != "" {
		if err := a.show(ctx, req, waitingView(lang, tool, "form.reading")); err != nil {
			return err
		}
	}
	told, err := a.runRead(ctx, req, tool, given)
	switch {
	case err != nil:
		return err
	case req.view == "":
		return a.reply(ctx, req, told)
	}
	req.ifClosed = &told
	return a.replace(ctx, req, modal(tool.Title(lang), say(lang, "close"), told.Blocks...))
}

// runRead runs a tool that changes nothing, gives its file to the person, and gives what to show of the rest.
func (a *App) runRead(ctx context.Context, req *request, tool *tools.Tool, given map[string]string) (message, error) {
	args, problems, err := a.arguments(ctx, req.actor.Lang, tool, given)
	if err != nil {
		return message{}, err
	}
	if len(problems) > 0 {
		return message{}, &tools.Error{Kind: tools.Invalid, Tool: tool, Problems: problems}
	}
	result, err := a.run(ctx, req, tools.Request{Tool: tool, Args: args})
	if err != nil {
		return message{}, err
	}
	return a.resultMessage(ctx, req, result), nil
}

// run runs a tool for a person, who is told to it with what it wants to know of the channel that she is in.
func (a *App) run(ctx context.Context, req *request, request tools.Request) (tools.Result, error) {
	request.Actor = req.actor
	if err := a.setOutsiders(ctx, &request.Actor, request.Tool); err != nil {
		return tools.Result{}, err
	}
	return a.runner.Run(ctx, request)
}

// onButton follows a button. Slack shows nothing of the acknowledgement, so everything comes after it.
func (a *App) onButton(ctx context.Context, req request, i interaction) any {
	if len(i.Actions) == 0 {
		return nil
	}
	pressed := i.Actions[0]
	pressed.ID, _, _ = strings.Cut(pressed.ID, ":")
	var do func(ctx context.Context, req *request) error
	switch pressed.ID {
	case actBack, actSkip, actFix, actRestart:
		do = func(ctx context.Context, req *request) error { return a.onPageButton(ctx, req, i.View, pressed) }
	case actContinue:
		do = func(ctx context.Context, req *request) error { return a.resume(ctx, req, pressed.Value) }
	case actOutcome:
		do = func(ctx context.Context, req *request) error { return a.findOutcome(ctx, req, pressed.Value) }
	case actStart, actStep:
		tool, given, asks, known := a.parseStep(pressed.Value)
		if !known {
			return nil // an update of ours took the tool away
		}
		if err := a.start(ctx, req, tool, given, asks); err != nil {
			return a.replyAfterAck(&req, err)
		}
		return nil
	default: // a link, or a select of a form's page
		return nil
	}
	if err := a.inBackground(req, do); err != nil {
		return a.replyAfterAck(&req, err)
	}
	return nil
}

// unknownCommand answers a command that is no tool's: with its subcommands, when it has any, else with everything.
func (a *App) unknownCommand(ctx context.Context, actor tools.Actor, c command) message {
	lang, asked, permitted := actor.Lang, strings.ToLower(strings.TrimSpace(c.Text)), a.permitted(ctx, actor)
	of := slices.DeleteFunc(slices.Clone(permitted), func(tool *tools.Tool) bool { return !slices.Contains(a.runner.Catalogue.Subcommands(c.Command), tool) })
	switch {
	case len(of) == 0:
		return a.help(actor, say(lang, "command.unknown"), permitted)
	case asked == "" || asked == "help" || asked == say(lang, "command.help"):
		return a.help(actor, a.runner.Catalogue.CommandHelp(lang, c.Command), of)
	}
	return a.help(actor, say(lang, "command.unknown"), of)
}

// help lists what a person may do here, under a first line.
func (a *App) help(actor tools.Actor, first string, permitted []*tools.Tool) message {
	if len(permitted) == 0 {
		text := noPermission(actor.Lang)
		return message{text, []slack.Block{paragraph(text)}}
	}
	text, lines := first+"\n", []string(nil)
	for _, tool := range permitted {
		how, what := usage(actor.Lang, tool), tool.Help(actor.Lang)
		text += "\n" + how + ": " + what
		lines = append(lines, "`"+escaped(how, maxCell)+"`\n"+escaped(what, maxFact)+"\n")
	}
	return message{text, append([]slack.Block{paragraph(first)}, lineBlocks(actor.Lang, lines)...)}
}

// permitted are the tools that a person may use.
func (a *App) permitted(ctx context.Context, actor tools.Actor) []*tools.Tool {
	return slices.DeleteFunc(a.runner.Catalogue.Tools(), func(tool *tools.Tool) bool { return !a.runner.Permits(ctx, actor, tool) })
}

// noPermission tells a person who may use no tool at all whom to ask.
func noPermission(lang words.Lang) string {
	refusal := &tools.Error{Kind: tools.Forbidden}
	return refusal.What(lang) + " " + refusal.Next(lang)
}

func toolHelp(lang words.Lang, tool *tools.Tool) message {
	text := tool.Title(lang) + "\n" + tool.Help(lang) + "\n\n" + usage(lang, tool)
	return message{text, []slack.Block{paragraph(text)}}
}

// usage is how a command is typed: «/borrowers [processo]».
func usage(lang words.Lang, tool *tools.Tool) string {
	if len(tool.Pages) == 0 {
		return "/" + tool.Command
	}
	line := "/" + tool.Command + " [" + strings.ToLower(tool.Fields[0].Label(lang)) + "]"
	if last := trailingField(tool); last != nil {
		line += " [" + strings.ToLower(last.Label(lang)) + "]"
	}
	return line
}
