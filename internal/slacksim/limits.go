package slacksim

import "regexp"

// This file holds the limits of Slack's block reference as data. Fields that a shape does not name are refused, so that an
// app does not rely on fields that Slack may ignore.

// surface is a kind of container of blocks.
type surface string

const (
	inMessage surface = "message"
	inModal   surface = "modal"
	inHome    surface = "home"
)

// shape describes one kind of object: the surfaces that allow it, its fields, and a check across fields.
type shape struct {
	surfaces []surface // nil means all
	fields   map[string]field
	check    func(c *check, at string, object map[string]any)
}

type field struct {
	required bool
	rule     rule
}

// Limits of whole surfaces.
const (
	maxMessageBlocks   = 50
	maxViewBlocks      = 100
	maxMessageText     = 40000  // chat.postMessage's text
	maxAllBlockText    = 13000  // everything readable in a message's blocks; not documented, but observed
	maxMarkdown        = 12000  // all markdown blocks of a message together
	maxTableText       = 10000  // all cells of a table together
	maxViewSize        = 250000 // bytes of a view's JSON
	maxViewTitle       = 24     // also submit and close
	maxPrivateMetadata = 3000
	maxID              = 255 // block_id, action_id, callback_id, external_id
	maxMetadataSize    = 16384
)

var (
	datePattern = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	timePattern = regexp.MustCompile(`^\d{2}:\d{2}$`)
	userPattern = regexp.MustCompile(`^[UW][A-Z0-9]+$`)
)

var confirmShape = shape{fields: map[string]field{
	"title": must(plain(100)), "text": must(text(300)), "confirm": must(plain(30)), "deny": must(plain(30)),
	"style": opt(oneOf("primary", "danger")),
}}

var dispatchShape = shape{fields: map[string]field{
	"trigger_actions_on": must(arrayOf(1, 2, oneOf("on_enter_pressed", "on_character_entered"))),
}}

// option describes an option. Only radio buttons and checkboxes allow mrkdwn, only overflow menus a URL.
func option(label rule, link bool) rule {
	fields := map[string]field{"text": must(label), "value": must(chars(1, 150)), "description": opt(plain(75))}
	if link {
		fields["url"] = opt(chars(1, 3000))
	}
	return fits(shape{fields: fields})
}

var (
	plainOption = option(plain(75), false)
	richOption  = option(text(75), false)
	groups      = arrayOf(1, 100, fits(shape{fields: map[string]field{
		"label": must(plain(75)), "options": must(arrayOf(1, 100, plainOption)),
	}}))
)

