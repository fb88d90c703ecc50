package mcpapp

import (
	"net"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

const (
	attemptBurst    = 10              // tokens that an address may try in a row
	attemptInterval = 6 * time.Second // after which it may try one more
	trustPeriod     = 10 * time.Minute
	maxAddresses    = 4096 // the least recently used are evicted
)

// attemptLimiter limits failed attempts with bearer tokens, by address. An address without attempts left is refused, unless the
// right token came from it within trustPeriod: behind a proxy all callers have the same address, and one who guesses
// must not shut out the others. Forwarding headers are ignored.
type attemptLimiter struct {
	byAddress *lru.Cache[string, *addressAttempts]
}

// addressAttempts is the state of one address.
type addressAttempts struct {
	mu           sync.Mutex // guards the fields below
	budget       *rate.Limiter
	trustedUntil time.Time
}

func newAttemptLimiter() *attemptLimiter {
	byAddress, err := lru.New[string, *addressAttempts](maxAddresses)
	if err != nil {
		panic(err) // only if maxAddresses is not positive
	}
	return &attemptLimiter{byAddress}
}

// wait returns how long an address has to wait for its next attempt, 0 if not at all.
func (l *attemptLimiter) wait(remote string) time.Duration {
	state := l.stateOf(remote)
	state.mu.Lock()
	defer state.mu.Unlock()
	now := time.Now()
	if left := state.budget.TokensAt(now); left < 1 && !now.Before(state.trustedUntil) {
		return time.Duration((1 - left) * float64(attemptInterval))
	}
	return 0
}

// count counts a failed attempt from an address.
func (l *attemptLimiter) count(remote string) {
	state := l.stateOf(remote)
	state.mu.Lock()
	defer state.mu.Unlock()
	state.budget.AllowN(time.Now(), 1)
}

// trust records that the right token came from an address.
func (l *attemptLimiter) trust(remote string) {
	state := l.stateOf(remote)
	state.mu.Lock()
	defer state.mu.Unlock()
	state.trustedUntil = time.Now().Add(trustPeriod)
}

func (l *attemptLimiter) stateOf(remote string) *addressAttempts {
	address := addressOf(remote)
	if state, ok := l.byAddress.Get(address); ok {
		return state
	}
	added := &addressAttempts{budget: rate.NewLimiter(rate.Every(attemptInterval), attemptBurst)}
	if state, ok, _ := l.byAddress.PeekOrAdd(address, added); ok { // another request added it first
		return state
	}
	return added
}

// addressOf returns the IP address of remote, or the /64 network of an IPv6 address, since a subscriber has a whole one.
func addressOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return host
	case ip.Unmap().Is4():
		return ip.Unmap().String()
	}
	network, _ := ip.WithZone("").Prefix(64)
	return network.String()
}
