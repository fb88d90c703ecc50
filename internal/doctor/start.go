package doctor

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/version"
	"github.com/balcao/balcao/internal/words"
)

// StartTimeout is how long a program waits at its start for what it works with.
const StartTimeout = 5 * time.Second

// Address is an address at which a program serves.
type Address struct{ Label, URL string }

// Start is what a program shows of its start, on one screen.
type Start struct {
	Program string
	Report  Report
}

// NewStart runs the checks of a start.
func NewStart(ctx context.Context, program string, lang words.Lang, parts ...Part) Start {
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	quick := slices.Clone(parts)
	for i := range quick {
		quick[i].Checks = slices.DeleteFunc(slices.Clone(parts[i].Checks), func(c finding.Check) bool { return !c.AtStart })
	}
	return Start{program, Run(ctx, lang, quick, nil)}
}

// Add runs the checks of a start of another part too, which is shown last.
func (s *Start) Add(ctx context.Context, part Part) {
	more := NewStart(ctx, s.Program, s.Report.Lang, part)
	s.Report.Findings = append(s.Report.Findings, more.Report.Findings...)
}

// Failed returns the codes of what does not work.
func (s Start) Failed() (codes []string) {
	for _, f := range s.Report.Findings {
		if f.Status == finding.Fail || f.Status == finding.Differs {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

// Started writes the screen of a program that serves at these addresses. It says that the program is running only if
// everything works.
func (s Start) Started(w io.Writer, addresses ...Address) {
	title := "start.running"
	if len(s.Failed()) > 0 {
		title = "start.limited"
	}
	s.write(w, title, addresses)
}

// NotStarted writes the screen of a program that ends because of what was found.
func (s Start) NotStarted(w io.Writer) { s.write(w, "start.not", nil) }

// write writes the addresses, and a row for each finding, beside the system that it is about, and how to mend what is wrong.
func (s Start) write(out io.Writer, title string, addresses []Address) {
	w := &strings.Builder{}
	defer func() { _, _ = io.WriteString(out, w.String()) }() // at once, so that lines of a log are not in between
	lang, failing := s.Report.Lang, []string{}
	var rows []row
	last := ""
	for _, f := range s.Report.Findings {
		system := text(lang, "start."+f.Part)
		if key := "start." + f.Subject; texts.Has(lang, key) {
			system = text(lang, key)
		}
		if bad := f.Status == finding.Fail || f.Status == finding.Differs; bad && !slices.Contains(failing, system) {
			failing = append(failing, system)
		}
		if f.Status == finding.OK && f.Quiet || f.Code == notTriedAfter { // the failure before says it
			continue
		}
		shown := f.rows(lang)
		shown[0].subject = ""
		if system != last {
			shown[0].subject = system
		}
		last = system
		rows = append(rows, shown...)
	}
	fmt.Fprintf(w, "%s\n\n", text(lang, title, "version", version.String(), "systems", strings.Join(failing, ", ")))
	width := 0
	for _, a := range addresses {
		width = max(width, utf8.RuneCountInString(a.Label))
	}
	for _, a := range addresses {
		fmt.Fprintln(w, indent+pad(a.Label, width+1)+a.URL)
	}
	if len(addresses) > 0 {
		fmt.Fprintln(w)
	}
	for _, row := range rows {
		row.write(w)
	}
	if s.Report.Exit() != exitOK {
		fmt.Fprintf(w, "\n%s\n", text(lang, "start.doctor", "program", s.Program))
	}
}

// bankTimeout is shorter than [StartTimeout], so that what the bank did not answer is told too.
const bankTimeout = StartTimeout - 500*time.Millisecond

// Bank returns the part of the bank at a start. answer is what it answered: answers, refuses, differs or silent.
func Bank(address string, answer func(context.Context) string) Part {
	return Part{Name: "bank", Checks: []finding.Check{{Subject: "PORTAL_URL", AtStart: true, Timeout: bankTimeout, Run: func(ctx context.Context) []finding.Finding {
		code := answer(ctx)
		status := finding.Fail
		if code == "answers" {
			status = finding.OK
		}
		return finding.One(status, "bank."+code, "address", withoutUser(address))
	}}}}
}

// withoutUser returns an address without a user, a password or parameters.
func withoutUser(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "PORTAL_URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
