package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/wiring"
	"github.com/balcao/balcao/slackapp"
)

// startAnswers is what the systems outside said when they were asked at the start; "" for one that is our own.
type startAnswers struct{ slack, bank wiring.Answer }

// askSystems asks Slack and the bank once. It fails only where Slack will never take our token: whatever is out of reach may
// come up later.
func askSystems(ctx context.Context, system *wiring.System, bot *slackapp.App, simulated bool, log *slog.Logger) (startAnswers, error) {
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

func askSlack(ctx context.Context, bot *slackapp.App, log *slog.Logger) (wiring.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, wiring.AskedWithin)
	defer cancel()
	err := bot.Well(ctx)
	switch {
	case err == nil:
		log.Info("Slack answers", "setting", "SLACK_BOT_TOKEN")
		return wiring.Answers, nil
	case errors.Is(err, slackapp.ErrToken):
		return wiring.Refuses, settings.Problems{{Name: "SLACK_BOT_TOKEN", What: "refused"}}
	}
	log.Warn("Slack does not answer as it should: the bot runs, and /readyz shows whether it answers later", "error", err)
	return wiring.Silent, nil
}
