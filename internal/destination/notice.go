package destination

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/words"
)

// Notice is a message to a destination, in its language. It holds no personal data of clients.
type Notice struct {
	ID         string    // unique; a message that was posted is found by it
	Process    uuid.UUID // what it is about, or else Simulation; uuid.Nil for neither
	Simulation uuid.UUID
	Lang       words.Lang
	Title      string
	Text       string      // a sentence, for notifications and screen readers too
	Facts      [][2]string // labels and values
	Lines      []string
	Mention    string // the actor to mention, "" for nobody
	Owner      string // the actor who is one of the facts, to be shown by name and not mentioned; "" for nobody
	About      string // the destination that is one of the facts, to be shown by name; "" for none
	Undo       string // the change of the destination's settings that a button undoes; "" for none
	Card       bool   // the live card of the process or simulation: it has the buttons of it
	Ends       string // how it has ended, as a profile says it; "" if it has not: it decides which buttons are of use
}

// Poster posts notices. A failure may implement any of these, which say what to do about it:
//
//	RetryAfter() time.Duration  the destination accepts nothing for so long
//	Unreachable() string        nothing can be posted there until somebody acts: a stable code, such as not_in_channel
//	Gone() bool                 the message to edit or to answer no longer exists
//	NotSent() bool              it is certain that nothing was posted
//
// The first three imply that nothing was posted. After any other failure the notice is looked for before it is posted
// again.
type Poster interface {
	// Post returns the id under which the message can be edited and answered. thread is such an id, or "".
	Post(ctx context.Context, destination, thread string, notice Notice) (id string, err error)
	Edit(ctx context.Context, destination, id string, notice Notice) error
	// Find looks for a notice that may have been posted.
	Find(ctx context.Context, destination, thread, noticeID string) (id string, found bool, err error)
}

// NopPoster posts nothing, for a program without destinations.
type NopPoster struct{}

var errNop = errors.New("this program posts nothing")

// Post implements [Poster].
func (NopPoster) Post(context.Context, string, string, Notice) (string, error) { return "", errNop }

// Edit implements [Poster].
func (NopPoster) Edit(context.Context, string, string, Notice) error { return errNop }

// Find implements [Poster].
func (NopPoster) Find(context.Context, string, string, string) (string, bool, error) {
	return "", false, nil
}
