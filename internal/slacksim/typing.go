package slacksim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// A person types text and chooses by what she reads; this file turns that into what Slack makes of it, and holds back
// what Slack's own forms hold back.

// problem is what Slack says under a field before the app is asked.
type inputError struct {
	key  string
	args map[string]any
}

// incomplete finds the inputs that Slack does not let a person submit, by block_id.
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

// typed turns human values into what the inputs of a view hold.
func (u *User) stateFor(ctx context.Context, v View, values Values) (State, error) {
	state := State{}
	for _, blockID := range slices.Sorted(maps.Keys(values)) {
		block := decode(v.Block(blockID))
		if block == nil {
			return nil, fmt.Errorf("slacksim: the modal has no block %q", blockID)
		}
		for _, element := range elements(block) {
			entry, err := u.inputValue(ctx, container{viewID: v.ID}, block, element, values[blockID])
			if err != nil {
				return nil, fmt.Errorf("slacksim: filling %q: %w", blockID, err)
			}
			state.set(blockID, str(element["action_id"]), entry)
		}
	}
	return state, nil
}

// dispatch sends the actions of a person who fills in a page from its top: of every input that dispatches them, once she
// has chosen something else in it, with all that stands above it.
func (u *User) sendInputActions(ctx context.Context, v View, state State) error {
	soFar := State{}
	for _, raw := range v.Blocks {
		block := decode(raw)
		blockID := str(block["block_id"])
		for actionID, entry := range state[blockID] {
			soFar.set(blockID, actionID, entry)
			if !dispatchesActions(block) || sameValue(entry, v.Values[blockID][actionID]) {
				continue
			}
			action := maps.Clone(entry)
			action["block_id"], action["action_id"] = blockID, actionID
			if err := u.sim.act(ctx, u.ID, container{viewID: v.ID}, action, soFar.clone()); err != nil {
				return fmt.Errorf("slacksim: choosing in %q: %w", blockID, err)
			}
		}
	}
	return nil
}

// dispatches tells whether filling in a block sends an action: a choice does where the block says so, text only where it
// asks for every character. Its default, the Enter key, is for [User.Click].
func dispatchesActions(block map[string]any) bool {
	if block["type"] != "input" || block["dispatch_action"] != true {
		return false
	}
	element := object(block["element"])
	if inputKeys[str(element["type"])].key != "value" {
		return true
	}
	return slices.Contains(list(object(element["dispatch_action_config"])["trigger_actions_on"]), any("on_character_entered"))
}

func sameValue(a, b map[string]any) bool {
	key := inputKeys[str(a["type"])].key
	return bytes.Equal(encode(a[key]), encode(b[key]))
}

// entry is what an element holds once a person has typed or chosen value in it.
func (u *User) inputValue(ctx context.Context, at container, block, element map[string]any, value string) (map[string]any, error) {
	kind := str(element["type"])
	keys, ok := inputKeys[kind]
	if !ok {
		return nil, errors.New("nothing can be typed there")
	}
	switch keys.key {
	case "selected_option":
		if value == "" {
			return map[string]any{"type": kind, keys.key: nil}, nil
		}
		chosen, err := u.findOption(ctx, at, block, element, value)
		return map[string]any{"type": kind, keys.key: chosen}, err
	case "selected_user":
		if value == "" {
			return map[string]any{"type": kind, keys.key: nil}, nil
		}
		chosen, err := u.sim.findUser(value)
		return map[string]any{"type": kind, keys.key: chosen}, err
	case "selected_options":
		all := []any{}
		for _, one := range strings.Split(value, "\n") {
			if one == "" {
				continue
			}
			chosen, err := u.findOption(ctx, at, block, element, one)
			if err != nil {
				return nil, err
			}
			all = append(all, chosen)
		}
		return map[string]any{"type": kind, keys.key: all}, nil
	}
	return map[string]any{"type": kind, keys.key: value}, nil
}

