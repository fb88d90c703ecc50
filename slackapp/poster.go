package slackapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/destination"
)

const (
	noticeEvent = "balcao_notice" // the metadata's event_type of every notice
	lookBack    = 72 * time.Hour  // how far a notice that may have been posted is looked for
	lookPage    = 200             // messages at once
	lookPages   = 10              // before it is taken for not posted
	retryDelay  = 30 * time.Second
	longPause   = 15 * time.Minute
	maxAnswered = 8 << 20 // bytes of Slack's answer
)

// Post puts a notice into a place, or under the message that thread names, and gives the id under which it is edited,
// answered and found.
//
// Its error, and that of [App.Edit] and [App.Find], says what to do about it: RetryAfter() where Slack wants us to wait,
// Unreachable() where somebody has to act first, Gone() where the message that it was about is no longer there, and
// NotSent() where it is certain that nothing was posted. Nothing is tried twice here, since Slack would post it twice.
func (a *App) Post(ctx context.Context, place, thread string, n destination.Notice) (id string, err error) {
	const method = "chat.postMessage"
	if err := a.withheld(ctx, method, place); err != nil {
		return "", err
	}
	channel, root, err := a.conversation(ctx, place, thread)
	if err != nil {
		return "", notSent(err)
	}
	var posted struct {
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}
	if err := a.write(ctx, method, encode(struct {
		message
		Channel  string              `json:"channel"`
		Thread   string              `json:"thread_ts,omitempty"`
		Metadata slack.SlackMetadata `json:"metadata"`
		Links    bool                `json:"unfurl_links"`
		Media    bool                `json:"unfurl_media"`
	}{
		message: noticeMessage(n, a.names(ctx, n)).fit(), Channel: channel, Thread: root,
		Metadata: slack.SlackMetadata{EventType: noticeEvent, EventPayload: map[string]any{"id": n.ID}},
	}), &posted); err != nil {
		return "", err
	}
	if posted.Channel == "" || posted.TS == "" {
		return "", &slackError{method, "no_message"}
	}
	return posted.Channel + "/" + posted.TS, nil
}

// Edit shows a notice in a message that [App.Post] posted. Its metadata stay what they were.
func (a *App) Edit(ctx context.Context, place, id string, n destination.Notice) error {
	const method = "chat.update"
	if err := a.withheld(ctx, method, place); err != nil {
		return err
	}
	channel, ts, err := a.conversation(ctx, place, id)
	if err != nil {
		return err
	}
	return a.write(ctx, method, encode(struct {
		message
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}{noticeMessage(n, a.names(ctx, n)).fit(), channel, ts}), nil)
}

// Find looks for a notice that may have been posted in a place, or under the message that thread names.
func (a *App) Find(ctx context.Context, place, thread, noticeID string) (id string, found bool, err error) {
	us, err := a.ourselves(ctx)
	if err != nil {
		return "", false, err
	}
	channel, root, err := a.conversation(ctx, place, thread)
	if err != nil {
		return "", false, err
	}
	method, since := "conversations.history", time.Now().Add(-lookBack)
	form := url.Values{"channel": {channel}, "limit": {strconv.Itoa(lookPage)}, "include_all_metadata": {"true"}}
	if root != "" {
		method = "conversations.replies"
		form.Set("ts", root)
		if began, err := strconv.ParseFloat(root, 64); err == nil && since.Before(time.Unix(int64(began), 0)) {
			since = time.Unix(int64(began), 0)
		}
	}
	form.Set("oldest", strconv.FormatInt(since.Unix(), 10))
	for range lookPages {
		var page written
		err := a.call(ctx, method, form, &page)
		if _, missing := errors.AsType[*gone](err); missing { // nothing is under a message that is not there
			return "", false, nil
		}
		if err != nil {
			return "", false, err
		}
		for _, m := range page.Messages {
			if m.Bot == us.Bot && m.notice() == noticeID && m.TS != root {
				return channel + "/" + m.TS, true, nil
			}
		}
		if page.Metadata.Cursor == "" {
			break
		}
		form.Set("cursor", page.Metadata.Cursor)
	}
	return "", false, nil
}

