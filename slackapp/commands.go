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

// The actions of buttons; see [App.onButton].
const (
	actBack     = "back"     // to the page before
	actSkip     = "skip"     // to the confirmation
	actFix      = "fix"      // to the page with a problem; its value is the page
	actNoFiles  = "no_files" // removes the files of a field; its value is the field
	actRestart  = "restart"  // throws away what was typed
	actContinue = "continue" // opens a draft; its value is the draft
	actOutcome  = "outcome"  // shows the outcome of a draft that was sent; its value is the draft
	actStart    = "start"    // opens a tool; its value is the tool
	actOwn      = "own"      // turns a draft whose approval is over into one of the person's own; its value is the draft
	actStep     = "step"     // a card's next step; its value is a step. A suffix after a colon makes it unique

	actApprove    = "approve"         // approves what the card shows; its value is an approval
	actApproveAll = "approve_all"     // approves all that the card shows; its value is an approveAll
	actReview     = "approval_review" // opens the form of an approval, or shows what it was; its value is its id
	actReject     = "approval_reject" // asks why, and rejects an approval; its value is its id
)

// onCommand handles a slash command. The text after its name answers the first field of the tool, perhaps with a
// trailing field, or names a yes/no field.
func (a *App) onCommand(ctx context.Context, req request, c command) any {
	lang := req.actor.Lang
	tool, text, known := a.runner.Catalogue.ForCommand(c.Command, c.Text)
	text = unescaped(text)
	switch {
	case !known:
		return ephemeral(a.unknownCommand(ctx, req.actor, c))
	case isHelp(text):
		return ephemeral(toolHelp(lang, tool))
	}
	given := parseAnswers(tool, text)
	if !needsNoForm(tool, given) {
		if err := a.start(ctx, req, tool, given, false); err != nil {
			return a.ackText(&req, err)
		}
		return nil
	}
	result, err := ackOrUpdate(a, req, message{Text: say(lang, "form.reading")}, func(ctx context.Context, req *request) (result message) {
		err := a.recovered(func() (err error) {
			result, err = a.runRead(ctx, req, tool, given)
			return err
		})
		if err != nil {
			return a.errorMessage(req, err)
		}
		return result
	}, a.reply)
	if err != nil {
		return a.ackText(&req, err)
	}
	return ephemeral(result)
}

// isHelp reports whether a person asks how a command is used, in any language.
func isHelp(text string) bool {
	return slices.ContainsFunc(words.Langs, func(lang words.Lang) bool { return strings.EqualFold(text, say(lang, "command.help")) })
}

// parseAnswers reads the text after a command's name.
func parseAnswers(tool *tools.Tool, text string) map[string]string {
	if text == "" || len(tool.Fields) == 0 {
		return map[string]string{}
	}
	for _, field := range tool.Fields {
		if field.Kind.Control == tools.ControlYesNo && !field.Hidden() && field.IsCalled(text) {
			return map[string]string{field.Path: "true"}
		}
	}
	first, last := tool.Fields[0], trailingField(tool)
	about, more, found := strings.Cut(text, " ")
	if named, ok := subjectCalled(tool, about); ok && found {
		first = named
		about, more, found = strings.Cut(strings.TrimSpace(more), " ")
	}
	if found && last != nil {
		return map[string]string{first.Path: about, last.Path: mentionedUser(strings.TrimSpace(more))}
	}
	return map[string]string{first.Path: strings.TrimSpace(about + " " + more)}
}

// trailingField is the day or the colleague that may follow a process on the line of a command, if its form has no
// other fields; else nil.
func trailingField(tool *tools.Tool) *tools.Field {
	asked := slices.DeleteFunc(slices.Clone(tool.Fields), tools.Field.Hidden)
	last := len(asked) - 1
	if last < 1 || !controlOf(asked[last]).trailing || slices.ContainsFunc(asked[:last], func(f tools.Field) bool { return !isSubject(f) }) {
		return nil
	}
	return &asked[last]
}

// isSubject reports whether a field names what a call is about by itself: a process or a simulation.
func isSubject(field tools.Field) bool { return field.Refers() && len(field.Kind.DependsOn) == 0 }

// subjectCalled returns the field that a word before what a call is about names: «simulação 2102».
func subjectCalled(tool *tools.Tool, word string) (tools.Field, bool) {
	i := slices.IndexFunc(tool.Fields, func(f tools.Field) bool { return isSubject(f) && !f.Hidden() && f.IsCalled(word) })
	if i < 0 {
		return tools.Field{}, false
	}
	return tool.Fields[i], true
}

// needsNoForm reports whether a tool can run at once: it changes nothing at the bank and has all its required answers.
func needsNoForm(tool *tools.Tool, given map[string]string) bool {
	asked := form{tool, conversations.Draft{Answers: given}}
	return !tool.Effect.Writes() && asked.complete() && !(tool.AlwaysForm && len(given) == 0)
}

// start runs a tool in the background, after the acknowledgement: it shows the result or opens the form. With asks it
// always opens the form.
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

