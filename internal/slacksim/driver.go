package slacksim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// User acts as one person of the workspace. Its methods do what the person's Slack would do, and wait as it would wait.
type User struct {
	sim *Sim
	ID  string
}

// User gives the person with that id (Ana, Tom, Guest, Stranger). It panics for anybody else.
func (s *Sim) User(id string) *User {
	if s.users[id] == nil {
		panic("slacksim: nobody has the id " + id)
	}
	return &User{sim: s, ID: id}
}

// Failed is what a person sees when the app did not answer as it must.
type AppError struct {
	Code   string // Slack's: "operation_timeout", "dispatch_failed", "dispatch_unknown_command", "trouble_connecting"
	Reason string // for the developer: what was wrong with the answer
}

func (f *AppError) Error() string { return "slacksim: " + f.Code + ": " + f.Reason }

// View is a modal or a Home tab as a person sees it.
type View struct {
	ID              string            `json:"id"`
	Hash            string            `json:"hash"`
	Type            string            `json:"type"`
	CallbackID      string            `json:"callback_id"`
	ExternalID      string            `json:"external_id"`
	PrivateMetadata string            `json:"private_metadata"`
	Title           string            `json:"title"`
	Submit          string            `json:"submit"` // "" when there is no such button
	Close           string            `json:"close"`
	Blocks          []json.RawMessage `json:"blocks"`
	Values          State             `json:"values"` // what is typed or chosen now
}

// State is what was typed or chosen, by block_id and action_id, as Slack writes it in state.values.
type State map[string]map[string]map[string]any

// Text is everything there is to read in the view, one text a line.
func (v View) Text() string {
	var lines []string
	for _, b := range v.Blocks {
		lines = append(lines, blockTexts(b)...)
	}
	return strings.Join(append([]string{v.Title}, lines...), "\n")
}

// Has tells whether the view has a block with that id.
func (v View) Has(blockID string) bool { return v.Block(blockID) != nil }

// Block is the block with that id, or nil.
func (v View) Block(blockID string) json.RawMessage {
	i := slices.IndexFunc(v.Blocks, func(b json.RawMessage) bool { return str(decode(b)["block_id"]) == blockID })
	if i < 0 {
		return nil
	}
	return v.Blocks[i]
}

// ErrorMessage is a message as a person sees it.
type Message struct {
	Channel   string
	TS        string
	ThreadTS  string
	User      string // who wrote it; BotUserID for the app
	Text      string
	Blocks    json.RawMessage
	Ephemeral bool // only this person sees it
	Edited    bool
	Unfurls   bool // what it links to may be shown with it
	Files     []File
	Metadata  json.RawMessage
}

// FullText is everything there is to read in the message: its blocks if it has any, as Slack shows them, else its text.
func (m Message) FullText() string {
	if texts := blockTexts(m.Blocks); len(texts) > 0 {
		return strings.Join(texts, "\n")
	}
	return m.Text
}

// File is a file that was shared in a message. Its bytes: Sim.File.
type File struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Title    string `json:"title"`
	MimeType string `json:"mimetype"`
	Size     int    `json:"size"`
	URL      string `json:"url"` // for the page
}

// Option is one choice of a select.
type Option struct {
	Text        string
	Value       string
	Description string
	Group       string // the label of its group, or ""
}

// Values fills inputs: what a person types, or the text or value of what she chooses, by block_id. Several choices are
// separated by newlines; "" clears the input.
type Values map[string]string

// Submitted is what became of a submission.
type SubmitResult struct {
	Action string            // "close", "errors", "update", "push", "clear"; "incomplete" when Slack itself held it back
	Errors map[string]string // by block_id, for "errors" and "incomplete"
}

// Command types a slash command, as "/borrowers 1042", and returns when the app has acknowledged it.
func (u *User) Command(ctx context.Context, channel, line string) error {
	return u.sim.command(ctx, u.ID, channel, line)
}

// Say writes a message in a channel; the app hears of it if it subscribed to that.
func (u *User) Say(ctx context.Context, channel, text string) error {
	return u.sim.postAsUser(ctx, u.ID, channel, text)
}

// OpenHome opens the app's Home tab.
func (u *User) OpenHome(ctx context.Context) error { return u.sim.openHome(u.ID) }

// DM is the conversation between this person and the app.
func (u *User) DM() string {
	u.sim.mu.Lock()
	defer u.sim.mu.Unlock()
	return u.sim.dm(u.ID).id
}

// TopView is the modal in front, if there is one.
func (u *User) TopView() (View, bool) {
	u.sim.mu.Lock()
	defer u.sim.mu.Unlock()
	stack := u.sim.users[u.ID].stack
	if len(stack) == 0 {
		return View{}, false
	}
	return stack[len(stack)-1].forUser(), true
}

// WaitView waits until the modal in front satisfies want, and returns it.
func (u *User) WaitView(ctx context.Context, want func(View) bool) (View, error) {
	view, err := wait(ctx, u.sim, func() (View, bool) {
		view, ok := u.TopView()
		return view, ok && want(view)
	})
	if err != nil {
		top, _ := u.TopView()
		return top, fmt.Errorf("no such view; in front is %q: %w", top.Text(), err)
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

// Fill types into the modal in front without submitting it. The app hears at once of what is chosen in an input that
// dispatches its actions.
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

// Submit fills the modal in front and presses its submit button. What the app refuses is in the result; the error is for
// an app that did not answer (*Failed) and for values that cannot be typed.
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

// Click presses a button of the modal in front, or chooses value in a select with an action; named by its block_id,
// or its action_id. It returns when the app has acknowledged.
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

// ClickMessage presses a button of a message, or chooses value in one of its selects.
func (u *User) ClickMessage(ctx context.Context, channel, ts, blockOrActionID string, value ...string) error {
	return u.click(ctx, container{channel: channel, ts: ts}, blockOrActionID, value)
}

// Close presses the close button of the modal in front.
func (u *User) Close(ctx context.Context) error {
	view, ok := u.TopView()
	if !ok {
		return errors.New("slacksim: no modal is open")
	}
	return u.sim.closeView(ctx, u.ID, view.ID)
}

// Options asks the app for the choices of an external select of the modal in front, as typing query does.
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

// Messages lists what this person sees in a channel, the oldest first.
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

// Notice is the last line that Slack itself showed to this person about the app, or "".
func (u *User) Notice() string {
	u.sim.mu.Lock()
	defer u.sim.mu.Unlock()
	if n := u.sim.users[u.ID].notice; n != nil {
		return n.Text
	}
	return ""
}