// written is what we read of a page of messages, and no more: what we do not read cannot break us.
type written struct {
	Messages []writtenMessage `json:"messages"`
	Metadata struct {
		Cursor string `json:"next_cursor"`
	} `json:"response_metadata"`
}

type writtenMessage struct {
	TS       string `json:"ts"`
	Bot      string `json:"bot_id"`
	Metadata struct {
		Type    string          `json:"event_type"`
		Payload json.RawMessage `json:"event_payload"`
	} `json:"metadata"`
}

// notice is the id of the notice that a message is, "" where it is none.
func (m writtenMessage) notice() string {
	var payload struct {
		ID string `json:"id"`
	}
	if m.Metadata.Type != noticeEvent || json.Unmarshal(m.Metadata.Payload, &payload) != nil {
		return ""
	}
	return payload.ID
}

// conversation finds where in Slack a place is, and which message there an id of ours names, "" for none.
func (a *App) conversation(ctx context.Context, place, id string) (channel, ts string, err error) {
	if channel, ts, ok := strings.Cut(id, "/"); ok {
		return channel, ts, nil
	}
	known, ok := target(place)
	if !ok || id != "" {
		return "", "", reject("conversations.open", "channel_not_found", 0)
	}
	if _, ok := person(place); !ok {
		return known, "", nil
	}
	var opened struct {
		Channel struct {
			ID string `json:"id"`
		} `json:"channel"`
	}
	err = a.call(ctx, "conversations.open", url.Values{"users": {known}}, &opened)
	return opened.Channel.ID, "", err
}

// self is who our token says that we are, asked for once.
type self struct {
	mu sync.Mutex
	us identity
}

type identity struct {
	User       string `json:"user_id"`
	Bot        string `json:"bot_id"`
	Team       string `json:"team_id"`
	Enterprise string `json:"enterprise_id"`
}

func (a *App) ourselves(ctx context.Context) (identity, error) {
	a.self.mu.Lock()
	defer a.self.mu.Unlock()
	if a.self.us.Bot == "" {
		if err := a.call(ctx, "auth.test", url.Values{}, &a.self.us); err != nil {
			return identity{}, err
		}
	}
	return a.self.us, nil
}

// reachable tells whoever wants to know that a channel may be posted to again: we were invited, or it was opened.
func (a *App) reachable(ctx context.Context, kind, user, channel string) error {
	if a.reach == nil || channel == "" {
		return nil
	}
	if kind == "member_joined_channel" {
		us, err := a.ourselves(ctx)
		if err != nil || user != us.User {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.busy.Go(func() {
			_ = a.guarded(func() error { a.reach("slack:" + channel); return nil }) // logged there
		})
	}
	return nil
}

// call calls a method of Slack's Web API once, in the form that every method takes. slack-go is not asked: it loses what a
// refusal says when its errors are of a kind that it does not know, takes one without a reason for success, and one
// message that it cannot read for the failure of a whole page.
func (a *App) call(ctx context.Context, method string, form url.Values, into any) error {
	return a.request(ctx, method, "application/x-www-form-urlencoded", []byte(form.Encode()), into)
}

// write is [App.call] in JSON, which the methods that write take.
func (a *App) write(ctx context.Context, method string, args json.RawMessage, into any) error {
	return a.request(ctx, method, "application/json", args, into)
}

func (a *App) request(ctx context.Context, method, media string, args []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.api+method, bytes.NewReader(args))
	if err != nil {
		return notSent(&slackError{method, "malformed_url"})
	}
	request.Header.Set("Content-Type", media+"; charset=utf-8")
	request.Header.Set("Authorization", "Bearer "+a.token)
	response, err := a.web.Do(request)
	if err != nil {
		err, failed := slackFailed(method, err), err
		if dial, ok := errors.AsType[*net.OpError](failed); ok && dial.Op == "dial" { // nobody has heard us
			return notSent(err)
		}
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswered))
	if response.StatusCode == http.StatusTooManyRequests { // whatever else it says
		return reject(method, "ratelimited", waiting(response.Header))
	}
	var told struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if err == nil {
		err = json.Unmarshal(body, &told)
	}
	switch {
	case err != nil || response.StatusCode != http.StatusOK:
		return &slackError{method, fmt.Sprintf("http_%d", response.StatusCode)}
	case !told.OK:
		return reject(method, told.Error, waiting(response.Header))
	case into != nil && json.Unmarshal(body, into) != nil:
		return &slackError{method, "unreadable"}
	}
	return nil
}

