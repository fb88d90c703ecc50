package tools

import (
	"context"
	"strings"

	"github.com/balcao/balcao/internal/destination"
)

// SetDigest has everything told at a place once each weekday, and nothing in between.
var SetDigest = Define(Spec{
	Name: "set_digest", Command: "balcao digest", Effect: Remembers, NeedsDestination: true, AlwaysForm: true,
	Next: Next{"watches": nil},
}, func(ctx context.Context, call *Call, in DigestTime) (DigestSet, error) {
	set := DigestSet{Digest: parseTime(in.At)}
	said := func(say Say) string {
		if set.Digest == "" {
			return say("announce.digest_ended", "who", who(call, say))
		}
		return say("announce.digest", "who", who(call, say), "time", set.Digest)
	}
	return set, change(ctx, call, said, func(place *destination.Settings) error {
		place.Digest = set.Digest
		return nil
	})
})

// DigestTime is when to tell everything, such as 09:00; "" tells each as it comes.
type DigestTime struct {
	At string `json:"at,omitzero" page:"digest" validate:"omitempty,text=20" pii:"open"`
}

// CheckFields implements [FieldChecker].
func (d DigestTime) CheckFields(_ context.Context, call *Call) []Problem {
	if strings.TrimSpace(d.At) != "" && parseTime(d.At) == "" {
		return []Problem{call.Problem("at", "digest.format")}
	}
	return nil
}

// DigestSet says when everything is told.
type DigestSet struct {
	Digest string `json:"digest,omitempty" pii:"open"` // "" for each as it comes
}

// Card implements [Carder].
func (d DigestSet) Card(say Say) Card {
	card := Card{Title: say("card.title"), Text: say("card.none"), Next: []Step{NextStep("watches")}}
	if d.Digest != "" {
		card.Text = say("card.text", "time", d.Digest)
	}
	return card
}
