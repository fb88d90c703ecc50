// Package doctor checks the surroundings of both programs: the settings, Redis, Slack and the bank. It reads only, and shows
// what it finds as a table for people or as JSON for programs.
package doctor

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/words"
)

const (
	defaultTimeout = 10 * time.Second // of a check
	totalTimeout   = 100 * time.Second
)

//go:embed words
var wordFiles embed.FS

var texts = words.Sub(wordFiles, "words")

// Part is what is checked of one system. Its checks run one after another, beside those of other parts.
type Part struct {
	Name    string   // settings, redis, slack, issuer or bank
	Blocked []string // settings that have to be corrected first: no check is tried
	Checks  []finding.Check
	Close   func() // closes its connections; may be nil
}

// Finding is a finding of a part, with its texts.
type Finding struct {
	Part string `json:"part"`
	finding.Finding
}

// notTriedAfter is the code of checks that were not tried after a vital failure.
const notTriedAfter = "not_tried.after"

// Report is what all parts found, in their order.
type Report struct {
	Findings []Finding
	Lang     words.Lang
	Took     time.Duration
}

// Progress is told of each check. Several checks run at once.
type Progress interface {
	Begin(part, subject string)
	End()
}

// Run runs the checks of all parts, and closes the parts. It ends when ctx does, and then reports the other checks as not
// tried. progress may be nil.
func Run(ctx context.Context, lang words.Lang, parts []Part, progress Progress) Report {
	began := time.Now()
	if progress == nil {
		progress = silent{}
	}
	found := make([][]Finding, len(parts))
	var running sync.WaitGroup
	for i, part := range parts {
		running.Go(func() { found[i] = part.run(ctx, lang, progress) })
	}
	running.Wait()
	for _, part := range parts {
		if part.Close != nil {
			part.Close()
		}
	}
	return Report{Findings: slices.Concat(found...), Lang: lang, Took: time.Since(began)}
}

type silent struct{}

func (silent) Begin(string, string) {}
func (silent) End()                 {}

func (p Part) run(ctx context.Context, lang words.Lang, progress Progress) (all []Finding) {
	var skip *finding.Finding
	if len(p.Blocked) > 0 {
		blocked := finding.New(finding.NotTried, "not_tried.settings", "settings", strings.Join(p.Blocked, ", "))
		skip = &blocked
	}
	for _, check := range p.Checks {
		if skip == nil && ctx.Err() != nil {
			late := finding.New(finding.NotTried, "not_tried.late")
			skip = &late
		}
		found := []finding.Finding{}
		if skip != nil {
			found = append(found, *skip)
		} else {
			progress.Begin(p.Name, check.Subject)
			found = runCheck(ctx, check)
		}
		progress.End()
		for _, f := range found {
			if f.Subject == "" {
				f.Subject = check.Subject
			}
			if check.Vital && f.Status != finding.OK && skip == nil {
				after := finding.New(finding.NotTried, notTriedAfter, "subject", subjectText(lang, f.Subject))
				skip = &after
			}
			all = append(all, Finding{p.Name, withTexts(lang, f)})
		}
	}
	return all
}

func runCheck(ctx context.Context, check finding.Check) []finding.Finding {
	timeout := check.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return check.Run(ctx)
}

// withTexts returns a finding with the texts of its code.
func withTexts(lang words.Lang, f finding.Finding) finding.Finding {
	args := map[string]any{"subject": subjectText(lang, f.Subject)}
	for name, value := range f.Args {
		if number, is := value.(float64); is {
			value = decimal(lang, number)
		}
		args[name] = value
	}
	if f.What == "" {
		f.What = texts.Say(lang, f.Code, args)
	}
	for _, fix := range []string{f.Code + ".fix", family(f.Code) + ".fix"} {
		if f.Fix == "" && texts.Has(lang, fix) {
			f.Fix = texts.Say(lang, fix, args)
		}
	}
	return f
}

// decimal returns a number with one decimal.
func decimal(lang words.Lang, number float64) string {
	text := fmt.Sprintf("%.1f", number)
	if lang == words.Portuguese {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

// family returns a code without its last word, as slack.scope of slack.scope.commands: one text says how to mend all of them.
func family(code string) string { return code[:max(0, strings.LastIndexByte(code, '.'))] }

// subjectText returns a subject as people read it: names of settings, scopes and operations are the same in every language.
func subjectText(lang words.Lang, subject string) string {
	if key := "subject." + subject; texts.Has(lang, key) {
		return texts.Say(lang, key, nil)
	}
	return subject
}

// Exit statuses.
const (
	exitOK      = 0
	exitWarning = 1
	exitFailure = 2
	exitNotRun  = 3
)

// Exit returns the exit status by the severest finding. What was not tried does not count.
func (r Report) Exit() int {
	exit := exitOK
	for _, f := range r.Findings {
		switch f.Status {
		case finding.Fail, finding.Differs:
			exit = exitFailure
		case finding.Warn:
			exit = max(exit, exitWarning)
		}
	}
	return exit
}

// count returns the number of findings with a status.
func (r Report) count(status finding.Status) (n int) {
	for _, f := range r.Findings {
		if f.Status == status {
			n++
		}
	}
	return n
}

// text is a text of this package, for errors too.
func text(lang words.Lang, key string, namesAndValues ...any) string {
	args := map[string]any{}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		args[fmt.Sprint(namesAndValues[i])] = namesAndValues[i+1]
	}
	return texts.Say(lang, key, args)
}
