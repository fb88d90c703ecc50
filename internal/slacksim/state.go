package slacksim

import (
	"encoding/json"
	"maps"
)

// inputKeys has the names of an input's value and initial value, by type.
var inputKeys = map[string]struct{ key, initial string }{
	"plain_text_input":      {"value", "initial_value"},
	"number_input":          {"value", "initial_value"},
	"email_text_input":      {"value", "initial_value"},
	"url_text_input":        {"value", "initial_value"},
	"static_select":         {"selected_option", "initial_option"},
	"external_select":       {"selected_option", "initial_option"},
	"radio_buttons":         {"selected_option", "initial_option"},
	"multi_static_select":   {"selected_options", "initial_options"},
	"multi_external_select": {"selected_options", "initial_options"},
	"checkboxes":            {"selected_options", "initial_options"},
	"users_select":          {"selected_user", "initial_user"},
	"datepicker":            {"selected_date", "initial_date"},
	"timepicker":            {"selected_time", "initial_time"},
	"file_input":            {"files", ""},
}

// carryState returns the state of every input of blocks: its value in before if the same input was there, else its initial
// value.
func carryState(blocks json.RawMessage, before State) State {
	now := State{}
	for _, b := range list(decodeAny(blocks)) {
		block := object(b)
		for _, e := range elements(block) {
			kind := str(e["type"])
			keys, ok := inputKeys[kind]
			if !ok {
				continue
			}
			blockID, actionID := str(block["block_id"]), str(e["action_id"])
			entry := before[blockID][actionID]
			if entry == nil || entry["type"] != kind {
				entry = map[string]any{"type": kind, keys.key: e[keys.initial]}
				if keys.key == "selected_options" && entry[keys.key] == nil {
					entry[keys.key] = []any{}
				}
			}
			now.set(blockID, actionID, entry)
		}
	}
	return now
}

func (s State) set(blockID, actionID string, entry map[string]any) {
	if s[blockID] == nil {
		s[blockID] = map[string]map[string]any{}
	}
	s[blockID][actionID] = entry
}

// clone copies the maps of s, but not the values, which are never changed in place.
func (s State) clone() State {
	copied := State{}
	for blockID, actions := range s {
		copied[blockID] = maps.Clone(actions)
	}
	return copied
}

// merge copies from other the values of inputs that exist in s with the same type. It reports whether that were all.
func (s State) merge(other State) bool {
	all := true
	for blockID, actions := range other {
		for actionID, entry := range actions {
			before := s[blockID][actionID]
			kind := str(before["type"])
			value, given := entry[inputKeys[kind].key]
			if before == nil || !given || entry["type"] != nil && entry["type"] != kind {
				all = false
				continue
			}
			if value == "" {
				value = nil // a cleared input
			}
			s.set(blockID, actionID, map[string]any{"type": kind, inputKeys[kind].key: value})
		}
	}
	return all
}
