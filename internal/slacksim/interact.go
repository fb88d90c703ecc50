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
type place struct{ viewID, channel, ts string }

// who is what every interaction says about the person and the app.
func (s *Sim) who(kind string, u *user) map[string]any {
	return map[string]any{
		"type": kind, "api_app_id": AppID, "token": verificationToken, "enterprise": nil, "is_enterprise_install": false,
		"team": map[string]any{"id": TeamID, "domain": TeamDomain},
		"user": map[string]any{"id": u.id, "username": u.handle, "name": u.handle, "team_id": u.teamID},
	}
}

// say gives a line of Slack's own in a person's language.
func (u *user) say(s *Sim, key string, args map[string]any) string {
	return s.book.Say(words.Match(u.locale), key, args)
}

// command sends a slash command and shows what the app answers directly.
func (s *Sim) command(ctx context.Context, userID, channelID, line string) error {
	name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
	s.mu.Lock()
	u, c := s.users[userID], s.channels[channelID]
	if u == nil || c == nil || !c.has(userID) {
		s.mu.Unlock()
		return &Failed{"channel_not_found", "the person is not in that channel"}
	}
	if do := builtIn[name]; do != nil {
		defer s.mu.Unlock()
		return do(s, userID, c, text)
	}
	if !strings.HasPrefix(name, "/") || !s.manifest.knows(name) {
		s.tell(u, u.say(s, "dispatch_unknown_command", map[string]any{"command": name}))
		s.mu.Unlock()
		return &Failed{"dispatch_unknown_command", name + " is not in the manifest"}
	}
	if s.manifest.escapes(name) {
		text = s.escaped(text)
	}
	form := url.Values{
		"token": {verificationToken}, "team_id": {TeamID}, "team_domain": {TeamDomain}, "channel_id": {c.id},
		"channel_name": {c.nameForApp()}, "user_id": {u.id}, "user_name": {u.handle}, "command": {name},
		"text": {strings.TrimSpace(text)}, "api_app_id": {AppID}, "is_enterprise_install": {"false"},
		"response_url": {s.newResponseURL(u.id, c.id, "")}, "trigger_id": {s.newTrigger(u.id, false)},
	}
	s.mu.Unlock()
	done := s.send(ctx, formPayload("slash_commands", form), 0, "")
	err := done.failed()
	if err == nil && len(done.Body) > 0 {
		err = s.answered(u, c, done)
	}
	if failed := (*Failed)(nil); errors.As(err, &failed) {
		s.mu.Lock()
		s.tell(u, u.say(s, failed.Code, map[string]any{"command": name}))
		s.mu.Unlock()
	}
	return err
}

// markup is what Slack replaces in the text of a command that wants it so.
var markup = regexp.MustCompile(`[&<>]|[@#][\p{L}\p{N}._-]+|https?://\S+`)

