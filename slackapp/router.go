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

// deliveryKind is the kind of a delivery.
type deliveryKind string

const (
	commandDelivery     deliveryKind = "command"
	interactionDelivery deliveryKind = "interaction"
	eventDelivery       deliveryKind = "event"
	blockSuggestion                  = "block_suggestion"
)

// delivery is a payload that Slack delivered, over either transport.
type delivery struct {
	kind    deliveryKind
	payload json.RawMessage
}

// request is what a person asked for: who she is and where she is answered.
type request struct {
	actor       tools.Actor
	user        string
	channel     string    // where she is, "" in a modal or the Home tab
	responseURL string    // valid for half an hour, five times
	trigger     string    // opens a modal, for three seconds
	view        string    // her open modal, "" if there is none
	hash        string    // of that modal as she saw it; with "" an update overwrites newer content
	draft       string    // the id of the form that she fills in, once known
	ifClosed    *message  // sent as a message if she closed the modal before it was updated
	ackBy       time.Time // when the acknowledgement is sent at the latest
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

// interaction has what we read of block_actions, view_submission, view_closed and block_suggestion, and no more, so
// that nothing else can break us.
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
	At     string          `json:"action_ts"`       // a timestamp of fixed length: later ones compare as greater
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

var errMalformed = errors.New("malformed delivery")

// dispatch handles a delivery and returns the body of its acknowledgement, nil for an empty one. After an error Slack
// delivers again.
func (a *App) dispatch(ctx context.Context, d delivery) (json.RawMessage, error) {
	// Work goes on if Slack closes the connection: its next attempt gets the same answer.
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

// idOf returns the id that Slack gave a delivery, or a hash of its payload if it has none.
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
	return nil, nil // of a newer Slack; acknowledged, so that nobody waits
}

// handleOnce handles a delivery that was not handled before, and returns the stored answer for one that was. failed
// makes the answer if the delivery could not be handled.
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
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackStoreTimeout) // another replica may wait for it
	defer cancel()
	if err := a.store.Put(storing, "ack", id, body, seenLife); err != nil {
		a.log.WarnContext(ctx, "storing an acknowledgement failed", "error", logged(err))
	}
	return body, nil
}

var errUnanswered = errors.New("no answer from the replica that took the delivery")

// awaitAck waits for the answer that another replica stores for the same delivery. It returns an error if there is
// none in time: an empty answer would close the modal.
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
		panic(fmt.Sprintf("slackapp: encoding %T: %v", answer, err)) // every type of ours can be encoded
	}
	return body
}
