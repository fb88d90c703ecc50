package tools

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
)

// ProcessChanged says that a call changed something of a process at the bank.
type ProcessChanged struct {
	Process uuid.UUID
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
	change := ProcessChanged{Process: tool.processOf(output), Actor: actor, Tool: tool.Name}
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
		r.Log.ErrorContext(ctx, "a change was not told to others", "tool", tool.Name, "process", change.Process, "error", pii.Scrub(err.Error()))
	}
}

// processOf gives the process that an output is about.
func (t *Tool) processOf(output Carder) uuid.UUID {
	process, _ := reflect.Indirect(reflect.ValueOf(output)).FieldByName("Process").Interface().(uuid.UUID)
	return process
}

// tellsProcess tells whether the tool's output names the process that it is about.
func (t *Tool) tellsProcess() bool {
	field, found := t.out.FieldByName("Process")
	return found && field.Type == reflect.TypeFor[uuid.UUID]()
}
