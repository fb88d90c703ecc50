package slacksim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// stateFor returns the state of a view's inputs with values entered.
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

// sendInputActions sends the actions of a person who fills in a view from the top: one for each input with dispatch_action
// whose value changed, with the values of the inputs above it.
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

// dispatchesActions reports whether entering a value in a block sends an action. With dispatch_action a choice does; text
// does only with on_character_entered. The default of text, the Enter key, is simulated by [User.Click].
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

// inputValue returns an element's value in state.values once a person has entered value.
func (u *User) inputValue(ctx context.Context, at container, block, element map[string]any, value string) (map[string]any, error) {
	kind := str(element["type"])
	keys, ok := inputKeys[kind]
	if !ok {
		return nil, errors.New("the element is not an input")
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
	case "files":
		files, err := u.sim.chooseFiles(u.ID, element, value)
		return map[string]any{"type": kind, keys.key: files}, err
	}
	return map[string]any{"type": kind, keys.key: value}, nil
}

// findUser returns the id of a user by id, handle or name.
func (s *Sim) findUser(want string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, u := range s.users {
		if want == id || want == u.handle || want == u.realName {
			return id, nil
		}
	}
	return "", errors.New("no such user")
}

// ErrNoOption is returned for an option that the app did not return, or not in time. Trying again may help.
var ErrNoOption = errors.New("the app returned no such option")

// findOption returns the option whose text or value is value. For an external select it queries the app.
func (u *User) findOption(ctx context.Context, at container, block, element map[string]any, value string) (map[string]any, error) {
	if option := matchingOption(optionsOf(element), value); option != nil {
		return option, nil
	}
	if !strings.HasSuffix(str(element["type"]), "external_select") {
		return nil, errors.New("no such option")
	}
	if option := matchingOption(append([]any{element["initial_option"]}, list(element["initial_options"])...), value); option != nil {
		return option, nil
	}
	first, _, _ := strings.Cut(value, " ")
	for _, query := range []string{value, first, ""} { // as a person widens a search
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
	return nil, ErrNoOption
}

// matchingOption returns the option whose value or text is want.
func matchingOption(options []any, want string) map[string]any {
	for _, o := range options {
		option := object(o)
		if option != nil && (option["value"] == want || object(option["text"])["text"] == want) {
			return map[string]any{"text": option["text"], "value": option["value"]}
		}
	}
	return nil
}

// options requests the options of the external select in a block.
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

// click uses an element that sends an action, named by its action_id or block_id.
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
		return fmt.Errorf("slacksim: no interactive element has the id %q", id)
	}
	action := map[string]any{}
	switch kind := str(element["type"]); {
	case kind == "button":
	case len(value) != 1:
		return fmt.Errorf("slacksim: a %s needs one value", kind)
	case kind == "overflow":
		action["selected_option"], err = u.findOption(ctx, at, block, element, value[0])
	default:
		action, err = u.inputValue(ctx, at, block, element, value[0])
	}
	if err != nil {
		return fmt.Errorf("slacksim: clicking %q: %w", id, err)
	}
	action["type"], action["block_id"], action["action_id"] = element["type"], block["block_id"], element["action_id"]
	return u.sim.act(ctx, u.ID, at, action, nil)
}
