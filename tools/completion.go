package tools

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// MaxCompletions is the most values that a completion has, which is what the protocol of assistants allows.
const MaxCompletions = 100

const (
	completionTimeout = 3 * time.Second // of one completion: somebody is typing
	maxCompleted      = 100             // characters of what is completed
	maxCandidates     = 400             // processes of which a completion looks at the rights
	maxCompletedReads = 8               // processes that one completion reads at the bank
)

// Completion has the values that begin as a text does.
type Completion struct {
	Values []string // at most [MaxCompletions], the best first
	Total  int      // as far as it is known
	More   bool     // there are, or may be, others
}

// Completer is implemented by [Choices] that can complete a text at each key stroke, without a call of the bank for each.
type Completer interface {
	Complete(ctx context.Context, call *Call, text string) (Completion, error)
}

// Complete returns the values of a field that a text may become; none for a field whose choices cannot be completed. The actor
// needs the rights that a call of the field's tool needs. Errors are [*Error].
func (r *Runner) Complete(ctx context.Context, actor Actor, field Field, text string) (Completion, error) {
	completer, ok := field.Kind.Choices.(Completer)
	if !ok || utf8.RuneCountInString(text) > maxCompleted {
		return Completion{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, completionTimeout)
	defer cancel()
	call, err := r.enter(ctx, actor, field.tool)
	if err == nil && field.Kind.Audit >= AuditLists {
		err = r.recordLookup(ctx, actor, field, nil)
	}
	var found Completion
	if err == nil {
		found, err = completer.Complete(ctx, call, strings.TrimSpace(text))
	}
	if err != nil {
		failure := convert(err)
		failure.Tool = field.tool
		failure.explain(actor, field.tool)
		return Completion{}, failure
	}
	if len(found.Values) > MaxCompletions {
		found.Values, found.More = found.Values[:MaxCompletions], true
	}
	return found, nil
}

// Complete implements [Completer] with the keys of the lists.
func (taxonomyChoices) Complete(_ context.Context, _ *Call, text string) (found Completion, err error) {
	for _, list := range FindLists(text) {
		found.Values = append(found.Values, string(list))
	}
	found.Total = len(found.Values)
	return found, nil
}

// Complete implements [Completer] with the numbers of processes, the newest first: those that begin with the digits of a text,
// or of which a borrower's name or the branch has its words.
func (processChoices) Complete(ctx context.Context, call *Call, text string) (found Completion, err error) {
	if err := call.index.sync(ctx); err != nil {
		return found, StoreError(err)
	}
	whole, err := call.learnRights(ctx)
	if err != nil {
		return found, err
	}
	candidates := call.index.beginning(text)
	slices.SortFunc(candidates, func(a, b indexedProcess) int { return newest(a.summary(), b.summary()) })
	if len(candidates) > maxCandidates {
		candidates, found.More = candidates[:maxCandidates], true
	}
	visible, unsure, err := call.visibleAmong(ctx, candidates, whole)
	if err != nil {
		return found, err
	}
	found.More = found.More || unsure
	for _, process := range candidates {
		if visible[process.ID] {
			found.Values = append(found.Values, FormatNumber(process.Number))
		}
	}
	found.Total = len(found.Values)
	return found, nil
}

// beginning returns the entries whose number begins with a text of digits, or that match another text; see
// [BrokerIndex.match]. An empty text is the beginning of all.
func (b *BrokerIndex) beginning(text string) (found []indexedProcess) {
	if text != "" && !isNumber(text) {
		return b.match(text)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire()
	for _, row := range b.rows {
		if strings.HasPrefix(FormatNumber(row.Number), text) {
			found = append(found, row)
		}
	}
	return found
}

// listRead stands for the bank's list in the rights of a person: it is granted if the list was read to its end.
var listRead = Subject{}

// learnRights reads the first pages of the bank's list as the person, unless it did so a short time ago. It reports whether that
// was the whole list, so that what is not known of it is hidden.
func (c *Call) learnRights(ctx context.Context) (whole bool, err error) {
	if whole, known := c.runner.rights.find(c.login, listRead, c.Now()); known {
		return whole, nil
	}
	// Whatever comes of it, the next key strokes do not read the list. They cancel this one's request, but not the reading.
	c.runner.rights.store(c.login, listRead, false, c.Now())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completionTimeout)
	defer cancel()
	after := ""
	for range rightsPages {
		_, next, err := c.processesAfter(ctx, after)
		if err != nil {
			return false, err
		}
		if after = next; next == "" {
			c.runner.rights.store(c.login, listRead, true, c.Now())
			return true, nil
		}
	}
	return false, nil
}

// visibleAmong returns which of the processes the bank shows to the person, as far as that is known. A few others are read. It
// reports whether it is not known of some.
func (c *Call) visibleAmong(ctx context.Context, processes []indexedProcess, whole bool) (visible map[uuid.UUID]bool, unsure bool, err error) {
	visible = map[uuid.UUID]bool{}
	var unknown []indexedProcess
	for _, process := range processes {
		granted, known := c.runner.rights.find(c.login, Subject{Process: process.ID}, c.Now())
		if visible[process.ID] = granted && known; !known && !whole {
			unknown = append(unknown, process)
		}
	}
	if len(unknown) == 0 || len(unknown) > maxCompletedReads {
		return visible, len(unknown) > 0, nil
	}
	shown, err := c.verify(ctx, unknown)
	if errors.Is(err, context.DeadlineExceeded) {
		return visible, true, nil
	}
	for _, process := range shown {
		visible[process.ProcessUniqueID] = true
	}
	for _, process := range unknown {
		if err == nil && !visible[process.ID] {
			c.runner.rights.store(c.login, Subject{Process: process.ID}, false, c.Now())
		}
	}
	return visible, false, err
}
