package subscriptions

import (
	"context"

	"github.com/balcao/balcao/tools"
)

// NotifyMe subscribes the actor's direct messages to a process or simulation, also from a card in a channel.
var NotifyMe = tools.Define(Toolset, tools.Spec{
	Name: "notify_me", Effect: tools.Remembers, NeedsDestination: true, AlwaysForm: true, CardOrder: 5,
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in OfEither) (Notified, error) {
	subscription, err := Selector{Process: in.Process, Simulation: in.Simulation}.subscription(ctx, call)
	if err != nil {
		return Notified{}, err
	}
	_, err = subscribe(ctx, call, call.Actor.Direct, subscription)
	return Notified{Subscription: viewOf(ctx, call, subscription)}, err
})

// Notified is a process or simulation that a person follows by direct messages.
type Notified struct {
	Subscription SubscriptionView `json:"subscription"`
}

// Card implements [tools.Carder].
func (f Notified) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"),
		Text:  say("card.text", "what", f.Subscription.text(say), "stop", f.Subscription.stop(say)),
	}
}
