package slackapp

import (
	"context"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/lisbon"
)

// onEvent handles an event of the workspace. After an error Slack delivers it again.
func (a *App) onEvent(ctx context.Context, e event, id string) error {
	req := request{user: e.Event.User}
	var do func(ctx context.Context, req *request) error
	switch kind := e.Event.Type; {
	case kind == "app_home_opened" && e.Event.Tab == "home":
		do = a.home
	case kind == "message" && e.Event.ChannelType == "im" && e.Event.Subtype == "" && e.Event.Bot == "" && e.Event.User != "":
		do = func(ctx context.Context, req *request) error {
			return a.replyDirectly(ctx, req.user, a.help(req.actor, say(req.actor.Lang, "help.hello"), a.permitted(ctx, req.actor)))
		}
	case kind == "tokens_revoked", kind == "app_uninstalled":
		a.log.ErrorContext(ctx, "the workspace revoked our access", "event", kind)
		return nil
	case kind == "channel_shared" || kind == "channel_unshared":
		return a.sharingChanged(ctx, kind, e.Event.Channel)
	case kind == "member_joined_channel", kind == "channel_unarchive", kind == "group_unarchive":
		return a.reportReachable(ctx, kind, e.Event.User, e.Event.Channel)
	default:
		return nil
	}
	first, err := a.store.MarkSeen(ctx, "slack", id, seenLife)
	if err != nil || !first {
		return err
	}
	req.actor, err = a.actor(ctx, req.user, "")
	if err == nil {
		err = a.inBackground(req, do)
	}
	if err != nil { // nothing was done: accept the next attempt
		if lost := a.store.Forget(ctx, "slack", id); lost != nil {
			a.log.WarnContext(ctx, "accepting the next attempt of an event failed", "error", lost)
		}
	}
	return err
}

// home shows what waits for a person's decision, her unfinished forms and the tools that she may use.
func (a *App) home(ctx context.Context, req *request) error {
	lang := req.actor.Lang
	drafts, err := a.store.Drafts(ctx, req.actor.ID)
	if err != nil {
		return err
	}
	permitted, welcome := a.permitted(ctx, req.actor), say(lang, "help.hello")
	if len(permitted) == 0 {
		welcome = noPermission(lang)
	}
	waiting, err := a.waitingBlocks(ctx, req.actor)
	if err != nil {
		return err
	}
	blocks, open := append([]slack.Block{header(say(lang, "app")), paragraph(welcome)}, waiting...), 0
	for _, draft := range drafts {
		tool, known := a.runner.Catalogue.Named(draft.Subject)
		f := &form{tool, draft}
		if !known || !f.worthKeeping() || f.approval() != "" || open == maxHomeDrafts {
			continue
		}
		if open++; open == 1 {
			blocks = append(blocks, header(say(lang, "home.drafts")))
		}
		text := say(lang, "home.draft", "tool", tool.Title(lang), "about", f.subject(""),
			"time", draft.Saved.In(lisbon.Zone).Format(say(lang, "format.time")))
		blocks = append(blocks, row(text, button(actContinue, draft.ID, say(lang, "form.continue"))))
	}
	if len(permitted) > 0 {
		blocks = append(blocks, header(say(lang, "home.tools")))
	}
	for _, tool := range permitted {
		start := button(actStart, string(encode(step{Tool: tool.Name})), say(lang, "home.start"))
		blocks = append(blocks, row(tool.Title(lang)+"\n"+tool.Help(lang), start))
	}
	view := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks[:min(len(blocks), maxViewBlocks)]}}
	return a.slack.publishHome(ctx, req.user, view)
}
