package subscriptions

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// SetQuiet sets the hours in which nothing is posted to the destination.
var SetQuiet = tools.Define(Toolset, tools.Spec{
	Name: "set_quiet", Effect: tools.Remembers, NeedsDestination: true, AlwaysForm: true,
	Next:    tools.Next{"show_subscriptions": nil},
	Example: `{"hours":"20:00-08:00"}`,
}, func(ctx context.Context, call *tools.Call, in QuietTimes) (QuietSet, error) {
	quiet, _ := parseQuiet(in.Hours)
	announcement := func(say tools.Say) string {
		if quiet == (destination.QuietHours{}) {
			return say("announce.quiet_ended", "who", actorName(call, say))
		}
		return say("announce.quiet", "who", actorName(call, say), "hours", quiet.String())
	}
	return QuietSet{Quiet: quiet.String()}, changeHere(ctx, call, announcement, func(settings *destination.Settings) error {
		settings.Quiet = quiet
		return nil
	})
})

// QuietTimes are quiet hours, such as 20:00-08:00; "" for none.
type QuietTimes struct {
	Hours string `json:"hours,omitzero" page:"quiet" validate:"omitempty,text=20" pii:"open"`
}

// CheckFields implements [tools.FieldChecker].
func (q QuietTimes) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	if _, ok := parseQuiet(q.Hours); !ok {
		return []tools.Problem{call.Problem("hours", "quiet.format")}
	}
	return nil
}

// parseQuiet reads two times with a dash between them, as people type them.
func parseQuiet(text string) (destination.QuietHours, bool) {
	if strings.TrimSpace(text) == "" {
		return destination.QuietHours{}, true
	}
	from, to, _ := strings.Cut(strings.NewReplacer("–", "-", "—", "-").Replace(text), "-")
	quiet := destination.QuietHours{From: parseTime(from), To: parseTime(to)}
	return quiet, quiet.From != "" && quiet.To != "" && quiet.From != quiet.To
}

var timeOfDay = regexp.MustCompile(`^(\d{1,2})(?:[:.h](\d{2})|h)?$`)

// parseTime reads a time of day, 8, 8h, 8h30 or 08:30, as HH:MM; "" if it is none.
func parseTime(text string) string {
	parts := timeOfDay.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if parts == nil {
		return ""
	}
	hour, _ := strconv.Atoi(parts[1])
	minute, _ := strconv.Atoi(parts[2]) // "" is 0
	if hour > 23 || minute > 59 {
		return ""
	}
	return fmt.Sprintf("%02d:%02d", hour, minute)
}

// QuietSet has the quiet hours of a destination.
type QuietSet struct {
	Quiet string `json:"quiet,omitempty" pii:"open"` // "" for none
}

// Card implements [tools.Carder].
func (q QuietSet) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title"), Text: say("card.none"), Next: []tools.Step{tools.NextStep("show_subscriptions")}}
	if q.Quiet != "" {
		card.Text = say("card.text", "hours", q.Quiet)
	}
	return card
}
