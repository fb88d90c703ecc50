package slacksim

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

type view struct {
	ID, hash           string
	kind               surface
	user               string
	callback, external string
	metadata           string
	title              json.RawMessage // a text object or nil, as submit and close
	submit, close      json.RawMessage
	blocks             json.RawMessage
	state              State // the values of the inputs
	root, previous     string
	clearOnClose       bool
	notifyOnClose      bool
	createdAt          time.Time
}

const (
	maxStack = 3   // open modals of one person
	maxViews = 500 // of all users; updating a closed one is not_found
)

// readView validates a view that the app sent, and returns it. The view does not belong to a user yet.
func (s *Sim) readView(raw string, on surface) (*view, *refusal) {
	const at = "/view" // in problems
	if raw == "" || !json.Valid([]byte(raw)) {
		return nil, refuse("invalid_arguments", pointerProblem(at, "must provide an object"))
	}
	if len(raw) > maxViewSize {
		return nil, refuse("view_too_large")
	}
	if problems := checkView([]byte(raw), at, on); len(problems) > 0 {
		return nil, refuse("invalid_arguments", problems...)
	}
	var sent struct {
		Title           json.RawMessage `json:"title"`
		Submit          json.RawMessage `json:"submit"`
		Close           json.RawMessage `json:"close"`
		Blocks          json.RawMessage `json:"blocks"`
		CallbackID      string          `json:"callback_id"`
		ExternalID      string          `json:"external_id"`
		PrivateMetadata string          `json:"private_metadata"`
		ClearOnClose    bool            `json:"clear_on_close"`
		NotifyOnClose   bool            `json:"notify_on_close"`
	}
	if err := json.Unmarshal([]byte(raw), &sent); err != nil {
		return nil, refuse("invalid_arguments", pointerProblem(at, "must provide an object"))
	}
	v := &view{
		ID: newID("V"), kind: on, callback: sent.CallbackID, external: sent.ExternalID, metadata: sent.PrivateMetadata,
		title: sent.Title, submit: sent.Submit, close: sent.Close, blocks: withIDs(sent.Blocks),
		clearOnClose: sent.ClearOnClose, notifyOnClose: sent.NotifyOnClose, createdAt: s.now(),
	}
	v.root = v.ID
	v.state = carryState(v.blocks, nil)
	v.rehash(s.now())
	return v, nil
}

func (v *view) rehash(now time.Time) { v.hash = fmt.Sprintf("%d.%s", now.Unix(), randomHex(4)) }

// replaceContent gives a view the content of another. Inputs with the same block_id and action_id keep their values: the
// initial value in the new content applies only to new inputs.
func (v *view) replaceContent(updated *view) {
	v.callback, v.external, v.metadata = updated.callback, updated.external, updated.metadata
	v.title, v.submit, v.close, v.blocks = updated.title, updated.submit, updated.close, updated.blocks
	v.clearOnClose, v.notifyOnClose, v.hash = updated.clearOnClose, updated.notifyOnClose, updated.hash
	v.state = carryState(updated.blocks, v.state)
}

// forApp returns the view object that the app gets.
func (v *view) forApp() map[string]any {
	out := map[string]any{
		"id": v.ID, "team_id": TeamID, "type": v.kind, "blocks": v.blocks, "private_metadata": v.metadata,
		"callback_id": v.callback, "state": map[string]any{"values": v.state.clone()}, "hash": v.hash,
		"clear_on_close": v.clearOnClose, "notify_on_close": v.notifyOnClose, "root_view_id": v.root,
		"previous_view_id": nil, "external_id": v.external, "app_id": AppID, "bot_id": BotID,
		"app_installed_team_id": TeamID, "title": v.title, "submit": v.submit, "close": v.close,
	}
	if v.previous != "" {
		out["previous_view_id"] = v.previous
	}
	return out
}

// forUser returns the view as its person sees it. s.mu must be held.
func (v *view) forUser() View {
	var all []json.RawMessage
	_ = json.Unmarshal(v.blocks, &all) // cannot fail: encoded by withIDs
	return View{
		ID: v.ID, Hash: v.hash, Type: string(v.kind), CallbackID: v.callback, ExternalID: v.external,
		PrivateMetadata: v.metadata, Title: str(decode(v.title)["text"]), Submit: str(decode(v.submit)["text"]),
		Close: str(decode(v.close)["text"]), Blocks: all, Values: v.state.clone(),
	}
}

