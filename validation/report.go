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

// Severity is the severity of a problem.
type Severity int

// The severities, the most severe first.
const (
	Error   Severity = iota // must be corrected before the call to the bank
	Warning                 // a person may confirm it and continue
	Hint                    // good to know
)

func (s Severity) String() string { return [...]string{"error", "warning", "hint"}[s] }

// Problem is one result of a check.
type Problem struct {
	Code     string // a [Code]
	Path     string // JSON names joined by dots: "personal.taxId"
	Severity Severity
	Params   map[string]string // limits and rounded ratios that the text mentions; never what was typed
}

// problem returns a problem whose severity [Checker.weighed] fills in.
func problem(code Code, path string) Problem {
	return Problem{Code: string(code), Path: path}
}

func (p Problem) with(name, value string) Problem {
	p.Params = map[string]string{name: value}
	return p
}

// Text returns the message for a person. It does not repeat what they typed. A warning about what depends on the bank says
// that the bank decides.
func (p Problem) Text(lang words.Lang) string {
	args := make(map[string]any, len(p.Params))
	for name, value := range p.Params {
		args[name] = value
	}
	text := texts.Say(lang, p.Code, args)
	switch {
	case p.Severity != Warning:
		return text
	case certain[Code(p.Code)].severity == Warning:
		return text + " " + texts.Say(lang, confirm, nil)
	}
	return text + " " + texts.Say(lang, bankDecides, nil)
}

// Keys of the texts that follow that of a warning.
const (
	confirm     = "warning.confirm"
	bankDecides = "warning.bank_decides"
)

// Report holds all the problems of one pass, ordered by path, then severity, then code.
type Report []Problem

// HasErrors reports whether the report has errors.
func (r Report) HasErrors() bool {
	return slices.ContainsFunc(r, func(p Problem) bool { return p.Severity == Error })
}

// Errors returns the problems that must be corrected.
func (r Report) Errors() Report { return r.only(Error) }

// Warnings returns the problems that a person may confirm.
func (r Report) Warnings() Report { return r.only(Warning) }

// Hints returns the problems that only inform.
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
