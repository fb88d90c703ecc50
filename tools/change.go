package tools

import (
	"context"
	"fmt"
	"time"

	"github.com/balcao/balcao/internal/pii"
)

// Changed is a call that changed something at the bank.
type Changed struct {
	Subject Subject
	Actor   string // who made it
	Tool    string
}

// changedTimeout is how long a call waits for [Config.Changed].
const changedTimeout = 2 * time.Second

// changed calls [Config.Changed]. It waits for changedTimeout at most, and logs an error or a panic.
func (r *Runner) changed(ctx context.Context, tool *Tool, actor string, output Carder) {
	if r.Changed == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), changedTimeout)
	defer cancel()
	change := Changed{Subject: output.(Subjecter).Subject(), Actor: actor, Tool: tool.Name}
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() {
			if caught := recover(); caught != nil {
				err = fmt.Errorf("a panic of type %T", caught)
			}
			done <- err
		}()
		err = r.Changed(ctx, change)
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		r.Log.ErrorContext(ctx, "reporting a change failed", "tool", tool.Name, "process", change.Subject.Process, "simulation", change.Subject.Simulation, "error", pii.Scrub(err.Error()))
	}
}
