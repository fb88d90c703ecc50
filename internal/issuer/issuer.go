// Package issuer checks the access tokens of an OAuth 2.1 authorization server, the issuer, against the keys that it publishes:
// RFC 9068 for the tokens, RFC 8414 or OpenID Connect Discovery for where the keys are. No other package imports the JOSE library.
//
// The library checks signatures and claims. What it leaves to its users is here: keys are kept for a limited time, a key that
// is not known is asked for at a limited rate, and an issuer that does not answer is told apart from a token that is wrong.
package issuer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

const (
	// Skew is by how much the clocks of the issuer and of this machine may differ.
	Skew = time.Minute

	maxToken    = 16 << 10 // bytes; some issuers put many groups into a token
	maxVerified = 1024     // tokens whose signature is not checked again
)

// Config configures a [Verifier].
type Config struct {
	URL      string // of the issuer, exactly as in its metadata and its tokens
	Audience string // that a token must be for
	Log      *slog.Logger
	Now      func() time.Time // time.Now by default
}

// Account is the account for which the issuer gave a token. It prints nothing of the account.
type Account struct {
	Subject string // stable and unique at the issuer
	Email   string // in lower case; "" unless the issuer says that it is verified
	Locale  string // such as pt-PT; "" if unknown
	Scopes  []string
}

// Has reports whether the token has a scope.
func (a Account) Has(scope string) bool { return slices.Contains(a.Scopes, scope) }

// Format implements [fmt.Formatter].
func (a Account) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "account(hidden)") }

// LogValue implements [slog.LogValuer].
func (a Account) LogValue() slog.Value { return slog.StringValue("account(hidden)") }

// InvalidError says that a token is not accepted. Reason names why, without anything of the token.
type InvalidError struct{ Reason string }

// The reasons of an [InvalidError].
const (
	Malformed    = "malformed"       // not a signed JWT, or too long
	Algorithm    = "wrong_algorithm" // of a signature that anybody can make, or that is not known
	UnknownKey   = "unknown_key"     // the issuer does not publish the key, for this algorithm
	Signature    = "wrong_signature" // not made with the key
	WrongIssuer  = "wrong_issuer"    // of another issuer
	Audience     = "wrong_audience"  // for another server
	Expired      = "expired"         // or without an end
	NotYetValid  = "not_yet_valid"   // or issued in the future
	WrongType    = "wrong_type"      // not an access token
	Bound        = "bound"           // for a sender who proves to have a key, which is not checked here
	WithoutOwner = "no_subject"
)

func (e *InvalidError) Error() string { return "the token is not accepted: " + e.Reason }

// Signed reports whether the issuer has signed the token nevertheless, such as one that has expired: nobody can guess one.
func (e *InvalidError) Signed() bool {
	return slices.Contains([]string{WrongIssuer, Audience, Expired, NotYetValid, Bound, WithoutOwner}, e.Reason)
}

func invalid(reason string) error { return &InvalidError{reason} }

// UnavailableError says that the keys of the issuer cannot be read, so that nothing is known of a token.
type UnavailableError struct {
	RetryAfter time.Duration // after which the issuer is asked again
	err        error
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("the keys of the issuer cannot be read: %v", e.err)
}

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.err }

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	config Config
	client *http.Client

	mu        sync.Mutex // guards the fields below
	keys      *keySet    // nil until the first are read
	nextFetch time.Time  // before it, the issuer is not asked
	fetchErr  error      // of the last time that it was asked

	fetching  singleflight.Group
	ctx       context.Context // of requests to the issuer
	stop      context.CancelFunc
	unchanged *lru.Cache[[sha256.Size]byte, verified]
}

// verified are the claims of a token whose signature was found right.
type verified struct {
	claims claims
	keys   *keySet // with which it was checked
}

// New returns a Verifier. The issuer is asked for its keys when the first token is checked. End it with Close.
func New(config Config) *Verifier {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	unchanged, err := lru.New[[sha256.Size]byte, verified](maxVerified)
	if err != nil {
		panic(err) // only if maxVerified is not positive
	}
	v := &Verifier{config: config, client: newClient(), unchanged: unchanged}
	v.ctx, v.stop = context.WithCancel(context.Background())
	return v
}

// URL returns the address of the issuer.
func (v *Verifier) URL() string { return v.config.URL }

// Close ends requests to the issuer that are under way.
func (v *Verifier) Close() error {
	v.stop()
	<-v.fetching.DoChan("", func() (any, error) { return nil, nil }) // waits for one that is under way
	v.client.CloseIdleConnections()
	return nil
}

// Verify returns the account of a token. It fails with an [*InvalidError], an [*UnavailableError], or the error of ctx.
func (v *Verifier) Verify(ctx context.Context, token string) (Account, error) {
	if len(token) > maxToken {
		return Account{}, invalid(Malformed)
	}
	digest, now := sha256.Sum256([]byte(token)), v.config.Now()
	if seen, ok := v.unchanged.Get(digest); ok && seen.keys == v.usableKeys(now) {
		v.refreshIfOld(seen.keys, now)
		if err := seen.claims.check(v.config, now); err != nil {
			return Account{}, err
		}
		return seen.claims.account(), nil
	}
	parsed, header, err := parse(token)
	if err != nil {
		return Account{}, err
	}
	keys, candidates, err := v.keysFor(ctx, header)
	if err != nil {
		return Account{}, err
	}
	reason := Signature
	if len(candidates) == 0 {
		reason = UnknownKey
	}
	for _, key := range candidates {
		var found claims
		err := parsed.Claims(key, &found)
		switch {
		case errors.Is(err, jose.ErrCryptoFailure):
			continue
		case err != nil:
			return Account{}, invalid(Malformed)
		}
		if err := found.check(v.config, v.config.Now()); err != nil {
			return Account{}, err
		}
		v.unchanged.Add(digest, verified{found, keys})
		return found.account(), nil
	}
	return Account{}, invalid(reason)
}

// algorithms are those that need the issuer's private key to sign.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}
