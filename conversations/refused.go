package conversations

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Refusal says why Redis answered a write without making it.
type Refusal string

// The refusals. Each may be told to whoever watches the program.
const (
	Full       Refusal = "full"        // maxmemory is reached and nothing may be evicted
	ReadOnly   Refusal = "read_only"   // this Redis is a replica
	NotSaving  Refusal = "not_saving"  // its last save to disk failed
	NoReplicas Refusal = "no_replicas" // fewer replicas are connected than min-replicas-to-write asks for
)

// RefusedError is the cause of an [ErrUnavailable] of which it is certain that Redis wrote nothing.
type RefusedError struct {
	Refusal Refusal
	err     error
}

// Error names the refusal and repeats what Redis said.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("Redis refused to write (%s): %v", e.Refusal, e.err)
}

// Unwrap gives what Redis said.
func (e *RefusedError) Unwrap() error { return e.err }

// NotWritten tells packages that do not know this one that nothing was written.
func (e *RefusedError) NotWritten() bool { return true }

// refusals are how Redis's answers begin.
var refusals = map[string]Refusal{"OOM ": Full, "READONLY ": ReadOnly, "MISCONF ": NotSaving, "NOREPLICAS ": NoReplicas}

// refused recognises a refusal. Redis checks these conditions before the first write of a script, and never between two
// of its writes, so that a refused script wrote nothing.
func refused(err error) error {
	if answer := redis.Error(nil); errors.As(err, &answer) {
		for beginning, refusal := range refusals {
			if strings.HasPrefix(answer.Error(), beginning) {
				return &RefusedError{refusal, err}
			}
		}
	}
	return err
}
