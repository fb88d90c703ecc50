package notifications

import (
	"slices"
	"time"
)

// scope is what is read of a subject: what the types of notifications are about. A notification may be forged, so that what
// happened is read from the bank.
type scope struct {
	whole bool     // something else than a notification of a known type: all parts are read
	parts []string // that are read in addition to the detail
	kinds []string // of changes that are reported if the bank shows them nowhere
}

// esisMeaning is the meaning of the status of a simulation of which the ESIS was issued.
const esisMeaning = "esis_issued"

// scopes are what the meaning of a type of notification, as a profile names it, is about.
var scopes = map[string]struct{ part, kind string }{
	"status":            {"", ""}, // the detail has it
	"message":           {partMessages, SomebodyWrote},
	"documents":         {partDocuments, ""},
	"document_asked":    {partDocuments, DocumentAsked},
	"document_received": {partDocuments, DocumentArrived},
	"document_refused":  {partDocuments, DocumentRefused},
	"valuation":         {partValuations, PropertyValued},
	"esis":              {"", ESISIssued},
	"borrowers":         {partBorrowers, ""},
}

// add adds what a type of notification that means so is about.
func (s *scope) add(meaning string) {
	of, known := scopes[meaning]
	if !known {
		s.whole = true
		return
	}
	if of.part != "" && !slices.Contains(s.parts, of.part) {
		s.parts = append(s.parts, of.part)
	}
	if of.kind != "" && !slices.Contains(s.kinds, of.kind) {
		s.kinds = append(s.kinds, of.kind)
	}
}

// unseen returns the changes that a notification says and that nothing else at the bank shows: an ESIS, and what is in a part
// that the bank refuses to show. The last action says them too. Each is reported once for an action, because a notification
// may come twice.
func (r reader) unseen(before Snapshot, after *Snapshot, wanted scope) (changes []Change) {
	shown := func(kind string) bool {
		for _, of := range scopes {
			if of.kind == kind {
				return of.part != "" && !slices.Contains(after.unread, of.part)
			}
		}
		return true
	}
	tell := func(kind string) {
		if kind == "" || shown(kind) || !after.LastAction.After(before.Said[kind]) || slices.ContainsFunc(changes, func(c Change) bool { return c.Kind == kind }) {
			return
		}
		changes = append(changes, Change{Kind: kind})
		after.said(kind)
	}
	for _, kind := range wanted.kinds {
		tell(kind)
	}
	if after.LastAction.After(before.LastAction) {
		meaning, _ := r.meaning(0, after.action)
		tell(scopes[meaning].kind)
	}
	return changes
}

// said records that a kind of change is reported for the last action.
func (p *Snapshot) said(kind string) {
	if p.Said == nil {
		p.Said = map[string]time.Time{}
	}
	p.Said[kind] = p.LastAction
}
