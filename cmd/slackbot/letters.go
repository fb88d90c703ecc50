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

// allLetters stands for the id of every letter.
const allLetters = "all"

// withNews does something with what is kept of notifications, beside the bots that run.
func withNews(ctx context.Context, s settings.Settings, log *slog.Logger, do func(context.Context, *notifications.Service) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	system, err := app.Start(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	return do(ctx, system.News())
}

// listLetters writes a line for each hint that was given up: its id, when, why, and what it was.
func listLetters(ctx context.Context, news *notifications.Service, out io.Writer, say translator) error {
	letters, err := news.DeadLetters(ctx)
	if err != nil {
		return err
	}
	for _, letter := range letters {
		fmt.Fprintf(out, "%s  %s  %-11s  %-10s  %s\n", letter.ID, letter.At.UTC().Format(time.RFC3339), letter.Reason, letter.Hint.Source, letter.Hint.Process)
	}
	fmt.Fprintln(out, say("letters.listed", "count", len(letters)))
	return nil
}

// replayLetters makes a letter a hint again, or all of them.
func replayLetters(ctx context.Context, news *notifications.Service, id string, out io.Writer, say translator) error {
	if id == allLetters {
		id = ""
	}
	replayed, err := news.Replay(ctx, id)
	fmt.Fprintln(out, say("letters.replayed", "count", replayed))
	return err
}
