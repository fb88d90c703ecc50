package tools

import (
	"context"
	"fmt"
	"time"

	"github.com/balcao/balcao/internal/pii"
)

// Changed says that a call changed something at the bank.
type Changed struct {
	Subject Subject
	Actor   string // who made it
	Tool    string
}

// changedTimeout is how long an answer waits for [Config.Changed].
const changedTimeout = 2 * time.Second

// changed tells of a call whose outcome is known. Whoever listens keeps nobody waiting and takes nothing along.
func (r *Runner) changed(ctx context.Context, tool *Tool, actor string, output Carder) {
	if r.Changed == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), changedTimeout)
	defer cancel()
	change := Changed{Subject: output.(Subjecter).Subject(), Actor: actor, Tool: tool.Name}
	heard := make(chan error, 1)
	go func() {
		var err error
		defer func() {
			if caught := recover(); caught != nil {
				err = fmt.Errorf("a panic of type %T", caught)
			}
			heard <- err
		}()
		err = r.Changed(ctx, change)
	}()
	var err error
	select {
	case err = <-heard:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		r.Log.ErrorContext(ctx, "a change was not told to others", "tool", tool.Name, "process", change.Subject.Process, "error", pii.Scrub(err.Error()))
	}
}
