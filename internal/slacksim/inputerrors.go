package slacksim

import (
	"net/mail"
	"net/url"
	"unicode/utf8"
)

// inputError is an error that Slack shows under a field before it sends anything to the app.
type inputError struct {
	key  string
	args map[string]any
}

// invalidInputs returns the errors of the inputs that Slack itself rejects, by block_id.
func invalidInputs(v *view) map[string]inputError {
	invalid := map[string]inputError{}
	for _, b := range list(decodeAny(v.blocks)) {
		block := object(b)
		if block["type"] != "input" {
			continue
		}
		id, element := str(block["block_id"]), object(block["element"])
		keys := inputKeys[str(element["type"])]
		value := v.state[id][str(element["action_id"])][keys.key]
		if isEmpty(value) {
			if block["optional"] != true {
				invalid[id] = inputError{key: "required"}
			}
		} else if text, ok := value.(string); ok {
			if p := checkInput(element, text); p != nil {
				invalid[id] = *p
			}
		}
	}
	return invalid
}

func isEmpty(value any) bool {
	choices, several := value.([]any)
	return value == nil || value == "" || several && len(choices) == 0
}

func checkInput(element map[string]any, text string) *inputError {
	switch str(element["type"]) {
	case "plain_text_input":
		minimum, maximum := intOr(element["min_length"], 0), intOr(element["max_length"], 3000)
		switch n := utf8.RuneCountInString(text); {
		case n < minimum:
			return &inputError{"too_short", map[string]any{"limit": minimum}}
		case n > maximum:
			return &inputError{"too_long", map[string]any{"limit": maximum}}
		}
	case "number_input":
		return checkNumber(element, text)
	case "email_text_input":
		if address, err := mail.ParseAddress(text); err != nil || address.Address != text {
			return &inputError{key: "not_email"}
		}
	case "url_text_input":
		if u, err := url.Parse(text); err != nil || u.Host == "" {
			return &inputError{key: "not_url"}
		}
	}
	return nil
}

func checkNumber(element map[string]any, text string) *inputError {
	n, ok := parseNumber(text)
	if !ok {
		return &inputError{key: "not_a_number"}
	}
	if element["is_decimal_allowed"] != true && !n.IsInt() {
		return &inputError{key: "not_whole"}
	}
	if minimum, ok := parseNumber(str(element["min_value"])); ok && n.Cmp(minimum) < 0 {
		return &inputError{"too_small", map[string]any{"limit": element["min_value"]}}
	}
	if maximum, ok := parseNumber(str(element["max_value"])); ok && n.Cmp(maximum) > 0 {
		return &inputError{"too_large", map[string]any{"limit": element["max_value"]}}
	}
	return nil
}
