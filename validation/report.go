package validation

import (
	"cmp"
	"embed"
	"slices"

	"github.com/balcao/balcao/internal/words"
)

//go:embed pt-PT.toml en.toml
var files embed.FS

var texts = words.Load(files)

// Severity says what a problem stops.
type Severity int

// The severities, the gravest first.
const (
	Error   Severity = iota // must be corrected before the bank is asked
	Warning                 // a person may confirm it and go on
	Hint                    // good to know
)

func (s Severity) String() string { return [...]string{"error", "warning", "hint"}[s] }

// Problem is one thing to correct, to confirm or to know.
type Problem struct {
	Code     string // see [Codes]
	Path     string // JSON names joined by dots: "personal.taxId"
	Severity Severity
	Params   map[string]string // limits and rounded ratios that the text mentions; never what was typed
}

func problem(code Code, path string) Problem {
	return Problem{Code: string(code), Path: path, Severity: severities[code]}
}

func (p Problem) with(name, value string) Problem {
	p.Params = map[string]string{name: value}
	return p
}

// Text tells a person what is wrong, without repeating what they typed.
func (p Problem) Text(lang words.Lang) string {
	args := make(map[string]any, len(p.Params))
	for name, value := range p.Params {
		args[name] = value
	}
	return texts.Say(lang, p.Code, args)
}

// Report holds all the problems of one pass, ordered by path, then severity, then code.
type Report []Problem

// HasErrors tells whether something must be corrected.
func (r Report) HasErrors() bool {
	return slices.ContainsFunc(r, func(p Problem) bool { return p.Severity == Error })
}

// Errors returns what must be corrected.
func (r Report) Errors() Report { return r.only(Error) }

// Warnings returns what a person may confirm.
func (r Report) Warnings() Report { return r.only(Warning) }

// Hints returns what only informs.
func (r Report) Hints() Report { return r.only(Hint) }

func (r Report) only(s Severity) (some Report) {
	for _, p := range r {
		if p.Severity == s {
			some = append(some, p)
		}
	}
	return some
}

// ByPath groups the problems by the field they belong to.
func (r Report) ByPath() map[string]Report {
	groups := map[string]Report{}
	for _, p := range r {
		groups[p.Path] = append(groups[p.Path], p)
	}
	return groups
}

// With joins reports into one, each problem once.
func (r Report) With(others ...Report) Report {
	all := slices.Concat(append([]Report{r}, others...)...)
	slices.SortFunc(all, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Code, b.Code))
	})
	return slices.CompactFunc(all, func(a, b Problem) bool { return a.Path == b.Path && a.Code == b.Code })
}
