package slackapp

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

func TestTextFromOutsideIsMadeSafeToShow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, plain, mrkdwn string }{
		{"Ação n.º 1: «sim» – 1 234,56 €", "Ação n.º 1: «sim» – 1 234,56 €", "Ação n.º 1: «sim» – 1 234,56 €"},
		{"*loud* and _sly_ and ~gone~", "*loud* and _sly_ and ~gone~", "∗loud∗ and ˍslyˍ and ∼gone∼"},
		{"`code` and ```more```", "`code` and ```more```", "ˋcodeˋ and ˋˋˋmoreˋˋˋ"},
		{"maria_exemplo@example.com", "maria_exemplo@example.com", "maria_exemplo@example.com"},
		{"2*3*4, a~b", "2*3*4, a~b", "2*3*4, a~b"},
		{"(*in*) «_quotes_» *ç*", "(*in*) «_quotes_» *ç*", "(∗in∗) «ˍquotesˍ» ∗ç∗"},
		{"<!channel> <@U0ANA> & <https://example.com|here>", "<!channel> <@U0ANA> & <https://example.com|here>",
			"&lt;!channel&gt; &lt;@U0ANA&gt; &amp; &lt;https://example.com|here&gt;"},
		{"> quoted\n> twice, 2 > 1", "> quoted\n> twice, 2 > 1", "› quoted\n› twice, 2 &gt; 1"},
		{"abc\u202edcba\u202c", "abcdcba", "abcdcba"},
		{"\u202a\u202b\u202d\u2066\u2067\u2068\u2069\u200e\u200f\u061cx", "x", "x"},
		{"a\x00b\x07c\x1b[31md\x7f\u009be", "abc[31mde", "abc[31mde"},
		{"a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u034fh\u180ei\u3164j\u2800k", "abcdefghijk", "abcdefghijk"},
		{"\U000e0041\U000e0042x\ufe00\U000e0100", "x", "x"},
		{"a\tb\vc\rd\r\ne\u2028f", "a b c d\ne\nf", "a b c d\ne\nf"},
		{"*\u200bloud\u200b*", "*loud*", "∗loud∗"},
		{"👩‍👩‍👧‍👦 ⚠️ 👍🏽", "👩‍👩‍👧‍👦 ⚠️ 👍🏽", "👩‍👩‍👧‍👦 ⚠️ 👍🏽"},
		{"\xff\xfex", "\ufffd\ufffdx", "\ufffd\ufffdx"},
	} {
		if got := fit(c.text, 1000); got != c.plain {
			t.Errorf("%q is shown as %q, want %q", c.text, got, c.plain)
		}
		if got := escaped(c.text, 1000); got != c.mrkdwn {
			t.Errorf("%q is escaped as %q, want %q", c.text, got, c.mrkdwn)
		}
	}
}

// hostile is a text that the bank may send in any field.
const hostile = "*a* _b_ ~c~ `d` ```e``` <!channel> > f \u202eg\u202c \x00h\x1b \u200bi\u2066j"

