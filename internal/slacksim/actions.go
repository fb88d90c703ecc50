package slacksim

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
)

// container names the view or message that an interactive element is in.
type container struct{ viewID, channel, ts string }

// interactionBody returns the fields that every interaction payload has.
func (s *Sim) interactionBody(kind string, u *user) map[string]any {
	return map[string]any{
		"type": kind, "api_app_id": AppID, "token": verificationToken, "enterprise": nil, "is_enterprise_install": false,
		"team": map[string]any{"id": TeamID, "domain": TeamDomain},
		"user": map[string]any{"id": u.id, "username": u.handle, "name": u.handle, "team_id": u.teamID},
	}
}

// stateOf returns the blocks of a container, the values of their inputs, and the payload's fields about the container.
// s.mu must be held.
func (s *Sim) stateOf(u *user, at container) (blocks json.RawMessage, state State, details map[string]any, err error) {
	if u == nil {
		return nil, nil, nil, errors.New("slacksim: there is no such person")
	}
	if at.viewID != "" {
		v := s.views[at.viewID]
		if v == nil || v.user != u.id || !s.isOpen(v) {
			return nil, nil, nil, errors.New("slacksim: that view is not open")
		}
		return v.blocks, v.state, map[string]any{
			"container": map[string]any{"type": "view", "view_id": v.ID}, "view": v.forApp(),
		}, nil
	}
	c := s.channels[at.channel]
	if c == nil || !c.hasMember(u.id) {
		return nil, nil, nil, errors.New("slacksim: the person is not in that channel")
	}
	m := c.message(at.ts)
	if m == nil || !m.visibleTo(u.id) || m.blocks == nil {
		return nil, nil, nil, errors.New("slacksim: there is no such message with blocks")
	}
	if m.stateByUser == nil {
		m.stateByUser = map[string]State{}
	}
	m.stateByUser[u.id] = carryState(m.blocks, m.stateByUser[u.id])
	in := map[string]any{
		"type": "message", "message_ts": m.ts, "channel_id": c.id, "is_ephemeral": m.ephemeralTo != "",
	}
	if m.thread != "" {
		in["thread_ts"] = m.thread
	}
	return m.blocks, m.stateByUser[u.id], map[string]any{
		"container": in, "channel": map[string]any{"id": c.id, "name": c.nameForApp()}, "message": m.forApp(),
	}, nil
}

// act sends the action of an element. filled are the values that the person has entered in other inputs of the view.
func (s *Sim) act(ctx context.Context, userID string, at container, action map[string]any, filled State) error {
	s.mu.Lock()
	u := s.users[userID]
	p, err := s.action(u, at, action, filled)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	err = s.send(ctx, p, 0, "").appError()
	if err != nil {
		s.mu.Lock()
		s.showNotice(u, u.text("trouble_connecting", nil))
		s.mu.Unlock()
	}
	return err
}

func (s *Sim) action(u *user, at container, action map[string]any, filled State) (payload, error) {
	blocks, state, _, err := s.stateOf(u, at)
	if err != nil {
		return payload{}, err
	}
	if filled, err = s.withFiles(u.id, blocks, filled); err != nil {
		return payload{}, err
	}
	state.merge(filled)
	blockID, actionID := str(action["block_id"]), str(action["action_id"])
	block, element := findElement(blocks, func(b, e map[string]any) bool {
		return b["block_id"] == blockID && e["action_id"] == actionID
	})
	switch {
	case element == nil || element["type"] != action["type"]:
		return payload{}, errors.New("slacksim: there is no such element")
	case block["type"] == "input" && block["dispatch_action"] != true:
		return payload{}, errors.New("slacksim: that input sends no action")
	}
	done := map[string]any{"type": element["type"], "block_id": blockID, "action_id": actionID, "action_ts": s.timestamp()}
	if keys, ok := inputKeys[str(element["type"])]; ok {
		chosen, err := s.withFiles(u.id, blocks, State{blockID: {actionID: action}})
		if err != nil {
			return payload{}, err
		}
		if !state.merge(chosen) {
			return payload{}, errors.New("slacksim: nothing was chosen")
		}
		done[keys.key] = state[blockID][actionID][keys.key]
	} else if element["type"] == "overflow" {
		done["selected_option"] = action["selected_option"]
	} else {
		done["text"] = element["text"]
		if element["value"] != nil {
			done["value"] = element["value"]
		}
	}
	_, state, details, err := s.stateOf(u, at) // after the action
	if err != nil {
		return payload{}, err
	}
	body := s.interactionBody("block_actions", u)
	for key, value := range details {
		body[key] = value
	}
	body["actions"], body["state"] = []any{done}, map[string]any{"values": state}
	body["trigger_id"] = s.newTrigger(u.id, at.viewID != "" && s.views[at.viewID].kind == inModal)
	if at.viewID == "" {
		body["response_url"] = s.newResponseURL(u.id, at.channel, at.ts)
	}
	s.notifyChange()
	return interaction("block_actions", body), nil
}

// suggest requests the options of an external select.
func (s *Sim) suggest(ctx context.Context, userID string, at container, blockID, actionID, query string) (map[string]any, error) {
	s.mu.Lock()
	u := s.users[userID]
	blocks, _, details, err := s.stateOf(u, at)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	_, element := findElement(blocks, func(b, e map[string]any) bool {
		return b["block_id"] == blockID && (actionID == "" || e["action_id"] == actionID) &&
			strings.HasSuffix(str(e["type"]), "external_select")
	})
	if element == nil {
		s.mu.Unlock()
		return nil, errors.New("slacksim: there is no such external select")
	}
	if len([]rune(query)) < intOr(element["min_query_length"], 3) {
		s.mu.Unlock()
		return nil, &AppError{"query_too_short", "Slack does not ask before min_query_length, which is 3 where it is not given"}
	}
	body := s.interactionBody("block_suggestion", u)
	for key, value := range details {
		body[key] = value
	}
	body["block_id"], body["action_id"], body["value"] = blockID, element["action_id"], query
	p := interaction("block_suggestion", body)
	s.mu.Unlock()
	done := s.send(ctx, p, 0, "")
	if err := done.appError(); err != nil {
		return nil, err
	}
	reply := decode(done.Body)
	c := newCheck(inModal)
	fits(optionsShape)(c, "", reply)
	if (reply["options"] == nil) == (reply["option_groups"] == nil) {
		c.refuse("", "must provide either options or option_groups")
	}
	if len(c.problems) > 0 {
		return nil, &AppError{"invalid_options", strings.Join(c.problems, "; ")}
	}
	return reply, nil
}