// waiting is how long Slack wants us to wait.
func waiting(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil {
		return retryDelay
	}
	return min(max(time.Duration(seconds)*time.Second, time.Second), longPause)
}

// refusal is a call of which it is certain that it had no effect.
type refusal struct{ error }

func (r *refusal) NotSent() bool { return true }
func (r *refusal) Unwrap() error { return r.error }

// notSent makes a failure one that is certain to have had no effect, unless it says so already.
func notSent(err error) error {
	if _, says := errors.AsType[interface {
		error
		NotSent() bool
	}](err); says {
		return err
	}
	return &refusal{err}
}

// slowDown is a refusal because we write too much.
type slowDown struct {
	refusal
	after time.Duration
}

func (s *slowDown) RetryAfter() time.Duration { return s.after }

// outOfReach is a refusal until somebody acts: invites us, opens the channel, installs us again.
type outOfReach struct {
	refusal
	why string
}

func (o *outOfReach) Unreachable() string { return o.why }

// gone is a refusal because the message that a call is about is not there, or can no longer be changed.
type gone struct{ refusal }

func (g *gone) Gone() bool { return true }

// unreachable are Slack's codes for what somebody has to mend, and the one that stands for each.
var unreachable = map[string]string{
	"not_in_channel": "not_in_channel", "channel_not_found": "channel_not_found",
	"is_archived": "is_archived", "is_inactive": "is_archived",
	"restricted_action": "restricted_action", "restricted_action_read_only_channel": "restricted_action",
	"restricted_action_thread_only_channel": "restricted_action", "restricted_action_non_threadable_channel": "restricted_action",
	"restricted_action_thread_locked": "restricted_action", "no_permission": "restricted_action", "access_denied": "restricted_action",
	"token_revoked": "token_revoked", "token_expired": "token_revoked", "account_inactive": "account_inactive",
	"invalid_auth": "invalid_auth", "not_authed": "invalid_auth", "not_allowed_token_type": "invalid_auth",
	"missing_scope": "missing_scope", "team_access_not_granted": "missing_scope", "ekm_access_denied": "restricted_action",
	"org_login_required": "restricted_action", "messages_tab_disabled": "messages_tab_disabled",
	"user_not_found": "user_not_found", "user_disabled": "user_not_found", "users_not_found": "user_not_found",
	sharedChannel: sharedChannel, notOfTeam: notOfTeam,
	"cannot_dm_bot": "user_not_found", "user_not_visible": "user_not_found",
}

// reject gives a refusal of Slack's its kind. Where Slack itself failed, or gave no reason, nothing is certain.
func reject(method, code string, after time.Duration) error {
	failed := &slackError{method, code}
	certain := refusal{failed}
	switch code {
	case "":
		failed.code = "no_reason"
		return failed
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout":
		return failed
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return &slowDown{certain, after}
	case "message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed":
		return &gone{certain}
	}
	if why := unreachable[code]; why != "" {
		return &outOfReach{certain, why}
	}
	return &certain
}