// Messages and views have the formatting of ours and none of the bank's, no invisible characters, and Slack accepts them.
func TestNothingOfTheBanksTextFormatsHidesOrTurns(t *testing.T) {
	t.Parallel()
	app, req, sim := newAppWithModal(t)
	harmless := hostileShown(app, &req, strings.Repeat("x", utf8.RuneCountInString(escaped(hostile, maxText)))) // as long, so that as much of it has room
	for what, shown := range hostileShown(app, &req, hostile) {
		marks := countMarks(t, harmless[what])
		for _, text := range textsIn(t, shown) {
			if hidden := strings.IndexFunc(text.Text, isHidden); hidden >= 0 {
				t.Errorf("%s holds %U: %q", what, []rune(text.Text[hidden:])[0], text.Text)
			}
		}
		if got := countMarks(t, shown); got != marks {
			t.Errorf("%s holds %d marks of mrkdwn, want %d: %s", what, got, marks, encode(shown))
		}
	}
	req.draft = strings.Repeat("D", 58)
	for what, view := range viewsOf(app, &req, hostile) {
		req.hash = ""
		if err := app.show(t.Context(), &req, view); err != nil {
			t.Errorf("the view of %s: %v", what, err)
		}
		for _, text := range textsIn(t, view) {
			if strings.ContainsFunc(text.Text, isHidden) {
				t.Errorf("the view of %s holds %q", what, text.Text)
			}
		}
	}
	seen := app.errorMessage(&req, errorOf(hostile))
	if err := app.reply(t.Context(), &req, seen); err != nil {
		t.Error(err)
	}
	for _, message := range sim.User(slacksim.Ana).Messages(slacksim.TeamChannel) {
		if strings.ContainsFunc(message.Text, isHidden) || strings.Contains(message.Text, "*a*") || strings.Contains(message.Text, "`") {
			t.Errorf("Ana reads %q", message.Text)
		}
	}
	for _, refused := range sim.Refusals() {
		t.Errorf("Slack refused %s: %s %s", refused.Method, refused.Error, refused.Detail)
	}
}

// hostileShown returns everything in which a text of the bank's reaches Slack.
func hostileShown(app *App, req *request, text string) map[string]any {
	lang := words.Portuguese
	card, list := cardOf(text, false), cardOf(text, true)
	notice := destination.Notice{
		ID: "n", Process: uuid.New(), Lang: lang, Title: text, Text: text, Card: true, Mention: "slack:T0TEAM/U0ANA",
		Facts: [][2]string{{text, text}, {"Estado", text}}, Lines: []string{text, text},
	}
	reply := notice
	reply.Card = false
	return map[string]any{
		"a card":   message{card.text(), card.blocks(lang)}.fit(),
		"a list":   message{list.text(), list.blocks(lang)}.fit(),
		"a notice": app.noticeMessage(notice, nil).fit(),
		"a reply":  app.noticeMessage(reply, nil).fit(),
		"a refusal": app.errorMessage(req, &tools.Error{
			Kind: tools.Refused, ID: "11111111-2222-4333-8444-555555555555", Notes: []string{text, text},
		}).fit(),
		"the errors of a page": blockingProblems([]tools.Problem{{Path: "branch", Severity: tools.Blocks, Text: text}}),
		"an option":            option(tools.Option{Value: "1", Text: text, Note: text}),
	}
}

// isHidden reports whether a character is invisible or changes the direction of writing.
func isHidden(r rune) bool { return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf) }

type shownText struct{ Type, Text string }

// textsIn returns all texts that people see in a message or view, with their type.
func textsIn(t *testing.T, shown any) (found []shownText) {
	t.Helper()
	var value any
	if err := json.Unmarshal(encode(shown), &value); err != nil {
		t.Fatal(err)
	}
	var walk func(value any, kind string)
	walk = func(value any, kind string) {
		switch value := value.(type) {
		case string:
			found = append(found, shownText{kind, value})
		case []any:
			for _, item := range value {
				walk(item, kind)
			}
		case map[string]any:
			for name, item := range value {
				if name == "value" || name == "private_metadata" {
					continue
				}
				kind := fmt.Sprint(value["type"])
				if name == "text" && value["type"] == nil {
					kind = "mrkdwn" // of a message
				}
				walk(item, kind)
			}
		}
	}
	walk(value, "")
	return found
}

// countMarks counts the characters that format text in mrkdwn.
func countMarks(t *testing.T, shown any) (count int) {
	for _, text := range textsIn(t, shown) {
		if text.Type != "mrkdwn" {
			continue
		}
		for i, r := range text.Text {
			before, _ := utf8.DecodeLastRuneInString(text.Text[:i])
			after, _ := utf8.DecodeRuneInString(text.Text[i+1:])
			if r == '`' || strings.ContainsRune("*_~", r) && !(unicode.In(before, unicode.L, unicode.N) && unicode.In(after, unicode.L, unicode.N)) {
				count++
			}
		}
		count += strings.Count(text.Text, "\n&gt;")
	}
	return count
}
