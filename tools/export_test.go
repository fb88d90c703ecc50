package tools

import (
	"context"
	"encoding/json"
	"reflect"

	"github.com/balcao/balcao/internal/words"
)

// What the tests of this package may use beside what is exported.

func (t *Tool) Decode(args json.RawMessage, lang words.Lang) (any, []Problem) {
	return t.decode(args, lang)
}

func (t *Tool) Normalised(in any) any { return t.normalised(in) }

// Verifiable reports whether the tool's effect can be seen at the bank.
func (t *Tool) Verifiable() bool {
	_, is := reflect.Zero(t.in).Interface().(Verifier)
	return is
}

// Understand returns the arguments of a call as they are understood.
func (r *Runner) Understand(ctx context.Context, request Request) (json.RawMessage, []Problem) {
	call, err := r.enter(ctx, request.Actor, request.Tool)
	if err != nil {
		panic(err)
	}
	return r.understand(ctx, call, request)
}

func (k *Kind) Incomplete() string { return k.incomplete() }
