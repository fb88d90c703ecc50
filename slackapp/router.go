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

// kind is what Slack delivers.
type kind string

const (
	aCommand   kind = "command"
	anAction   kind = "interaction"
	anEvent    kind = "event"
	suggestion      = "block_suggestion"
)

// delivery is one thing that Slack says, whichever way it came.
type delivery struct {
	kind    kind
	payload json.RawMessage
}

// visit is one person doing one thing: who she is and where she is answered.
type visit struct {
	actor       tools.Actor
	user        string
	channel     string    // where she was, "" in a modal or the Home tab
	responseURL string    // answers her there for half an hour, five times
	trigger     string    // opens a modal for three seconds
	view        string    // the modal in front of her, "" when there is none
	hash        string    // of that modal as she saw it; "" overwrites whatever it shows by now
	draft       string    // what she is filling in, once that is known
	instead     *message  // what she is told if she closes the modal before it says so
	due         time.Time // when her delivery is acknowledged, with whatever there is by then
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

// interaction has what we read of Slack's block_actions, view_submission, view_closed and block_suggestion, and no
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
	ID     string        `json:"action_id"`
	Value  string        `json:"value"`
	Block  string        `json:"block_id"`
	Chosen *chosenOption `json:"selected_option"` // in a select
	User   *string       `json:"selected_user"`   // in a select of people
	At     string        `json:"action_ts"`       // of one form, so that later ones compare as greater
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackBudget)
	defer cancel()
	due := time.Now().Add(patience)
	switch d.kind {
	case aCommand:
		var c command
		if json.Unmarshal(d.payload, &c) != nil || c.User == "" {
			return nil, errMalformed
		}
		v := visit{user: c.User, channel: c.Channel, responseURL: c.ResponseURL, trigger: c.Trigger, due: due}
		return a.once(ctx, v, idOf(c.Trigger, d.payload), func(v visit) any { return a.command(ctx, v, c) }, a.ackText)
	case anAction:
		var i interaction
		if json.Unmarshal(d.payload, &i) != nil || i.User.ID == "" {
			return nil, errMalformed
		}
		v := visit{user: i.User.ID, channel: i.Channel.ID, responseURL: i.ResponseURL, trigger: i.Trigger, due: due}
		if i.View.Type == "modal" {
			v.view, v.hash = i.View.ID, i.View.Hash
		}
		return a.interaction(ctx, v, i, idOf(i.Trigger, d.payload))
	case anEvent:
		var e event
		if json.Unmarshal(d.payload, &e) != nil {
			return nil, errMalformed
		}
		return nil, a.event(ctx, e, idOf(e.ID, d.payload))
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

func (a *App) interaction(ctx context.Context, v visit, i interaction, id string) (json.RawMessage, error) {
	quiet := func(*visit, error) any { return nil }
	switch i.Type {
	case suggestion:
		return encode(a.suggest(ctx, v, i)), nil
	case "view_submission":
		return a.once(ctx, v, id, func(v visit) any { return a.submission(ctx, v, i) }, a.unserved(i.View))
	case "view_closed":
		return a.once(ctx, v, id, func(v visit) any { return a.closing(ctx, v, i) }, quiet)
	case "block_actions":
		if i.choosesInForm() {
			return a.once(ctx, v, id, func(v visit) any { return a.reported(ctx, v, i) }, quiet)
		}
		return a.once(ctx, v, id, func(v visit) any { return a.action(ctx, v, i) }, a.tellElsewhere)
	}
	return nil, nil // something newer than we are; acknowledged, so that nobody waits
}

// once handles a delivery that nobody has handled yet, and gives one that somebody has the same answer again. failed
// answers the person when even that much is not possible.
func (a *App) once(ctx context.Context, v visit, id string, handle func(visit) any, failed func(*visit, error) any) (json.RawMessage, error) {
	first, err := a.store.MarkSeen(ctx, "slack", id, rememberLife)
	if err != nil {
		return encode(failed(&v, err)), nil
	}
	if !first {
		return a.answered(ctx, id)
	}
	var answer any
	if v.actor, err = a.actor(ctx, v.user, v.channel); err == nil {
		err = a.guarded(func() error { answer = handle(v); return nil })
	}
	if err != nil {
		answer = failed(&v, err)
	}
	body := encode(answer)
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), remembering) // somebody may be waiting for it
	defer cancel()
	if err := a.store.Put(storing, "ack", id, body, rememberLife); err != nil {
		a.log.WarnContext(ctx, "an acknowledgement could not be remembered", "error", logged(err))
	}
	return body, nil
}

var errUnanswered = errors.New("whoever took the delivery first has not answered it")

// answered is the answer that another gave, or is about to give, to the same delivery. Where there is none in time, it
// fails: nobody knows what became of the delivery, and an empty answer would close the modal that it came from.
func (a *App) answered(ctx context.Context, id string) (json.RawMessage, error) {
	for {
		answer, known, err := a.store.Get(ctx, "ack", id)
		switch {
		case known && len(answer) == 0:
			return nil, nil
		case known:
			return answer, nil
		case !pause.For(ctx, lookAgain):
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
