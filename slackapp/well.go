package slackapp

import (
	"context"
	"net/url"
)

// Well asks Slack whether it takes our token.
func (a *App) Well(ctx context.Context) error {
	return a.call(ctx, "auth.test", url.Values{}, nil)
}
