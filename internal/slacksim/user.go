package slacksim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// User acts as one person of the workspace. Its methods do what the person's Slack client does, and return when that does.
type User struct {
	sim *Sim
	ID  string
}

// User returns the person with an id: Ana, Tom, Guest or Stranger. It panics for any other.
func (s *Sim) User(id string) *User {
	if s.users[id] == nil {
		panic("slacksim: no user has the id " + id)
	}
	return &User{sim: s, ID: id}
}

// AppError is the error that Slack shows to a person when the app did not respond as required.
type AppError struct {
	Code   string // Slack's: "operation_timeout", "dispatch_failed", "dispatch_unknown_command", "trouble_connecting"
	Reason string // for the developer: what was wrong with the response
}

func (f *AppError) Error() string { return "slacksim: " + f.Code + ": " + f.Reason }

// View is a modal or Home tab as a person sees it.
type View struct {
	ID              string            `json:"id"`
	Hash            string            `json:"hash"`
	Type            string            `json:"type"`
	CallbackID      string            `json:"callback_id"`
	ExternalID      string            `json:"external_id"`
	PrivateMetadata string            `json:"private_metadata"`
	Title           string            `json:"title"`
	Submit          string            `json:"submit"` // "" without a submit button
	Close           string            `json:"close"`
	Blocks          []json.RawMessage `json:"blocks"`
	Values          State             `json:"values"` // of the inputs
}

// State holds the values of inputs by block_id and action_id, in the format of Slack's state.values.
type State map[string]map[string]map[string]any

// Text returns all visible text of the view, one text on each line.
func (v View) Text() string {
	var lines []string
	for _, b := range v.Blocks {
		lines = append(lines, blockTexts(b)...)
	}
	return strings.Join(append([]string{v.Title}, lines...), "\n")
}

// Has reports whether the view has a block with an id.
func (v View) Has(blockID string) bool { return v.Block(blockID) != nil }

// Block returns the block with an id, or nil.
func (v View) Block(blockID string) json.RawMessage {
	i := slices.IndexFunc(v.Blocks, func(b json.RawMessage) bool { return str(decode(b)["block_id"]) == blockID })
	if i < 0 {
		return nil
	}
	return v.Blocks[i]
}

// Message is a message as a person sees it.
type Message struct {
	Channel   string
	TS        string
	ThreadTS  string
	User      string // the author; BotUserID for the app
	Text      string
	Blocks    json.RawMessage
	Ephemeral bool // only this person sees it
	Edited    bool
	Unfurls   bool // links or media are unfurled
	Files     []File
	Metadata  json.RawMessage
}

// FullText returns all visible text of the message: that of its blocks if it has any, else its text.
func (m Message) FullText() string {
	if texts := blockTexts(m.Blocks); len(texts) > 0 {
		return strings.Join(texts, "\n")
	}
	return m.Text
}

// File is a file shared in a message. [Sim.File] returns its content.
type File struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Title    string `json:"title"`
	MimeType string `json:"mimetype"`
	Size     int    `json:"size"`
	URL      string `json:"url"` // for the page
}

// Option is an option of a select.
type Option struct {
	Text        string
	Value       string
	Description string
	Group       string // the label of its group, or ""
}

// Values are the values of inputs by block_id: the text that a person types, or the text or value of an option that she
// chooses. Several options are separated by newlines, and so are the files of a file input, which are named by the id that
// [User.Upload] gave, or by a file name, for which a small file is made. "" clears the input.
type Values map[string]string

// SubmitResult is the outcome of a submission.
type SubmitResult struct {
	Action string            // "close", "errors", "update", "push", "clear"; "incomplete" if Slack's own checks failed
	Errors map[string]string // by block_id, for "errors" and "incomplete"
}

// Command sends a slash command, such as "/borrowers 1042", and returns when the app has acknowledged it.
func (u *User) Command(ctx context.Context, channel, line string) error {
	return u.sim.command(ctx, u.ID, channel, line)
}

// Say posts a message in a channel. The app gets an event if it subscribes to one.
func (u *User) Say(ctx context.Context, channel, text string) error {
	return u.sim.postAsUser(ctx, u.ID, channel, text)
}

// OpenHome opens the app's Home tab.
func (u *User) OpenHome(ctx context.Context) error { return u.sim.openHome(u.ID) }

// DM returns the id of the direct message channel of this person and the app.
func (u *User) DM() string {
	u.sim.mu.Lock()
	defer u.sim.mu.Unlock()
	return u.sim.dm(u.ID).id
}

// TopView returns the topmost modal, if one is open.
func (u *User) TopView() (View, bool) {
	u.sim.mu.Lock()
	defer u.sim.mu.Unlock()
	stack := u.sim.users[u.ID].stack
	if len(stack) == 0 {
		return View{}, false
	}
	return stack[len(stack)-1].forUser(), true
}

// WaitView waits until the topmost modal satisfies want, and returns it.
func (u *User) WaitView(ctx context.Context, want func(View) bool) (View, error) {
	view, err := wait(ctx, u.sim, func() (View, bool) {
		view, ok := u.TopView()
		return view, ok && want(view)
	})
	if err != nil {
		top, _ := u.TopView()
		return top, fmt.Errorf("the topmost modal is %q: %w", top.Text(), err)
	}
	return view, nil
}

