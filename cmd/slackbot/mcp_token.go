package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/settings"
)

// printPersonalToken runs «mcp-token»: it prints a new token for a person's assistants, which is stored nowhere, and its entry for
// MCP_TOKENS. It returns the exit code.
func printPersonalToken(args []string, environ map[string]string, stdout, stderr io.Writer, say translator) int {
	flags := flag.NewFlagSet("slackbot mcp-token", flag.ContinueOnError)
	flags.SetOutput(stderr)
	until := flags.String("until", "", say("flag.mcp-token.until"))
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	last, ok := lastDay(*until, time.Now())
	if !ok {
		fmt.Fprintln(stderr, say("mcp-token.until"))
		return 2
	}
	token, entry, ok := settings.NewPersonalToken(flags.Arg(0), last)
	if !ok || flags.NArg() != 1 {
		fmt.Fprintln(stderr, say("mcp-token.account"))
		return 2
	}
	fmt.Fprintf(stdout, "%s\n  %s\n%s\n  %s\n", say("mcp-token.token"), token, say("mcp-token.entry"), entry)
	var people settings.People
	if users := environ["PORTAL_USERS"]; users != "" && people.UnmarshalText([]byte(users)) == nil {
		if _, listed := people.Find(settings.AccountOf(entry)); !listed {
			fmt.Fprintln(stderr, say("mcp-token.unlisted"))
		}
	}
	return 0
}

// lastDay returns a day that is not over, zero for "".
func lastDay(text string, now time.Time) (day time.Time, ok bool) {
	if text == "" {
		return time.Time{}, true
	}
	day, err := time.ParseInLocation(time.DateOnly, text, lisbon.Zone)
	return day, err == nil && now.Before(day.AddDate(0, 0, 1))
}
