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
	guessesAtOnce = 10              // tokens that an address may try in a row
	guessEvery    = 6 * time.Second // after which it may show another
	trustedFor    = 10 * time.Minute
	maxAddresses  = 4096 // that are remembered; the ones not heard of for longest make room
)

// guesses slows down who tries tokens, address by address. An address that has shown too many wrong ones is not listened
// to for a while, unless the right one came from it lately: behind a proxy everybody has the same address, and whoever
// guesses there must not shut out the others. What a proxy says of addresses is not believed.
type guesses struct{ addresses *lru.Cache[string, *guesser] }

// guesser is an address.
type guesser struct {
	mu      sync.Mutex    // guards both
	budget  *rate.Limiter // of guesses
	trusted time.Time     // until then whatever comes from there is looked at
}

func newGuesses() *guesses {
	addresses, err := lru.New[string, *guesser](maxAddresses)
	if err != nil {
		panic(err) // only of a size that is none
	}
	return &guesses{addresses}
}

// take takes one guess from what an address may make. wait is how long it has none left, 0 while it has.
func (g *guesses) take(remote string) (wait time.Duration) {
	known := g.guesser(remote)
	known.mu.Lock()
	defer known.mu.Unlock()
	now := time.Now()
	if now.Before(known.trusted) || known.budget.AllowN(now, 1) {
		return 0
	}
	return time.Duration((1 - known.budget.TokensAt(now)) * float64(guessEvery))
}

// right takes note that the right token came from an address.
func (g *guesses) right(remote string) {
	known := g.guesser(remote)
	known.mu.Lock()
	defer known.mu.Unlock()
	known.trusted = time.Now().Add(trustedFor)
}

func (g *guesses) guesser(remote string) *guesser {
	address := addressOf(remote)
	if known, ok := g.addresses.Get(address); ok {
		return known
	}
	fresh := &guesser{budget: rate.NewLimiter(rate.Every(guessEvery), guessesAtOnce)}
	if known, ok, _ := g.addresses.PeekOrAdd(address, fresh); ok { // another was faster
		return known
	}
	return fresh
}

// addressOf is who counts as one: an address, or the network of an IPv6 address, of which each subscriber has many.
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
