package slackapp

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/tools"
)

// What an assistant asks for waits in the direct messages of the person who decides: all that one assistant asks for on one
// process is one message, the card, with the values in clear. Any replica posts it and keeps it up to date, one at a time.

const (
	approvalPoll     = 500 * time.Millisecond // between two looks for approvals that changed
	approvalRound    = 200                    // approvals that are looked at in a round
	approvalWorkers  = 8                      // cards that are made at the same time
	approvalReads    = 4                      // approvals that are looked over at the same time for a card
	approvalLease    = 30 * time.Second       // of a card, extended while it is made
	approvalTimeout  = time.Minute            // to make a card
	approvalRetry    = 5 * time.Second        // after a card that could not be made
	approvalUnread   = 15 * time.Second       // after a card for which the bank could not be read
	approvalKept     = 24 * time.Hour         // for which a card is known after its last approval has expired
	approvalDecided  = 10                     // decided approvals that a card keeps
	approvalMoved    = time.Minute            // age from which a card moves to the end of the conversation for one more request
	approvalEvent    = "balcao_approvals"     // the metadata's event_type of every card
	approvalCardKind = "approvals"            // of what the store has of a card
)

// approvalCard is what is stored of a card, encrypted. It has no values.
type approvalCard struct {
	ID       string            `json:"id"`            // in the metadata of the message
	Channel  string            `json:"channel"`       // "" until it is known
	TS       string            `json:"ts"`            // of the message; "" until it is known to be posted
	Began    time.Time         `json:"began"`         // when it was first tried to post it
	Items    []string          `json:"items"`         // approvals, the first asked first
	Seen     map[string]string `json:"seen"`          // what the card shows of those that can be approved together; see [tools.Review]
	Complete bool              `json:"all,omitempty"` // all that wait can be approved together
	Ended    bool              `json:"ended,omitempty"`
}

// approvalGroup identifies the card of an approval.
func approvalGroup(a tools.Approval) string {
	about := a.About
	if about == "" {
		about = a.ID
	}
	return strings.Join([]string{a.Owner, a.Asker, a.Client, about}, "\n")
}

// Why a card is made again later.
var (
	errCardTaken = errors.New("another replica makes the card")
	errUnread    = errors.New("the bank could not be read for a card") // it is shown without values
)

// retryCardAfter returns how long to wait after a card that could not be made.
func retryCardAfter(err error) time.Duration {
	limited, is := errors.AsType[*rateLimitedError](err)
	switch {
	case is:
		return min(limited.RetryAfter(), maxRetryAfter)
	case unreachable(err): // until somebody acts
		return maxRetryAfter
	case errors.Is(err, errUnread):
		return approvalUnread
	}
	return approvalRetry
}

// makeCard makes the card of an approval. again is set if it was shown as it is: then a card stays while the bank cannot be read.
func (a *App) makeCard(ctx context.Context, changed tools.Approval, again bool) error {
	ctx, cancel := context.WithTimeout(ctx, approvalTimeout)
	defer cancel()
	group := approvalGroup(changed)
	ran, err := a.store.WithLease(ctx, "approvals "+group, approvalLease, func(ctx context.Context) error {
		return a.showGroup(ctx, group, changed, again)
	})
	if err == nil && !ran {
		return errCardTaken
	}
	return err
}

// showGroup makes the card to which an approval belongs, posts or updates it, and records what it shows.
func (a *App) showGroup(ctx context.Context, group string, changed tools.Approval, again bool) error {
	var card approvalCard
	stored, known, err := a.store.Get(ctx, approvalCardKind, group)
	if err != nil {
		return err
	}
	if known && !decoded(stored, &card) {
		known = false
	}
	user, _ := userID(changed.Owner)
	actor, err := a.person(ctx, user)
	switch {
	case unreachable(err):
		a.log.WarnContext(ctx, "an approval cannot be shown to its person", "approval", changed.ID, "person", changed.Owner, "error", logged(err))
		return a.store.ShownApproval(ctx, changed.ID, changed.Version())
	case err != nil:
		return err
	case actor.ID != changed.Owner || actor.Guest:
		a.log.WarnContext(ctx, "an approval cannot be shown to its person", "approval", changed.ID, "person", changed.Owner)
		return a.store.ShownApproval(ctx, changed.ID, changed.Version())
	}
	if !known || card.Ended && !slices.Contains(card.Items, changed.ID) {
		card = approvalCard{}
	}
	items, joined, err := a.itemsOf(ctx, actor, group, changed, card.Items)
	if err != nil {
		return err
	}
	if len(items) == 0 { // it is gone
		return nil
	}
	unread := slices.ContainsFunc(items, func(i approvalItem) bool { return i.unread })
	if unread && again {
		return errUnread
	}
	if card.ID == "" && !slices.ContainsFunc(items, func(i approvalItem) bool { return !i.Status.Decided() }) {
		return a.recordShown(ctx, items) // it was decided before it was ever shown
	}
	if card.TS != "" && joined && time.Since(card.Began) > approvalMoved {
		err := a.slack.deleteMessage(ctx, card.Channel, card.TS)
		switch {
		case err == nil || isGone(err):
			card.ID, card.TS = "", ""
		case !refused(err): // perhaps it is deleted
			return err
		default: // it stays where it is
			a.log.InfoContext(ctx, "moving a card failed", "error", logged(err))
		}
	}
	shown := approvalMessage(actor.Lang, items)

	if err := a.putCard(ctx, group, user, &card, shown, items); err != nil {
		return err
	}
	if err := a.keepCard(ctx, group, card, items); err != nil {
		return err
	}
	if unread {
		return errUnread
	}
	return a.recordShown(ctx, items)
}

