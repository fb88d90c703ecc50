package slacksim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/words"
)

// place is where something interactive stands: in a view, or in a message.
type container struct{ viewID, channel, ts string }

// who is what every interaction says about the person and the app.
func (s *Sim) interactionBody(kind string, u *user) map[string]any {
	return map[string]any{
		"type": kind, "api_app_id": AppID, "token": verificationToken, "enterprise": nil, "is_enterprise_install": false,
		"team": map[string]any{"id": TeamID, "domain": TeamDomain},
		"user": map[string]any{"id": u.id, "username": u.handle, "name": u.handle, "team_id": u.teamID},
	}
}

// say gives a line of Slack's own in a person's language.
func (u *user) text(s *Sim, key string, args map[string]any) string {
	return s.book.Say(words.Match(u.locale), key, args)
}

// command sends a slash command and shows what the app answers directly.
func (s *Sim) command(ctx context.Context, userID, channelID, line string) error {
	name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
	s.mu.Lock()
	u, c := s.users[userID], s.channels[channelID]
	if u == nil || c == nil || !c.hasMember(userID) {
		s.mu.Unlock()
		return &AppError{"channel_not_found", "the person is not in that channel"}
	}
	if do := builtInCommands[name]; do != nil {
		defer s.mu.Unlock()
		return do(s, userID, c, text)
	}
	if !strings.HasPrefix(name, "/") || !s.manifest.hasCommand(name) {
		s.showNotice(u, u.text(s, "dispatch_unknown_command", map[string]any{"command": name}))
		s.mu.Unlock()
		return &AppError{"dispatch_unknown_command", name + " is not in the manifest"}
	}
	if s.manifest.escapesCommand(name) {
		text = s.escapeEntities(text)
	}
	form := url.Values{
		"token": {verificationToken}, "team_id": {TeamID}, "team_domain": {TeamDomain}, "channel_id": {c.id},
		"channel_name": {c.nameForApp()}, "user_id": {u.id}, "user_name": {u.handle}, "command": {name},
		"text": {strings.TrimSpace(text)}, "api_app_id": {AppID}, "is_enterprise_install": {"false"},
		"response_url": {s.newResponseURL(u.id, c.id, "")}, "trigger_id": {s.newTrigger(u.id, false)},
	}
	s.mu.Unlock()
	done := s.send(ctx, formPayload("slash_commands", form), 0, "")
	err := done.appError()
	if err == nil && len(done.Body) > 0 {
		err = s.showCommandResponse(u, c, done)
	}
	if failed := (*AppError)(nil); errors.As(err, &failed) {
		s.mu.Lock()
		s.showNotice(u, u.text(s, failed.Code, map[string]any{"command": name}))
		s.mu.Unlock()
	}
	return err
}

// markup is what Slack replaces in the text of a command that wants it so.
var escapePattern = regexp.MustCompile(`[&<>]|[@#][\p{L}\p{N}._-]+|https?://\S+`)

// escaped is a command's text with people, channels and links as ids and addresses. Call it with s.mu held.
func (s *Sim) escapeEntities(text string) string {
	return escapePattern.ReplaceAllStringFunc(text, func(found string) string {
		switch found[0] {
		case '&':
			return "&amp;"
		case '<':
			return "&lt;"
		case '>':
			return "&gt;"
		case 'h':
			return "<" + found + ">"
		case '@':
			for _, u := range s.users {
				if u.handle == found[1:] {
					return "<@" + u.id + "|" + u.handle + ">"
				}
			}
		case '#':
			for _, c := range s.channels {
				if c.im == "" && c.name == found[1:] {
					return "<#" + c.id + "|" + c.name + ">"
				}
			}
		}
		return found
	})
}

// answered shows the message that a command was answered with directly.
func (s *Sim) showCommandResponse(u *user, c *channel, done DeliveryResult) error {
	a, ok := jsonArgs(done.Body)
	if !ok {
		a = args{"text": string(done.Body)}
	}
	if len(a) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused := s.applyResponse(&responseURL{user: u.id, channel: c.id}, a); refused != nil {
		return &AppError{"dispatch_failed", fmt.Sprint("the direct answer: ", refused.code, refused.messages)}
	}
	return nil
}

// top finds a modal that is in front of its person. Call it with s.mu held.
func (s *Sim) topView(userID, viewID string) (*user, *view, error) {
	u := s.users[userID]
	if u == nil || len(u.stack) == 0 || u.stack[len(u.stack)-1].ID != viewID {
		return nil, nil, errors.New("slacksim: that modal is not in front")
	}
	return u, u.stack[len(u.stack)-1], nil
}

// keep types into a modal.
func (s *Sim) mergeState(userID, viewID string, state State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, v, err := s.topView(userID, viewID)
	if err != nil {
		return err
	}
	if !v.state.merge(state) {
		return errors.New("slacksim: the modal has no such input")
	}
	s.notifyChange()
	return nil
}

