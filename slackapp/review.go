package slackapp

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// reviewView is the confirmation page. It shows what was typed, and what the bank has, in clear. This file alone
// reveals personal data, and only in views, which one person sees; messages mask it.
func reviewView(lang words.Lang, f *form, sections []tools.Section, problems []tools.Problem) slack.ModalViewRequest {
	blocks := []slack.Block{pageButtons(lang, f, len(f.tool.Pages), false), contextLine(progress(lang, f, len(f.tool.Pages)))}
	blocks = append(blocks, unclearBlocks(lang, f)...)
	blocked := false
	for _, p := range problems {
		blocked = blocked || p.Severity == tools.Blocks
		blocks = append(blocks, problemRow(lang, f, p))
	}
	if len(problems) > 0 {
		closing := say(lang, "confirm.warnings", "button", f.tool.Submit(lang))
		if blocked {
			closing = say(lang, "confirm.blocked")
		}
		blocks = append(blocks, paragraph(closing), slack.NewDividerBlock())
	}
	var about []tools.ReviewFact
	var rest []slack.Block
	remaining := maxReview
	for _, section := range sections {
		if f.isSubjectPage(section.Page) { // the facts' labels say what a title would
			about = append(about, section.Facts...)
			continue
		}
		rest = append(rest, reviewBlocks(section.Title, section.Facts, &remaining)...)
	}
	blocks = append(append(blocks, reviewBlocks("", about, &remaining)...), rest...)
	view := formView(lang, f, blocks)
	if !blocked {
		view.Submit = plain(f.tool.Submit(lang), maxTitle)
	}
	return view
}

// problemRow shows a problem of a field, with a button to its page.
func problemRow(lang words.Lang, f *form, p tools.Problem) slack.Block {
	text := p.Text
	if !p.Clear.IsZero() {
		text = inClear(p.Clear, maxProblem)
	}
	severity := say(lang, "confirm."+string(p.Severity)) + ": "
	field, known := f.tool.Field(p.Path)
	if !known {
		return paragraph(cut(severity+text, maxProblem))
	}
	fix := button(actFix, field.Page, say(lang, "confirm.fix"))
	return row(cut(severity+field.Label(lang)+": "+text, maxProblem), fix)
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
