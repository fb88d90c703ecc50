package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/words"
)

// The table has three columns: the status, the subject, and the text.
const (
	tableWidth   = 100
	statusWidth  = 12
	subjectWidth = 22
	textWidth    = tableWidth - len(indent) - statusWidth - subjectWidth
	indent       = "  "
)

// row is a line of the table, with lines that continue its text.
type row struct{ status, subject, text string }

// rows returns the rows of a finding. How to mend it is below what was found.
func (f Finding) rows(lang words.Lang) []row {
	rows := []row{{text(lang, "status."+string(f.Status)), subjectText(lang, f.Subject), f.What}}
	if f.Fix != "" && f.Status != finding.OK {
		rows = append(rows, row{"", "", "→ " + f.Fix})
	}
	return rows
}

func (r row) write(w io.Writer) {
	subject := wrap(r.subject, subjectWidth-2)
	lines := wrap(r.text, textWidth)
	if utf8.RuneCountInString(subject[0]) > subjectWidth-2 { // the text begins below
		lines = append([]string{""}, lines...)
	}
	for i := range max(len(lines), len(subject)) {
		status, name, line := "", "", ""
		if i == 0 {
			status = r.status
		}
		if i < len(subject) {
			name = subject[i]
		}
		if i < len(lines) {
			line = lines[i]
		}
		fmt.Fprintln(w, strings.TrimRight(indent+pad(status, statusWidth)+pad(name, subjectWidth)+line, " "))
	}
}

// pad adds spaces up to a width, at least one.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(1, width-utf8.RuneCountInString(s)))
}

// wrap splits a text between words so that its lines have at most width characters, unless a word is longer. Lines that
// continue one that begins with an arrow are indented.
func wrap(text string, width int) []string {
	lines, line, more := []string{}, "", ""
	if strings.HasPrefix(text, "→ ") {
		more = indent
	}
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), more+word
		}
	}
	return append(lines, line)
}

// WriteTable writes the report for people: the findings of each part, the lines for the bank's profile, and a summary.
func (r Report) WriteTable(w io.Writer) {
	part := ""
	for i, f := range r.collapsed() {
		if f.Part != part {
			if i > 0 {
				fmt.Fprintln(w)
			}
			part = f.Part
			fmt.Fprintln(w, text(r.Lang, "part."+part))
		}
		for _, row := range f.rows(r.Lang) {
			row.write(w)
		}
	}
	if lines := r.lines(); len(lines) > 0 {
		fmt.Fprintf(w, "\n%s\n\n%s\n", text(r.Lang, "lines"), strings.Join(lines, "\n"))
	}
	fmt.Fprintf(w, "\n%s\n", text(r.Lang, "summary."+string(r.severest()), "ok", r.count(finding.OK), "warn", r.count(finding.Warn),
		"fail", r.count(finding.Fail)+r.count(finding.Differs), "not_tried", r.count(finding.NotTried)))
}

// severest returns [finding.OK] if nothing has to be corrected, else the severest of warn and fail.
func (r Report) severest() finding.Status {
	switch r.Exit() {
	case exitFailure:
		return finding.Fail
	case exitWarning:
		return finding.Warn
	}
	return finding.OK
}

// collapsed returns the findings, with one for neighbours that were not tried for the same reason.
func (r Report) collapsed() (all []Finding) {
	for i := 0; i < len(r.Findings); {
		f, same := r.Findings[i], []string{}
		for ; i < len(r.Findings) && f.sameAs(r.Findings[i]); i++ {
			same = append(same, subjectText(r.Lang, r.Findings[i].Subject))
		}
		if len(same) > 1 {
			f.Subject, f.What = text(r.Lang, "not_tried.several", "count", len(same)), strings.TrimSuffix(f.What, ".")+" ("+strings.Join(same, ", ")+")."
		}
		if len(same) == 0 {
			i++
		}
		all = append(all, f)
	}
	return all
}

// sameAs reports whether neither was tried, for the same reason.
func (f Finding) sameAs(other Finding) bool {
	return f.Status == finding.NotTried && other.Status == finding.NotTried && f.Part == other.Part && f.What == other.What
}

// lines returns the lines for the profile, each once.
func (r Report) lines() (all []string) {
	for _, f := range r.Findings {
		for _, line := range f.Lines {
			if !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	return all
}
