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
type problem struct {
	key  string
	args map[string]any
}

// incomplete finds the inputs that Slack does not let a person submit, by block_id.
func incomplete(v *view) map[string]problem {
	wrong := map[string]problem{}
	for _, b := range list(decodeAny(v.blocks)) {
		block := object(b)
		if block["type"] != "input" {
			continue
		}
		id, element := str(block["block_id"]), object(block["element"])
		hold := holds[str(element["type"])]
		held := v.state[id][str(element["action_id"])][hold.key]
		if empty(held) {
			if block["optional"] != true {
				wrong[id] = problem{key: "required"}
			}
		} else if text, ok := held.(string); ok {
			if p := mistyped(element, text); p != nil {
				wrong[id] = *p
			}
		}
	}
	return wrong
}

func empty(held any) bool {
	choices, several := held.([]any)
	return held == nil || held == "" || several && len(choices) == 0
}

func mistyped(element map[string]any, text string) *problem {
	switch str(element["type"]) {
	case "plain_text_input":
		least, most := wholeOr(element["min_length"], 0), wholeOr(element["max_length"], 3000)
		switch n := utf8.RuneCountInString(text); {
		case n < least:
			return &problem{"too_short", map[string]any{"limit": least}}
		case n > most:
			return &problem{"too_long", map[string]any{"limit": most}}
		}
	case "number_input":
		return misnumbered(element, text)
	case "email_text_input":
		if address, err := mail.ParseAddress(text); err != nil || address.Address != text {
			return &problem{key: "not_email"}
		}
	case "url_text_input":
		if u, err := url.Parse(text); err != nil || u.Host == "" {
			return &problem{key: "not_url"}
		}
	}
	return nil
}

func misnumbered(element map[string]any, text string) *problem {
	n, ok := parseNumber(text)
	if !ok {
		return &problem{key: "not_a_number"}
	}
	if element["is_decimal_allowed"] != true && !n.IsInt() {
		return &problem{key: "not_whole"}
	}
	if least, ok := parseNumber(str(element["min_value"])); ok && n.Cmp(least) < 0 {
		return &problem{"too_small", map[string]any{"limit": element["min_value"]}}
	}
	if most, ok := parseNumber(str(element["max_value"])); ok && n.Cmp(most) > 0 {
		return &problem{"too_large", map[string]any{"limit": element["max_value"]}}
	}
	return nil
}

