package slackapp

import (
	"context"
	"errors"
	"strings"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/tools"
)

// message is what a person reads outside a modal. Text is for notifications and screen readers.
type message struct {
	Text   string        `json:"text"`
	Blocks []slack.Block `json:"blocks,omitempty"`
}

// fit makes the text valid mrkdwn of a length that Slack accepts.
func (m message) fit() message {
	if m.Text = escaped(m.Text, maxEphemeral); strings.TrimSpace(m.Text) == "" {
		m.Text = emptyText
	}
	return m
}

// open opens a modal with the person's trigger. If she has a modal open, it replaces what that shows.
func (a *App) open(ctx context.Context, req *request, view slack.ModalViewRequest) (err error) {
	if req.view != "" {
		return a.show(ctx, req, view)
	}
	req.view, req.hash, err = a.slack.openView(ctx, req.trigger, view)
	return err
}

// show replaces what the person's modal shows.
func (a *App) show(ctx context.Context, req *request, view slack.ModalViewRequest) error {
	hash, err := a.slack.updateView(ctx, req.view, req.hash, view)
	if err == nil {
		req.hash = hash
	}
	return err
}

// replace shows a view in the person's modal. If she closed it, v.ifClosed is sent as a message, if there is one.
func (a *App) replace(ctx context.Context, req *request, view slack.ModalViewRequest) error {
	err := a.show(ctx, req, view)
	failed, ok := errors.AsType[*slackError](err)
	switch {
	case !ok || !failed.viewGone():
		return err
	case req.ifClosed != nil:
		return a.reply(ctx, req, *req.ifClosed)
	}
	return nil
}

// run shows a message to one person: in the channel where she is, else in her direct conversation with the app.
func (a *App) reply(ctx context.Context, req *request, m message) error {
	var err error
	if req.responseURL != "" {
		if err = a.slack.respond(ctx, req.responseURL, m); err == nil {
			return nil
		}
	}
	if req.channel != "" {
		if err = a.slack.postEphemeral(ctx, req.channel, req.user, m); err == nil {
			return nil
		}
	}
	a.log.InfoContext(ctx, "answering in the direct conversation", "cause", err)
	return a.replyDirectly(ctx, req.user, m)
}

func (a *App) replyDirectly(ctx context.Context, user string, m message) error {
	channel, err := a.slack.openDirect(ctx, background, user)
	if err != nil {
		return err
	}
	_, _, err = a.slack.postMessage(ctx, background, outgoing{message: m, Channel: channel})
	return err
}

// sendFile puts a document into the person's direct conversation with the app, never into a channel.
func (a *App) sendFile(ctx context.Context, req *request, file *tools.File, comment string) error {
	channel, err := a.slack.openDirect(ctx, background, req.user)
	if err != nil {
		return err
	}
	return a.slack.upload(ctx, channel, fit(file.Name, maxHeader), escaped(comment, maxText), file.File)
}

// ephemeral returns a message as the answer to a command, which that person alone sees.
func ephemeral(m message) any {
	return struct {
		message
		Type string `json:"response_type"`
	}{m.fit(), "ephemeral"}
}
