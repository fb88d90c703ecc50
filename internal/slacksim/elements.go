package slacksim

import (
	"encoding/json"
	"slices"
)

// optionsOf returns the options of an element, those in groups included.
func optionsOf(element map[string]any) []any {
	all := slices.Clone(list(element["options"]))
	for _, group := range list(element["option_groups"]) {
		all = append(all, list(object(group)["options"])...)
	}
	return all
}

// withIDs returns blocks with a random block_id and action_id where there was none, as Slack does.
func withIDs(raw json.RawMessage) json.RawMessage {
	all := list(decodeAny(raw))
	for _, b := range all {
		block := object(b)
		if str(block["block_id"]) == "" {
			block["block_id"] = randomHex(3)
		}
		for _, e := range elements(block) {
			if _, used := elementShapes[str(e["type"])]; used && str(e["type"]) != "image" && str(e["action_id"]) == "" {
				e["action_id"] = randomHex(3)
			}
		}
	}
	if all == nil {
		all = []any{}
	}
	return encode(all)
}

// elements returns the interactive elements of a block.
func elements(block map[string]any) []map[string]any {
	var found []map[string]any
	switch str(block["type"]) {
	case "section":
		if e := object(block["accessory"]); e != nil {
			found = append(found, e)
		}
	case "input":
		found = append(found, object(block["element"]))
	case "actions":
		for _, e := range list(block["elements"]) {
			found = append(found, object(e))
		}
	}
	return found
}

// findElement returns the first interactive element that matches, and its block.
func findElement(blocks json.RawMessage, match func(block, element map[string]any) bool) (block, element map[string]any) {
	for _, b := range list(decodeAny(blocks)) {
		for _, e := range elements(object(b)) {
			if match(object(b), e) {
				return object(b), e
			}
		}
	}
	return nil, nil
}

func inputBlocks(blocks json.RawMessage) []string {
	var ids []string
	for _, b := range list(decodeAny(blocks)) {
		if block := object(b); block["type"] == "input" {
			ids = append(ids, str(block["block_id"]))
		}
	}
	return ids
}

// blockTexts returns every visible text of blocks, in order.
func blockTexts(raw json.RawMessage) []string {
	var texts []string
	var collect func(any)
	collect = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, item := range v {
				collect(item)
			}
		case map[string]any:
			if text, ok := v["text"].(string); ok {
				texts = append(texts, text)
			}
			for _, key := range []string{"title", "label", "text", "hint", "fields", "rows", "elements", "element", "accessory", "options", "option_groups", "initial_option"} {
				if _, isText := v[key].(string); !isText {
					collect(v[key])
				}
			}
		}
	}
	collect(decodeAny(raw))
	return texts
}
