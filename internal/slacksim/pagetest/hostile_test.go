package pagetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/browsertest"
)

// hostile runs scripts, loads images or leaves the page if it is parsed as HTML.
const hostile = `<img src=x onerror="window.ran=1"><script>window.ran=1</script><a href="javascript:window.ran=1">x</a>"'><svg onload=window.ran=1>`

// escapedHostile is hostile as mrkdwn, in which an app escapes < and >.
var escapedHostile = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(hostile)

func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	button := func(change func(object)) object {
		element := object{"type": "button", "action_id": "go", "text": plain("x")}
		change(element)
		return object{"type": "actions", "elements": []object{element}}
	}
	rich := func(elements ...object) object {
		return object{"type": "rich_text", "elements": []object{{"type": "rich_text_section", "elements": elements}}}
	}
	blocks := map[string]object{
		"a header":            {"type": "header", "text": plain(hostile)},
		"plain text":          {"type": "section", "text": plain(hostile)},
		"raw mrkdwn":          {"type": "section", "text": mrkdwn(hostile)},
		"escaped mrkdwn":      {"type": "section", "text": mrkdwn(escapedHostile)},
		"bold mrkdwn":         {"type": "section", "text": mrkdwn("*" + escapedHostile + "*")},
		"code":                {"type": "section", "text": mrkdwn("`" + escapedHostile + "`")},
		"a code block":        {"type": "section", "text": mrkdwn("```" + escapedHostile + "```")},
		"a list":              {"type": "section", "text": mrkdwn("- " + escapedHostile)},
		"a link's label":      {"type": "section", "text": mrkdwn("<https://example.com|" + escapedHostile + ">")},
		"a date's fallback":   {"type": "section", "text": mrkdwn("<!date^soon^{date}|" + escapedHostile + ">")},
		"an unknown mention":  {"type": "section", "text": mrkdwn("<@U999|" + escapedHostile + ">")},
		"fields":              {"type": "section", "fields": []object{mrkdwn(escapedHostile)}},
		"a context":           {"type": "context", "elements": []object{plain(hostile)}},
		"a button's text":     button(func(e object) { e["text"] = plain(hostile) }),
		"rich text":           rich(object{"type": "text", "text": hostile, "style": object{"bold": true}}),
		"a rich link":         rich(object{"type": "link", "url": "https://example.com", "text": hostile}),
		"a rich emoji":        rich(object{"type": "emoji", "name": hostile}),
		"markdown":            {"type": "markdown", "text": "## " + hostile},
		"a markdown link":     {"type": "markdown", "text": "[" + hostile + "](https://example.com)"},
		"a markdown table":    {"type": "markdown", "text": "| a |\n|---|\n| " + hostile + " |"},
		"a table's cell":      {"type": "table", "rows": [][]object{{{"type": "raw_text", "text": "a"}}, {{"type": "raw_text", "text": hostile}}}},
		"an image's title":    {"type": "image", "image_url": "data:,", "alt_text": hostile, "title": plain(hostile)},
		"an unknown block":    {"type": hostile},
		"an option":           inputBlock("b", "Tipo", object{"type": "radio_buttons", "options": []object{option(hostile, hostile)}}),
		"a select's option":   inputBlock("b", "Tipo", object{"type": "static_select", "options": []object{option(hostile, hostile)}}),
		"a label":             inputBlock("b", hostile, object{"type": "plain_text_input"}),
		"a block's id":        inputBlock(hostile, hostile, object{"type": "plain_text_input"}),
		"a hint":              {"type": "input", "block_id": "b", "label": plain("x"), "hint": plain(hostile), "element": object{"type": "plain_text_input", "action_id": "a"}},
		"a checkbox's detail": inputBlock("b", "x", object{"type": "checkboxes", "options": []object{{"text": mrkdwn(escapedHostile), "value": "v", "description": mrkdwn(escapedHostile)}}}),
	}
	s := newServer(t)
	p := openPage(t, s, "UANA")
	at := map[string]string{} // the time stamp of each block's message
	s.update(func(now *snapshot) {
		for name, block := range blocks {
			at[name] = fmt.Sprintf("17953%05d.000100", len(at))
			now.Messages["C1"] = append(now.Messages["C1"], message(at[name], "x", block))
		}
	})
	for name, ts := range at {
		shown := `document.querySelector('.message[data-ts="` + ts + `"]')`
		p.Until(name+" is there", shown+`.querySelector('.block')`)
		p.Until(name+" is shown unchanged", shown+`.textContent.includes('window.ran=1') && `+shown+`.textContent.includes('onerror')`)
	}
	assertHarmless(t, p, "a block")
}

