package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/balcao/balcao/internal/doctor"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
)

// errRefused ends a start with tokens that Slack will never accept, or an app without Socket Mode.
var errRefused = errors.New("the app is refused by Slack")

// refusals are the codes of the findings with which a start ends.
var refusals = []string{
	"slack.token_revoked", "slack.token_invalid", "slack.not_a_bot", "slack.app_token_invalid", "slack.socket_scope", "slack.socket_off",
}

// screen shows what a start finds.
type screen struct {
	stdout, stderr io.Writer
	lang           words.Lang
	say            translator
}

// begin checks Redis and Slack. It fails with [errRefused]; a system that does not answer may answer later.
func (s screen) begin(ctx context.Context, set settings.Settings) (doctor.Start, error) {
	setup := doctor.Setup{Settings: set, Lang: s.lang}
	start := doctor.NewStart(ctx, "slackbot", s.lang, newDoctor().Parts(setup)...)
	if slices.ContainsFunc(start.Failed(), func(code string) bool { return slices.Contains(refusals, code) }) {
		s.failed(start)
		return start, errRefused
	}
	return start, nil
}

// failed shows the screen of a start that failed, unless what was found does not say why.
func (s screen) failed(start doctor.Start) {
	if len(start.Failed()) > 0 {
		start.NotStarted(s.stderr)
	}
}

// endpoints are the addresses of the program, "" for what this start does not have.
type endpoints struct {
	bot, slack, mcp string
	socketMode      bool
}

func (s screen) started(start doctor.Start, at endpoints) {
	var addresses []doctor.Address
	for _, a := range []doctor.Address{{Label: "endpoint.slack", URL: at.slack}, {Label: "endpoint.mcp", URL: at.mcp}, {Label: "endpoint.bot", URL: at.bot + "/slack/events"}} {
		if a.Label == "endpoint.bot" && at.socketMode {
			a = doctor.Address{Label: "endpoint.socket", URL: s.say("endpoint.socket-mode")}
		}
		if a.URL != "" {
			addresses = append(addresses, doctor.Address{Label: s.say(a.Label), URL: a.URL})
		}
	}
	start.Started(s.stdout, addresses...)
	if at.slack != "" {
		fmt.Fprintf(s.stdout, "\n%s\n", s.say("try"))
	}
}
