package slackapp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/tools"
)

// errCrowded says that as much is under way as we do at once.
var errCrowded = errors.New("too much is under way")

// trouble is an error as a person reads it: what happened, what to do now, and what finds the log line.
type trouble struct {
	What, Next string
	Lines      []string // problems by field, or the bank's own words
	ID         string
	Steps      []tools.Step
	Earlier    *tools.Earlier // whom the call waits for; What says it without a name
	Back       bool           // whether her form is still there to go back to
}

// troubleOf is the one place that decides what a person is told of an error. It logs what the runner has not.
func (a *App) troubleOf(v *visit, err error) trouble {
	lang := v.actor.Lang
	failure, ofTool := errors.AsType[*tools.Error](err)
	if !ofTool {
		id := rand.Text()[:12]
		level := slog.LevelError
		over, isOver := errors.AsType[overShareError](err)
		if isOver { // as often as she asks, and no fault
			level = slog.LevelInfo
		}
		a.log.Log(context.Background(), level, "a person could not be served", "id", id, "user", v.user, "error", logged(err))
		key := ownTrouble(err)
		return trouble{
			What: say(lang, "trouble."+key+".what", "number", int(over)), Next: say(lang, "trouble."+key+".next"), ID: id,
			Back: key != "gone",
		}
	}
	t := trouble{What: failure.What(lang), Next: failure.Next(lang), ID: failure.ID, Earlier: failure.Earlier}
	switch failure.Kind {
	case tools.Invalid, tools.Unconfirmed:
		t.Back = true
		for _, p := range failure.Problems {
			line := p.Text
			if tool, known := tools.Named(failure.Tool); known {
				if field, known := tool.Field(p.Path); known {
					line = field.Label(lang) + ": " + line
				}
			}
			t.Lines = append(t.Lines, line)
		}
	case tools.Refused:
		t.Back = true
		for _, note := range failure.Notes[:min(len(failure.Notes), maxNotes)] {
			t.Lines = append(t.Lines, say(lang, "trouble.bank", "words", note))
		}
	case tools.Closed:
		t.Steps = failure.Steps
	case tools.NotFound, tools.Busy, tools.Unavailable, tools.Cancelled, tools.Internal:
		t.Back = true
	case tools.Forbidden, tools.Exposed, tools.Unclear: // nothing to try again
	}
	return t
}

// ownTrouble names the trouble that is this door's own: the words under it say what to do.
func ownTrouble(err error) string {
	failed, ofSlack := errors.AsType[*slackError](err)
	_, overShare := errors.AsType[overShareError](err)
	switch {
	case overShare:
		return "many"
	case errors.Is(err, errCrowded):
		return "crowded"
	case storeFailed(err):
		return "store"
	case errors.Is(err, conversations.ErrGone):
		return "gone"
	case errors.Is(err, conversations.ErrConflict):
		return "elsewhere"
	case errors.Is(err, conversations.ErrLimit):
		return "limit"
	case ofSlack && strings.HasSuffix(failed.code, "_trigger_id"):
		return "late"
	case ofSlack:
		return "slack"
	}
	return "internal"
}

// storeFailed reports whether the store could not be reached or read.
func storeFailed(err error) bool {
	return errors.Is(err, conversations.ErrUnavailable) || errors.Is(err, conversations.ErrSealed)
}

// logged is an error's text without anything that may be somebody's.
func logged(err error) string { return pii.Scrub(fmt.Sprint(err)) }

func (t trouble) blocks(v *visit) []slack.Block {
	blocks := []slack.Block{paragraph(t.What)}
	if t.Earlier != nil {
		blocks = []slack.Block{earlierBlock(v.actor.Lang, *t.Earlier)}
	}
	if len(t.Lines) > 0 {
		blocks = append(blocks, paragraph("• "+strings.Join(t.Lines, "\n• ")))
	}
	blocks = append(blocks, paragraph(t.Next))
	blocks = append(blocks, stepBlocks(t.Steps)...)
	if t.Back && v.draft != "" {
		blocks = append(blocks, buttons(button(actContinue, v.draft, say(v.actor.Lang, "trouble.back"))))
	}
	if t.ID != "" && !strings.Contains(t.text(), t.ID) {
		blocks = append(blocks, small(say(v.actor.Lang, "trouble.id", "id", t.ID)))
	}
	return blocks
}

func (t trouble) text() string { return t.What + " " + t.Next }

// errorMessage is an error outside a modal, failureView in one.
func (a *App) errorMessage(v *visit, err error) message {
	t := a.troubleOf(v, err)
	return message{t.text(), t.blocks(v)}
}

func (a *App) failureView(v *visit, err error) slack.ModalViewRequest {
	lang := v.actor.Lang
	return modal(say(lang, "app"), say(lang, "close"), a.troubleOf(v, err).blocks(v)...)
}

// answerError tells a person that what went on behind her back failed: in the modal in front of her, else where she is.
func (a *App) answerError(ctx context.Context, v *visit, err error) {
	if v.view != "" {
		v.hash = "" // whatever the modal shows by now, it is not what was asked for
		shown := a.show(ctx, v, a.failureView(v, err))
		if shown == nil {
			return
		}
		a.log.InfoContext(ctx, "an error is told outside its modal", "because", shown)
	}
	if lost := a.tell(ctx, v, a.errorMessage(v, err)); lost != nil {
		a.log.ErrorContext(ctx, "a person could not be told of an error", "user", v.user, "error", lost)
	}
}

// ackText acknowledges a command with an error.
func (a *App) ackText(v *visit, err error) any { return ephemeral(a.errorMessage(v, err)) }

// ackView acknowledges a submission with an error.
func (a *App) ackView(v *visit, err error) any {
	view := a.failureView(v, err)
	return slack.NewUpdateViewSubmissionResponse(&view)
}

// tellLater acknowledges a press with nothing, since Slack shows nothing, and tells of the error afterwards.
func (a *App) tellLater(v *visit, err error) any {
	why := func(context.Context, *visit) error { return err }
	if lost := a.workAs("told "+v.user, *v, why); lost != nil { // not of her share, which may be what is used up
		a.log.Warn("a press is not answered", "error", logged(err))
	}
	return nil
}

// tellElsewhere is [App.tellLater] for a press that could not even be looked at: what is typed around it stays there.
func (a *App) tellElsewhere(v *visit, err error) any {
	outside := *v
	outside.view = ""
	return a.tellLater(&outside, err)
}