// escaped is a command's text with people, channels and links as ids and addresses. Call it with s.mu held.
func (s *Sim) escaped(text string) string {
	return markup.ReplaceAllStringFunc(text, func(found string) string {
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
func (s *Sim) answered(u *user, c *channel, done Delivered) error {
	a, ok := jsonArgs(done.Body)
	if !ok {
		a = args{"text": string(done.Body)}
	}
	if len(a) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused := s.place(&responseURL{user: u.id, channel: c.id}, a); refused != nil {
		return &Failed{"dispatch_failed", fmt.Sprint("the direct answer: ", refused.code, refused.messages)}
	}
	return nil
}

// top finds a modal that is in front of its person. Call it with s.mu held.
func (s *Sim) top(userID, viewID string) (*user, *view, error) {
	u := s.users[userID]
	if u == nil || len(u.stack) == 0 || u.stack[len(u.stack)-1].ID != viewID {
		return nil, nil, errors.New("slacksim: that modal is not in front")
	}
	return u, u.stack[len(u.stack)-1], nil
}

// keep types into a modal.
func (s *Sim) keep(userID, viewID string, typed State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, v, err := s.top(userID, viewID)
	if err != nil {
		return err
	}
	if !v.state.merge(typed) {
		return errors.New("slacksim: the modal has no such input")
	}
	s.touch()
	return nil
}

// submit presses the submit button of a modal.
func (s *Sim) submit(ctx context.Context, userID, viewID string, typed State) (Submitted, error) {
	if err := s.keep(userID, viewID, typed); err != nil {
		return Submitted{}, err
	}
	s.mu.Lock()
	u, v, err := s.top(userID, viewID)
	if err == nil && v.submit == nil {
		err = errors.New("slacksim: the modal has no submit button")
	}
	if err != nil {
		s.mu.Unlock()
		return Submitted{}, err
	}
	if wrong := incomplete(v); len(wrong) > 0 {
		s.mu.Unlock()
		held := Submitted{Action: "incomplete", Errors: map[string]string{}}
		for blockID, p := range wrong {
			held.Errors[blockID] = u.say(s, p.key, p.args)
		}
		return held, nil
	}
	body := s.who("view_submission", u)
	body["view"], body["response_urls"], body["trigger_id"] = v.forApp(), []any{}, s.newTrigger(userID, true)
	p := interaction("view_submission", body) // marshalled while nothing changes the view
	s.mu.Unlock()

	done := s.send(ctx, p, 0, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	result, err := s.conclude(u, v, done)
	if err != nil {
		s.tell(u, u.say(s, "trouble_connecting", nil))
	}
	return result, err
}

// conclude does what the app answered to a submission. Call it with s.mu held.
func (s *Sim) conclude(u *user, v *view, done Delivered) (Submitted, error) {
	trouble := func(reason string, args ...any) (Submitted, error) {
		return Submitted{}, &Failed{"trouble_connecting", fmt.Sprintf(reason, args...)}
	}
	if err := done.failed(); err != nil {
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
				return trouble("errors: %q is not the block_id of an input of this view", clip(blockID))
			}
		}
		if len(reply.Errors) == 0 {
			return trouble("errors: there are none")
		}
	case "update", "push":
		fresh, refused := s.readView(string(reply.View), "/view", inModal)
		switch {
		case refused != nil:
		case reply.Action == "push":
			refused = s.stack(u, fresh)
		case s.claimed(fresh.external, v):
			refused = no("duplicate_external_id")
		default:
			v.become(fresh)
		}
		if refused != nil {
			return trouble("%s: %s %v", reply.Action, refused.code, refused.messages)
		}
	default:
		return trouble("no such response_action: %q", clip(reply.Action))
	}
	s.touch()
	return Submitted{Action: reply.Action, Errors: reply.Errors}, nil
}

// closeView presses the close button of a modal; the app hears of it if it asked to.
func (s *Sim) closeView(ctx context.Context, userID, viewID string) error {
	s.mu.Lock()
	u, v, err := s.top(userID, viewID)
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
	var tell []payload
	for _, gone := range closed {
		if gone.notifyOnClose {
			body := s.who("view_closed", u)
			seen := gone.forApp()
			seen["state"] = map[string]any{"values": State{}} // Slack documents none here
			body["view"], body["is_cleared"] = seen, v.clearOnClose
			tell = append(tell, interaction("view_closed", body))
		}
	}
	s.touch()
	s.mu.Unlock()
	for _, p := range tell {
		if err := s.send(ctx, p, 0, "").failed(); err != nil {
			return err
		}
	}
	return nil
}

// scene finds the blocks of a place, what they hold, and how the app is told about it. Call it with s.mu held.
func (s *Sim) scene(u *user, at place) (blocks json.RawMessage, holding State, about map[string]any, err error) {
	if u == nil {
		return nil, nil, nil, errors.New("slacksim: there is no such person")
	}
	if at.viewID != "" {
		v := s.views[at.viewID]
		if v == nil || v.user != u.id || !s.showing(v) {
			return nil, nil, nil, errors.New("slacksim: that view is not open")
		}
		return v.blocks, v.state, map[string]any{
			"container": map[string]any{"type": "view", "view_id": v.ID}, "view": v.forApp(),
		}, nil
	}
	c := s.channels[at.channel]
	if c == nil || !c.has(u.id) {
		return nil, nil, nil, errors.New("slacksim: the person is not in that channel")
	}
	m := c.find(at.ts)
	if m == nil || !m.visibleTo(u.id) || m.blocks == nil {
		return nil, nil, nil, errors.New("slacksim: there is no such message with blocks")
	}
	if m.states == nil {
		m.states = map[string]State{}
	}
	m.states[u.id] = carry(m.blocks, m.states[u.id])
	container := map[string]any{
		"type": "message", "message_ts": m.ts, "channel_id": c.id, "is_ephemeral": m.only != "",
	}
	if m.thread != "" {
		container["thread_ts"] = m.thread
	}
	return m.blocks, m.states[u.id], map[string]any{
		"container": container, "channel": map[string]any{"id": c.id, "name": c.nameForApp()}, "message": m.forApp(),
	}, nil
}

// act does something with an element that sends an action. typed is what the person has typed around it meanwhile.
func (s *Sim) act(ctx context.Context, userID string, at place, action map[string]any, typed State) error {
	s.mu.Lock()
	u := s.users[userID]
	p, err := s.action(u, at, action, typed)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	err = s.send(ctx, p, 0, "").failed()
	if err != nil {
		s.mu.Lock()
		s.tell(u, u.say(s, "trouble_connecting", nil))
		s.mu.Unlock()
	}
	return err
}

func (s *Sim) action(u *user, at place, action map[string]any, typed State) (payload, error) {
	blocks, holding, _, err := s.scene(u, at)
	if err != nil {
		return payload{}, err
	}
	holding.merge(typed)
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
	if hold, ok := holds[str(element["type"])]; ok {
		if !holding.merge(State{blockID: {actionID: action}}) {
			return payload{}, errors.New("slacksim: nothing was chosen")
		}
		done[hold.key] = holding[blockID][actionID][hold.key]
	} else if element["type"] == "overflow" {
		done["selected_option"] = action["selected_option"]
	} else {
		done["text"] = element["text"]
		if element["value"] != nil {
			done["value"] = element["value"]
		}
	}
	_, holding, about, err := s.scene(u, at) // as it is after the choice
	if err != nil {
		return payload{}, err
	}
	body := s.who("block_actions", u)
	for key, value := range about {
		body[key] = value
	}
	body["actions"], body["state"] = []any{done}, map[string]any{"values": holding}
	body["trigger_id"] = s.newTrigger(u.id, at.viewID != "" && s.views[at.viewID].kind == inModal)
	if at.viewID == "" {
		body["response_url"] = s.newResponseURL(u.id, at.channel, at.ts)
	}
	s.touch()
	return interaction("block_actions", body), nil
}

// suggest asks the app for the choices of an external select.
func (s *Sim) suggest(ctx context.Context, userID string, at place, blockID, actionID, query string) (map[string]any, error) {
	s.mu.Lock()
	u := s.users[userID]
	blocks, _, about, err := s.scene(u, at)
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
	if len([]rune(query)) < wholeOr(element["min_query_length"], 3) {
		s.mu.Unlock()
		return nil, &Failed{"query_too_short", "Slack does not ask before min_query_length, which is 3 where it is not given"}
	}
	body := s.who("block_suggestion", u)
	for key, value := range about {
		body[key] = value
	}
	body["block_id"], body["action_id"], body["value"] = blockID, element["action_id"], query
	p := interaction("block_suggestion", body)
	s.mu.Unlock()
	done := s.send(ctx, p, 0, "")
	if err := done.failed(); err != nil {
		return nil, err
	}
	reply := decode(done.Body)
	c := newCheck(inModal)
	fits(optionsShape)(c, "", reply)
	if (reply["options"] == nil) == (reply["option_groups"] == nil) {
		c.refuse("", "must provide either options or option_groups")
	}
	if len(c.problems) > 0 {
		return nil, &Failed{"invalid_options", strings.Join(c.problems, "; ")}
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
