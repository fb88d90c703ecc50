package sandbox

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
)

// sheet is what an ESIS says: the figures of a process and who asks for them.
type sheet struct {
	Bank               string
	Number             int
	Issued, ValidUntil time.Time
	KeyBorrower        pii.Name
	Borrowers, Others  int // Others are those besides the key borrower
	Broker, Branch     string
	Purpose, Use       string
	Scheme, RateKind   string
	Index              string // empty where no index plays a part
	IndexRate, Spread  basisPoints
	FixedYears         int
	Loan               struct{ Amount, Price cents }
	Steps, Internal    bool // Internal: made without the rules, not for the client's eyes
	Figures            figures
}

// fineText is fine.toml: the sheet's words, every string a template over a [sheet].
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
		panic(fmt.Sprintf("sandbox: fine.toml: %v", err))
	}
	return text
}()

var ptNumbers = message.NewPrinter(language.EuropeanPortuguese)

var fineFuncs = template.FuncMap{
	"eur":     eur,
	"euro":    func(v float64) string { return ptNumbers.Sprintf("%v\u00a0€", number.Decimal(v, number.Scale(2))) },
	"percent": percent,
	"ratio":   func(v float64) string { return percentText(v * 100) },
	"per":     func(total, of cents) float64 { return float64(total) / float64(of) },
	"sum":     func(a, b, c cents) cents { return a + b + c },
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
func eur(c cents) string {
	return ptNumbers.Sprintf("%v\u00a0€", number.Decimal(float64(c)/100, number.Scale(2)))
}

func percent(p basisPoints) string { return percentText(float64(p) / 100) }

func percentText(points float64) string {
	return ptNumbers.Sprintf("%v\u00a0%%", number.Decimal(points, number.Scale(2)))
}

// grid is the rows of a table that fine.toml asks for by name; the last row stands out when total is true.
type grid struct {
	rows  [][]string
	total bool
}

// table builds the named table, without rows when the sheet has none.
func (s sheet) table(name string) grid {
	switch name {
	case "fees":
		return s.feeTable()
	case "steps":
		return s.stepTable()
	case "plan":
		return s.planTable()
	}
	return grid{}
}

func (s sheet) feeTable() grid {
	t := grid{total: true}
	for _, charge := range s.Figures.Fees {
		t.rows = append(t.rows, []string{fine.Words["fee."+charge.key], eur(charge.amount)})
	}
	t.rows = append(t.rows, []string{fine.Words["fee.total"], eur(s.Figures.Upfront)})
	return t
}

func (s sheet) stepTable() (t grid) {
	for _, step := range s.Figures.Steps {
		t.rows = append(t.rows, []string{fine.Words["step."+step.Product], percent(step.Spread), eur(step.Instalment)})
	}
	return t
}

func (s sheet) planTable() grid {
	t := grid{total: true}
	var sum year
	for _, y := range s.Figures.Plan {
		t.rows = append(t.rows, planRow(fmt.Sprint(y.Number), y))
		sum.Instalments += y.Instalments
		sum.Paid += y.Paid
		sum.Interest += y.Interest
		sum.Principal += y.Principal
	}
	t.rows = append(t.rows, planRow(fine.Words["fee.total"], sum))
	return t
}

func planRow(label string, y year) []string {
	return []string{label, fmt.Sprint(y.Instalments), eur(y.Paid), eur(y.Interest), eur(y.Principal), eur(y.Remaining)}
}
