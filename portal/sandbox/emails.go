package sandbox

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
)

// esisSent is inferred from the code of the simulation's twin, 030501, and the category that is ours.
const esisSent = "070501"

// Sent is an e-mail that went out. Nothing leaves the sandbox: it is only written down.
type Sent struct {
	Process     uuid.UUID
	To          pii.Email
	IgnoreRules bool
	At          time.Time
}

// emailESIS is Process ESIS Email: a GET that sends a document. It refuses what Process ESIS Get would, since the bank
// has to make the document first.
func (b *Bank) emailESIS(c *call) (any, error) {
	query, err := readQuery(c, "sendAddress", "ignoreRules")
	if err != nil {
		return nil, err
	}
	to, ignore := query.text("sendAddress"), query.yes("ignoreRules")
	if query.wrong != nil {
		return nil, query.wrong
	}
	if !isEmail(to) {
		return nil, &refusal{http.StatusBadRequest, []problem{{"esis.address", "sendAddress"}}}
	}
	if _, err := b.draw(c, ignore); err != nil {
		return nil, err
	}
	process, err := pathID(c, "processUniqueId")
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent[max(0, len(b.sent)+1-maxSent):], Sent{process, pii.New[pii.Email](to), ignore, c.now})
	return done(c, esisSent), nil
}

// Sent returns the e-mails that went out, the oldest first and the last thousand at most, for tests to see what left.
func (b *Bank) Sent() []Sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent)
}