// itemsOf returns the approvals of a card as they are now, with what is shown of each: those that it has, and those that wait since.
// joined reports whether there is one that the card did not have.
func (a *App) itemsOf(ctx context.Context, actor tools.Actor, group string, changed tools.Approval, had []string) (items []approvalItem, joined bool, err error) {
	ids := slices.Clone(had)
	open, err := a.runner.OpenApprovals(ctx, actor)
	if err != nil {
		return nil, false, err
	}
	for _, other := range append(open, changed) {
		if approvalGroup(other) == group && !slices.Contains(ids, other.ID) {
			ids, joined = append(ids, other.ID), true
		}
	}
	for _, id := range ids {
		now, found, err := a.runner.Approval(ctx, id)
		if err != nil {
			return nil, false, err
		}
		if found && now.Owner == actor.ID {
			tool, _ := a.runner.ToolOf(now)
			items = append(items, approvalItem{Review: tools.Review{Approval: now, Of: tool}})
		}
	}
	var reading errgroup.Group
	reading.SetLimit(approvalReads)
	for i := range items {
		reading.Go(func() error {
			return a.recovered(func() error { items[i] = a.itemOf(ctx, actor, items[i].Approval, items[i].Of); return nil })
		})
	}
	if err := reading.Wait(); err != nil {
		return nil, false, err
	}
	slices.SortStableFunc(items, func(x, y approvalItem) int { return x.Asked.Compare(y.Asked) })
	items = latest(items, changed.ID)
	layOut(items)
	return items, joined && len(had) > 0, nil
}

// putCard posts a card, or updates the message that it has. What is stored before and after makes it one message, whatever crashes in
// between.
func (a *App) putCard(ctx context.Context, group, user string, card *approvalCard, shown message, items []approvalItem) (err error) {
	if card.Channel == "" {
		if card.Channel, err = a.slack.openDirect(ctx, noRetry, user); err != nil {
			return err
		}
	}
	if card.TS == "" && card.ID != "" { // it was tried before
		if card.TS, err = a.findCard(ctx, *card); err != nil {
			return err
		}
	}
	if card.TS != "" {
		err := a.slack.updateMessage(ctx, card.Channel, card.TS, shown)
		if !isGone(err) {
			return err
		}
		card.ID, card.TS = "", "" // she has deleted it
	}
	if card.ID == "" {
		card.ID, card.Began = strings.ToLower(rand.Text()), time.Now().UTC()
	}
	if err := a.keepCard(ctx, group, *card, items); err != nil {
		return err
	}
	card.Channel, card.TS, err = a.slack.postMessage(ctx, noRetry, outgoing{
		message: shown, Channel: card.Channel,
		Metadata: &slack.SlackMetadata{EventType: approvalEvent, EventPayload: map[string]any{"id": card.ID}},
	})
	return err
}

// findCard returns the timestamp of a card that was perhaps posted, "" if it was not.
func (a *App) findCard(ctx context.Context, card approvalCard) (ts string, err error) {
	us, err := a.slack.identity(ctx)
	if err != nil {
		return "", err
	}
	cursor := ""
	for range findMaxPages {
		page, err := a.slack.messages(ctx, card.Channel, "", card.Began.Add(-time.Hour).Unix(), cursor)
		if err != nil {
			return "", err
		}
		for _, m := range page.Messages {
			if m.Bot == us.Bot && m.eventID(approvalEvent) == card.ID {
				return m.TS, nil
			}
		}
		if cursor = page.Metadata.Cursor; cursor == "" {
			break
		}
	}
	return "", nil
}

// keepCard stores what is known of a card.
func (a *App) keepCard(ctx context.Context, group string, card approvalCard, items []approvalItem) error {
	card.Items, card.Seen, card.Ended = nil, map[string]string{}, true
	until := time.Now()
	for _, item := range items {
		card.Items = append(card.Items, item.ID)
		card.Ended = card.Ended && item.Status.Decided()
		if item.approvable() {
			card.Seen[item.ID] = item.Seen
		}
		if item.Expires.After(until) {
			until = item.Expires
		}
	}
	card.Complete = together(items)
	return a.store.Put(ctx, approvalCardKind, group, encode(card), time.Until(until)+approvalKept)
}

// recordShown records that a card shows these approvals as they are.
func (a *App) recordShown(ctx context.Context, items []approvalItem) error {
	for _, item := range items {
		if err := a.store.ShownApproval(ctx, item.ID, item.Version()); err != nil {
			return err
		}
	}
	return nil
}

// latest drops the oldest of the items that are decided if there are many, but not the one with an id.
func latest(items []approvalItem, id string) []approvalItem {
	more := -approvalDecided
	for _, item := range items {
		if item.Status.Decided() {
			more++
		}
	}
	return slices.DeleteFunc(items, func(item approvalItem) bool {
		if more <= 0 || !item.Status.Decided() || item.ID == id {
			return false
		}
		more--
		return true
	})
}

// refused reports whether a call to Slack certainly had no effect, and would have none if it were made again.
func refused(err error) bool {
	_, limited := errors.AsType[*rateLimitedError](err)
	_, notSent := errors.AsType[interface {
		error
		NotSent() bool
	}](err)
	return notSent && !limited
}

func isGone(err error) bool {
	_, gone := errors.AsType[*goneError](err)
	return gone
}

// unreachable reports whether Slack does not let us write to a person until somebody acts.
func unreachable(err error) bool {
	_, is := errors.AsType[*unreachableError](err)
	return is
}
