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
		m.Text = nothing
	}
	return m
}

// open opens a modal with the person's trigger. If she has a modal open, it replaces what that shows.
func (a *App) open(ctx context.Context, v *visit, view slack.ModalViewRequest) (err error) {
	if v.view != "" {
		return a.show(ctx, v, view)
	}
	v.view, v.hash, err = a.slack.openView(ctx, v.trigger, view)
	return err
}

// show replaces what the person's modal shows.
func (a *App) show(ctx context.Context, v *visit, view slack.ModalViewRequest) error {
	hash, err := a.slack.updateView(ctx, v.view, v.hash, view)
	if err == nil {
		v.hash = hash
	}
	return err
}

// replace shows a view in the person's modal. If she closed it, v.instead is sent as a message, if there is one.
func (a *App) replace(ctx context.Context, v *visit, view slack.ModalViewRequest) error {
	err := a.show(ctx, v, view)
	failed, ok := errors.AsType[*slackError](err)
	switch {
	case !ok || !failed.viewGone():
		return err
	case v.instead != nil:
		return a.tell(ctx, v, *v.instead)
	}
	return nil
}

// tell shows a message to one person: in the channel where she is, else in her direct conversation with the app.
func (a *App) tell(ctx context.Context, v *visit, m message) error {
	var err error
	if v.responseURL != "" {
		if err = a.slack.respond(ctx, v.responseURL, m); err == nil {
			return nil
		}
	}
	if v.channel != "" {
		if err = a.slack.postEphemeral(ctx, v.channel, v.user, m); err == nil {
			return nil
		}
	}
	a.log.InfoContext(ctx, "answering in the direct conversation", "cause", err)
	return a.tellDirectly(ctx, v.user, m)
}

func (a *App) tellDirectly(ctx context.Context, user string, m message) error {
	channel, err := a.slack.openDirect(ctx, background, user)
	if err != nil {
		return err
	}
	_, _, err = a.slack.postMessage(ctx, background, outgoing{message: m, Channel: channel})
	return err
}

// sendFile puts a document into the person's direct conversation with the app, never into a channel.
func (a *App) sendFile(ctx context.Context, v *visit, file *tools.File, comment string) error {
	channel, err := a.slack.openDirect(ctx, background, v.user)
	if err != nil {
		return err
	}
	return a.slack.upload(ctx, channel, fit(file.Name, maxHeader), escaped(comment, maxText), file.Content)
}

// ephemeral returns a message as the answer to a command, which that person alone sees.
func ephemeral(m message) any {
	return struct {
		message
		Type string `json:"response_type"`
	}{m.fit(), "ephemeral"}
}
