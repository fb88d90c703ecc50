package slackapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/conversations"
)

// slackError is a call to Slack that failed. It names the method and Slack's code, and nothing that was sent.
type slackError struct{ method, code string }

func (e *slackError) Error() string { return "slack: " + e.method + ": " + e.code }

// closed tells whether the view that a call was about is gone or shows something newer: there is nobody to answer there.
func (e *slackError) closed() bool {
	switch e.code {
	case "not_found", "view_not_found", "hash_conflict":
		return true
	}
	return false
}

// slackFailed gives an error of slack-go its code. It is the one place that knows the forms they come in.
func slackFailed(method string, err error) error {
	if err == nil {
		return nil
	}
	code := "unreachable"
	if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		code = refused.Err
	} else if _, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		code = "ratelimited"
	} else if status, ok := errors.AsType[slack.StatusCodeError](err); ok {
		code = fmt.Sprintf("http_%d", status.Code)
	} else if errors.Is(err, context.DeadlineExceeded) {
		code = "timeout"
	}
	return &slackError{method, code}
}

// open opens a modal before the trigger runs out, and makes it the one in front of the person; where she has one in
// front of her, it takes its place.
func (a *App) open(ctx context.Context, v *visit, view slack.ModalViewRequest) error {
	if v.view != "" {
		return a.show(ctx, v, view)
	}
	opened, err := a.quick.OpenViewContext(ctx, v.trigger, view)
	if err == nil && opened.ID == "" { // {"ok":false} without a reason
		err = errors.New("no view came back")
	}
	if err != nil {
		return slackFailed("views.open", err)
	}
	v.view, v.hash = opened.ID, opened.Hash
	return nil
}

// show replaces what the modal in front of the person shows.
func (a *App) show(ctx context.Context, v *visit, view slack.ModalViewRequest) error {
	updated, err := a.patient.UpdateViewContext(ctx, view, "", v.hash, v.view)
	if err != nil {
		return slackFailed("views.update", err)
	}
	v.hash = updated.Hash
	return nil
}

// message is what a person is told outside a modal. Text is for notifications and screen readers.
type message struct {
	Text   string        `json:"text"`
	Blocks []slack.Block `json:"blocks,omitempty"`
}

// tell shows a message to one person alone: where she is, else in her conversation with the app.
func (a *App) tell(ctx context.Context, v *visit, m message) error {
	var err error
	if v.responseURL != "" {
		if err = a.respondLater(ctx, v.responseURL, m); err == nil {
			return nil
		}
	}
	if v.channel != "" {
		_, err = a.patient.PostEphemeralContext(ctx, v.channel, v.user, m.options()...)
		if err == nil {
			return nil
		}
		err = slackFailed("chat.postEphemeral", err)
	}
	a.log.InfoContext(ctx, "a person is answered in her direct conversation", "because", err)
	return a.tellDirectly(ctx, v.user, m)
}

// replace shows a view in the modal in front of the person. Where she has closed it, she is told instead what would be
// lost otherwise.
func (a *App) replace(ctx context.Context, v *visit, view slack.ModalViewRequest) error {
	err := a.show(ctx, v, view)
	failed, ok := errors.AsType[*slackError](err)
	switch {
	case !ok || !failed.closed():
		return err
	case v.instead != nil:
		return a.tell(ctx, v, *v.instead)
	}
	return nil
}

func (a *App) tellDirectly(ctx context.Context, user string, m message) error {
	channel, err := a.direct(ctx, user)
	if err != nil {
		return err
	}
	_, _, err = a.patient.PostMessageContext(ctx, channel, m.options()...)
	return slackFailed("chat.postMessage", err)
}

// direct opens the conversation between a person and the app.
func (a *App) direct(ctx context.Context, user string) (string, error) {
	channel, _, _, err := a.patient.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
	if err != nil {
		return "", slackFailed("conversations.open", err)
	}
	return channel.ID, nil
}

// fit makes the text what Slack takes as mrkdwn.
func (m message) fit() message {
	if m.Text = escaped(m.Text, maxEphemeral); strings.TrimSpace(m.Text) == "" {
		m.Text = nothing
	}
	return m
}

func (m message) options() []slack.MsgOption {
	m = m.fit()
	return []slack.MsgOption{slack.MsgOptionText(m.Text, false), slack.MsgOptionBlocks(m.Blocks...)}
}

// respondLater posts to a response URL. We do it ourselves: slack-go takes an answer without a Content-Type for a
// failure although the message is there.
func (a *App) respondLater(ctx context.Context, url string, m message) error {
	body := encode(struct {
		message
		Kind    string `json:"response_type"`
		Replace bool   `json:"replace_original"`
	}{m.fit(), "ephemeral", false})
	return a.post(ctx, "response_url", url, "application/json; charset=utf-8", body)
}

// post sends bytes to an address that Slack gave us.
func (a *App) post(ctx context.Context, what, url, media string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return &slackError{what, "malformed_url"} // the cause repeats the address, which is a secret
	}
	request.Header.Set("Content-Type", media)
	response, err := a.web.Do(request)
	if err != nil {
		return &slackError{what, "unreachable"}
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil || response.StatusCode != http.StatusOK {
		return &slackError{what, fmt.Sprintf("http_%d", response.StatusCode)}
	}
	var refusal struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	if json.Unmarshal(answer, &refusal) == nil && refusal.OK != nil && !*refusal.OK {
		return &slackError{what, refusal.Error}
	}
	return nil
}

// storeFailed tells whether an error is the store's, which is out of reach for a while.
func storeFailed(err error) bool {
	return errors.Is(err, conversations.ErrUnavailable) || errors.Is(err, conversations.ErrSealed)
}
