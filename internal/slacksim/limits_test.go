package slacksim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
)

func long(n int) string { return strings.Repeat("ç", n) }

func many(n int, each func(i int) object) []object {
	all := make([]object, n)
	for i := range all {
		all[i] = each(i)
	}
	return all
}

func options(n int) []object {
	return many(n, func(i int) object { return choice(fmt.Sprint("opção ", i), fmt.Sprint(i)) })
}

// Each row is a limit: a value at the limit, one beyond it, and the JSON pointer of the problem.
func TestEveryLimitOfABlockIsEnforcedExactly(t *testing.T) {
	input := func(element object) object {
		return object{"type": "input", "block_id": "b", "label": plain("L"), "element": element}
	}
	inActions := func(element object) object { return object{"type": "actions", "elements": []object{element}} }
	confirm := func(key string, n int) object {
		c := object{"title": plain("T"), "text": plain("X"), "confirm": plain("S"), "deny": plain("N")}
		return inActions(with(button("a"), "confirm", with(c, key, plain(long(n)))))
	}
	rows := []struct {
		name    string
		most    int
		block   func(n int) object
		pointer string
	}{
		{"header text", 150, func(n int) object { return object{"type": "header", "text": plain(long(n))} }, "/text/text"},
		{"section text", 3000, func(n int) object { return section(long(n)) }, "/text/text"},
		{"section fields", 10, func(n int) object {
			return object{"type": "section", "fields": many(n, func(int) object { return plain("x") })}
		}, "/fields"},
		{"section field text", 2000, func(n int) object {
			return object{"type": "section", "fields": []object{plain(long(n))}}
		}, "/fields/0/text"},
		{"block_id", 255, func(n int) object { return object{"type": "divider", "block_id": long(n)} }, "/block_id"},
		{"context elements", 10, func(n int) object {
			return object{"type": "context", "elements": many(n, func(int) object { return plain("x") })}
		}, "/elements"},
		{"actions elements", 25, func(n int) object {
			return object{"type": "actions", "elements": many(n, func(i int) object { return button(fmt.Sprint("a", i)) })}
		}, "/elements"},
		{"button text", 75, func(n int) object { return inActions(with(button("a"), "text", plain(long(n)))) }, "/elements/0/text/text"},
		{"button value", 2000, func(n int) object { return inActions(with(button("a"), "value", long(n))) }, "/elements/0/value"},
		{"button url", 3000, func(n int) object { return inActions(with(button("a"), "url", long(n))) }, "/elements/0/url"},
		{"action_id", 255, func(n int) object { return inActions(with(button("a"), "action_id", long(n))) }, "/elements/0/action_id"},
		{"confirm title", 100, func(n int) object { return confirm("title", n) }, "/elements/0/confirm/title/text"},
		{"confirm text", 300, func(n int) object { return confirm("text", n) }, "/elements/0/confirm/text/text"},
		{"confirm button", 30, func(n int) object { return confirm("confirm", n) }, "/elements/0/confirm/confirm/text"},
		{"deny button", 30, func(n int) object { return confirm("deny", n) }, "/elements/0/confirm/deny/text"},
		{"overflow options", 5, func(n int) object {
			return inActions(object{"type": "overflow", "options": options(n)})
		}, "/elements/0/options"},
		{"select options", 100, func(n int) object {
			return input(object{"type": "static_select", "options": options(n)})
		}, "/element/options"},
		{"select placeholder", 150, func(n int) object {
			return input(object{"type": "static_select", "options": options(1), "placeholder": plain(long(n))})
		}, "/element/placeholder/text"},
		{"option groups", 100, func(n int) object {
			return input(object{"type": "static_select", "option_groups": many(n, func(int) object {
				return object{"label": plain("g"), "options": options(1)}
			})})
		}, "/element/option_groups"},
		{"option group label", 75, func(n int) object {
			return input(object{"type": "static_select", "option_groups": []object{{"label": plain(long(n)), "options": options(1)}}})
		}, "/element/option_groups/0/label/text"},
		{"option text", 75, func(n int) object {
			return input(object{"type": "static_select", "options": []object{choice(long(n), "v")}})
		}, "/element/options/0/text/text"},
		{"option value", 150, func(n int) object {
			return input(object{"type": "static_select", "options": []object{choice("t", long(n))}})
		}, "/element/options/0/value"},
		{"option description", 75, func(n int) object {
			return input(object{"type": "static_select", "options": []object{with(choice("t", "v"), "description", plain(long(n)))}})
		}, "/element/options/0/description/text"},
		{"radio options", 10, func(n int) object {
			return input(object{"type": "radio_buttons", "options": options(n)})
		}, "/element/options"},
		{"checkbox options", 10, func(n int) object {
			return input(object{"type": "checkboxes", "options": options(n)})
		}, "/element/options"},
		{"input label", 2000, func(n int) object { return with(textInput("b"), "label", plain(long(n))) }, "/label/text"},
		{"input hint", 2000, func(n int) object { return with(textInput("b"), "hint", plain(long(n))) }, "/hint/text"},
		{"initial text", 3000, func(n int) object { return textInput("b", object{"initial_value": long(n)}) }, "/element/initial_value"},
		{"text max_length", 3000, func(n int) object { return textInput("b", object{"max_length": n}) }, "/element/max_length"},
		{"image alt text", 2000, func(n int) object {
			return object{"type": "image", "image_url": "https://example.com/i.png", "alt_text": long(n)}
		}, "/alt_text"},
	}
	e := newEnv(t)
	home := func(block object) object {
		return e.call("views.publish", object{"user_id": slacksim.Ana, "view": object{"type": "home", "blocks": []object{block}}})
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			accepted(t, home(row.block(row.most)))
			answer := home(row.block(row.most + 1))
			refused(t, answer, "invalid_arguments")
			if messages := fmt.Sprint(dig(answer, "response_metadata", "messages")); !strings.Contains(messages, "[json-pointer:/view/blocks/0"+row.pointer+"]") {
				t.Errorf("another JSON pointer: %s", messages)
			}
		})
	}
}

