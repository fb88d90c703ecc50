package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

func init() {
	serve(portal.ProcessList, (*Bank).listProcesses)
	serve(portal.ProcessDetail, (*Bank).processDetail)
}

// defaultLines is the default number of processes in a page of Process List.
const defaultLines = 20

// process returns the process that the path names. One of another broker, or hidden from the user, is refused as one that
// does not exist, with a validation error (confirmed; that this is a 400 is inferred). The caller holds the bank's lock.
func (b *Bank) process(c *call) (*process, error) {
	id, err := pathID(c, "processUniqueId")
	if err != nil {
		return nil, err
	}
	p, ok := b.store.processes[id]
	if !ok || !b.visible(c.session, p) {
		return nil, refused(http.StatusBadRequest, "process.missing")
	}
	return p, nil
}

// value returns a parameter that is in the path or, if the profile has it there, in the query.
func (c *call) value(name string) string {
	if given := c.r.PathValue(name); given != "" {
		return given
	}
	return c.r.URL.Query().Get(c.wire.QueryName(name))
}

// pathID returns an id of the path. Only the form that the profile has is accepted.
func pathID(c *call, name string) (uuid.UUID, error) {
	id, err := c.wire.PathID(name, c.value(name))
	if err != nil {
		return uuid.Nil, &refusal{http.StatusBadRequest, []problem{{"request.uuid", name}}}
	}
	return id, nil
}

type processPage struct {
	TotalRecords   int                     `json:"totalRecords"`
	HasMoreResults bool                    `json:"hasMoreResults"`
	List           []portal.ProcessSummary `json:"list"`
}

// listProcesses is Process List; all its parameters are inferred from Simulation List.
func (b *Bank) listProcesses(c *call) (any, error) {
	filter, err := readFilter(c, "filterProcessStatus", "workflowStatesProposal")
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	matching := slices.DeleteFunc(b.store.of(c.session.broker.UID), func(p *process) bool {
		return !b.visible(c.session, p) || !filter.match(p.record(), c.lang)
	})
	var ids []uuid.UUID
	for _, p := range matching {
		ids = append(ids, p.id)
	}
	start, end, err := filter.window(ids)
	if err != nil {
		return nil, err
	}
	page := processPage{TotalRecords: len(matching), HasMoreResults: end < len(matching), List: []portal.ProcessSummary{}}
	for _, p := range matching[start:end] {
		page.List = append(page.List, p.summary(c.lang))
	}
	return page, nil
}

func (b *Bank) processDetail(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	return p.detail(c.lang), nil
}

func (p *process) summary(lang dialect) portal.ProcessSummary {
	return portal.ProcessSummary{
		ProcessUniqueID:          p.id,
		ProcessNumber:            p.number,
		KeyBorrowerName:          p.keyName(),
		ProcessStatusID:          p.state,
		ProcessStatusDescription: describe("workflowStatesProposal", &p.state, lang),
		BranchID:                 p.branch,
		BranchDescription:        describe("branches", &p.branch, lang),
		CreationDate:             portal.Time{Time: p.created},
		LastActionDate:           portal.Time{Time: p.last},
	}
}

func (p *process) detail(lang dialect) portal.Process {
	months, loan, phase := int32(p.loan.Months), p.loan, taxonomies()["workflowStatesProposal"][p.state].In
	scheme, use, purpose := unlessZero(&loan.productScheme), unlessZero(&loan.loanPurpose), unlessZero(&loan.productPurpose)
	return portal.Process{
		ProcessSummary:            p.summary(lang),
		SimulationUniqueID:        p.simulation,
		SimulationNumber:          p.simulationNumber,
		ProcessPhaseID:            &phase,
		ProcessPhaseDescription:   describe("workflowPhases", &phase, lang),
		LastActionDescription:     p.lastAction(lang),
		LoanAmount:                cents(loan.Amount),
		LoanDurationMonths:        unlessZero(&months),
		ProductSchemeID:           scheme,
		ProductSchemeDescription:  describe("productSchemes", scheme, lang),
		LoanPurposeID:             use,
		LoanPurposeDescription:    describe("loanPurposes", use, lang),
		ProductPurposeID:          purpose,
		ProductPurposeDescription: describe("productPurposes", purpose, lang),
		HasCrossSelling:           &loan.CrossSelling,
		AcquisitionAmount:         cents(loan.Price),
	}
}

// opened is the first action on a process. Its text, as that of the others, is in the translation files.
const opened = "opened"

// actions are those that a notification of a type says, beside those of a process's operations.
var actions = map[int32]string{
	stateChanged: "stateChanged", newMessage: "newMessage", esisAvailable: "esisAvailable", propertyValued: "propertyValued",
	documentAsked: "documentAsked", documentReceived: "documentReceived", documentRefused: "documentRefused",
}

// lastAction describes what was last done.
func (p *process) lastAction(lang dialect) string {
	state := describe("workflowStatesProposal", &p.state, lang)
	return book.Say(lang.Lang, "action."+p.action, map[string]any{"state": state})
}

// day returns a date YYYY-MM-DD, "" if there is none.
func (q *query) day(name string) string {
	given := q.text(name)
	if _, err := time.Parse(time.DateOnly, given); given != "" && err != nil {
		q.refuse()
	}
	return given
}

// id returns the id of a process, in the bank's form.
func (q *query) id(c *call, name string) uuid.UUID {
	given := q.text(name)
	if given == "" {
		return uuid.Nil
	}
	id, err := c.wire.PathID("processUniqueID", given)
	if err != nil {
		q.refuse()
	}
	return id
}

// ignoreRules returns the parameter of that name; false if it is absent.
func (q *query) ignoreRules() bool {
	given := q.text("ignoreRules")
	answer, err := strconv.ParseBool(given)
	if given != "" && err != nil {
		q.refuse()
	}
	return answer
}
