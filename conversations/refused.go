package conversations

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Refusal is the reason for which Redis rejected a write.
type Refusal string

// The refusals. They contain nothing secret and appear in /readyz.
const (
	Full       Refusal = "full"        // maxmemory is reached and no key may be evicted
	ReadOnly   Refusal = "read_only"   // the node is a replica
	NotSaving  Refusal = "not_saving"  // its last save to disk failed
	NoReplicas Refusal = "no_replicas" // fewer replicas are connected than min-replicas-to-write asks for
)

// RefusedError is the cause of an [ErrUnavailable] in which Redis certainly wrote nothing.
type RefusedError struct {
	Refusal Refusal
	err     error
}

// Error returns the refusal and the reply of Redis.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("Redis refused to write (%s): %v", e.Refusal, e.err)
}

// Unwrap returns the reply of Redis.
func (e *RefusedError) Unwrap() error { return e.err }

// NotWritten returns true. Packages that do not import this one check for the method.
func (e *RefusedError) NotWritten() bool { return true }

// refusals maps the prefixes of error replies.
var refusals = map[string]Refusal{"OOM ": Full, "READONLY ": ReadOnly, "MISCONF ": NotSaving, "NOREPLICAS ": NoReplicas}

// refused returns err as a [RefusedError] if it is a refusal. Redis checks these conditions before the first write of a
// script and never between two writes, so that a rejected script wrote nothing.
func refused(err error) error {
	if answer := redis.Error(nil); errors.As(err, &answer) {
		for prefix, refusal := range refusals {
			if strings.HasPrefix(answer.Error(), prefix) {
				return &RefusedError{refusal, err}
			}
		}
	}
	return err
}
