package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/slackapp"
)

// checks holds the results of the checks at start; a simulated system is not checked and has "".
type checks struct{ slack, bank app.Answer }

// checkSystems calls Slack and the bank once. It fails only if Slack refuses the token: a system that does not answer may
// answer later.
func checkSystems(ctx context.Context, system *app.System, bot *slackapp.App, simulated bool, log *slog.Logger) (checks, error) {
	var result checks
	var refused error
	var running sync.WaitGroup
	running.Go(func() { result.bank = system.CheckBank(ctx) })
	if !simulated {
		running.Go(func() { result.slack, refused = checkSlack(ctx, bot, log) })
	}
	running.Wait()
	return result, refused
}

func checkSlack(ctx context.Context, bot *slackapp.App, log *slog.Logger) (app.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, app.CheckTimeout)
	defer cancel()
	err := bot.HealthCheck(ctx)
	switch {
	case err == nil:
		log.Info("Slack answers", "setting", "SLACK_BOT_TOKEN")
		return app.Answers, nil
	case errors.Is(err, slackapp.ErrToken):
		return app.Refuses, settings.Problems{{Name: "SLACK_BOT_TOKEN", What: "refused"}}
	}
	log.Warn("Slack does not answer as it should: the bot runs, and /readyz shows whether it answers later", "error", err)
	return app.Silent, nil
}
