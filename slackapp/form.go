package slackapp

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/tools"
)

// state is the values of a view's inputs, by block_id and action_id.
type state struct {
	Values map[string]map[string]answer `json:"values"`
}

type answer struct {
	Value  *string         `json:"value"`
	User   *string         `json:"selected_user"`
	Chosen *selectedOption `json:"selected_option"`
	Files  []uploadedFile  `json:"files"`
}

type uploadedFile struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"`
}

type selectedOption struct {
	Value string `json:"value"`
	Text  struct {
		Text string `json:"text"`
	} `json:"text"`
}

// Pages of a draft beside those of its tool.
const (
	confirmPage = ".confirm" // all answers, to be confirmed
	sendingPage = ".sending" // confirmed and given to the runner, unless the replica crashed before
)

// Notes of a draft.
const (
	noteView      = "view"     // the modal that fills it in; any other is outdated
	noteChosen    = "chosen"   // Slack's timestamp of the last saved choice
	noteTakenOver = "taken"    // how often another modal took it over
	noteChannel   = "channel"  // where it began
	noteURL       = "url"      // the response URL from there
	noteAttempt   = "attempt"  // how many sendings have an unknown outcome
	noteSent      = "sent"     // it was confirmed at least once
	noteUnclear   = "unclear"  // set if the last sending may have taken effect; one of the two below
	noteWarned    = "warned"   // the fingerprints of the warnings shown on the confirmation page, separated by spaces
	noteLabel     = "label "   // and a path: the text of the chosen option
	noteBefore    = "before "  // and a path: the bank's value when an editor read it
	noteSole      = "sole "    // and a page: it is left out, since there is one choice
	noteSubject   = "about"    // the subject that was read
	noteEmptied   = "emptied " // and a path: how often its files were removed
	noteApproval  = "approval" // the approval that the form reviews
	noteAsker     = "asker"    // what the program of the assistant that asks calls itself
	noteDigest    = "digest"   // of the arguments that the form was filled in with
	noteAsked     = "asked "   // and a path: what the assistant asks for
)

// Whether the outcome of an unclear sending can still be found out.
const (
	unclearOpen  = "open"
	unclearFinal = "settled"
)

// form is a draft and its tool.
type form struct {
	tool *tools.Tool
	conversations.Draft
}

// toForm converts the form for the runner.
func (f *form) toForm() tools.Form {
	filled := tools.Form{Answers: f.Answers, Approval: f.approval()}
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

// subjectKey identifies what the form reads or changes, "" until that is chosen.
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

// subject is the text for what the form reads or changes, without what the page itself shows.
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

// isSubjectPage reports whether a page asks only for the subject of the form.
func (f *form) isSubjectPage(page string) bool {
	fields := f.tool.FieldsOn(page)
	return fields != nil && !slices.ContainsFunc(fields, func(field tools.Field) bool { return !field.Refers() })
}

// worthKeeping reports whether the form has answers that the person typed, or was sent.
func (f *form) worthKeeping() bool {
	return f.tool.Effect.Writes() && (f.Notes[noteSent] != "" || slices.ContainsFunc(f.tool.Fields, f.isEdited))
}

// isEdited reports whether the person filled in or changed a field.
func (f *form) isEdited(field tools.Field) bool {
	before, asked := f.Notes[noteAsked+field.Path]
	if !asked {
		before = f.Notes[noteBefore+field.Path]
	}
	return !field.Refers() && !field.Hidden() && f.Answers[field.Path] != before
}

// isRequired reports whether a field must be filled in. An editor does not require what the bank does not have.
func (f *form) isRequired(field tools.Field) bool {
	lacking := f.tool.Edits && !field.Refers() && f.Notes[noteBefore+field.Path] == ""
	return (field.Required || field.Asked) && !lacking
}

// complete reports whether every required field is filled in.
func (f *form) complete() bool {
	return !slices.ContainsFunc(f.tool.Fields, func(field tools.Field) bool { return f.isRequired(field) && f.Answers[field.Path] == "" })
}

// collect takes the values of a page's inputs into the draft.
func (f *form) collect(page string, s state) {
	answers, notes := maps.Clone(f.Answers), maps.Clone(f.Notes)
	if answers == nil {
		answers = map[string]string{}
	}
	for _, field := range f.tool.FieldsOn(page) {
		for _, given := range s.Values[field.Path] { // a block has one element
			text, label := controlOf(field).answer(given, f.Answers[field.Path])
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
	for _, field := range f.tool.Fields {
		if answers[field.Path] != f.Answers[field.Path] {
			forgetDependent(f.tool, field, f.Answers, answers, notes)
		}
	}
	f.Answers, f.Notes = answers, notes
}

// forgetDependent deletes the answers that were chosen among the options that an earlier answer to a field gave, before; one
// that was chosen since then stays.
func forgetDependent(tool *tools.Tool, changed tools.Field, before, answers, notes map[string]string) {
	for _, field := range tool.Fields {
		if answers[field.Path] != before[field.Path] || field.Within != "" && before[changed.Path] == "" {
			continue
		}
		if slices.ContainsFunc(field.Dependencies(), func(other tools.Field) bool { return other.Path == changed.Path }) {
			delete(answers, field.Path)
			delete(notes, noteLabel+field.Path)
			forgetDependent(tool, field, before, answers, notes)
		}
	}
}

// removeFiles removes the files of a field. Slack shows an empty input for it, because its id changes.
func (f *form) removeFiles(path string) {
	delete(f.Answers, path)
	f.Notes[noteEmptied+path] = strconv.Itoa(f.count(noteEmptied+path) + 1)
}

// emptied is the part of an input's id that changes when its files are removed.
func (f *form) emptied(field tools.Field) string {
	if n := f.Notes[noteEmptied+field.Path]; n != "" {
		return " " + n
	}
	return ""
}

// blockingProblems returns the first blocking problem of each field, by path, in the form that Slack accepts.
func blockingProblems(problems []tools.Problem) map[string]string {
	errors := map[string]string{}
	for _, p := range problems {
		if _, known := errors[p.Path]; p.Severity == tools.Blocks && !known {
			errors[p.Path] = fit(p.Text, maxFieldError)
		}
	}
	return errors
}

// attempt counts the sendings that may each have taken effect. It is part of the call's key.
func (f *form) attempt() int { return f.count(noteAttempt) }

func (f *form) count(note string) int {
	n, _ := strconv.Atoi(f.Notes[note])
	return n
}

func (f *form) confirmedWarnings() []string { return strings.Fields(f.Notes[noteWarned]) }
