package slackapp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
)

// ErrToken says that Slack will never take our token, however often it is asked.
var ErrToken = errors.New("the bot token is not accepted by Slack")

// hopeless are Slack's codes for such a token.
var hopeless = []string{"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}

// HealthCheck asks Slack whether it takes our token.
func (a *App) HealthCheck(ctx context.Context) error {
	err := a.call(ctx, "auth.test", url.Values{}, nil)
	if refused, ok := errors.AsType[*slackError](err); ok && slices.Contains(hopeless, refused.code) {
		return fmt.Errorf("%w: %w", ErrToken, err)
	}
	return err
}