func (s *Sim) keepView(v *view) {
	s.views[v.ID] = v
	evictOldest(s.views, maxViews, func(v *view) time.Time { return v.createdAt })
}

// externalIDTaken reports whether another open view has an external_id. s.mu must be held.
func (s *Sim) externalIDTaken(external string, besides *view) bool {
	if external == "" {
		return false
	}
	for _, v := range s.views {
		if v != besides && v.external == external && s.isOpen(v) {
			return true
		}
	}
	return false
}

// isOpen reports whether a view is an open modal or the Home tab of its person. s.mu must be held.
func (s *Sim) isOpen(v *view) bool {
	u := s.users[v.user]
	return u.home == v || slices.Contains(u.stack, v)
}

func (s *Sim) openModal(a args) (response, *refusal) {
	v, refused := s.readView(a["view"], inModal)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.externalIDTaken(v.external, nil) {
		return nil, refuse("duplicate_external_id")
	}
	used, refused := s.useTrigger(a["trigger_id"])
	if refused != nil {
		return nil, refused
	}
	v.user = used.user
	s.users[v.user].stack = []*view{v}
	s.keepView(v)
	s.notifyChange()
	return response{"view": v.forApp()}, nil
}

func (s *Sim) pushModal(a args) (response, *refusal) {
	v, refused := s.readView(a["view"], inModal)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, refused := s.validTrigger(a["trigger_id"])
	if refused != nil {
		return nil, refused
	}
	if !t.modal || len(s.users[t.user].stack) == 0 {
		return nil, refuse("not_found", "[ERROR] the trigger does not come from an open modal")
	}
	if refused := s.pushView(s.users[t.user], v); refused != nil {
		return nil, refused
	}
	t.used = true
	return response{"view": v.forApp()}, nil
}

// pushView opens a modal on top of the others of a person. s.mu must be held.
func (s *Sim) pushView(u *user, v *view) *refusal {
	if len(u.stack) >= maxStack {
		return refuse("push_limit_reached")
	}
	if s.externalIDTaken(v.external, nil) {
		return refuse("duplicate_external_id")
	}
	top := u.stack[len(u.stack)-1]
	v.user, v.previous, v.root = u.id, top.ID, top.root
	u.stack = append(u.stack, v)
	s.keepView(v)
	s.notifyChange()
	return nil
}

func (s *Sim) updateView(a args) (response, *refusal) {
	if (a["view_id"] == "") == (a["external_id"] == "") {
		return nil, refuse("invalid_arguments", pointerProblem("/view_id", "must provide either view_id or external_id"))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.views[a["view_id"]]
	for _, other := range s.views {
		if id := a["external_id"]; id != "" && other.external == id && s.isOpen(other) {
			v = other
		}
	}
	if v == nil || !s.isOpen(v) {
		return nil, refuse("not_found")
	}
	updated, refused := s.readView(a["view"], v.kind)
	if refused != nil {
		return nil, refused
	}
	if a["hash"] != "" && a["hash"] != v.hash {
		return nil, refuse("hash_conflict")
	}
	if s.externalIDTaken(updated.external, v) {
		return nil, refuse("duplicate_external_id")
	}
	v.replaceContent(updated)
	s.notifyChange()
	return response{"view": v.forApp()}, nil
}

func (s *Sim) publishHome(a args) (response, *refusal) {
	updated, refused := s.readView(a["view"], inHome)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[a["user_id"]]
	if u == nil {
		return nil, refuse("invalid_arguments", pointerProblem("/user_id", "no such user"))
	}
	if a["hash"] != "" && (u.home == nil || u.home.hash != a["hash"]) {
		return nil, refuse("hash_conflict")
	}
	if s.externalIDTaken(updated.external, u.home) {
		return nil, refuse("duplicate_external_id")
	}
	if u.home == nil {
		updated.user, u.home = u.id, updated
		s.keepView(updated)
	} else {
		u.home.replaceContent(updated)
	}
	s.notifyChange()
	return response{"view": u.home.forApp()}, nil
}
