package slackapp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/balcao/balcao/internal/pause"
	"github.com/balcao/balcao/tools"
)

// deliveryKind is what Slack delivers.
type deliveryKind string

const (
	commandDelivery     deliveryKind = "command"
	interactionDelivery deliveryKind = "interaction"
	eventDelivery       deliveryKind = "event"
	blockSuggestion                  = "block_suggestion"
)

// delivery is one thing that Slack says, whichever way it came.
type delivery struct {
	kind    deliveryKind
	payload json.RawMessage
}

// request is one person doing one thing: who she is and where she is answered.
type request struct {
	actor       tools.Actor
	user        string
	channel     string    // where she was, "" in a modal or the Home tab
	responseURL string    // answers her there for half an hour, five times
	trigger     string    // opens a modal for three seconds
	view        string    // the modal in front of her, "" when there is none
	hash        string    // of that modal as she saw it; "" overwrites whatever it shows by now
	draft       string    // what she is filling in, once that is known
	ifClosed    *message  // what she is told if she closes the modal before it says so
	ackBy       time.Time // when her delivery is acknowledged, with whatever there is by then
}

type command struct {
	Team        string `json:"team_id"`
	User        string `json:"user_id"`
	Channel     string `json:"channel_id"`
	Command     string `json:"command"`
	Text        string `json:"text"`
	ResponseURL string `json:"response_url"`
	Trigger     string `json:"trigger_id"`
}

// onInteraction has what we read of Slack's block_actions, view_submission, view_closed and block_suggestion, and no
// more: what we do not read cannot break us.
type interaction struct {
	Type string `json:"type"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	ResponseURL string   `json:"response_url"`
	Trigger     string   `json:"trigger_id"`
	View        view     `json:"view"`
	Actions     []action `json:"actions"`
	BlockID     string   `json:"block_id"` // of a suggestion
	Value       string   `json:"value"`    // typed so far, of a suggestion
}

type action struct {
	ID     string          `json:"action_id"`
	Value  string          `json:"value"`
	Block  string          `json:"block_id"`
	Chosen *selectedOption `json:"selected_option"` // in a select
	User   *string         `json:"selected_user"`   // in a select of people
	At     string          `json:"action_ts"`       // of one form, so that later ones compare as greater
}

type view struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Hash     string `json:"hash"`
	Callback string `json:"callback_id"`
	Metadata string `json:"private_metadata"`
	State    state  `json:"state"`
}

type event struct {
	ID    string `json:"event_id"`
	Event struct {
		Type        string `json:"type"`
		Subtype     string `json:"subtype"`
		User        string `json:"user"`
		Bot         string `json:"bot_id"`
		Channel     string `json:"channel"`
		ChannelType string `json:"channel_type"`
		Tab         string `json:"tab"`
	} `json:"event"`
}

var errMalformed = errors.New("a delivery that is not understood")

// dispatch does what a delivery asks for and gives the body to acknowledge it with, nil when there is none. An error
// asks Slack to deliver again.
func (a *App) dispatch(ctx context.Context, d delivery) (json.RawMessage, error) {
	// What is begun is finished even when Slack hangs up: its next attempt gets the same answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackTimeout)
	defer cancel()
	due := time.Now().Add(a.ackWait)
	switch d.kind {
	case commandDelivery:
		var c command
		if json.Unmarshal(d.payload, &c) != nil || c.User == "" {
			return nil, errMalformed
		}
		req := request{user: c.User, channel: c.Channel, responseURL: c.ResponseURL, trigger: c.Trigger, ackBy: due}
		return a.handleOnce(ctx, req, idOf(c.Trigger, d.payload), func(req request) any { return a.onCommand(ctx, req, c) }, a.ackText)
	case interactionDelivery:
		var i interaction
		if json.Unmarshal(d.payload, &i) != nil || i.User.ID == "" {
			return nil, errMalformed
		}
		req := request{user: i.User.ID, channel: i.Channel.ID, responseURL: i.ResponseURL, trigger: i.Trigger, ackBy: due}
		if i.View.Type == "modal" {
			req.view, req.hash = i.View.ID, i.View.Hash
		}
		return a.onInteraction(ctx, req, i, idOf(i.Trigger, d.payload))
	case eventDelivery:
		var e event
		if json.Unmarshal(d.payload, &e) != nil {
			return nil, errMalformed
		}
		return nil, a.onEvent(ctx, e, idOf(e.ID, d.payload))
	}
	return nil, errMalformed
}

// idOf tells deliveries apart: by Slack's own id, or by what they say where they carry none.
func idOf(id string, payload []byte) string {
	if id != "" {
		return id
	}
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:])
}

func (a *App) onInteraction(ctx context.Context, req request, i interaction, id string) (json.RawMessage, error) {
	quiet := func(*request, error) any { return nil }
	switch i.Type {
	case blockSuggestion:
		return encode(a.suggest(ctx, req, i)), nil
	case "view_submission":
		return a.handleOnce(ctx, req, id, func(req request) any { return a.onSubmission(ctx, req, i) }, a.ackFieldErrorLater(i.View))
	case "view_closed":
		return a.handleOnce(ctx, req, id, func(req request) any { return a.onClosed(ctx, req, i) }, quiet)
	case "block_actions":
		if a.choosesInForm(i) {
			return a.handleOnce(ctx, req, id, func(req request) any { return a.onChoice(ctx, req, i) }, quiet)
		}
		return a.handleOnce(ctx, req, id, func(req request) any { return a.onButton(ctx, req, i) }, a.replyOutsideModal)
	}
	return nil, nil // something newer than we are; acknowledged, so that nobody waits
}

// handleOnce handles a delivery that nobody has handled yet, and gives one that somebody has the same answer again. failed
// answers the person when even that much is not possible.
func (a *App) handleOnce(ctx context.Context, req request, id string, handle func(request) any, failed func(*request, error) any) (json.RawMessage, error) {
	first, err := a.store.MarkSeen(ctx, "slack", id, seenLife)
	if err != nil {
		return encode(failed(&req, err)), nil
	}
	if !first {
		return a.awaitAck(ctx, id)
	}
	var answer any
	if req.actor, err = a.actor(ctx, req.user, req.channel); err == nil {
		err = a.recovered(func() error { answer = handle(req); return nil })
	}
	if err != nil {
		answer = failed(&req, err)
	}
	body := encode(answer)
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackStoreTimeout) // somebody may be waiting for it
	defer cancel()
	if err := a.store.Put(storing, "ack", id, body, seenLife); err != nil {
		a.log.WarnContext(ctx, "an acknowledgement could not be remembered", "error", logged(err))
	}
	return body, nil
}

var errUnanswered = errors.New("whoever took the delivery first has not answered it")

// awaitAck is the answer that another gave, or is about to give, to the same delivery. Where there is none in time, it
// fails: nobody knows what became of the delivery, and an empty answer would close the modal that it came from.
func (a *App) awaitAck(ctx context.Context, id string) (json.RawMessage, error) {
	for {
		answer, known, err := a.store.Get(ctx, "ack", id)
		switch {
		case known && len(answer) == 0:
			return nil, nil
		case known:
			return answer, nil
		case !pause.For(ctx, ackPollInterval):
			return nil, errors.Join(errUnanswered, err)
		}
	}
}

func encode(answer any) json.RawMessage {
	if answer == nil {
		return nil
	}
	body, err := json.Marshal(answer)
	if err != nil {
		panic(fmt.Sprintf("slackapp: an answer of type %T: %v", answer, err)) // ours are made of text
	}
	return body
}
