package notifications

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

// newestMessages is how many messages are read at most. Of more new ones at once, only these are counted.
const newestMessages = 20

// author is who wrote a message: the bank, or a user as the bank names it, "" if it does not.
type author struct {
	bank bool
	user string
}

func readMessages(ctx context.Context, r reader, before Snapshot, after *Snapshot) error {
	page, err := r.listMessages(ctx, after.Subject)
	if err != nil {
		return err
	}
	seen := SeenMessages{}
	if len(page.Messages) > 0 {
		newest := page.Messages[0]
		seen = SeenMessages{Newest: r.messageDigest(after.Subject, newest), Number: newest.Number, At: newest.CreationDate.UTC()}
	}
	after.Messages, after.authors = &seen, nil
	since := before.Messages
	if since == nil { // a snapshot of an older version: what was written before it was read is not new
		since = &SeenMessages{At: before.Read}
	}
	for _, message := range page.Messages {
		if !r.isNewer(after.Subject, message, *since) {
			break
		}
		wrote := author{user: message.UserName.Reveal()}
		if message.SentByBank != nil && *message.SentByBank {
			wrote = author{bank: true}
		}
		after.authors = append(after.authors, wrote)
	}
	return nil
}

func (r reader) listMessages(ctx context.Context, subject Subject) (portal.MessagePage, error) {
	if subject.Simulation != uuid.Nil {
		return r.bank.ListSimulationMessages(ctx, subject.Simulation, portal.MessageQuery{Limit: newestMessages})
	}
	return r.bank.ListMessages(ctx, subject.Process, portal.MessageQuery{Limit: newestMessages})
}

// isNewer reports whether a message is newer than what was seen: by its number, or else by its time, or else because it is
// another one.
func (r reader) isNewer(subject Subject, message portal.Message, seen SeenMessages) bool {
	switch {
	case seen.Newest != "" && r.messageDigest(subject, message) == seen.Newest:
		return false
	case seen.Number > 0 && message.Number > 0:
		return message.Number > seen.Number
	case !message.CreationDate.IsZero():
		return !message.CreationDate.Before(seen.At)
	}
	return seen.At.IsZero() || seen.Newest != ""
}

// messageDigest returns a keyed digest of a message. The subject is part of it, so that equal messages cannot be linked.
func (r reader) messageDigest(subject Subject, m portal.Message) string {
	return r.fingerprint(fmt.Appendf(nil, "message of %s %d %s %q %q %q", subject, m.Number, m.CreationDate.UTC().Format(time.RFC3339Nano),
		m.UserName.Reveal(), m.Subject.Reveal(), m.Text.Reveal()))
}

// diffMessages returns a change for each author of new messages, the latest first.
func diffMessages(before, after Snapshot) (changes []Change) {
	if before.Read.IsZero() {
		return nil
	}
	many, authors := map[author]int{}, []author{}
	for _, wrote := range after.authors {
		if many[wrote]++; many[wrote] == 1 {
			authors = append(authors, wrote)
		}
	}
	for _, wrote := range authors {
		kind := SomebodyWrote
		if wrote.bank {
			kind = BankWrote
		}
		changes = append(changes, Change{Kind: kind, From: wrote.user, To: strconv.Itoa(many[wrote])})
	}
	return changes
}
