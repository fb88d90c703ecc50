package notifications

import (
	"context"

	"github.com/balcao/balcao/internal/destination"
)

// Open puts a Service together for a program beside those that [Start] one on the same Redis: it takes hints, tells what
// moved, and shows and replays letters, and leaves the work to them. It needs no Poster.
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
