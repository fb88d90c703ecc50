package slackapp

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/tools"
)

// state is what stands in the inputs of a view, by block_id and action_id.
type state struct {
	Values map[string]map[string]answer `json:"values"`
}

type answer struct {
	Value  *string         `json:"value"`
	User   *string         `json:"selected_user"`
	Chosen *selectedOption `json:"selected_option"`
}

type selectedOption struct {
	Value string `json:"value"`
	Text  struct {
		Text string `json:"text"`
	} `json:"text"`
}

// Pages of a draft that are no pages of its tool.
const (
	confirmPage = ".confirm" // everything is answered, and read over
	sendingPage = ".sending" // confirmed; the runner has it, unless whoever gave it to it died
)

// Notes of a draft.
const (
	noteView      = "view"    // the modal that it is filled in through; any other is out of date
	noteChosen    = "chosen"  // when the last choice was made that a page reported, as Slack says it
	noteTakenOver = "taken"   // counts how often a modal that was left behind carried on with it
	noteChannel   = "channel" // where it was begun
	noteURL       = "url"     // the response URL from there
	noteAttempt   = "attempt" // counts the sendings of which nobody learnt the outcome
	noteSent      = "sent"    // it was confirmed at least once
	noteUnclear   = "doubt"   // the last sending may have taken effect; one of the two below
	noteWarned    = "warned"  // the marks of the warnings shown on the confirmation page, by space
	noteLabel     = "label "  // and a path: the text of the option chosen there
	noteBefore    = "before " // and a path: what an editor's field held when it was read
	noteSubject   = "about"   // what it was read for
)

// What is doubtful may still be found out, or not any more.
const (
	unclearOpen  = "open"
	unclearFinal = "settled"
)

// form is a draft and the tool that it is for.
type form struct {
	tool *tools.Tool
	conversations.Draft
}

// toForm is the form as the catalogue knows it.
func (f *form) toForm() tools.Form {
	filled := tools.Form{Answers: f.Answers}
	for key, text := range f.Notes {
		if path, found := strings.CutPrefix(key, noteBefore); found {
			if filled.Before == nil {
				filled.Before = map[string]string{}
			}
			filled.Before[path] = text
		}
	}
	return filled
}

// subjectKey names what the form's person wants to read or change, "" until that is chosen.
func (f *form) subjectKey() string {
	var chosen []string
	for _, field := range f.tool.Fields {
		if field.Refers() {
			if field.Required && f.Answers[field.Path] == "" {
				return ""
			}
			chosen = append(chosen, f.Answers[field.Path])
		}
	}
	return strings.Join(chosen, " ")
}

// subject tells her the same, as far as that is chosen and does not stand on the page anyway.
func (f *form) subject(page string) string {
	var chosen []string
	for _, field := range f.tool.Fields {
		if label := f.label(field.Path); field.Refers() && field.Page != page && label != "" {
			chosen = append(chosen, label)
		}
	}
	return strings.Join(chosen, " › ")
}

func (f *form) label(path string) string { return f.Notes[noteLabel+path] }

// isSubjectPage tells whether a page asks for nothing but what the form is about.
func (f *form) isSubjectPage(page string) bool {
	fields := f.tool.FieldsOn(page)
	return fields != nil && !slices.ContainsFunc(fields, func(field tools.Field) bool { return !field.Refers() })
}

// choosesProcess tells whether a page asks for the process.
func (f *form) choosesProcess(page string) bool {
	return slices.ContainsFunc(f.tool.FieldsOn(page), func(field tools.Field) bool { return field.Kind == tools.Process })
}

// worthKeeping tells whether its person would miss the form: for what she typed in it, or for what became of it.
func (f *form) worthKeeping() bool {
	return f.tool.Effect.Writes() && (f.Notes[noteSent] != "" || slices.ContainsFunc(f.tool.Fields, f.isEdited))
}

// isEdited tells whether its person filled in a field, or changed it.
func (f *form) isEdited(field tools.Field) bool {
	return !field.Refers() && !field.Hidden() && f.Answers[field.Path] != f.Notes[noteBefore+field.Path]
}

// isRequired tells whether a field has to be filled in. What the bank lacks of somebody need not be known to change the
// rest.
func (f *form) isRequired(field tools.Field) bool {
	lacking := f.tool.Edits && !field.Refers() && f.Notes[noteBefore+field.Path] == ""
	return field.Required && !lacking
}

// complete tells whether everything required is filled in.
func (f *form) complete() bool {
	return !slices.ContainsFunc(f.tool.Fields, func(field tools.Field) bool { return f.isRequired(field) && f.Answers[field.Path] == "" })
}

// collect takes what stands in a page's inputs into the draft.
func (f *form) collect(page string, s state) {
	answers, notes := maps.Clone(f.Answers), maps.Clone(f.Notes)
	if answers == nil {
		answers = map[string]string{}
	}
	for _, field := range f.tool.FieldsOn(page) {
		for _, given := range s.Values[field.Path] { // one element a block
			text, label := "", ""
			switch {
			case given.Chosen != nil && given.Chosen.Value != unanswered:
				text, label = given.Chosen.Value, given.Chosen.Text.Text
			case given.User != nil:
				text = *given.User
			case given.Value != nil:
				text = strings.TrimSpace(*given.Value)
			}
			delete(answers, field.Path)
			delete(notes, noteLabel+field.Path)
			if text != "" {
				answers[field.Path] = text
			}
			if label != "" {
				notes[noteLabel+field.Path] = label
			}
		}
	}
	for _, field := range f.tool.Fields { // a borrower of another process than before is nobody's choice any more
		if other := answers[field.Path] != f.Answers[field.Path]; other && field.Kind == tools.Process {
			forgetBorrowers(f.tool, answers, notes)
		}
	}
	f.Answers, f.Notes = answers, notes
}

func forgetBorrowers(tool *tools.Tool, answers, notes map[string]string) {
	for _, field := range tool.Fields {
		if field.Kind == tools.Borrower {
			delete(answers, field.Path)
			delete(notes, noteLabel+field.Path)
		}
	}
}

// blockingProblems keeps the problems that stop a page: the first of each field, by path, ready for an answer to Slack.
func blockingProblems(problems []tools.Problem) map[string]string {
	errors := map[string]string{}
	for _, p := range problems {
		if _, told := errors[p.Path]; p.Severity == tools.Blocks && !told {
			errors[p.Path] = fit(p.Text, maxFieldError)
		}
	}
	return errors
}

// attempt tells a form's sendings apart that may each have taken effect.
func (f *form) attempt() int { return f.count(noteAttempt) }

func (f *form) count(note string) int {
	n, _ := strconv.Atoi(f.Notes[note])
	return n
}

func (f *form) confirmedWarnings() []string { return strings.Fields(f.Notes[noteWarned]) }
