package sandbox

import (
	"net/http"
	"slices"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox/esispdf"
)

func init() {
	// The codes of the bank's table of production codes (confirmed).
	serveWrite(portal.ProcessCreate, "040101", (*Bank).createProcess)
	serveWrite(portal.ProcessUpdate, "040201", (*Bank).updateProcess)
	serveWrite(portal.ProcessSubmit, "040301", (*Bank).submitProcess)
	serveWrite(portal.ProcessCancel, "040401", (*Bank).cancelProcess)
}

const (
	firstCreated  = 3001 // number of the first process that Process Create opens
	defaultBranch = 101
	mostLoan      = 10_000_000 // euros
	longestLoan   = 600        // months; what is too long for a product shows in the ESIS
)

// processCreated is the reply to Process Create, with a status as in [written].
type processCreated struct {
	Status operationStatus `json:"operationStatus"`
	Data   struct {
		ProcessUniqueID uuid.UUID `json:"processUniqueID"`
	} `json:"additionalData"`
}

// createProcess opens a process in creation, without borrowers unless a simulation has them. That a simulation has one
// process at most is ours.
func (b *Bank) createProcess(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var data portal.ProcessCreateRequest
	if err := decode(c.body, &data); err != nil {
		return nil, err
	}
	if problems := b.checkLoan(data.ProcessUpdateRequest); len(problems) > 0 {
		return nil, &refusal{http.StatusBadRequest, problems}
	}
	p := &process{
		id: uuid.New(), broker: c.session.broker.UID, created: c.now, last: c.now, branch: defaultBranch, state: inCreation, action: opened, values: b.values,
		loan: loan{Loan: esispdf.Loan{Rate: esispdf.VariableRate}, indexType: 3},
	}
	if data.SimulationUniqueID != uuid.Nil {
		if err := b.fromSimulation(c, p, data.SimulationUniqueID); err != nil {
			return nil, err
		}
	}
	p.ask(data.ProcessUpdateRequest, false)
	b.store.created++
	p.number = int64(firstCreated + b.store.created - 1)
	b.store.processes[p.id] = p
	b.convert(p)
	b.notify(p.subject(), notification{NotificationTypeID: stateChanged, ProcessStatusID: p.state})
	reply := processCreated{Status: success(c, map[string]any{"id": p.id})}
	reply.Data.ProcessUniqueID = p.id
	return reply, nil
}

// updateProcess replaces all data, as [Bank.updateBorrower] does. It is refused once the process is submitted (confirmed).
func (b *Bank) updateProcess(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	var data portal.ProcessUpdateRequest
	if err := decode(c.body, &data); err != nil {
		return nil, err
	}
	if err := p.inCreation(); err != nil {
		return nil, err
	}
	if problems := b.checkLoan(data); len(problems) > 0 {
		return nil, &refusal{http.StatusBadRequest, problems}
	}
	p.ask(data, true)
	p.touch(c.now, string(c.operation))
	return done(c), nil
}

// inCreation refuses what is possible only before the process is submitted.
func (p *process) inCreation() error {
	switch {
	case p.ended():
		return refused(http.StatusBadRequest, "process.state")
	case p.state != inCreation:
		return refused(http.StatusBadRequest, "process.notInCreation")
	}
	return nil
}

// checkLoan returns the problems of what a process asks for. All rules are ours.
func (b *Bank) checkLoan(data portal.ProcessUpdateRequest) []problem {
	c := &checker{rules: b.values.profile.Rules, lists: b.values.lists}
	if euros, given := data.LoanAmount.Reveal(); given && (!euros.IsPositive() || euros.GreaterThan(decimal.NewFromInt(mostLoan))) {
		c.add("field.range", "loanAmount")
	}
	if months := data.LoanDurationMonths; months != nil && (*months < 1 || *months > longestLoan) {
		c.add("field.range", "loanDurationMonths")
	}
	c.id("productSchemeId", "productSchemes", data.ProductSchemeID)
	c.id("loanPurposeId", "loanPurposes", data.LoanPurposeID)
	c.id("productPurposeId", "productPurposes", data.ProductPurposeID)
	c.id("branchId", "branches", data.BranchID)
	return c.problems
}