// elementShapes are the shapes of block elements, by type.
var elementShapes = map[string]shape{
	"button": {fields: map[string]field{
		"text": must(plain(75)), "value": opt(chars(0, 2000)), "url": opt(chars(1, 3000)),
		"style": opt(oneOf("primary", "danger")), "confirm": opt(fits(confirmShape)), "accessibility_label": opt(chars(1, 75)),
	}},
	"image": {fields: map[string]field{"image_url": must(chars(1, 3000)), "alt_text": must(chars(1, 2000))}},
	"overflow": {fields: map[string]field{
		"options": must(arrayOf(1, 5, option(plain(75), true))), "confirm": opt(fits(confirmShape)),
	}},
	"static_select": {check: optionsOrGroups, fields: map[string]field{
		"placeholder": opt(plain(150)), "options": opt(arrayOf(1, 100, plainOption)), "option_groups": opt(groups),
		"initial_option": opt(plainOption), "confirm": opt(fits(confirmShape)), "focus_on_load": opt(focus),
	}},
	"multi_static_select": {check: optionsOrGroups, fields: map[string]field{
		"placeholder": opt(plain(150)), "options": opt(arrayOf(1, 100, plainOption)), "option_groups": opt(groups),
		"initial_options": opt(arrayOf(1, 100, plainOption)), "max_selected_items": opt(integer(1, 100)),
		"confirm": opt(fits(confirmShape)), "focus_on_load": opt(focus),
	}},
	"external_select": {fields: map[string]field{
		"placeholder": opt(plain(150)), "initial_option": opt(plainOption), "min_query_length": opt(integer(0, 3000)),
		"confirm": opt(fits(confirmShape)), "focus_on_load": opt(focus),
	}},
	"multi_external_select": {fields: map[string]field{
		"placeholder": opt(plain(150)), "initial_options": opt(arrayOf(1, 100, plainOption)),
		"min_query_length": opt(integer(0, 3000)), "max_selected_items": opt(integer(1, 100)),
		"confirm": opt(fits(confirmShape)), "focus_on_load": opt(focus),
	}},
	"users_select": {fields: map[string]field{
		"placeholder": opt(plain(150)), "initial_user": opt(matching(userPattern)),
		"confirm": opt(fits(confirmShape)), "focus_on_load": opt(focus),
	}},
	"radio_buttons": {check: initialsAmongOptions, fields: map[string]field{
		"options": must(arrayOf(1, 10, richOption)), "initial_option": opt(richOption),
		"confirm": opt(fits(confirmShape)), "focus_on_load": opt(focus),
	}},
	"checkboxes": {check: initialsAmongOptions, fields: map[string]field{
		"options": must(arrayOf(1, 10, richOption)), "initial_options": opt(arrayOf(1, 10, richOption)),
		"confirm": opt(fits(confirmShape)), "focus_on_load": opt(focus),
	}},
	"datepicker": {fields: map[string]field{
		"placeholder": opt(plain(150)), "initial_date": opt(matching(datePattern)),
		"confirm": opt(fits(confirmShape)), "focus_on_load": opt(focus),
	}},
	"timepicker": {fields: map[string]field{
		"placeholder": opt(plain(150)), "initial_time": opt(matching(timePattern)), "timezone": opt(chars(1, 255)),
		"confirm": opt(fits(confirmShape)), "focus_on_load": opt(focus),
	}},
	"plain_text_input": {check: lengthsInOrder, fields: map[string]field{
		"placeholder": opt(plain(150)), "initial_value": opt(chars(0, 3000)), "multiline": opt(boolean),
		"min_length": opt(integer(0, 3000)), "max_length": opt(integer(1, 3000)),
		"dispatch_action_config": opt(fits(dispatchShape)), "focus_on_load": opt(focus),
	}},
	"number_input": {fields: map[string]field{
		"is_decimal_allowed": must(boolean), "initial_value": opt(number), "min_value": opt(number), "max_value": opt(number),
		"placeholder": opt(plain(150)), "dispatch_action_config": opt(fits(dispatchShape)), "focus_on_load": opt(focus),
	}},
	"email_text_input": {fields: map[string]field{
		"placeholder": opt(plain(150)), "initial_value": opt(chars(0, 3000)),
		"dispatch_action_config": opt(fits(dispatchShape)), "focus_on_load": opt(focus),
	}},
	"url_text_input": {fields: map[string]field{
		"placeholder": opt(plain(150)), "initial_value": opt(chars(0, 3000)),
		"dispatch_action_config": opt(fits(dispatchShape)), "focus_on_load": opt(focus),
	}},
	"file_input": {fields: map[string]field{
		"filetypes": opt(arrayOf(1, 100, chars(1, 20))), "max_files": opt(integer(1, 10)),
	}},
}

// The elements that each kind of block allows.
var (
	choices = []string{
		"static_select", "multi_static_select", "external_select", "multi_external_select", "users_select", "radio_buttons",
		"checkboxes", "datepicker", "timepicker",
	}
	accessories = append([]string{"button", "image", "overflow"}, choices...)
	actionables = append([]string{"button", "overflow"}, choices...)
	inputs      = append([]string{"plain_text_input", "number_input", "email_text_input", "url_text_input", "file_input"}, choices...)
)

