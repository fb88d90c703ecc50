package notifications

import (
	"context"

	"github.com/balcao/balcao/internal/destination"
)

// Open returns a Service that starts no work, for a program that runs beside those that call [Start] on the same Redis:
// it adds triggers, returns updates, and lists and replays dead letters. It needs no Poster.
func Open(ctx context.Context, config Config) (*Service, error) {
	if config.Poster == nil {
		config.Poster = destination.NopPoster{}
	}
	s, err := assemble(ctx, config)
	if err != nil {
		return nil, err
	}
	s.cancel = func() {}
	return s, nil
}