// submit presses the submit button of a modal.
func (s *Sim) submit(ctx context.Context, userID, viewID string, state State) (SubmitResult, error) {
	if err := s.mergeState(userID, viewID, state); err != nil {
		return SubmitResult{}, err
	}
	s.mu.Lock()
	u, v, err := s.topView(userID, viewID)
	if err == nil && v.submit == nil {
		err = errors.New("slacksim: the modal has no submit button")
	}
	if err != nil {
		s.mu.Unlock()
		return SubmitResult{}, err
	}
	if invalid := invalidInputs(v); len(invalid) > 0 {
		s.mu.Unlock()
		result := SubmitResult{Action: "incomplete", Errors: map[string]string{}}
		for blockID, p := range invalid {
			result.Errors[blockID] = u.text(s, p.key, p.args)
		}
		return result, nil
	}
	body := s.interactionBody("view_submission", u)
	body["view"], body["response_urls"], body["trigger_id"] = v.forApp(), []any{}, s.newTrigger(userID, true)
	p := interaction("view_submission", body) // marshalled while nothing changes the view
	s.mu.Unlock()

	done := s.send(ctx, p, 0, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	result, err := s.applySubmitResponse(u, v, done)
	if err != nil {
		s.showNotice(u, u.text(s, "trouble_connecting", nil))
	}
	return result, err
}

// conclude does what the app answered to a submission. Call it with s.mu held.
func (s *Sim) applySubmitResponse(u *user, v *view, done DeliveryResult) (SubmitResult, error) {
	trouble := func(reason string, args ...any) (SubmitResult, error) {
		return SubmitResult{}, &AppError{"trouble_connecting", fmt.Sprintf(reason, args...)}
	}
	if err := done.appError(); err != nil {
		return trouble("%s", err)
	}
	var reply struct {
		Action string            `json:"response_action"`
		View   json.RawMessage   `json:"view"`
		Errors map[string]string `json:"errors"`
	}
	if len(strings.TrimSpace(string(done.Body))) > 0 && json.Unmarshal(done.Body, &reply) != nil {
		return trouble("the answer is not a JSON object of the right form")
	}
	depth := slices.Index(u.stack, v)
	if depth < 0 && reply.Action != "" {
		return trouble("the modal was gone before the answer came")
	}
	switch reply.Action {
	case "":
		if depth >= 0 {
			u.stack = u.stack[:depth]
		}
		reply.Action = "close"
	case "clear":
		u.stack = nil
	case "errors":
		fields := inputBlocks(v.blocks)
		for blockID := range reply.Errors {
			if !slices.Contains(fields, blockID) {
				return trouble("errors: %q is not the block_id of an input of this view", truncate(blockID))
			}
		}
		if len(reply.Errors) == 0 {
			return trouble("errors: there are none")
		}
	case "update", "push":
		updated, refused := s.readView(string(reply.View), "/view", inModal)
		switch {
		case refused != nil:
		case reply.Action == "push":
			refused = s.pushView(u, updated)
		case s.externalIDTaken(updated.external, v):
			refused = refuse("duplicate_external_id")
		default:
			v.replaceContent(updated)
		}
		if refused != nil {
			return trouble("%s: %s %v", reply.Action, refused.code, refused.messages)
		}
	default:
		return trouble("no such response_action: %q", truncate(reply.Action))
	}
	s.notifyChange()
	return SubmitResult{Action: reply.Action, Errors: reply.Errors}, nil
}

// closeView presses the close button of a modal; the app hears of it if it asked to.
func (s *Sim) closeView(ctx context.Context, userID, viewID string) error {
	s.mu.Lock()
	u, v, err := s.topView(userID, viewID)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	closed := []*view{v}
	u.stack = u.stack[:len(u.stack)-1]
	if v.clearOnClose {
		closed = append(closed, u.stack...)
		u.stack = nil
	}
	var payloads []payload
	for _, closedView := range closed {
		if closedView.notifyOnClose {
			body := s.interactionBody("view_closed", u)
			seen := closedView.forApp()
			seen["state"] = map[string]any{"values": State{}} // Slack documents none here
			body["view"], body["is_cleared"] = seen, v.clearOnClose
			payloads = append(payloads, interaction("view_closed", body))
		}
	}
	s.notifyChange()
	s.mu.Unlock()
	for _, p := range payloads {
		if err := s.send(ctx, p, 0, "").appError(); err != nil {
			return err
		}
	}
	return nil
}

// scene finds the blocks of a place, what they hold, and how the app is told about it. Call it with s.mu held.
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

// act does something with an element that sends an action. typed is what the person has typed around it meanwhile.
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
		s.showNotice(u, u.text(s, "trouble_connecting", nil))
		s.mu.Unlock()
	}
	return err
}

func (s *Sim) action(u *user, at container, action map[string]any, filled State) (payload, error) {
	blocks, state, _, err := s.stateOf(u, at)
	if err != nil {
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
		if !state.merge(State{blockID: {actionID: action}}) {
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
	_, state, details, err := s.stateOf(u, at) // as it is after the choice
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

// suggest asks the app for the choices of an external select.
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

// findElement finds the first interactive part of blocks that matches, and its block.
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
