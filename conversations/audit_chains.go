package conversations

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The audit log has a fixed number of chains. A replica takes one with a lease, so that replicas do not wait for each other,
// and a restarted one continues a chain that was left instead of beginning another. The lease only avoids competition: every
// append checks the head of its chain. With more replicas than chains some share one.
const (
	maxChains    = 16
	chainLease   = time.Minute
	releaseLimit = time.Second // for ending the lease at the end
)

// auditPrefix returns how the names of the Redis keys of a chain begin. The keys of a chain share a slot, because it
// continues from month to month. Chain 0 is that of versions that had a single one.
func auditPrefix(chain int) string {
	if chain == 0 {
		return "audit:{audit}:"
	}
	return fmt.Sprintf("audit:{audit%d}:", chain)
}

// auditHeadKey is a hash: month and hash of the last entry, and entries, the number of entries that are no checkpoints.
func auditHeadKey(chain int) string { return auditPrefix(chain) + "head" }

// auditStream is the stream of the entries of a month.
func auditStream(chain int, month Month) string { return auditPrefix(chain) + string(month) }

// entryID returns the id of an entry with this id in the stream of a chain.
func entryID(chain int, stream string) string {
	if chain == 0 {
		return stream
	}
	return stream + "-" + strconv.Itoa(chain)
}

var entryIDs = regexp.MustCompile(`^(\d{1,18}-\d{1,18})(?:-([1-9]\d?))?$`)

// parseEntryID returns the chain of an entry and its id in the stream, and false for what is no id.
func parseEntryID(id string) (chain int, stream string, ok bool) {
	parts := entryIDs.FindStringSubmatch(id)
	if parts == nil {
		return 0, "", false
	}
	chain, _ = strconv.Atoi(cmp.Or(parts[2], "0")) // digits
	return chain, parts[1], chain < maxChains
}

// compareStreamIDs compares two ids that Redis assigned: by time, then by counter.
func compareStreamIDs(a, b string) int {
	aTime, aCounter, _ := strings.Cut(a, "-")
	bTime, bCounter, _ := strings.Cut(b, "-")
	return cmp.Or(compareDigits(aTime, bTime), compareDigits(aCounter, bCounter))
}

// compareDigits compares two numbers without leading zeros.
func compareDigits(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// ownChain is the chain that this replica appends to.
type ownChain struct {
	mu      sync.Mutex
	number  int
	taken   bool
	token   int64 // of the lease; 0 if the chain is shared because all have a replica
	claimer string
	renewed time.Time
}

// takeChain returns the chain that this replica appends to. It takes the first free one, and extends its lease.
func (s *Store) takeChain(ctx context.Context) (int, error) {
	own := &s.own
	own.mu.Lock()
	defer own.mu.Unlock()
	now := time.Now()
	if own.taken && now.Sub(own.renewed) < chainLease/3 {
		return own.number, nil
	}
	if own.token != 0 {
		// If Redis does not answer, appending fails too and says so.
		if held, err := s.hold(ctx, chainSubject(own.number), own.claimer, own.token, chainLease); err != nil || held {
			if err == nil {
				own.renewed = now
			}
			return own.number, nil
		}
	}
	claimer := rand.Text()
	for chain := range maxChains {
		token, _, _, err := s.acquire(ctx, chainSubject(chain), "", claimer, chainLease)
		if err != nil {
			return 0, err
		}
		if token != 0 {
			own.number, own.taken, own.token, own.claimer, own.renewed = chain, true, token, claimer, now
			return chain, nil
		}
	}
	if !own.taken {
		own.number = mathrand.IntN(maxChains)
	}
	own.taken, own.token, own.renewed = true, 0, now
	return own.number, nil
}

// current returns the chain that was taken last, and false if there is none.
func (o *ownChain) current() (chain int, taken bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.number, o.taken
}

// leaveChain ends the lease, so that the next start continues the chain at once. A lease that is not ended expires.
func (s *Store) leaveChain() {
	s.own.mu.Lock()
	defer s.own.mu.Unlock()
	if s.own.token == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(releaseLimit, s.lives.Call))
	defer cancel()
	_ = s.release(ctx, chainSubject(s.own.number), s.own.claimer, s.own.token)
	s.own.token, s.own.taken = 0, false
}

func chainSubject(chain int) string { return "audit chain " + strconv.Itoa(chain) }
