package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/notifications"
)

// allDeadLetters is given to -replay instead of an id, for every dead letter.
const allDeadLetters = "all"

// withNews runs do with the notifications of the system, while bots may run on the same Redis.
func withNews(ctx context.Context, s settings.Settings, log *slog.Logger, do func(context.Context, *notifications.Service) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	system, err := app.Start(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	return do(ctx, system.Notifications())
}

// listDeadLetters writes a line for each dead letter: its id, when and why it was given up, and the source and process of
// its trigger. The last line says how many there are.
func listDeadLetters(ctx context.Context, news *notifications.Service, out io.Writer, say translator) error {
	all, err := news.DeadLetters(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		fmt.Fprintf(out, "%s  %s  %-11s  %-10s  %s\n", d.ID, d.At.UTC().Format(time.RFC3339), d.Reason, d.Trigger.Source, d.Trigger.Process)
	}
	fmt.Fprintln(out, say("dead-letters.listed", "count", len(all)))
	return nil
}

// replayDeadLetters puts the dead letter with this id back into the stream, or all of them, and writes how many.
func replayDeadLetters(ctx context.Context, news *notifications.Service, id string, out io.Writer, say translator) error {
	if id == allDeadLetters {
		id = ""
	}
	replayed, err := news.Replay(ctx, id)
	fmt.Fprintln(out, say("dead-letters.replayed", "count", replayed))
	return err
}