// WaitNoView waits until no modal is open.
func (u *User) WaitNoView(ctx context.Context) error {
	_, err := wait(ctx, u.sim, func() (View, bool) {
		view, open := u.TopView()
		return view, !open
	})
	return err
}

// WaitHome waits until the person's Home tab satisfies want.
func (u *User) WaitHome(ctx context.Context, want func(View) bool) (View, error) {
	return wait(ctx, u.sim, func() (View, bool) {
		u.sim.mu.Lock()
		home := u.sim.users[u.ID].home
		var view View
		if home != nil {
			view = home.forUser()
		}
		u.sim.mu.Unlock()
		return view, home != nil && want(view)
	})
}

// Fill sets values in the topmost modal without submitting it. For an input with dispatch_action the app gets a
// block_actions payload at once.
func (u *User) Fill(ctx context.Context, values Values) error {
	view, ok := u.TopView()
	if !ok {
		return errors.New("slacksim: no modal is open")
	}
	state, err := u.stateFor(ctx, view, values)
	if err == nil {
		err = u.sendInputActions(ctx, view, state)
	}
	if err != nil {
		return err
	}
	return u.sim.mergeState(u.ID, view.ID, state)
}

// Submit sets values in the topmost modal and submits it. Errors that the app returns for fields are in the result. The
// error is an *AppError if the app did not respond as required, or says that a value cannot be entered.
func (u *User) Submit(ctx context.Context, values Values) (SubmitResult, error) {
	view, ok := u.TopView()
	if !ok {
		return SubmitResult{}, errors.New("slacksim: no modal is open")
	}
	state, err := u.stateFor(ctx, view, values)
	if err == nil {
		err = u.sendInputActions(ctx, view, state)
	}
	if err != nil {
		return SubmitResult{}, err
	}
	return u.sim.submit(ctx, u.ID, view.ID, state)
}

// Click presses a button of the topmost modal, or chooses value in a select with an action. The element is named by its
// block_id or action_id. Click returns when the app has acknowledged.
func (u *User) Click(ctx context.Context, blockOrActionID string, value ...string) error {
	view, ok := u.TopView()
	if !ok {
		return errors.New("slacksim: no modal is open")
	}
	return u.click(ctx, container{viewID: view.ID}, blockOrActionID, value)
}

// ClickHome presses a button of the Home tab.
func (u *User) ClickHome(ctx context.Context, blockOrActionID string, value ...string) error {
	u.sim.mu.Lock()
	home := u.sim.users[u.ID].home
	u.sim.mu.Unlock()
	if home == nil {
		return errors.New("slacksim: the Home tab is empty")
	}
	return u.click(ctx, container{viewID: home.ID}, blockOrActionID, value)
}

// ClickMessage is Click for an element of a message.
func (u *User) ClickMessage(ctx context.Context, channel, ts, blockOrActionID string, value ...string) error {
	return u.click(ctx, container{channel: channel, ts: ts}, blockOrActionID, value)
}

// Close closes the topmost modal.
func (u *User) Close(ctx context.Context) error {
	view, ok := u.TopView()
	if !ok {
		return errors.New("slacksim: no modal is open")
	}
	return u.sim.closeView(ctx, u.ID, view.ID)
}

// Options requests the options of an external select of the topmost modal, as typing query does.
func (u *User) Options(ctx context.Context, blockID, query string) ([]Option, error) {
	view, ok := u.TopView()
	if !ok {
		return nil, errors.New("slacksim: no modal is open")
	}
	return u.options(ctx, container{viewID: view.ID}, blockID, query)
}

// MessageOptions is Options for a select in a message.
func (u *User) MessageOptions(ctx context.Context, channel, ts, blockID, query string) ([]Option, error) {
	return u.options(ctx, container{channel: channel, ts: ts}, blockID, query)
}

// Messages returns the messages of a channel that this person sees, the oldest first.
func (u *User) Messages(channel string) []Message {
	u.sim.mu.Lock()
	defer u.sim.mu.Unlock()
	c := u.sim.channels[channel]
	if c == nil || !c.hasMember(u.ID) {
		return nil
	}
	var seen []Message
	for _, m := range c.messages {
		if m.visibleTo(u.ID) {
			seen = append(seen, m.forUser(c.id))
		}
	}
	return seen
}

// WaitMessage waits for a message in a channel, and returns the newest that satisfies want.
func (u *User) WaitMessage(ctx context.Context, channel string, want func(Message) bool) (Message, error) {
	return wait(ctx, u.sim, func() (Message, bool) {
		for _, m := range slices.Backward(u.Messages(channel)) {
			if want(m) {
				return m, true
			}
		}
		return Message{}, false
	})
}

// Notice returns the last error that Slack itself showed to this person about the app, or "".
func (u *User) Notice() string {
	u.sim.mu.Lock()
	defer u.sim.mu.Unlock()
	if n := u.sim.users[u.ID].notice; n != nil {
		return n.Text
	}
	return ""
}
