package tools

import (
	"context"
	"strconv"

	"github.com/balcao/balcao/internal/pii"
)

// BranchID is the bank's id of a branch. The bank has no list of them: those of the broker's processes are offered.
type BranchID int32

// Class returns [pii.Open].
func (BranchID) Class() pii.Class { return pii.Open }

// branchChoices are the branches of the broker's processes.
type branchChoices struct{}

// List implements [Choices].
func (branchChoices) List(ctx context.Context, call *Call, _ Field, query string, _ map[string]string) ([]Option, error) {
	branches, err := call.FindBranches(ctx, query)
	if err != nil {
		return nil, err
	}
	var options []Option
	for _, branch := range branches {
		options = append(options, itemOption(branch))
	}
	return options, nil
}

// Find implements [Choices].
func (b branchChoices) Find(ctx context.Context, call *Call, field Field, value string, answers map[string]string) (Option, bool) {
	id, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return Option{}, false
	}
	options, err := b.List(ctx, call, field, "", answers)
	for _, option := range options {
		if err == nil && option.Value == strconv.FormatInt(id, 10) {
			return option, true
		}
	}
	return Option{}, false
}