// ask sets what the process asks for. What is omitted is cleared if whole is true; the branch stays.
func (p *process) ask(data portal.ProcessUpdateRequest, whole bool) {
	if euros, given := data.LoanAmount.Reveal(); given || whole {
		p.loan.Amount = esispdf.Cents(euros.Shift(2).Round(0).IntPart())
	}
	set := func(to *int32, value *int32) {
		switch {
		case value != nil:
			*to = *value
		case whole:
			*to = 0
		}
	}
	months := int32(p.loan.Months)
	set(&months, data.LoanDurationMonths)
	p.loan.Months = int(months)
	set(&p.loan.productScheme, data.ProductSchemeID)
	set(&p.loan.loanPurpose, data.LoanPurposeID)
	set(&p.loan.productPurpose, data.ProductPurposeID)
	if data.HasCrossSelling != nil || whole {
		p.loan.CrossSelling = data.HasCrossSelling != nil && *data.HasCrossSelling
	}
	if data.BranchID != nil {
		p.branch = *data.BranchID
	}
}

// checkSubmission returns what a process lacks to be submitted: all is ours, since no document says what the bank wants. The
// caller holds the bank's lock.
func (b *Bank) checkSubmission(p *process) []problem {
	problems := b.checkAsked(p)
	incomplete := func(known property) bool { return known.data.AcquisitionAmount.IsZero() || known.data.CountyID == nil }
	if all := *properties.row(b, p.id); len(all) == 0 || incomplete(all[0]) {
		problems = append(problems, problem{key: "process.property"})
	}
	if slices.ContainsFunc(*documentsOf.row(b, p.id), func(d document) bool { return d.status == fileRefused }) { // what is asked for may follow
		problems = append(problems, problem{key: "process.documents"})
	}
	return problems
}

// checkAsked wants a key borrower, and all that the process asks for.
func (b *Bank) checkAsked(p *process) (problems []problem) {
	if _, has := p.key(); !has {
		problems = append(problems, problem{key: "process.noKey"})
	}
	for _, field := range []struct {
		name   string
		absent bool
	}{
		{"loanAmount", p.loan.Amount == 0},
		{"loanDurationMonths", p.loan.Months == 0},
		{"productSchemeId", p.loan.productScheme == 0},
		{"loanPurposeId", p.loan.loanPurpose == 0},
		{"productPurposeId", p.loan.productPurpose == 0},
	} {
		if field.absent {
			problems = append(problems, problem{"process.incomplete", field.name})
		}
	}
	return problems
}

// submitProcess hands a process to the bank, which then asks for documents. Any body is ignored.
func (b *Bank) submitProcess(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	if err := p.inCreation(); err != nil {
		return nil, err
	}
	problems := b.checkSubmission(p)
	if len(problems) > 0 {
		return nil, &refusal{http.StatusBadRequest, problems}
	}
	b.setState(p, documents)
	return done(c), nil
}

// cancelProcess ends a process that has not ended. The reason, an id of the taxonomy proposalCancelReasons, is required.
func (b *Bank) cancelProcess(c *call) (any, error) {
	query, err := readQuery(c, "proposalCancelReasonId")
	if err != nil {
		return nil, err
	}
	reason := int32(query.count("proposalCancelReasonId", 0))
	if query.wrong != nil {
		return nil, query.wrong
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	if p.ended() {
		return nil, refused(http.StatusBadRequest, "process.state")
	}
	if _, known := b.values.lists["proposalCancelReasons"][reason]; !known {
		return nil, refused(http.StatusBadRequest, "process.reason")
	}
	b.setState(p, cancelled)
	return done(c), nil
}

// unlessZero returns the id of a choice that was made.
func unlessZero(id *int32) *int32 {
	if *id == 0 {
		return nil
	}
	return id
}

// cents returns an amount, absent if it is zero.
func cents(amount esispdf.Cents) (money pii.Money) {
	if amount == 0 {
		return money
	}
	return pii.Euros(decimal.New(int64(amount), -2))
}

// Created returns how many processes Process Create has opened, for tests to see what was done.
func (b *Bank) Created() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.store.created
}