func TestHostileNamesTitlesAndNoticesStayText(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.update(func(now *snapshot) {
		now.Channels[0]["name"] = hostile
		now.Channels = append(now.Channels, object{"id": hostile, "name": "outro", "im": false})
	})
	s.handle("options", func(object) object {
		return object{"option_groups": []object{{"label": plain(hostile), "options": []object{{"text": plain(hostile), "value": "v", "description": plain(hostile)}}}}}
	})
	s.handle("submit", func(object) object { return object{"ok": true, "errors": object{"b": hostile}} })
	p := openPage(t, s, "UANA")
	s.update(func(now *snapshot) {
		from := message("1795300000.000100", escapedHostile)
		from["username"] = hostile
		from["files"] = []object{{"id": "F1", "name": hostile, "title": hostile, "mimetype": hostile, "size": 1, "url": "javascript:window.ran=1"}}
		now.Messages["C1"] = []object{from}
		form := view("h", hostile, inputBlock("b", hostile, object{"type": "external_select", "min_query_length": 0, "initial_option": option(hostile, "v"), "placeholder": plain(hostile)}))
		form["submit"], form["close"] = hostile, hostile
		now.Views = []object{form}
		now.Notice = object{"id": 1, "text": hostile}
	})
	p.Until("the modal is open", `document.activeElement.closest('dialog')`)
	p.Click("dialog input")
	p.Until("the options are open", `document.querySelector('dialog [role=option]')`)
	p.Keys("\x1b")
	p.Click("dialog .submit")
	p.Until("the problem is shown", `document.querySelector('dialog .problem:not([hidden])').textContent.includes('onerror')`)
	p.Until("the notice is shown", `document.querySelector('.notice').textContent.includes('onerror')`)
	if p.Eval(`document.querySelector('.file a')`) != nil {
		t.Error("a file with a javascript: address can be clicked")
	}
	assertHarmless(t, p, "names and titles")
}

func TestOnlyHarmlessAddressesBecomeLinks(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := openPage(t, s, "UANA")
	for _, address := range []string{"javascript:window.ran=1", "JaVaScRiPt:window.ran=1", "data:text/html,x", "vbscript:x", "file:///etc/hosts", "blob:x"} {
		s.update(func(now *snapshot) {
			now.Messages["C1"] = []object{message("1795300000.000100", "x",
				object{"type": "section", "text": mrkdwn("<" + address + "|mrkdwn>")},
				object{"type": "markdown", "text": "[markdown](" + address + ")"},
				object{"type": "rich_text", "elements": []object{{"type": "rich_text_section", "elements": []object{{"type": "link", "url": address, "text": "rich"}}}}},
				object{"type": "actions", "elements": []object{{"type": "button", "action_id": "a", "text": plain("button"), "url": address}}},
				object{"type": "image", "image_url": address, "alt_text": "image"})}
		})
		p.Until("all of "+address+" is drawn", `document.querySelectorAll('.message .block').length === 5`)
		if link := p.Eval(`document.querySelector('.message a, .message img')?.outerHTML ?? null`); link != nil {
			t.Errorf("%s became %v", address, link)
		}
		s.update(func(now *snapshot) { now.Messages["C1"] = nil })
		p.Until("the message is gone", `!document.querySelector('.message')`)
	}
}

// assertHarmless checks that no script ran, and that the hostile text created no elements.
func assertHarmless(t *testing.T, p *browsertest.Page, name string) {
	t.Helper()
	if p.Eval(`window.ran ?? null`) != nil {
		t.Errorf("%s: text from outside ran as a script", name)
	}
	bad := `document.querySelector('body script, body svg, [onerror], [onload], img[src$="/x"], a[href^="javascript:"]')?.outerHTML ?? null`
	if element := p.Eval(bad); element != nil {
		t.Errorf("%s: text from outside became %v", name, element)
	}
}
