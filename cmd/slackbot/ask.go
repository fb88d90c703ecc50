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

// startAnswers is what the systems outside said when they were asked at the start; "" for one that is our own.
type startAnswers struct{ slack, bank app.Answer }

// askSystems asks Slack and the bank once. It fails only where Slack will never take our token: whatever is out of reach may
// come up later.
func askSystems(ctx context.Context, system *app.System, bot *slackapp.App, simulated bool, log *slog.Logger) (startAnswers, error) {
	var said startAnswers
	var refused error
	var asking sync.WaitGroup
	asking.Go(func() { said.bank = system.AskBank(ctx) })
	if !simulated {
		asking.Go(func() { said.slack, refused = askSlack(ctx, bot, log) })
	}
	asking.Wait()
	return said, refused
}

func askSlack(ctx context.Context, bot *slackapp.App, log *slog.Logger) (app.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, app.AskedWithin)
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
