package notifications

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/balcao/balcao/portal"
)

// documentKinds are the kinds of change by the name of what the status of a document means.
var documentKinds = map[string]string{
	"requested": DocumentAsked, "received": DocumentArrived, "accepted": DocumentAccepted, "refused": DocumentRefused,
}

func readDocuments(ctx context.Context, r reader, _ Snapshot, after *Snapshot) error {
	listed, err := r.bank.ListDocuments(ctx, after.Process)
	if err != nil {
		return err
	}
	after.Documents = make(map[string]SeenDocument, len(listed))
	for _, document := range listed {
		after.Documents[document.DocumentUniqueID.String()] = SeenDocument{
			Type:   named(document.DocumentTypeDescription, document.DocumentTypeID),
			State:  r.documentState(document),
			Digest: r.fingerprint(fmt.Appendf(nil, "document of %s %s %q %s", after.Process, document.DocumentUniqueID, document.FileName.Reveal(), document.CreationDate.UTC())),
		}
	}
	return nil
}

// documentState returns the kind of change that brings a document into its status. A bank that says no status lists what it has
// received.
func (r reader) documentState(document portal.DocumentSummary) string {
	id := int32(0)
	if document.DocumentStatusID != nil {
		id = *document.DocumentStatusID
	}
	if kind := documentKinds[r.item("documentStatuses", id, document.DocumentStatusDescription)]; kind != "" || document.DocumentStatusDescription != "" || id != 0 {
		return kind
	}
	return DocumentArrived
}

// diffDocuments returns a change for each type and kind, sorted. A document that is sent again in the same status is received
// again; one whose status is not known is new or the same.
func diffDocuments(before, after Snapshot) (changes []Change) {
	if before.Documents == nil || after.Documents == nil { // not read before
		return nil
	}
	many := map[Change]int{}
	for id, document := range after.Documents {
		was, there := before.Documents[id]
		switch again := there && document.Digest != was.Digest && document.State == DocumentArrived && was.State == DocumentArrived; {
		case !there && document.State == "":
			many[Change{Kind: DocumentArrived, To: document.Type}]++
		case !there || was.State != document.State && document.State != "" || again:
			many[Change{Kind: document.State, To: document.Type}]++
		}
	}
	for id, document := range before.Documents {
		if _, there := after.Documents[id]; !there && document.State != DocumentAsked {
			many[Change{Kind: DocumentRemoved, To: document.Type}]++
		}
	}
	for _, change := range slices.SortedFunc(maps.Keys(many), compareChanges) {
		if n := many[change]; n > 1 {
			change.From = strconv.Itoa(n)
		}
		changes = append(changes, change)
	}
	return changes
}
