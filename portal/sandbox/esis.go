package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox/esispdf"
)

func init() {
	serve(portal.ProcessESISGet, (*Bank).processESIS)
	// The code is inferred from that of the simulation's twin, 030501, and our category.
	serveWrite(portal.ProcessESISEmail, "070501", (*Bank).emailESIS)
}

const (
	maxSent     = 1000 // e-mails remembered
	validDays   = 30   // of an ESIS
	oldestAtEnd = 75   // years of any borrower when the last instalment is due
	longestTerm = 480  // months
)

// processESIS is Process ESIS Get. If no ESIS can be made, that is a validation error (confirmed).
func (b *Bank) processESIS(c *call) (any, error) {
	query, err := readQuery(c, "ignoreRules")
	if err != nil {
		return nil, err
	}
	ignore := query.ignoreRules()
	if query.wrong != nil {
		return nil, query.wrong
	}
	sheet, err := b.newSheet(c, ignore)
	if err != nil {
		return nil, err
	}
	pdf, err := sheet.PDF()
	if err != nil {
		return nil, fmt.Errorf("make the ESIS of process %d: %w", sheet.Number, err)
	}
	return map[string][]byte{"esis": pdf}, nil // base64, as encoders write bytes
}

// Sent is an e-mail that was sent. The sandbox sends nothing: it only records it.
type Sent struct {
	Process     uuid.UUID // or
	Simulation  uuid.UUID
	To          pii.Email
	IgnoreRules bool
	At          time.Time
}

// sentEmails has one row, for all processes and simulations.
var sentEmails = &table[[]Sent]{}

// emailESIS is Process ESIS Email: a GET that sends a document. It refuses what Process ESIS Get would, since the bank
// has to make the document first.
func (b *Bank) emailESIS(c *call) (any, error) {
	query, err := readQuery(c, "sendAddress", "ignoreRules")
	if err != nil {
		return nil, err
	}
	to, ignore := query.text("sendAddress"), query.ignoreRules()
	if query.wrong != nil {
		return nil, query.wrong
	}
	if !isEmail(to) {
		return nil, &refusal{http.StatusBadRequest, []problem{{"esis.address", "sendAddress"}}}
	}
	if _, err := b.newSheet(c, ignore); err != nil {
		return nil, err
	}
	process, err := pathID(c, "processUniqueId")
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent(Sent{Process: process, To: pii.New[pii.Email](to), IgnoreRules: ignore, At: c.now})
	return done(c), nil
}

// sent remembers an e-mail. The caller holds the bank's lock.
func (b *Bank) sent(email Sent) {
	all := sentEmails.row(b, uuid.Nil)
	*all = append((*all)[max(0, len(*all)+1-maxSent):], email)
}

// Sent returns the last e-mails, at most a thousand and the oldest first, for tests.
func (b *Bank) Sent() []Sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(*sentEmails.row(b, uuid.Nil))
}

// newSheet returns the contents of the ESIS of a process, unless a rule forbids it. Which rules the bank applies is not public;
// ours are the limits that it publishes for its product: 75 years of age at the end, and a term of 40 years. If they are
// ignored, the sheet says that it is not for the client.
func (b *Bank) newSheet(c *call, ignoreRules bool) (esispdf.Sheet, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return esispdf.Sheet{}, err
	}
	_, ok := p.key()
	switch {
	case p.state == cancelled:
		return esispdf.Sheet{}, refused(http.StatusBadRequest, "esis.state")
	case !ok:
		return esispdf.Sheet{}, refused(http.StatusBadRequest, "esis.noKey")
	case p.loan.Amount == 0 || p.loan.Months == 0:
		return esispdf.Sheet{}, refused(http.StatusBadRequest, "esis.loan")
	case ignoreRules:
	case p.loan.Months > longestTerm:
		return esispdf.Sheet{}, refused(http.StatusBadRequest, "esis.term")
	case p.tooOld(c.now):
		return esispdf.Sheet{}, refused(http.StatusBadRequest, "esis.age")
	}
	return p.sheet(c, ignoreRules), nil
}

// tooOld reports whether a borrower would be older than the bank allows when the loan ends.
func (p *process) tooOld(now time.Time) bool {
	end := now.AddDate(0, p.loan.Months, 0)
	return slices.ContainsFunc(p.borrowers, func(b borrower) bool {
		born, err := time.Parse(time.DateOnly, b.data.Personal.BirthDate.Reveal())
		return err == nil && !born.AddDate(oldestAtEnd+1, 0, 0).After(end)
	})
}

func (p *process) sheet(c *call, internal bool) esispdf.Sheet {
	y, m, d := c.now.Date()
	issued := time.Date(y, m, d, 0, 0, 0, 0, time.UTC) // the day, so that a sheet asked for twice is the same
	pt := dialect{words.Portuguese, c.lang.lists}      // the bank makes ESIS in Portuguese only
	return esispdf.Sheet{
		Number:      int(p.number),
		Issued:      issued,
		ValidUntil:  issued.AddDate(0, 0, validDays),
		KeyBorrower: p.keyName(),
		Borrowers:   len(p.borrowers),
		Broker:      c.session.broker.Name,
		Branch:      describe("branches", &p.branch, pt),
		Purpose:     describe("productPurposes", &p.loan.productPurpose, pt),
		Use:         describe("loanPurposes", &p.loan.loanPurpose, pt),
		Scheme:      describe("productSchemes", &p.loan.productScheme, pt),
		Index:       describe("indexTypes", &p.loan.indexType, pt),
		Loan:        p.loan.Loan,
		Internal:    internal,
	}
}
