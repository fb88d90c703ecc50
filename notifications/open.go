package notifications

import (
	"context"
	"errors"
)

// Open puts a Service together for a program beside those that [Start] one on the same Redis: it takes hints, tells what
// moved, and shows and replays letters, and leaves the work to them. It needs no Poster.
func Open(ctx context.Context, config Config) (*Service, error) {
	if config.Poster == nil {
		config.Poster = NopPoster{}
	}
	s, err := assemble(ctx, config)
	if err != nil {
		return nil, err
	}
	s.cancel = func() {}
	return s, nil
}

// NopPoster posts nothing, for a program in which nobody reads.
type NopPoster struct{}

var errMute = errors.New("nobody reads here")

// Post implements [Poster].
func (NopPoster) Post(context.Context, string, string, Notice) (string, error) { return "", errMute }

// Edit implements [Poster].
func (NopPoster) Edit(context.Context, string, string, Notice) error { return errMute }

// Find implements [Poster].
func (NopPoster) Find(context.Context, string, string, string) (string, bool, error) {
	return "", false, nil
}
