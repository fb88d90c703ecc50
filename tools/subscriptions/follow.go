package subscriptions

import (
	"context"

	"github.com/balcao/balcao/tools"
)

// Follow has the actor hear of a process directly, wherever that is asked: on a card in a channel, say.
var Follow = tools.Define(tools.Spec{
	Name: "follow_process", Command: "balcao follow", Effect: tools.Remembers, NeedsDestination: true, CardOrder: 5,
}, func(ctx context.Context, call *tools.Call, in tools.OfProcess) (Following, error) {
	wanted, err := Selector{Process: in.Process}.subscription(ctx, call)
	if err != nil {
		return Following{}, err
	}
	_, err = watchAt(ctx, call, call.Actor.Direct, wanted)
	return Following{Heard: heard(ctx, call, wanted)}, err
})

// Following says what a person hears about directly.
type Following struct {
	Heard SubscriptionView `json:"heard"`
}

// Card implements [tools.Carder].
func (f Following) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"),
		Text:  say("card.text", "what", f.Heard.said(say), "stop", command(Unwatch, f.Heard.Name)),
	}
}