// typed turns human values into what the inputs of a view hold.
func (u *User) typed(ctx context.Context, v View, values Values) (State, error) {
	state := State{}
	for _, blockID := range slices.Sorted(maps.Keys(values)) {
		block := decode(v.Block(blockID))
		if block == nil {
			return nil, fmt.Errorf("slacksim: the modal has no block %q", blockID)
		}
		for _, element := range elements(block) {
			entry, err := u.entry(ctx, place{viewID: v.ID}, block, element, values[blockID])
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
func (u *User) dispatch(ctx context.Context, v View, typed State) error {
	soFar := State{}
	for _, raw := range v.Blocks {
		block := decode(raw)
		blockID := str(block["block_id"])
		for actionID, entry := range typed[blockID] {
			soFar.set(blockID, actionID, entry)
			if !dispatches(block) || sameHeld(entry, v.Values[blockID][actionID]) {
				continue
			}
			action := maps.Clone(entry)
			action["block_id"], action["action_id"] = blockID, actionID
			if err := u.sim.act(ctx, u.ID, place{viewID: v.ID}, action, soFar.clone()); err != nil {
				return fmt.Errorf("slacksim: choosing in %q: %w", blockID, err)
			}
		}
	}
	return nil
}

// dispatches tells whether filling in a block sends an action: a choice does where the block says so, text only where it
// asks for every character. Its default, the Enter key, is for [User.Click].
func dispatches(block map[string]any) bool {
	if block["type"] != "input" || block["dispatch_action"] != true {
		return false
	}
	element := object(block["element"])
	if holds[str(element["type"])].key != "value" {
		return true
	}
	return slices.Contains(list(object(element["dispatch_action_config"])["trigger_actions_on"]), any("on_character_entered"))
}

func sameHeld(a, b map[string]any) bool {
	key := holds[str(a["type"])].key
	return bytes.Equal(encode(a[key]), encode(b[key]))
}

// entry is what an element holds once a person has typed or chosen value in it.
func (u *User) entry(ctx context.Context, at place, block, element map[string]any, value string) (map[string]any, error) {
	kind := str(element["type"])
	hold, ok := holds[kind]
	if !ok {
		return nil, errors.New("nothing can be typed there")
	}
	switch hold.key {
	case "selected_option":
		if value == "" {
			return map[string]any{"type": kind, hold.key: nil}, nil
		}
		chosen, err := u.choose(ctx, at, block, element, value)
		return map[string]any{"type": kind, hold.key: chosen}, err
	case "selected_user":
		if value == "" {
			return map[string]any{"type": kind, hold.key: nil}, nil
		}
		chosen, err := u.sim.member(value)
		return map[string]any{"type": kind, hold.key: chosen}, err
	case "selected_options":
		all := []any{}
		for _, one := range strings.Split(value, "\n") {
			if one == "" {
				continue
			}
			chosen, err := u.choose(ctx, at, block, element, one)
			if err != nil {
				return nil, err
			}
			all = append(all, chosen)
		}
		return map[string]any{"type": kind, hold.key: all}, nil
	}
	return map[string]any{"type": kind, hold.key: value}, nil
}

// member finds a person of the workspace by id, handle or name: Slack's own select offers nobody else.
func (s *Sim) member(wanted string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, u := range s.users {
		if wanted == id || wanted == u.handle || wanted == u.realName {
			return id, nil
		}
	}
	return "", errors.New("there is no such person")
}

// ErrNoChoice says that a person looked for a choice that the app does not offer, or not in time: she may look again.
var ErrNoChoice = errors.New("the app offers no such choice")

// choose finds the option whose text or value is value; an external select is searched for it.
func (u *User) choose(ctx context.Context, at place, block, element map[string]any, value string) (map[string]any, error) {
	if option := pick(offered(element), value); option != nil {
		return option, nil
	}
	if !strings.HasSuffix(str(element["type"]), "external_select") {
		return nil, errors.New("there is no such choice")
	}
	if option := pick(append([]any{element["initial_option"]}, list(element["initial_options"])...), value); option != nil {
		return option, nil
	}
	first, _, _ := strings.Cut(value, " ")
	for _, query := range []string{value, first, ""} { // as a person narrows and widens a search
		if utf8.RuneCountInString(query) < wholeOr(element["min_query_length"], 3) {
			continue
		}
		reply, err := u.sim.suggest(ctx, u.ID, at, str(block["block_id"]), str(element["action_id"]), query)
		if err != nil {
			return nil, err
		}
		if option := pick(offered(reply), value); option != nil {
			return option, nil
		}
	}
	return nil, ErrNoChoice
}

// pick finds the option whose value or text is wanted.
func pick(options []any, wanted string) map[string]any {
	for _, o := range options {
		option := object(o)
		if option != nil && (option["value"] == wanted || object(option["text"])["text"] == wanted) {
			return map[string]any{"text": option["text"], "value": option["value"]}
		}
	}
	return nil
}

// options asks for the choices of an external select, named by its block_id.
func (u *User) options(ctx context.Context, at place, blockID, query string) ([]Option, error) {
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
func (u *User) click(ctx context.Context, at place, id string, value []string) error {
	u.sim.mu.Lock()
	blocks, _, _, err := u.sim.scene(u.sim.users[u.ID], at)
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
		action["selected_option"], err = u.choose(ctx, at, block, element, value[0])
	default:
		action, err = u.entry(ctx, at, block, element, value[0])
	}
	if err != nil {
		return fmt.Errorf("slacksim: using %q: %w", id, err)
	}
	action["type"], action["block_id"], action["action_id"] = element["type"], block["block_id"], element["action_id"]
	return u.sim.act(ctx, u.ID, at, action, nil)
}