// member finds a person of the workspace by id, handle or name: Slack's own select offers nobody else.
func (s *Sim) findUser(want string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, u := range s.users {
		if want == id || want == u.handle || want == u.realName {
			return id, nil
		}
	}
	return "", errors.New("there is no such person")
}

// ErrNoChoice says that a person looked for a choice that the app does not offer, or not in time: she may look again.
var ErrNoChoice = errors.New("the app offers no such choice")

// choose finds the option whose text or value is value; an external select is searched for it.
func (u *User) findOption(ctx context.Context, at container, block, element map[string]any, value string) (map[string]any, error) {
	if option := matchingOption(optionsOf(element), value); option != nil {
		return option, nil
	}
	if !strings.HasSuffix(str(element["type"]), "external_select") {
		return nil, errors.New("there is no such choice")
	}
	if option := matchingOption(append([]any{element["initial_option"]}, list(element["initial_options"])...), value); option != nil {
		return option, nil
	}
	first, _, _ := strings.Cut(value, " ")
	for _, query := range []string{value, first, ""} { // as a person narrows and widens a search
		if utf8.RuneCountInString(query) < intOr(element["min_query_length"], 3) {
			continue
		}
		reply, err := u.sim.suggest(ctx, u.ID, at, str(block["block_id"]), str(element["action_id"]), query)
		if err != nil {
			return nil, err
		}
		if option := matchingOption(optionsOf(reply), value); option != nil {
			return option, nil
		}
	}
	return nil, ErrNoChoice
}

// pick finds the option whose value or text is wanted.
func matchingOption(options []any, want string) map[string]any {
	for _, o := range options {
		option := object(o)
		if option != nil && (option["value"] == want || object(option["text"])["text"] == want) {
			return map[string]any{"text": option["text"], "value": option["value"]}
		}
	}
	return nil
}

// options asks for the choices of an external select, named by its block_id.
func (u *User) options(ctx context.Context, at container, blockID, query string) ([]Option, error) {
	reply, err := u.sim.suggest(ctx, u.ID, at, blockID, "", query)
	if err != nil {
		return nil, err
	}
	var found []Option
	read := func(options []any, group string) {
		for _, o := range options {
			option := object(o)
			found = append(found, Option{
				Text: str(object(option["text"])["text"]), Value: str(option["value"]),
				Description: str(object(option["description"])["text"]), Group: group,
			})
		}
	}
	read(list(reply["options"]), "")
	for _, g := range list(reply["option_groups"]) {
		read(list(object(g)["options"]), str(object(object(g)["label"])["text"]))
	}
	return found, nil
}

// click uses an element that sends an action, named by its action_id or its block_id.
func (u *User) click(ctx context.Context, at container, id string, value []string) error {
	u.sim.mu.Lock()
	blocks, _, _, err := u.sim.stateOf(u.sim.users[u.ID], at)
	u.sim.mu.Unlock()
	if err != nil {
		return err
	}
	block, element := findElement(blocks, func(b, e map[string]any) bool { return e["action_id"] == id })
	if element == nil {
		block, element = findElement(blocks, func(b, e map[string]any) bool {
			return b["block_id"] == id && (len(value) == 0 || e["type"] != "button" || e["value"] == value[0])
		})
	}
	if element == nil {
		return fmt.Errorf("slacksim: there is nothing to use with the id %q", id)
	}
	action := map[string]any{}
	switch kind := str(element["type"]); {
	case kind == "button":
	case len(value) != 1:
		return fmt.Errorf("slacksim: using a %s wants one value", kind)
	case kind == "overflow":
		action["selected_option"], err = u.findOption(ctx, at, block, element, value[0])
	default:
		action, err = u.inputValue(ctx, at, block, element, value[0])
	}
	if err != nil {
		return fmt.Errorf("slacksim: using %q: %w", id, err)
	}
	action["type"], action["block_id"], action["action_id"] = element["type"], block["block_id"], element["action_id"]
	return u.sim.act(ctx, u.ID, at, action, nil)
}
