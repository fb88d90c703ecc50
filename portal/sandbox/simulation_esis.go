package sandbox

import (
	"fmt"
	"net/http"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox/esispdf"
)

func init() {
	serve(portal.SimulationESISGet, (*Bank).simulationESIS)
	// The code of the bank's table of production codes (confirmed).
	serveWrite(portal.SimulationESISEmail, "030501", (*Bank).emailSimulationESIS)
}

// simulationESIS is Simulation ESIS Get, which is as Process ESIS Get.
func (b *Bank) simulationESIS(c *call) (any, error) {
	query, err := readQuery(c, "ignoreRules")
	if err != nil {
		return nil, err
	}
	ignore := query.ignoreRules()
	if query.wrong != nil {
		return nil, query.wrong
	}
	b.mu.Lock()
	sheet, _, err := b.simulationSheet(c, ignore)
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	pdf, err := sheet.PDF()
	if err != nil {
		return nil, fmt.Errorf("make the ESIS of simulation %d: %w", sheet.Number, err)
	}
	return map[string][]byte{"esis": pdf}, nil
}

// emailSimulationESIS is Simulation ESIS Email: a GET that sends a document. The simulation then has its ESIS.
func (b *Bank) emailSimulationESIS(c *call) (any, error) {
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
	b.mu.Lock()
	defer b.mu.Unlock()
	_, s, err := b.simulationSheet(c, ignore)
	if err != nil {
		return nil, err
	}
	b.sent(Sent{Simulation: s.id, To: pii.New[pii.Email](to), IgnoreRules: ignore, At: c.now})
	if s.state == simulationDraft || s.state == simulationValidated {
		b.setSimulation(s, simulationESIS)
	}
	return done(c), nil
}

// simulationSheet returns the contents of the ESIS of a simulation that has not ended, with the rules of [Bank.newSheet]. The caller
// holds the bank's lock.
func (b *Bank) simulationSheet(c *call, ignoreRules bool) (esispdf.Sheet, *simulation, error) {
	s, err := b.simulation(c)
	if err != nil {
		return esispdf.Sheet{}, nil, err
	}
	switch {
	case s.meaning().Ends && s.state != simulationConverted:
		return esispdf.Sheet{}, nil, refused(http.StatusBadRequest, "simulation.esis")
	case !ignoreRules && s.oldestAtEnd(c.now) > oldestAtEnd:
		return esispdf.Sheet{}, nil, refused(http.StatusBadRequest, "esis.age")
	}
	y, m, d := c.now.Date()
	issued := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	pt, asked := dialect{words.Portuguese, c.lang.lists}, s.data.Loan
	return esispdf.Sheet{
		Number:      int(s.number),
		Simulation:  true,
		Issued:      issued,
		ValidUntil:  issued.AddDate(0, 0, validDays),
		KeyBorrower: s.name(),
		Borrowers:   len(s.data.Borrowers),
		Broker:      c.session.broker.Name,
		Branch:      describe("branches", &s.branch, pt),
		Purpose:     describe("productPurposes", asked.ProductPurposeID, pt),
		Use:         describe("loanPurposes", asked.LoanPurposeID, pt),
		Scheme:      describe("productSchemes", asked.ProductSchemeID, pt),
		Index:       describe("indexTypes", asked.IndexTypeID, pt),
		Loan:        s.loan(),
		Internal:    ignoreRules,
	}, s, nil
}