func TestMalformedBlocksAreRefusedWhereTheyAreWrong(t *testing.T) {
	static := func(more object) object { return selectInput("b", "static_select", more) }
	rows := []struct {
		name    string
		blocks  []object
		pointer string
	}{
		{"an unknown type of block", []object{{"type": "hologram"}}, "/0/type"},
		{"a block without a type", []object{{"text": plain("x")}}, "/0/type"},
		{"an unknown field", []object{with(section("x"), "colour", "red")}, "/0"},
		{"an element that cannot stand there", []object{actions("a", object{"type": "plain_text_input"})}, "/0/elements/0/type"},
		{"a section without text or fields", []object{{"type": "section"}}, "/0"},
		{"an empty text", []object{section("")}, "/0/text/text"},
		{"mrkdwn where only plain text goes", []object{{"type": "header", "text": object{"type": "mrkdwn", "text": "*x*"}}}, "/0/text/type"},
		{"emoji in a mrkdwn text", []object{{"type": "section", "text": object{"type": "mrkdwn", "text": "x", "emoji": true}}}, "/0/text"},
		{"no elements", []object{{"type": "context", "elements": []object{}}}, "/0/elements"},
		{"the same block_id twice", []object{with(section("x"), "block_id", "a"), with(section("y"), "block_id", "a")}, "/1/block_id"},
		{"the same action_id twice", []object{actions("a", button("x"), button("x"))}, "/0/elements/1/action_id"},
		{"an input without a label", []object{{"type": "input", "element": object{"type": "plain_text_input"}}}, "/0"},
		{"a number input that does not say whether decimals are allowed", []object{selectInput("b", "number_input", nil)}, "/0/element"},
		{"a number that is none", []object{selectInput("b", "number_input", object{"is_decimal_allowed": false, "min_value": "zero"})}, "/0/element/min_value"},
		{"both options and groups", []object{static(object{"options": options(1), "option_groups": []object{{"label": plain("g"), "options": options(1)}}})}, "/0/element"},
		{"neither options nor groups", []object{static(nil)}, "/0/element"},
		{"an initial option that is no option", []object{static(object{"options": options(2), "initial_option": choice("outra", "9")})}, "/0/element/initial_option"},
		{"initial options that are no options", []object{selectInput("b", "checkboxes", object{"options": options(2), "initial_options": []object{choice("outra", "9")}})}, "/0/element/initial_options"},
		{"a date of the wrong form", []object{selectInput("b", "datepicker", object{"initial_date": "22/11/2026"})}, "/0/element/initial_date"},
		{"a min_length above max_length", []object{textInput("b", object{"min_length": 9, "max_length": 3})}, "/0/element/min_length"},
		{"two elements that want the focus", []object{textInput("a", object{"focus_on_load": true}), textInput("b", object{"focus_on_load": true})}, "/1/element/focus_on_load"},
		{"an unknown style", []object{actions("a", with(button("x"), "style", "warning"))}, "/0/elements/0/style"},
		{"a confirmation without its buttons", []object{actions("a", with(button("x"), "confirm", object{"title": plain("T"), "text": plain("X")}))}, "/0/elements/0/confirm"},
		{"a markdown block outside messages", []object{{"type": "markdown", "text": "x"}}, "/0/type"},
		{"a table outside messages", []object{{"type": "table", "rows": []any{[]object{{"type": "raw_text", "text": "x"}}}}}, "/0/type"},
		{"rich text with an unknown part", []object{{"type": "rich_text", "elements": []object{{"type": "rich_text_song"}}}}, "/0/elements/0/type"},
		{"101 blocks", many(101, func(int) object { return object{"type": "divider"} }), ""},
	}
	e := newEnv(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			answer := e.call("views.open", object{"trigger_id": e.trigger(), "view": modal("Título", row.blocks...)})
			refused(t, answer, "invalid_arguments")
			if messages := fmt.Sprint(dig(answer, "response_metadata", "messages")); !strings.Contains(messages, "[json-pointer:/view/blocks"+row.pointer+"]") {
				t.Errorf("another JSON pointer: %s", messages)
			}
		})
	}
}

