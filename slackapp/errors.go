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

// errOverloaded is returned when no more work is accepted.
var errOverloaded = errors.New("overloaded")

// problemText is an error as a person reads it: what happened, what to do now, and the id of the log line.
type problemText struct {
	What, Next string
	Lines      []string // problems by field, or the bank's messages
	ID         string
	Steps      []tools.Step
	Earlier    *tools.Earlier // who made the same call before; What has no name
	Back       bool           // whether her form still exists
	Later      bool           // whether she can only wait until somebody corrects the settings
}

// describe decides what a person reads about an error. It logs errors that the runner has not logged.
func (a *App) describe(req *request, err error) problemText {
	lang := req.actor.Lang
	failure, ofTool := errors.AsType[*tools.Error](err)
	if !ofTool {
		id := rand.Text()[:12]
		level := slog.LevelError
		over, limited := errors.AsType[personLimitError](err)
		if limited { // no fault of ours
			level = slog.LevelInfo
		}
		a.log.Log(context.Background(), level, "request failed", "id", id, "user", req.user, "error", logged(err))
		key := errorKey(err)
		return problemText{
			What: say(lang, "trouble."+key+".what", "number", int(over)), Next: say(lang, "trouble."+key+".next"), ID: id,
			Back: key != "gone",
		}
	}
	t := problemText{What: failure.What(lang), Next: failure.Next(lang), ID: failure.ID, Earlier: failure.Earlier}
	switch failure.Kind {
	case tools.Invalid, tools.Unconfirmed:
		t.Back = true
		for _, p := range failure.Problems {
			line := p.Text
			if tool := failure.Tool; tool != nil {
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
	case tools.LoginRefused, tools.Misconfigured:
		t.Back, t.Later = true, true
	case tools.Forbidden, tools.Exposed, tools.Unclear: // not to be tried again
	}
	return t
}

// errorKey returns the key of the texts for an error of this package.
func errorKey(err error) string {
	failed, ofSlack := errors.AsType[*slackError](err)
	_, overShare := errors.AsType[personLimitError](err)
	switch {
	case overShare:
		return "many"
	case errors.Is(err, errOverloaded):
		return "overloaded"
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

// logged is an error's text without personal data.
func logged(err error) string { return pii.Scrub(fmt.Sprint(err)) }

func (t problemText) blocks(req *request) []slack.Block {
	blocks := []slack.Block{paragraph(t.What)}
	if t.Earlier != nil {
		blocks = []slack.Block{earlierBlock(req.actor.Lang, *t.Earlier)}
	}
	if len(t.Lines) > 0 {
		blocks = append(blocks, paragraph("• "+strings.Join(t.Lines, "\n• ")))
	}
	blocks = append(blocks, paragraph(t.Next))
	if t.Later && req.draft != "" {
		blocks = append(blocks, paragraph(say(req.actor.Lang, "trouble.kept")))
	}
	blocks = append(blocks, stepBlocks(t.Steps)...)
	if t.Back && req.draft != "" {
		blocks = append(blocks, buttons(button(actContinue, req.draft, say(req.actor.Lang, "trouble.back"))))
	}
	if t.ID != "" && !strings.Contains(t.text(), t.ID) {
		blocks = append(blocks, contextLine(say(req.actor.Lang, "trouble.id", "id", t.ID)))
	}
	return blocks
}

func (t problemText) text() string { return t.What + " " + t.Next }

// errorMessage shows an error in a message.
func (a *App) errorMessage(req *request, err error) message {
	t := a.describe(req, err)
	return message{t.text(), t.blocks(req)}
}

// errorView shows an error in a modal.
func (a *App) errorView(req *request, err error) slack.ModalViewRequest {
	lang := req.actor.Lang
	return modal(say(lang, "app"), say(lang, "close"), a.describe(req, err).blocks(req)...)
}

// showError shows the error of background work: in the person's modal, else where she is.
func (a *App) showError(ctx context.Context, req *request, err error) {
	if req.view != "" {
		req.hash = "" // replaces newer content too
		shown := a.show(ctx, req, a.errorView(req, err))
		if shown == nil {
			return
		}
		a.log.InfoContext(ctx, "showing an error outside its modal", "cause", shown)
	}
	if lost := a.reply(ctx, req, a.errorMessage(req, err)); lost != nil {
		a.log.ErrorContext(ctx, "showing an error failed", "user", req.user, "error", lost)
	}
}

// ackText acknowledges a command with an error.
func (a *App) ackText(req *request, err error) any { return ephemeral(a.errorMessage(req, err)) }

// ackView acknowledges a submission with an error.
func (a *App) ackView(req *request, err error) any {
	view := a.errorView(req, err)
	return slack.NewUpdateViewSubmissionResponse(&view)
}

// replyAfterAck acknowledges a button with nothing, and sends the error afterwards.
func (a *App) replyAfterAck(req *request, err error) any {
	why := func(context.Context, *request) error { return err }
	if lost := a.inBackgroundAs("reply "+req.user, *req, why); lost != nil { // under another name in the queue, since hers may be full
		a.log.Warn("answering a button failed", "error", logged(err))
	}
	return nil
}

// replyOutsideModal is [App.replyAfterAck] for a button that could not be handled. The modal around it keeps the typed
// values.
func (a *App) replyOutsideModal(req *request, err error) any {
	outside := *req
	outside.view = ""
	return a.replyAfterAck(&outside, err)
}
