package slacksim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// topView returns a view that has to be the topmost modal of its person. s.mu must be held.
func (s *Sim) topView(userID, viewID string) (*user, *view, error) {
	u := s.users[userID]
	if u == nil || len(u.stack) == 0 || u.stack[len(u.stack)-1].ID != viewID {
		return nil, nil, errors.New("slacksim: that view is not the topmost modal")
	}
	return u, u.stack[len(u.stack)-1], nil
}

// mergeState sets values in the topmost modal.
func (s *Sim) mergeState(userID, viewID string, state State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, v, err := s.topView(userID, viewID)
	if err != nil {
		return err
	}
	if state, err = s.withFiles(userID, v.blocks, state); err != nil {
		return err
	}
	if !v.state.merge(state) {
		return errors.New("slacksim: the modal has no such input")
	}
	s.notifyChange()
	return nil
}

// submit submits a modal with these values.
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
			result.Errors[blockID] = u.text(p.key, p.args)
		}
		return result, nil
	}
	body := s.interactionBody("view_submission", u)
	body["view"], body["response_urls"], body["trigger_id"] = v.forApp(), []any{}, s.newTrigger(userID, true)
	p := interaction("view_submission", body) // marshalled with s.mu held
	s.mu.Unlock()

	done := s.send(ctx, p, 0, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	result, err := s.applySubmitResponse(u, v, done)
	if err != nil {
		s.showNotice(u, u.text("trouble_connecting", nil))
	}
	return result, err
}

// applySubmitResponse applies the app's response to a submission. s.mu must be held.
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
		return trouble("the response is not a JSON object of the right form")
	}
	depth := slices.Index(u.stack, v)
	if depth < 0 && reply.Action != "" {
		return trouble("the modal was closed before the response arrived")
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
			return trouble("errors: is empty")
		}
	case "update", "push":
		updated, refused := s.readView(string(reply.View), inModal)
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
		return trouble("unknown response_action: %q", truncate(reply.Action))
	}
	s.notifyChange()
	return SubmitResult{Action: reply.Action, Errors: reply.Errors}, nil
}

// closeView closes a modal. The app gets view_closed if the view has notify_on_close.
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
			sent := closedView.forApp()
			sent["state"] = map[string]any{"values": State{}} // Slack documents an empty state here
			body["view"], body["is_cleared"] = sent, v.clearOnClose
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