func TestLimitsOfModals(t *testing.T) {
	fits := with(with(modal(long(24), textInput("a")), "private_metadata", long(3000)), "callback_id", long(255))
	rows := []struct {
		name string
		view object
		want string
	}{
		{"everything at its edge", fits, ""},
		{"a title of 25", with(fits, "title", plain(long(25))), "invalid_arguments"},
		{"a submit of 25", with(fits, "submit", plain(long(25))), "invalid_arguments"},
		{"a close of 25", with(fits, "close", plain(long(25))), "invalid_arguments"},
		{"private metadata of 3001", with(fits, "private_metadata", long(3001)), "invalid_arguments"},
		{"a callback_id of 256", with(fits, "callback_id", long(256)), "invalid_arguments"},
		{"an external_id of 256", with(fits, "external_id", long(256)), "invalid_arguments"},
		{"inputs without a submit", object{"type": "modal", "title": plain("T"), "blocks": []object{textInput("a")}}, "invalid_arguments"},
		{"no title", object{"type": "modal", "blocks": []object{}}, "invalid_arguments"},
		{"no blocks", object{"type": "modal", "title": plain("T"), "blocks": nil}, "invalid_arguments"},
		{"a Home tab as a modal", object{"type": "home", "blocks": []object{}}, "invalid_arguments"},
		{"a field of the answer", with(fits, "hash", "1.2"), "invalid_arguments"},
		{"more than 250 kB", modal("T", many(90, func(int) object { return section(long(2900)) })...), "view_too_large"},
	}
	e := newEnv(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			answer := e.call("views.open", object{"trigger_id": e.trigger(), "view": row.view})
			if row.want == "" {
				accepted(t, answer)
				return
			}
			refused(t, answer, row.want)
		})
	}
}

