package main

import (
	"context"

	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/slackapp"
)

// poster is where notices become Slack's messages: neither room knows the other.
type poster struct{ app *slackapp.App }

func (p poster) Post(ctx context.Context, place, thread string, notice notifications.Notice) (id string, err error) {
	return p.app.Post(ctx, place, thread, slackapp.Notice(notice))
}

func (p poster) Edit(ctx context.Context, place, id string, notice notifications.Notice) error {
	return p.app.Edit(ctx, place, id, slackapp.Notice(notice))
}

func (p poster) Find(ctx context.Context, place, thread, noticeID string) (id string, found bool, err error) {
	return p.app.Find(ctx, place, thread, noticeID)
}
