package conversations

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// CheckpointEvery is how often every replica calls [Store.Checkpoint].
const CheckpointEvery = time.Minute

// A checkpoint is an entry of one chain that names the last entries of all others. Like every entry it has a keyed hash and
// is continued by the next one. So an entry that a checkpoint names, and all before it in its chain, can only be removed
// together with the end of the chain of the checkpoint.
const checkpointMark = "checkpoint"

// reference names an entry of another chain. Its hash stands for the whole chain up to it.
type reference struct {
	Chain int    `json:"chain"`
	Month Month  `json:"month"`
	Entry string `json:"entry"` // its id in the stream
	Hash  string `json:"hash"`
}

// lastCheckpoint is what this replica named last.
type lastCheckpoint struct {
	sync.Mutex
	named [maxChains]chainState
}

// chainState is what a checkpoint needs of a chain: its head, and the number of its entries that are no checkpoints.
type chainState struct {
	auditHead
	entries string // "" if a version without checkpoints began the chain
}

// Checkpoint appends an entry that names the last entries of the other chains, if they have entries that this replica has
// not named yet. Checkpoints alone are no reason for another one.
func (s *Store) Checkpoint(ctx context.Context) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	states, err := s.readStates(ctx)
	if err != nil {
		return err
	}
	s.checkpoint.Lock()
	defer s.checkpoint.Unlock()
	own, taken := s.own.current()
	if !s.isNews(states, own, taken) {
		return nil
	}
	if own, err = s.takeChain(ctx); err != nil {
		return err
	}
	references, err := s.readReferences(ctx, states, own)
	if err != nil {
		return err
	}
	if len(references) > 0 {
		data, err := json.Marshal(references)
		if err != nil {
			return fmt.Errorf("encoding a checkpoint: %w", err)
		}
		if err := s.writeToChain(ctx, own, []newEntry{{AuditEntry: AuditEntry{Entry: data, checkpoint: true}}}); err != nil {
			return err
		}
	}
	s.checkpoint.named = states
	return nil
}

// isNews reports whether a chain other than own has entries that were not named.
func (s *Store) isNews(states [maxChains]chainState, own int, taken bool) bool {
	for chain, state := range states {
		named := s.checkpoint.named[chain]
		if (!taken || chain != own) && state.hash != named.hash && (state.entries == "" || state.entries != cmp.Or(named.entries, "0")) {
			return true
		}
	}
	return false
}

// readStates reads the heads of all chains.
func (s *Store) readStates(ctx context.Context) (states [maxChains]chainState, err error) {
	var found [maxChains]*redis.SliceCmd
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for chain := range found {
			found[chain] = p.HMGet(ctx, auditHeadKey(chain), "month", "hash", "entries")
		}
		return nil
	})
	if err != nil {
		return states, failed("reading the audit log", err)
	}
	for chain := range found {
		fields := stringsOf(found[chain].Val())
		states[chain] = chainState{auditHead{Month(fields[0]), fields[1]}, fields[2]}
	}
	return states, nil
}

// readReferences returns references to the last entry of each chain but own.
func (s *Store) readReferences(ctx context.Context, states [maxChains]chainState, own int) (references []reference, err error) {
	var found [maxChains]*redis.XMessageSliceCmd
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for chain, state := range states {
			if chain != own && state.hash != "" {
				found[chain] = p.XRevRangeN(ctx, auditStream(chain, state.month), "+", "-", 1)
			}
		}
		return nil
	})
	if err != nil {
		return nil, failed("reading the audit log", err)
	}
	for chain, last := range found {
		if last == nil || len(last.Val()) == 0 {
			continue
		}
		entry := entryOf(chain, states[chain].month, last.Val()[0])
		references = append(references, reference{chain, entry.month, entry.stream, entry.Hash})
	}
	return references, nil
}
