package subscriptions

import (
	"context"
	"strings"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/tools"
)

// SetDigest collects the updates of the destination into one message each weekday.
var SetDigest = tools.Define(Toolset, tools.Spec{
	Name: "set_digest", Effect: tools.Remembers, NeedsDestination: true, AlwaysForm: true,
	Next:    tools.Next{"show_subscriptions": nil},
	Example: `{"at":"09:00"}`,
}, func(ctx context.Context, call *tools.Call, in DigestTime) (DigestSet, error) {
	set := DigestSet{Digest: parseTime(in.At)}
	announcement := func(say tools.Say) string {
		if set.Digest == "" {
			return say("announce.digest_ended", "who", actorName(call, say))
		}
		return say("announce.digest", "who", actorName(call, say), "time", set.Digest)
	}
	return set, changeHere(ctx, call, announcement, func(settings *destination.Settings) error {
		settings.Digest = set.Digest
		return nil
	})
})

// DigestTime is the time of the digest, such as 09:00; "" for none.
type DigestTime struct {
	At string `json:"at,omitzero" page:"digest" validate:"omitempty,text=20" pii:"open"`
}

// CheckFields implements [tools.FieldChecker].
func (d DigestTime) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	if strings.TrimSpace(d.At) != "" && parseTime(d.At) == "" {
		return []tools.Problem{call.Problem("at", "digest.format")}
	}
	return nil
}

// DigestSet is the time of the digest.
type DigestSet struct {
	Digest string `json:"digest,omitempty" pii:"open"` // "" if each update is posted immediately
}

// Card implements [tools.Carder].
func (d DigestSet) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title"), Text: say("card.none"), Next: []tools.Step{tools.NextStep("show_subscriptions")}}
	if d.Digest != "" {
		card.Text = say("card.text", "time", d.Digest)
	}
	return card
}
