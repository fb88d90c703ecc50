package slackapp

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// reviewView is the confirmation page. It shows what was typed, and what the bank has, in clear. This file alone
// reveals personal data, and only in views and in the blocks of the card on which a person approves what her assistant asks for,
// in her direct messages; all other messages mask it.
func reviewView(lang words.Lang, f *form, sections []tools.Section, problems []tools.Problem) slack.ModalViewRequest {
	blocks := []slack.Block{pageButtons(lang, f, len(f.tool.Pages), false), contextLine(progress(lang, f, len(f.tool.Pages)))}
	blocks = append(blocks, approvalLine(lang, f)...)
	blocks = append(blocks, unclearBlocks(lang, f)...)
	blocked := false
	for _, p := range problems {
		blocked = blocked || p.Severity == tools.Blocks
		blocks = append(blocks, problemRow(lang, f, p))
	}
	if len(problems) > 0 {
		closing := say(lang, "confirm.warnings", "button", f.submit(lang))
		if blocked {
			closing = say(lang, "confirm.blocked")
		}
		blocks = append(blocks, paragraph(closing), slack.NewDividerBlock())
	}
	view := formView(lang, f, append(blocks, sectionBlocks(f.tool, sections)...))
	if !blocked {
		view.Submit = plain(f.submit(lang), maxTitle)
	}
	return view
}

// sectionBlocks show the values of a review, those that name what it is about first.
func sectionBlocks(tool *tools.Tool, sections []tools.Section) []slack.Block {
	var about []tools.ReviewFact
	var rest []slack.Block
	remaining, f := maxReview, form{tool: tool}
	for _, section := range sections {
		if f.isSubjectPage(section.Page) { // the facts' labels say what a title would
			about = append(about, section.Facts...)
			continue
		}
		rest = append(rest, reviewBlocks(section.Title, section.Facts, &remaining)...)
	}
	return append(reviewBlocks("", about, &remaining), rest...)
}

// clearBlocks show what an approval would do, whole if fitsWhole says so. The process is left out where the title names it.
func clearBlocks(lang words.Lang, item approvalItem) []slack.Block {
	var blocks []slack.Block
	for _, p := range item.Problems {
		blocks = append(blocks, paragraph(problemLine(lang, item.Of, p)))
	}
	named := func(fact tools.ReviewFact) bool {
		return aboutOf(lang, item) != "" && fact.Value.Reveal() == item.About
	}
	var sections []tools.Section
	for _, section := range item.Sections {
		if (&form{tool: item.Of}).isSubjectPage(section.Page) {
			section.Facts = slices.DeleteFunc(slices.Clone(section.Facts), named)
		}
		sections = append(sections, section)
	}
	return append(blocks, sectionBlocks(item.Of, sections)...)
}

// fitsWhole reports whether values and problems can be shown without cutting any.
func fitsWhole(sections []tools.Section, problems []tools.Problem) bool {
	total := 0
	for _, section := range sections {
		for _, fact := range section.Facts {
			length := lengthInClear(fact.Value)
			if total += length; length > maxReviewed || total > maxReview {
				return false
			}
		}
	}
	return !slices.ContainsFunc(problems, func(p tools.Problem) bool {
		return utf8.RuneCountInString(p.Text)+lengthInClear(p.Clear) > maxProblem-maxCell
	})
}

// lengthInClear is the number of characters of a text.
func lengthInClear(text pii.Private) int { return utf8.RuneCountInString(text.Reveal()) }

// pastView shows what was asked for in an approval that is decided, in clear.
func pastView(lang words.Lang, item approvalItem) slack.ModalViewRequest {
	blocks := []slack.Block{paragraph(outcomeOf(lang, item)), contextLine(askedBy(lang, item, item.Expires))}
	return modal(item.Of.Title(lang), say(lang, "close"), append(blocks, sectionBlocks(item.Of, item.Sections)...)...)
}

// problemRow shows a problem of a field, with a button to its page.
func problemRow(lang words.Lang, f *form, p tools.Problem) slack.Block {
	text := problemLine(lang, f.tool, p)
	field, known := f.tool.Field(p.Path)
	if !known {
		return paragraph(text)
	}
	return row(text, button(actFix, field.Page, say(lang, "confirm.fix")))
}

// problemLine is a problem with its severity and its field.
func problemLine(lang words.Lang, tool *tools.Tool, p tools.Problem) string {
	text, severity := p.Text, say(lang, "confirm."+string(p.Severity))+": "
	if !p.Clear.IsZero() {
		text = inClear(p.Clear, maxProblem)
	}
	if field, known := tool.Field(p.Path); known {
		text = field.Label(lang) + ": " + text
	}
	return cut(severity+text, maxProblem)
}

// reviewBlocks shows labels and values in two columns, as plain text: mrkdwn would hide characters of an address. remaining
// is how many characters are left for values.
func reviewBlocks(title string, facts []tools.ReviewFact, remaining *int) []slack.Block {
	var blocks []slack.Block
	var heading *slack.TextBlockObject
	if title != "" {
		heading = mrkdwn("*" + escaped(title, maxHeader) + "*")
	}
	for from := 0; from < len(facts); from += maxFacts / 2 {
		var fields []*slack.TextBlockObject
		for _, fact := range facts[from:min(from+maxFacts/2, len(facts))] {
			limit := min(maxReviewed, max(maxCell, *remaining))
			value := cut(inClear(fact.Value, limit+1), limit)
			*remaining -= utf8.RuneCountInString(value)
			fields = append(fields, plain(fact.Label, maxCell), plain(value, maxReviewed))
		}
		blocks = append(blocks, slack.NewSectionBlock(heading, fields, nil))
		heading = nil
	}
	return blocks
}

// keptFiles names the files that a field has already, because Slack shows an empty input, with a button that removes them.
func keptFiles(lang words.Lang, field tools.Field, answer string) []slack.Block {
	if field.Kind.Control != tools.ControlFile || answer == "" {
		return nil
	}
	names := inClear(tools.GivenFiles(lang, answer), maxReviewed)
	return []slack.Block{row(say(lang, "field.files", "names", names), button(actNoFiles, field.Path, say(lang, "field.no_files")))}
}

// inClear returns at most limit characters of a text in clear. What cannot be seen in it is replaced by a visible character.
func inClear(text pii.Private, limit int) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.C, r) && r != '\n' {
			return unicode.ReplacementChar
		}
		return r
	}, prefix(text.Reveal(), limit))
}
