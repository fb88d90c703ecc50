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
	title              json.RawMessage // text objects; nil when there is none
	submit, close      json.RawMessage
	blocks             json.RawMessage
	state              State // what every input holds
	root, previous     string
	clearOnClose       bool
	notifyOnClose      bool
	born               time.Time
}

const (
	maxStack  = 3   // modals of one person, on top of each other
	keptViews = 500 // of all people, to tell a closed view from one that never was
)

// readView judges a view that the app sent and makes it, without a place yet.
func (s *Sim) readView(raw, at string, on surface) (*view, *refusal) {
	if raw == "" || !json.Valid([]byte(raw)) {
		return nil, no("invalid_arguments", pointerProblem(at, "must provide an object"))
	}
	if len(raw) > maxViewSize {
		return nil, no("view_too_large")
	}
	if problems := checkView([]byte(raw), at, on); len(problems) > 0 {
		return nil, no("invalid_arguments", problems...)
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
		return nil, no("invalid_arguments", pointerProblem(at, "must provide an object"))
	}
	v := &view{
		ID: newID("V"), kind: on, callback: sent.CallbackID, external: sent.ExternalID, metadata: sent.PrivateMetadata,
		title: sent.Title, submit: sent.Submit, close: sent.Close, blocks: named(sent.Blocks),
		clearOnClose: sent.ClearOnClose, notifyOnClose: sent.NotifyOnClose, born: s.now(),
	}
	v.root = v.ID
	v.state = carry(v.blocks, nil)
	v.rehash(s.now())
	return v, nil
}

func (v *view) rehash(now time.Time) { v.hash = fmt.Sprintf("%d.%s", now.Unix(), randomHex(4)) }

// become gives a view the content of another. What inputs hold stays where block_id and action_id stay, even where the
// new content says otherwise: an initial value only counts in an input that was not there.
func (v *view) become(fresh *view) {
	v.callback, v.external, v.metadata = fresh.callback, fresh.external, fresh.metadata
	v.title, v.submit, v.close, v.blocks = fresh.title, fresh.submit, fresh.close, fresh.blocks
	v.clearOnClose, v.notifyOnClose, v.hash = fresh.clearOnClose, fresh.notifyOnClose, fresh.hash
	v.state = carry(fresh.blocks, v.state)
}

// forApp is the view as Slack describes it to the app.
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

// seen is the view as its person sees it. Call it with s.mu held.
func (v *view) seen() View {
	var all []json.RawMessage
	_ = json.Unmarshal(v.blocks, &all) // the simulator wrote it
	return View{
		ID: v.ID, Hash: v.hash, Type: string(v.kind), CallbackID: v.callback, ExternalID: v.external,
		PrivateMetadata: v.metadata, Title: str(decode(v.title)["text"]), Submit: str(decode(v.submit)["text"]),
		Close: str(decode(v.close)["text"]), Blocks: all, Values: v.state.clone(),
	}
}

func (s *Sim) keepView(v *view) {
	s.views[v.ID] = v
	sweep(s.views, keptViews, func(v *view) time.Time { return v.born })
}

// claimed tells whether another view already has an external_id. Call it with s.mu held.
func (s *Sim) claimed(external string, besides *view) bool {
	if external == "" {
		return false
	}
	for _, v := range s.views {
		if v != besides && v.external == external && s.showing(v) {
			return true
		}
	}
	return false
}

// showing tells whether a view is open, or the Home tab of its person. Call it with s.mu held.
func (s *Sim) showing(v *view) bool {
	u := s.users[v.user]
	return u.home == v || slices.Contains(u.stack, v)
}

func (s *Sim) openModal(a args) (answer, *refusal) {
	v, refused := s.readView(a["view"], "/view", inModal)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claimed(v.external, nil) {
		return nil, no("duplicate_external_id")
	}
	used, refused := s.exchange(a["trigger_id"])
	if refused != nil {
		return nil, refused
	}
	v.user = used.user
	s.users[v.user].stack = []*view{v}
	s.keepView(v)
	s.touch()
	return answer{"view": v.forApp()}, nil
}

func (s *Sim) pushModal(a args) (answer, *refusal) {
	v, refused := s.readView(a["view"], "/view", inModal)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, refused := s.valid(a["trigger_id"])
	if refused != nil {
		return nil, refused
	}
	if !t.modal || len(s.users[t.user].stack) == 0 {
		return nil, no("not_found", "[ERROR] the trigger does not come from an open modal")
	}
	if refused := s.stack(s.users[t.user], v); refused != nil {
		return nil, refused
	}
	t.used = true
	return answer{"view": v.forApp()}, nil
}

// stack puts a modal on top of a person's others. Call it with s.mu held.
func (s *Sim) stack(u *user, v *view) *refusal {
	if len(u.stack) >= maxStack {
		return no("push_limit_reached")
	}
	if s.claimed(v.external, nil) {
		return no("duplicate_external_id")
	}
	top := u.stack[len(u.stack)-1]
	v.user, v.previous, v.root = u.id, top.ID, top.root
	u.stack = append(u.stack, v)
	s.keepView(v)
	s.touch()
	return nil
}

func (s *Sim) updateView(a args) (answer, *refusal) {
	if (a["view_id"] == "") == (a["external_id"] == "") {
		return nil, no("invalid_arguments", pointerProblem("/view_id", "must provide either view_id or external_id"))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.views[a["view_id"]]
	for _, other := range s.views {
		if id := a["external_id"]; id != "" && other.external == id && s.showing(other) {
			v = other
		}
	}
	if v == nil || !s.showing(v) {
		return nil, no("not_found")
	}
	fresh, refused := s.readView(a["view"], "/view", v.kind)
	if refused != nil {
		return nil, refused
	}
	if a["hash"] != "" && a["hash"] != v.hash {
		return nil, no("hash_conflict")
	}
	if s.claimed(fresh.external, v) {
		return nil, no("duplicate_external_id")
	}
	v.become(fresh)
	s.touch()
	return answer{"view": v.forApp()}, nil
}

func (s *Sim) publishHome(a args) (answer, *refusal) {
	fresh, refused := s.readView(a["view"], "/view", inHome)
	if refused != nil {
		return nil, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[a["user_id"]]
	if u == nil {
		return nil, no("invalid_arguments", pointerProblem("/user_id", "no such user"))
	}
	if a["hash"] != "" && (u.home == nil || u.home.hash != a["hash"]) {
		return nil, no("hash_conflict")
	}
	if s.claimed(fresh.external, u.home) {
		return nil, no("duplicate_external_id")
	}
	if u.home == nil {
		fresh.user, u.home = u.id, fresh
		s.keepView(fresh)
	} else {
		u.home.become(fresh)
	}
	s.touch()
	return answer{"view": u.home.forApp()}, nil
}
