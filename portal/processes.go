package portal

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/pii"
)

// The operations of the bank's page Processes.
const (
	ProcessList   OperationID = "processList"
	ProcessDetail OperationID = "processDetail"
)

func init() {
	registerReads(ProcessList, ProcessDetail)
	registerReasons("process.missing", "process.state", NotInCreation, "process.noKey", "process.incomplete", "process.property", "process.documents",
		"process.simulationUsed", "process.reason")
}

// ProcessQuery is a filter and a page of Process List.
type ProcessQuery struct {
	Text     pii.Name  // a borrower's name or tax number, or a branch
	StatusID *int32    // taxonomy workflowStatesProposal
	From, To time.Time // days of the last change of status, both inclusive
	Limit    int       // maximum number of processes; the profile may have a smaller one
	After    string    // [ProcessPage.Next] of the page before; "" is the first page
}

func (q ProcessQuery) values() url.Values {
	values := url.Values{}
	set := func(name, value string, is bool) {
		if is {
			values.Set(name, value)
		}
	}
	set("filterByText", q.Text.Reveal(), !q.Text.IsZero())
	if q.StatusID != nil {
		values.Set("filterProcessStatus", strconv.Itoa(int(*q.StatusID)))
	}
	set("filterStatusLastDateFrom", q.From.Format(time.DateOnly), !q.From.IsZero())
	set("filterStatusLastDateTo", q.To.Format(time.DateOnly), !q.To.IsZero())
	return values
}

// ProcessPage is a page of Process List, newest first.
type ProcessPage struct {
	TotalRecords int // 0 if the bank does not say
	Processes    []ProcessSummary
	Next         string // of the page that follows, for [ProcessQuery.After]; "" if this is the last
}

// ProcessSummary is an item of Process List.
type ProcessSummary struct {
	ProcessUniqueID          uuid.UUID `json:"processUniqueID"`
	ProcessNumber            int64     `json:"processNumber"`
	KeyBorrowerName          pii.Name  `json:"borrowerName,omitzero"`
	ProcessStatusID          int32     `json:"processStatusID" taxonomy:"workflowStatesProposal"`
	ProcessStatusDescription string    `json:"processStatusDescription,omitzero"`
	BranchID                 int32     `json:"branchID,omitzero" taxonomy:"-"`
	BranchDescription        string    `json:"branchDescription,omitzero"`
	CreationDate             Time      `json:"creationDate,omitzero"`
	LastActionDate           Time      `json:"lastActionDate,omitzero"`
}

// Process is the reply of Process Detail. The profile says where each field is.
type Process struct {
	ProcessSummary
	SimulationUniqueID uuid.UUID `json:"simulationUniqueID,omitzero"`
	SimulationNumber   int64     `json:"simulationNumber,omitzero"`

	ProcessPhaseID          *int32 `json:"processPhaseID,omitzero" taxonomy:"workflowPhases"`
	ProcessPhaseDescription string `json:"processPhaseDescription,omitzero"`

	LastActionDescription string `json:"lastActionDescription,omitzero"`

	LoanAmount                pii.Money `json:"loanAmount,omitzero"` // the amount asked for, in euros
	LoanDurationMonths        *int32    `json:"loanDurationMonths,omitzero"`
	ProductSchemeID           *int32    `json:"productSchemeID,omitzero" taxonomy:"productSchemes"`
	ProductSchemeDescription  string    `json:"productSchemeDescription,omitzero"`
	LoanPurposeID             *int32    `json:"loanPurposeID,omitzero" taxonomy:"loanPurposes"`
	LoanPurposeDescription    string    `json:"loanPurposeDescription,omitzero"`
	ProductPurposeID          *int32    `json:"productPurposeID,omitzero" taxonomy:"productPurposes"`
	ProductPurposeDescription string    `json:"productPurposeDescription,omitzero"`
	HasCrossSelling           *bool     `json:"hasCrossSelling,omitzero"`

	AcquisitionAmount pii.Money `json:"acquisitionAmount,omitzero"` // the price of the property, in euros
}

// ListProcesses returns a page of the broker's processes.
//
// Of Process List the bank's reference prints only title and method.
func (u *User) ListProcesses(ctx context.Context, query ProcessQuery) (ProcessPage, error) {
	row := u.client.rows[ProcessList]
	values, pages := query.values(), newPages(row.wire.Page, query.Limit)
	pages.query(values, query.After)
	var reply processListReply
	if err := u.do(ctx, call{op: ProcessList, query: values}, &reply); err != nil {
		return ProcessPage{}, err
	}
	page := ProcessPage{Processes: reply.List.all}
	page.TotalRecords, page.Next = reply.end(pages, query.After, func(last ProcessSummary) string {
		if pages.Key == "processNumber" {
			return strconv.FormatInt(last.ProcessNumber, 10)
		}
		return row.wire.Value("processUniqueID", last.ProcessUniqueID.String())
	})
	return page, nil
}

type processListReply struct{ pageReply[ProcessSummary] }

func (r *processListReply) lacks() string {
	if slices.ContainsFunc(r.List.all, func(p ProcessSummary) bool { return p.ProcessUniqueID == uuid.Nil }) {
		return "processUniqueID in a process"
	}
	return ""
}

// Process returns a process of the broker. Its borrowers are those of [User.ListBorrowers].
//
// See Process Detail on the bank's page Processes.
func (u *User) Process(ctx context.Context, process uuid.UUID) (Process, error) {
	var reply Process
	err := u.do(ctx, call{op: ProcessDetail, path: pathValues{"processUniqueId": process}}, &reply)
	return reply, err
}

func (p *Process) lacks() string {
	if p.ProcessUniqueID == uuid.Nil {
		return "processUniqueID"
	}
	return ""
}

// Time is a time in a reply. The bank prints no format for it: RFC 3339 is read, and a date or a date and time without a
// zone, which is taken as Lisbon's. Any other value is the zero time; the call does not fail.
type Time struct{ time.Time }

// UnmarshalJSON reads a time.
func (t *Time) UnmarshalJSON(data []byte) error {
	t.Time = time.Time{}
	var text string
	if json.Unmarshal(data, &text) != nil {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, lisbon.Zone); err == nil {
			t.Time = at
			break
		}
	}
	return nil
}
