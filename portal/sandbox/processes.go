package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
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
	filter, err := readFilter(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	matching := slices.DeleteFunc(b.store.of(c.session.broker.UID), func(p *process) bool {
		return !b.visible(c.session, p) || !filter.match(p, c.lang)
	})
	start, end, err := filter.window(matching)
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
	months, loan, phase := int32(p.loan.Months), p.loan, taxonomies["workflowStatesProposal"][p.state].In
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

// processFilter is the filter and the page of Process List.
type processFilter struct {
	text           string
	state          int32 // 0 for any
	from, to       string
	next, previous uuid.UUID
	skip           int
	searches       []string
	lines          int
}

func readFilter(c *call) (f processFilter, err error) {
	query, err := readQuery(c, "filterByText", "filterProcessStatus", "filterStatusLastDateFrom", "filterStatusLastDateTo",
		"lineCount", "nextRecord", "previousRecord", "pageNumber", "offset")
	if err != nil {
		return f, err
	}
	f = processFilter{
		searches: c.wire.Searches,
		text:     strings.ToLower(strings.TrimSpace(query.text("filterByText"))),
		state:    int32(query.count("filterProcessStatus", 0)),
		from:     query.day("filterStatusLastDateFrom"),
		to:       query.day("filterStatusLastDateTo"),
		next:     query.id(c, "nextRecord"),
		previous: query.id(c, "previousRecord"),
		skip:     query.between("offset", 0, 1_000_000, 0),
		lines:    query.between("lineCount", 1, c.wire.Page.Size, min(defaultLines, c.wire.Page.Size)),
	}
	if first := c.wire.Page.First; c.wire.Page.Style == profile.ByNumber {
		f.skip = (query.between("pageNumber", first, 1_000_000, first) - first) * f.lines
	}
	if _, known := taxonomies["workflowStatesProposal"][f.state]; f.state != 0 && !known {
		query.refuse()
	}
	return f, query.wrong
}

// match reports whether a process matches. Text is searched in the borrowers' names and tax numbers and in the branch, as in
// Simulation List, and in the process number (ours).
func (f processFilter) match(p *process, lang dialect) bool {
	day := p.last.Format(time.DateOnly)
	if f.state != 0 && p.state != f.state || f.from != "" && day < f.from || f.to != "" && day > f.to {
		return false
	}
	var texts []string
	for _, what := range f.searches {
		switch what {
		case "number":
			texts = append(texts, strconv.FormatInt(p.number, 10))
		case "branch":
			texts = append(texts, describe("branches", &p.branch, lang))
		}
		for _, known := range p.borrowers {
			switch personal := known.data.Personal; {
			case personal == nil:
			case what == "name":
				texts = append(texts, personal.Name.Reveal())
			case what == "taxID":
				texts = append(texts, personal.TaxID.Reveal())
			}
		}
	}
	if f.text == "" {
		return true
	}
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(text), f.text) })
}

// window returns the page of a list, newest first: after the record next, or before the record previous.
func (f processFilter) window(list []*process) (start, end int, err error) {
	at := func(id uuid.UUID) int { return slices.IndexFunc(list, func(p *process) bool { return p.id == id }) }
	switch {
	case f.skip > 0:
		start = min(f.skip, len(list))
	case f.next != uuid.Nil && f.previous != uuid.Nil:
		return 0, 0, refused(http.StatusBadRequest, "request.query")
	case f.next != uuid.Nil:
		start = at(f.next) + 1
		if start == 0 {
			return 0, 0, refused(http.StatusBadRequest, "request.query")
		}
	case f.previous != uuid.Nil:
		end = at(f.previous)
		if end < 0 {
			return 0, 0, refused(http.StatusBadRequest, "request.query")
		}
		return max(0, end-f.lines), end, nil
	}
	return start, min(start+f.lines, len(list)), nil
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

// boolean returns true or false; false if the parameter is absent.
func (q *query) boolean(name string) bool {
	given := q.text(name)
	answer, err := strconv.ParseBool(given)
	if given != "" && err != nil {
		q.refuse()
	}
	return answer
}