// Shapes of rich text.
var (
	runStyle = fits(shape{fields: map[string]field{
		"bold": opt(boolean), "italic": opt(boolean), "strike": opt(boolean), "code": opt(boolean), "underline": opt(boolean),
	}})
	runs = arrayOf(0, 1000, kind(map[string]shape{
		"text":      {fields: map[string]field{"text": must(chars(1, 12000)), "style": opt(runStyle)}},
		"link":      {fields: map[string]field{"url": must(chars(1, 3000)), "text": opt(chars(1, 3000)), "style": opt(runStyle)}},
		"emoji":     {fields: map[string]field{"name": must(chars(1, 100)), "style": opt(runStyle)}},
		"user":      {fields: map[string]field{"user_id": must(chars(1, 30)), "style": opt(runStyle)}},
		"channel":   {fields: map[string]field{"channel_id": must(chars(1, 30)), "style": opt(runStyle)}},
		"broadcast": {fields: map[string]field{"range": must(oneOf("here", "channel", "everyone")), "style": opt(runStyle)}},
		"date": {fields: map[string]field{
			"timestamp": must(integer(0, 1<<40)), "format": must(chars(1, 255)), "url": opt(chars(1, 3000)),
			"fallback": opt(chars(1, 255)), "style": opt(runStyle),
		}},
	}))
	richSection = shape{fields: map[string]field{"elements": must(runs)}}
	richBlock   = shape{fields: map[string]field{"elements": must(arrayOf(1, 1000, kind(map[string]shape{
		"rich_text_section":      richSection,
		"rich_text_preformatted": {fields: map[string]field{"elements": must(runs), "border": opt(integer(0, 1))}},
		"rich_text_quote":        {fields: map[string]field{"elements": must(runs), "border": opt(integer(0, 1))}},
		"rich_text_list": {fields: map[string]field{
			"elements": must(arrayOf(1, 1000, kind(map[string]shape{"rich_text_section": richSection}))),
			"style":    must(oneOf("bullet", "ordered")), "indent": opt(integer(0, 8)), "offset": opt(integer(0, 100000)), "border": opt(integer(0, 1)),
		}},
	})))}}
)

// blockShapes are the shapes of blocks, by type. Every block may have a block_id.
var blockShapes = map[string]shape{
	"header":  {fields: map[string]field{"text": must(plain(150))}},
	"divider": {},
	"section": {check: textOrFields, fields: map[string]field{
		"text": opt(text(3000)), "fields": opt(arrayOf(1, 10, text(2000))), "accessory": opt(element(accessories)),
		"expand": opt(boolean),
	}},
	"context": {fields: map[string]field{"elements": must(arrayOf(1, 10, textOrImage))}},
	"actions": {fields: map[string]field{"elements": must(arrayOf(1, 25, element(actionables)))}},
	"image": {fields: map[string]field{
		"image_url": must(chars(1, 3000)), "alt_text": must(chars(1, 2000)), "title": opt(plain(2000)),
	}},
	"input": {fields: map[string]field{
		"label": must(plain(2000)), "element": must(element(inputs)), "hint": opt(plain(2000)),
		"optional": opt(boolean), "dispatch_action": opt(boolean),
	}, check: countInput},
	"rich_text": richBlock,
	"markdown":  {surfaces: []surface{inMessage}, fields: map[string]field{"text": must(chars(1, maxMarkdown))}, check: countMarkdown},
	"table": {surfaces: []surface{inMessage}, check: countTable, fields: map[string]field{
		"rows": must(arrayOf(1, 100, arrayOf(1, 20, kind(map[string]shape{
			"raw_text": {fields: map[string]field{"text": must(chars(1, maxTableText))}}, "rich_text": richBlock,
		})))),
		"column_settings": opt(arrayOf(1, 20, nullable(fits(shape{fields: map[string]field{
			"align": opt(oneOf("left", "center", "right")), "is_wrapped": opt(boolean),
		}})))),
	}},
}

// viewShapes are the shapes of modals and Home tabs.
var viewShapes = map[string]shape{
	"modal": {fields: map[string]field{
		"title": must(plain(maxViewTitle)), "submit": opt(plain(maxViewTitle)), "close": opt(plain(maxViewTitle)),
		"blocks": must(blocks), "private_metadata": opt(chars(0, maxPrivateMetadata)), "callback_id": opt(chars(0, maxID)),
		"external_id": opt(chars(0, maxID)), "clear_on_close": opt(boolean), "notify_on_close": opt(boolean),
	}, check: submitWithInputs},
	"home": {fields: map[string]field{
		"blocks": must(blocks), "private_metadata": opt(chars(0, maxPrivateMetadata)), "callback_id": opt(chars(0, maxID)),
		"external_id": opt(chars(0, maxID)),
	}},
}

// optionsShape is the shape of the response to a block_suggestion.
var optionsShape = shape{fields: map[string]field{
	"options": opt(arrayOf(0, 100, plainOption)),
	"option_groups": opt(arrayOf(0, 100, fits(shape{fields: map[string]field{
		"label": must(plain(75)), "options": must(arrayOf(0, 100, plainOption)),
	}}))),
}}
