package subscriptions

import (
	"context"

	"github.com/balcao/balcao/tools"
)

// Follow subscribes the actor's direct messages to a process, also from a card in a channel.
var Follow = tools.Define(Toolset, tools.Spec{
	Name: "follow_process", Effect: tools.Remembers, NeedsDestination: true, CardOrder: 5,
}, func(ctx context.Context, call *tools.Call, in tools.OfProcess) (Following, error) {
	subscription, err := Selector{Process: in.Process}.subscription(ctx, call)
	if err != nil {
		return Following{}, err
	}
	_, err = subscribe(ctx, call, call.Actor.Direct, subscription)
	return Following{Subscription: viewOf(ctx, call, subscription)}, err
})

// Following is a process that a person follows by direct messages.
type Following struct {
	Subscription SubscriptionView `json:"heard"`
}

// Card implements [tools.Carder].
func (f Following) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"),
		Text:  say("card.text", "what", f.Subscription.text(say), "stop", command(say, Unwatch, f.Subscription.Name)),
	}
}