func TestAMessageIsRefusedForWhatSlackRefuses(t *testing.T) {
	table := object{"type": "table", "rows": []any{[]object{{"type": "raw_text", "text": "Banco"}}}}
	rows := []struct {
		name string
		args object
		want string
	}{
		{"no text beside the blocks", object{"blocks": []object{section("x")}}, "no_text"},
		{"only spaces", object{"text": "  "}, "no_text"},
		{"a text of 40 001", object{"text": long(40001)}, "msg_too_long"},
		{"51 blocks", object{"text": "x", "blocks": many(51, func(int) object { return object{"type": "divider"} })}, "invalid_blocks"},
		{"blocks that are no list", object{"text": "x", "blocks": "{}"}, "invalid_blocks_format"},
		{"blocks that are no JSON", object{"text": "x", "blocks": "[{]"}, "invalid_blocks_format"},
		{"too much text in all", object{"text": "x", "blocks": many(5, func(int) object { return section(long(2700)) })}, "msg_blocks_too_long"},
		{"two tables", object{"text": "x", "blocks": []object{table, table}}, "invalid_blocks"},
		{"markdown of more than 12 000 together", object{"text": "x", "blocks": []object{{"type": "markdown", "text": long(7000)}, {"type": "markdown", "text": long(5001)}}}, "invalid_blocks"},
		{"metadata without a type", object{"text": "x", "metadata": object{"event_payload": object{}}}, "invalid_metadata_format"},
		{"attachments", object{"text": "x", "attachments": []object{{"text": "old"}}}, "invalid_attachments"},
		{"a thread that is not there", object{"text": "x", "thread_ts": "1.000001"}, "thread_not_found"},
		{"an unknown channel", object{"text": "x", "channel": "C0NADA"}, "channel_not_found"},
		{"a channel by its name", object{"text": "x", "channel": "#equipa"}, "channel_not_found"},
		{"a channel the bot has not joined", object{"text": "x", "channel": slacksim.GeneralChannel}, "not_in_channel"},
	}
	e := newEnv(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			args := row.args
			if args["channel"] == nil {
				args = with(args, "channel", slacksim.TeamChannel)
			}
			refused(t, e.call("chat.postMessage", args), row.want)
		})
	}
	if seen := e.User(slacksim.Ana).Messages(slacksim.TeamChannel); len(seen) != 0 {
		t.Errorf("a refused message was posted: %v", seen)
	}
}

func TestAMessageWithEverythingAnAppMaySendIsAccepted(t *testing.T) {
	e := newEnv(t)
	run := object{"type": "text", "text": "Crédito", "style": object{"bold": true}}
	part := object{"type": "rich_text_section", "elements": []object{run, {"type": "link", "url": "https://example.com"}}}
	blocks := []object{
		{"type": "header", "text": plain("Mutuários")},
		{"type": "section", "text": object{"type": "mrkdwn", "text": "*Olá*"}, "accessory": button("ver")},
		{"type": "section", "fields": []object{plain("a"), plain("b")}},
		{"type": "divider"},
		{"type": "context", "elements": []object{plain("x"), {"type": "image", "image_url": "https://example.com/i.png", "alt_text": "i"}}},
		actions("acts", button("a"), selectInput("", "external_select", object{"min_query_length": 0})["element"].(object)),
		{"type": "image", "image_url": "https://example.com/i.png", "alt_text": "i", "title": plain("i")},
		{"type": "rich_text", "elements": []object{part, {"type": "rich_text_list", "style": "bullet", "elements": []object{part}}, {"type": "rich_text_quote", "elements": []object{run}}}},
		{"type": "markdown", "text": "**Olá**"},
		{"type": "table", "rows": []any{[]object{{"type": "raw_text", "text": "Banco"}, {"type": "rich_text", "elements": []object{part}}}}, "column_settings": []any{nil, object{"align": "right"}}},
	}
	answer := accepted(t, e.call("chat.postMessage", object{"channel": slacksim.TeamChannel, "text": "Olá", "blocks": blocks}))
	if id := dig(answer, "message", "blocks", "0", "block_id"); id == "" || id == nil {
		t.Error("a block without an id got none")
	}
}

func FuzzNoPayloadBreaksTheChecks(f *testing.F) {
	f.Add(mustJSON(modal("T", textInput("a"), section("x"))))
	f.Add(`{"type":"modal","title":null,"blocks":[{"type":"section","fields":{"a":[]}},null,7]}`)
	f.Add(`{"type":"modal","blocks":[{"type":"input","element":null},{"type":"actions","elements":[null]}]}`)
	f.Add(`{"type":"home","blocks":[{"type":"table","rows":[[]]},{"type":"rich_text","elements":[{}]}]}`)
	sim := slacksim.New(slacksim.Config{})
	f.Cleanup(func() { _ = sim.Close() })
	f.Fuzz(func(t *testing.T, payload string) {
		for method, key := range map[string]string{"views.publish": "view", "chat.postMessage": "blocks"} {
			answer := handlerCall(sim, method, object{key: payload, "user_id": slacksim.Ana, "channel": slacksim.TeamChannel, "text": "x"})
			if answer["ok"] != true && answer["error"] == nil {
				t.Errorf("%s: neither ok nor an error: %v", method, answer)
			}
		}
	})
}
