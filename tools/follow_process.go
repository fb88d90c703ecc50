package tools

import "context"

// FollowProcess has the actor hear of a process directly, wherever that is asked: on a card in a channel, say.
var FollowProcess = Define(Spec{
	Name: "follow_process", Command: "balcao follow", Toolset: News, Effect: Remembers, NeedsDestination: true, CardOrder: 5,
}, func(ctx context.Context, call *Call, in OfProcess) (Following, error) {
	wanted, err := Selector{Process: in.Process}.subscription(ctx, call)
	if err != nil {
		return Following{}, err
	}
	_, err = call.watchAt(ctx, call.Actor.Direct, wanted)
	return Following{Heard: call.heard(ctx, wanted)}, err
})

// Following says what a person hears about directly.
type Following struct {
	Heard SubscriptionView `json:"heard"`
}

// Card implements [Carder].
func (f Following) Card(say Say) Card {
	return Card{
		Title: say("card.title"),
		Text:  say("card.text", "what", f.Heard.said(say), "stop", command(Unwatch, f.Heard.Name)),
	}
}
