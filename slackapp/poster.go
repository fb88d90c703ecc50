package slackapp

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/destination"
)

const (
	noticeEvent  = "balcao_notice" // the metadata's event_type of every notice
	findMaxAge   = 72 * time.Hour  // of a notice that Find looks for
	findPageSize = 200             // messages
	findMaxPages = 10
)

// Post posts a notice to a destination, or in the thread of the message with the id thread. It returns the id for Edit,
// for Find and for replies.
//
// Its error, and that of [App.Edit] and [App.Find], says what to do: RetryAfter() where Slack limits our rate,
// Unreachable() where somebody has to act first, Gone() where the message that it was about does not exist any more, and
// NotSent() where it is certain that nothing was posted. Nothing is repeated here, since Slack would post it twice.
func (a *App) Post(ctx context.Context, dest, thread string, n destination.Notice) (id string, err error) {
	if err := a.checkReaders(ctx, "chat.postMessage", dest); err != nil {
		return "", err
	}
	channel, root, err := a.messageID(ctx, dest, thread)
	if err != nil {
		return "", notSent(err)
	}
	channel, ts, err := a.slack.postMessage(ctx, noRetry, outgoing{
		message: a.noticeMessage(n, a.names(ctx, n)), Channel: channel, Thread: root,
		Metadata: &slack.SlackMetadata{EventType: noticeEvent, EventPayload: map[string]any{"id": n.ID}},
	})
	if err != nil {
		return "", err
	}
	return channel + "/" + ts, nil
}

// Edit replaces a message that [App.Post] posted. Its metadata stay.
func (a *App) Edit(ctx context.Context, dest, id string, n destination.Notice) error {
	if err := a.checkReaders(ctx, "chat.update", dest); err != nil {
		return err
	}
	channel, ts, err := a.messageID(ctx, dest, id)
	if err != nil {
		return err
	}
	return a.slack.updateMessage(ctx, channel, ts, a.noticeMessage(n, a.names(ctx, n)))
}

// Find looks for a notice that may have been posted to a destination, or in the thread of the message with the id thread.
func (a *App) Find(ctx context.Context, dest, thread, noticeID string) (id string, found bool, err error) {
	us, err := a.slack.identity(ctx)
	if err != nil {
		return "", false, err
	}
	channel, root, err := a.messageID(ctx, dest, thread)
	if err != nil {
		return "", false, err
	}
	oldest, cursor := time.Now().Add(-findMaxAge).Unix(), ""
	if began, err := strconv.ParseFloat(root, 64); root != "" && err == nil {
		oldest = max(oldest, int64(began))
	}
	for range findMaxPages {
		page, err := a.slack.messages(ctx, channel, root, oldest, cursor)
		if _, gone := errors.AsType[*goneError](err); gone { // the thread's message was deleted
			return "", false, nil
		}
		if err != nil {
			return "", false, err
		}
		for _, m := range page.Messages {
			if m.Bot == us.Bot && m.eventID(noticeEvent) == noticeID && m.TS != root {
				return channel + "/" + m.TS, true, nil
			}
		}
		if cursor = page.Metadata.Cursor; cursor == "" {
			break
		}
	}
	return "", false, nil
}

// eventID is the id in the metadata of a message of a type, "" if it is of another.
func (m postedMessage) eventID(eventType string) string {
	var payload struct {
		ID string `json:"id"`
	}
	if m.Metadata.Type != eventType || json.Unmarshal(m.Metadata.Payload, &payload) != nil {
		return ""
	}
	return payload.ID
}

// messageID splits an id of ours into channel and timestamp. For the id "" it returns the channel of a destination.
func (a *App) messageID(ctx context.Context, dest, id string) (channel, ts string, err error) {
	if channel, ts, ok := strings.Cut(id, "/"); ok {
		return channel, ts, nil
	}
	known, ok := slackID(dest)
	if !ok || id != "" {
		return "", "", classify("conversations.open", "channel_not_found", 0)
	}
	if _, ok := userID(dest); !ok {
		return known, "", nil
	}
	channel, err = a.slack.openDirect(ctx, noRetry, known)
	return channel, "", err
}

// reportReachable calls Config.Reachable for a channel to which we were invited or which was reopened.
func (a *App) reportReachable(ctx context.Context, eventType, user, channel string) error {
	if a.reachable == nil || channel == "" {
		return nil
	}
	if eventType == "member_joined_channel" {
		us, err := a.slack.identity(ctx)
		if err != nil || user != us.User {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.busy.Go(func() {
			_ = a.recovered(func() error { a.reachable("slack:" + channel); return nil }) // logged there
		})
	}
	return nil
}
