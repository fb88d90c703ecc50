package slackapp

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/spool"
)

// The methods of the Web API that we call, one function each. Replies have what we read and no more, so that nothing else
// in a reply can break us.

type viewReply struct {
	View struct {
		ID   string `json:"id"`
		Hash string `json:"hash"`
	} `json:"view"`
}

// openView opens a modal with a trigger.
func (c *client) openView(ctx context.Context, trigger string, view slack.ModalViewRequest) (id, hash string, err error) {
	const method = "views.open"
	var opened viewReply
	err = c.call(ctx, interactive, method, struct {
		Trigger string                 `json:"trigger_id"`
		View    slack.ModalViewRequest `json:"view"`
	}{trigger, view}, &opened)
	if err == nil && opened.View.ID == "" {
		err = &slackError{method, "no_view"}
	}
	return opened.View.ID, opened.View.Hash, err
}

// updateView replaces what a modal shows, if its hash is still the one given or "" is given. It returns the new hash.
func (c *client) updateView(ctx context.Context, id, hash string, view slack.ModalViewRequest) (newHash string, err error) {
	var updated viewReply
	err = c.call(ctx, background, "views.update", struct {
		ID   string                 `json:"view_id"`
		Hash string                 `json:"hash,omitempty"`
		View slack.ModalViewRequest `json:"view"`
	}{id, hash, view}, &updated)
	return updated.View.Hash, err
}

// publishHome shows a person's Home tab.
func (c *client) publishHome(ctx context.Context, user string, view slack.HomeTabViewRequest) error {
	return c.call(ctx, background, "views.publish", struct {
		User string                   `json:"user_id"`
		View slack.HomeTabViewRequest `json:"view"`
	}{user, view}, nil)
}

// outgoing is a message to post. Links in it are shown without a preview.
type outgoing struct {
	message
	Channel  string               `json:"channel"`
	Thread   string               `json:"thread_ts,omitempty"`
	Metadata *slack.SlackMetadata `json:"metadata,omitempty"`
	Links    bool                 `json:"unfurl_links"`
	Media    bool                 `json:"unfurl_media"`
}

// postMessage posts a message and returns the channel and the timestamp that identify it.
func (c *client) postMessage(ctx context.Context, mode callMode, m outgoing) (channel, ts string, err error) {
	const method = "chat.postMessage"
	var posted struct {
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}
	m.message = m.fit()
	err = c.call(ctx, mode, method, m, &posted)
	if err == nil && (posted.Channel == "" || posted.TS == "") {
		err = &slackError{method, "no_message"}
	}
	return posted.Channel, posted.TS, err
}

// updateMessage replaces the text and the blocks of a message. Its metadata stay.
func (c *client) updateMessage(ctx context.Context, channel, ts string, m message) error {
	return c.call(ctx, noRetry, "chat.update", struct {
		message
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}{m.fit(), channel, ts}, nil)
}

// deleteMessage deletes a message of ours.
func (c *client) deleteMessage(ctx context.Context, channel, ts string) error {
	return c.call(ctx, noRetry, "chat.delete", struct {
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}{channel, ts}, nil)
}

// postEphemeral posts a message in a channel that one person sees.
func (c *client) postEphemeral(ctx context.Context, channel, user string, m message) error {
	return c.call(ctx, background, "chat.postEphemeral", struct {
		message
		Channel string `json:"channel"`
		User    string `json:"user"`
	}{m.fit(), channel, user}, nil)
}

// respond posts an ephemeral message to a response URL.
func (c *client) respond(ctx context.Context, responseURL string, m message) error {
	return c.postTo(ctx, "response_url", responseURL, jsonType, sentBytes(encode(struct {
		message
		Type    string `json:"response_type"`
		Replace bool   `json:"replace_original"`
	}{m.fit(), "ephemeral", false})))
}

// openDirect opens the conversation between a person and the app and returns its channel.
func (c *client) openDirect(ctx context.Context, mode callMode, user string) (channel string, err error) {
	var opened struct {
		Channel struct {
			ID string `json:"id"`
		} `json:"channel"`
	}
	err = c.call(ctx, mode, "conversations.open", url.Values{"users": {user}}, &opened)
	return opened.Channel.ID, err
}

// slackUser is a person as Slack describes her.
type slackUser struct {
	Team            string `json:"team_id"`
	Name            string `json:"real_name"`
	Locale          string `json:"locale"`
	Restricted      bool   `json:"is_restricted"`
	UltraRestricted bool   `json:"is_ultra_restricted"`
	Stranger        bool   `json:"is_stranger"`
}

func (c *client) userInfo(ctx context.Context, id string) (slackUser, error) {
	var found struct {
		User slackUser `json:"user"`
	}
	err := c.call(ctx, interactive, "users.info", url.Values{"user": {id}, "include_locale": {"true"}}, &found)
	return found.User, err
}

func (c *client) channelInfo(ctx context.Context, id string) (channelInfo, error) {
	var found struct {
		Channel channelInfo `json:"channel"`
	}
	err := c.call(ctx, noRetry, "conversations.info", url.Values{"channel": {id}}, &found)
	return found.Channel, err
}

// messagePage is a page of messages.
type messagePage struct {
	Messages []postedMessage `json:"messages"`
	Metadata struct {
		Cursor string `json:"next_cursor"`
	} `json:"response_metadata"`
}

type postedMessage struct {
	TS       string `json:"ts"`
	Bot      string `json:"bot_id"`
	Metadata struct {
		Type    string          `json:"event_type"`
		Payload json.RawMessage `json:"event_payload"`
	} `json:"metadata"`
}

// messages reads a page of a channel, or of the thread under a message. oldest is in seconds since 1970.
func (c *client) messages(ctx context.Context, channel, thread string, oldest int64, cursor string) (messagePage, error) {
	method := "conversations.history"
	args := url.Values{
		"channel": {channel}, "limit": {strconv.Itoa(findPageSize)}, "include_all_metadata": {"true"},
		"oldest": {strconv.FormatInt(oldest, 10)},
	}
	if thread != "" {
		method = "conversations.replies"
		args.Set("ts", thread)
	}
	if cursor != "" {
		args.Set("cursor", cursor)
	}
	var page messagePage
	err := c.call(ctx, noRetry, method, args, &page)
	return page, err
}

// upload puts a file into a channel, in Slack's three steps.
func (c *client) upload(ctx context.Context, channel, name, comment string, content *spool.File) error {
	var slot struct {
		URL  string `json:"upload_url"`
		File string `json:"file_id"`
	}
	args := url.Values{"filename": {name}, "length": {strconv.FormatInt(content.Size(), 10)}}
	if err := c.call(ctx, background, "files.getUploadURLExternal", args, &slot); err != nil {
		return err
	}
	reader, err := content.Open()
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }()
	if err := c.postTo(ctx, "upload", slot.URL, "application/octet-stream", sent{reader, content.Size()}); err != nil {
		return err
	}
	return c.call(ctx, background, "files.completeUploadExternal", struct {
		Files   []slack.FileSummary `json:"files"`
		Channel string              `json:"channel_id"`
		Comment string              `json:"initial_comment"`
	}{[]slack.FileSummary{{ID: slot.File, Title: name}}, channel, comment}, nil)
}

// openSocket returns the address of a new WebSocket. It is a secret.
func (c *client) openSocket(ctx context.Context) (address string, err error) {
	var opened struct {
		URL string `json:"url"`
	}
	err = c.callAs(ctx, c.appToken, background, "apps.connections.open", url.Values{}, &opened)
	return opened.URL, err
}