// showResult runs a tool that changes nothing and shows its result where the person is.
func (a *App) showResult(ctx context.Context, req *request, tool *tools.Tool, given map[string]string) error {
	lang := req.actor.Lang
	if req.view != "" {
		if err := a.show(ctx, req, waitingView(lang, tool, "form.reading")); err != nil {
			return err
		}
	}
	result, err := a.runRead(ctx, req, tool, given)
	switch {
	case err != nil:
		return err
	case req.view == "":
		return a.reply(ctx, req, result)
	}
	req.ifClosed = &result
	return a.replace(ctx, req, modal(tool.Title(lang), say(lang, "close"), result.Blocks...))
}

// runRead runs a tool that changes nothing, sends its file and returns the message with its result.
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

// run runs a tool as the person.
func (a *App) run(ctx context.Context, req *request, request tools.Request) (tools.Result, error) {
	request.Actor, request.Via = req.actor, "slack"
	if err := a.setOutsiders(ctx, &request.Actor, request.Tool); err != nil {
		return tools.Result{}, err
	}
	return a.runner.Run(ctx, request)
}

// onButton handles a button. Slack shows nothing of the acknowledgement, so all else follows it.
func (a *App) onButton(ctx context.Context, req request, i interaction) any {
	if len(i.Actions) == 0 {
		return nil
	}
	pressed := i.Actions[0]
	pressed.ID, _, _ = strings.Cut(pressed.ID, ":")
	var do func(ctx context.Context, req *request) error
	switch pressed.ID {
	case actBack, actSkip, actFix, actNoFiles, actRestart:
		do = func(ctx context.Context, req *request) error { return a.onPageButton(ctx, req, i.View, pressed) }
	case actContinue:
		do = func(ctx context.Context, req *request) error { return a.resume(ctx, req, pressed.Value) }
	case actApprove:
		do = func(ctx context.Context, req *request) error { return a.approve(ctx, req, pressed.Value) }
	case actApproveAll:
		do = func(ctx context.Context, req *request) error { return a.approveTogether(ctx, req, pressed.Value) }
	case actReview:
		do = func(ctx context.Context, req *request) error { return a.openApproval(ctx, req, pressed.Value) }
	case actReject:
		do = func(ctx context.Context, req *request) error { return a.askWhy(ctx, req, pressed.Value) }
	case actOwn:
		do = func(ctx context.Context, req *request) error { return a.makeOwn(ctx, req, pressed.Value) }
	case actOutcome:
		do = func(ctx context.Context, req *request) error { return a.findOutcome(ctx, req, pressed.Value) }
	case actStart, actStep:
		tool, given, asks, known := a.parseStep(pressed.Value)
		if !known {
			return nil // the tool was removed by an update
		}
		if err := a.start(ctx, req, tool, given, asks); err != nil {
			return a.replyAfterAck(&req, err)
		}
		return nil
	default: // a link, or a select on a page
		return nil
	}
	if err := a.inBackground(req, do); err != nil {
		return a.replyAfterAck(&req, err)
	}
	return nil
}

// unknownCommand answers a command that names no tool: with its subcommands if it has any, else with all commands.
func (a *App) unknownCommand(ctx context.Context, actor tools.Actor, c command) message {
	lang, asked, permitted := actor.Lang, strings.ToLower(strings.TrimSpace(c.Text)), a.permitted(ctx, actor)
	among := func(all []*tools.Tool) []*tools.Tool {
		return slices.DeleteFunc(all, func(t *tools.Tool) bool { return !slices.Contains(permitted, t) })
	}
	of, near := among(a.runner.Catalogue.WithCommand(c.Command)), among(a.runner.Catalogue.Nearest(c.Command, c.Text))
	switch {
	case len(of) == 0:
		return a.help(actor, say(lang, "command.unknown"), permitted)
	case asked == "" || isHelp(asked):
		return a.help(actor, a.runner.Catalogue.CommandHelp(lang, c.Command), of)
	case len(near) > 0:
		return a.help(actor, say(lang, "command.nearest"), near)
	}
	return a.help(actor, say(lang, "command.unknown"), of)
}

// help lists the commands of the permitted tools under a first line.
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

// permitted returns the tools that a person may use.
func (a *App) permitted(ctx context.Context, actor tools.Actor) []*tools.Tool {
	return slices.DeleteFunc(a.runner.Catalogue.Tools(), func(tool *tools.Tool) bool { return !a.runner.Permits(ctx, actor, tool) })
}

// noPermission is the text for a person who may use no tool.
func noPermission(lang words.Lang) string {
	refusal := &tools.Error{Kind: tools.Forbidden}
	return refusal.What(lang) + " " + refusal.Next(lang)
}

func toolHelp(lang words.Lang, tool *tools.Tool) message {
	text := tool.Title(lang) + "\n" + tool.Help(lang) + "\n\n" + usage(lang, tool)
	return message{text, []slack.Block{paragraph(text)}}
}

// usage shows how a command is typed: «/proponentes [processo]».
func usage(lang words.Lang, tool *tools.Tool) string {
	if len(tool.Pages) == 0 {
		return "/" + tool.Command(lang)
	}
	line := "/" + tool.Command(lang) + " [" + strings.ToLower(tool.Fields[0].Label(lang)) + "]"
	if last := trailingField(tool); last != nil {
		line += " [" + strings.ToLower(last.Label(lang)) + "]"
	}
	return line
}
