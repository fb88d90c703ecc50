package notifications

import (
	"cmp"
)

// The kinds of change.
const (
	Opened           = "opened"            // seen for the first time; To is the status
	StatusChanged    = "status"            // From and To are the bank's texts
	Approved         = "approved"          // of a simulation: the status now means so; From and To as above
	Rejected         = "rejected"          // as above
	BranchChanged    = "branch"            // as StatusChanged
	BorrowerAdded    = "borrower_added"    // To is how many
	BorrowerRemoved  = "borrower_removed"  // as above
	BorrowerChanged  = "borrower_changed"  // as above
	BankWrote        = "bank_wrote"        // messages of the bank; To is how many
	SomebodyWrote    = "somebody_wrote"    // messages of somebody else; From is the user as the bank names it, or "", and To how many
	DocumentAsked    = "document_asked"    // To is the bank's text of the type; From is how many, "" for one
	DocumentArrived  = "document_arrived"  // as above
	DocumentAccepted = "document_accepted" // as above
	DocumentRefused  = "document_refused"  // as above
	DocumentRemoved  = "document_removed"  // as above
	PropertyValued   = "property_valued"   // To is how many
	ESISIssued       = "esis"              // as the type of a notification or the last action says it: nothing else shows it
	ProcessMade      = "process_made"      // of a simulation; To is the number of the process
	Acted            = "action"            // the bank dates a last action of which nothing else can be seen
)

// Change is one difference. From and To are texts of the bank's lists or numbers, and no personal data of a client.
type Change struct {
	Kind string `json:"kind"` // its words are change.<kind>
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

func compareChanges(a, b Change) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.To, b.To))
}
