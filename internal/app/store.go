package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/settings"
)

// OpenStore opens the store of the settings.
func OpenStore(ctx context.Context, s settings.Settings, log *slog.Logger) (*conversations.Store, error) {
	options := []conversations.Option{conversations.WithLog(log)}
	if team := teamDestination(s); team != "" {
		options = append(options, conversations.WithTeam(team, s.TeamLang))
	}
	store, err := conversations.Open(ctx, s.RedisURL, s.Keys, options...)
	if err != nil {
		return nil, fmt.Errorf("opening REDIS_URL: %w", err)
	}
	return store, nil
}

// otherKey: the store is in use with another STATE_KEY.
const otherKey Problem = "other_key"

// StoreCheck fails if the store is in use with another key or does not accept writes.
func (s *System) StoreCheck() Check {
	return Check{Name: "store", Vital: true, Run: func(ctx context.Context) error {
		err := s.Store.Ready(ctx)
		if errors.Is(err, conversations.ErrOtherKey) {
			return otherKey
		}
		if refused, is := errors.AsType[*conversations.RefusedError](err); is {
			return Problem(refused.Refusal)
		}
		return err
	}}
}
