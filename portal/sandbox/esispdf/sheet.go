// Package esispdf makes the sandbox's ESIS (in Portugal FINE): it computes the figures of a loan and prints them as a PDF.
// Bank, rates and costs are invented.
package esispdf

import (
	_ "embed"
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/BurntSushi/toml"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal/sandbox/loancost"
)

// Sheet is what an ESIS says of a process or a simulation, without the figures that follow from it.
type Sheet struct {
	Number               int  // of the process or simulation
	Simulation           bool // it is of a simulation
	Issued, ValidUntil   time.Time
	KeyBorrower          pii.Name
	Borrowers            int
	Broker, Branch       string
	Purpose, Use, Scheme string // of the loan
	Index                string // of a variable rate
	Loan                 Loan
	Internal             bool // made without the rules, and not for the client
}

// contents is what the templates of fine.toml are filled with.
type contents struct {
	Sheet
	Bank, RateKind    string
	Others            int    // borrowers besides the key borrower
	Index             string // empty for a fixed rate
	IndexRate, Spread BasisPoints
	FixedYears        int
	Steps             bool
	Figures           loancost.Figures
}

func (s Sheet) contents() (c contents, err error) {
	c = contents{
		Sheet: s, Bank: fine.Bank, Others: s.Borrowers - 1, FixedYears: s.Loan.FixedYears, Figures: s.Loan.Figures(s.Borrowers),
	}
	c.Steps = len(c.Figures.Steps) > 0
	if s.Loan.Rate != FixedRate {
		c.Index, c.IndexRate, c.Spread = s.Index, loancost.IndexRate, s.Loan.Spread()
	}
	c.RateKind, err = fill(fine.Words[s.Loan.Rate.Key()], c)
	return c, err
}

// fineText is fine.toml: the sheet's words, every string a template over [contents].
type fineText struct {
	Title, Subtitle, Bank, Sample, Notice, Internal, Footer, Page, Intro string

	Tiles    []fineRow     `toml:"tile"`
	Sections []fineSection `toml:"section"`
	Words    map[string]string
}

type fineRow struct{ Label, Value string }

type fineSection struct {
	Title, Text, Table string
	Columns            []string
	Rows               []fineRow
}

//go:embed fine.toml
var fineFile string

var fine = func() (text fineText) {
	if _, err := toml.Decode(fineFile, &text); err != nil {
		panic(fmt.Sprintf("esispdf: fine.toml: %v", err))
	}
	return text
}()

var ptNumbers = message.NewPrinter(language.EuropeanPortuguese)

var fineFuncs = template.FuncMap{
	"eur":     eur,
	"euro":    func(v float64) string { return ptNumbers.Sprintf("%v\u00a0€", number.Decimal(v, number.Scale(2))) },
	"percent": percent,
	"ratio":   func(v float64) string { return percentText(v * 100) },
	"per":     func(total, of Cents) float64 { return float64(total) / float64(of) },
	"sum":     func(a, b, c Cents) Cents { return a + b + c },
	"date":    func(t time.Time) string { return t.Format("02/01/2006") },
	"count": func(n int) string {
		if n == 1 {
			return fine.Words["count.one"]
		}
		return fmt.Sprintf(fine.Words["count.other"], n)
	},
}

// fill writes a text of fine.toml over data.
func fill(text string, data any) (string, error) {
	t, err := template.New("").Funcs(fineFuncs).Parse(text)
	if err != nil {
		return "", fmt.Errorf("read a text of the ESIS: %w", err)
	}
	var out strings.Builder
	if err := t.Execute(&out, data); err != nil {
		return "", fmt.Errorf("fill a text of the ESIS: %w", err)
	}
	return out.String(), nil
}

// eur writes an amount as Portuguese people do: 180 000,00 €.
func eur(c Cents) string {
	return ptNumbers.Sprintf("%v\u00a0€", number.Decimal(float64(c)/100, number.Scale(2)))
}

func percent(p BasisPoints) string { return percentText(float64(p) / 100) }

func percentText(points float64) string {
	return ptNumbers.Sprintf("%v\u00a0%%", number.Decimal(points, number.Scale(2)))
}

// grid is the rows of a table that fine.toml asks for by name; the last row is highlighted if total is true.
type grid struct {
	rows  [][]string
	total bool
}

// table builds the named table, without rows if the ESIS has none.
func (c contents) table(name string) grid {
	switch name {
	case "fees":
		return c.feeTable()
	case "steps":
		return c.stepTable()
	case "plan":
		return c.planTable()
	}
	return grid{}
}

func (c contents) feeTable() grid {
	t := grid{total: true}
	for _, charge := range c.Figures.Fees {
		t.rows = append(t.rows, []string{fine.Words["fee."+charge.Key], eur(charge.Amount)})
	}
	t.rows = append(t.rows, []string{fine.Words["fee.total"], eur(c.Figures.Upfront)})
	return t
}

func (c contents) stepTable() (t grid) {
	for _, step := range c.Figures.Steps {
		t.rows = append(t.rows, []string{fine.Words["step."+step.Product], percent(step.Spread), eur(step.Instalment)})
	}
	return t
}

func (c contents) planTable() grid {
	t := grid{total: true}
	var sum loancost.Year
	for _, y := range c.Figures.Plan {
		t.rows = append(t.rows, planRow(fmt.Sprint(y.Number), y))
		sum.Instalments += y.Instalments
		sum.Paid += y.Paid
		sum.Interest += y.Interest
		sum.Principal += y.Principal
	}
	t.rows = append(t.rows, planRow(fine.Words["fee.total"], sum))
	return t
}

func planRow(label string, y loancost.Year) []string {
	return []string{label, fmt.Sprint(y.Instalments), eur(y.Paid), eur(y.Interest), eur(y.Principal), eur(y.Remaining)}
}
