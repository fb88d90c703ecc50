package mcpapp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/issuer"
	"github.com/balcao/balcao/tools"
)

// The scopes of access tokens. Every request needs the first; calls that create, change or send need the second too.
const (
	scopeRead  = "balcao.read"
	scopeWrite = "balcao.write"
)

// Identities finds the people who prove by a token who they are.
type Identities interface {
	// OfToken returns the actor who has the personal token with this SHA-256 hash; ok is false if nobody has.
	OfToken(hash [sha256.Size]byte) (actor tools.Actor, ok bool)
	// OfAccount returns the actor whom an account at the issuer is; ok is false for strangers.
	OfAccount(account issuer.Account) (actor tools.Actor, ok bool)
}

// refusal is why a request is not served before its body is read.
type refusal struct {
	status    int
	reason    string        // the key of its text
	detail    string        // why a token is not accepted; "" if there is none, or nothing is said
	challenge string        // parameters of WWW-Authenticate, for statuses 400, 401 and 403
	wait      time.Duration // after which to come back; 0 if that does not help
	guess     bool          // the token may be a guess: too many of them are refused
}

// authenticate identifies the caller by the bearer token. It removes the Authorization header, so that nothing behind it sees
// the token.
func (a *App) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if callerOf(r.Context()).signed {
			next.ServeHTTP(w, r)
			return
		}
		ctx, refused := a.admit(r)
		if refused != nil {
			a.answerRefusal(w, r, *refused)
			return
		}
		r = r.WithContext(ctx)
		r.Header = r.Header.Clone()
		r.Header.Del("Authorization")
		next.ServeHTTP(w, r)
	})
}

// admit returns the context of a request with its caller, or why it is refused. A request without a token is no attempt: clients
// send one first to learn that a token is required.
func (a *App) admit(r *http.Request) (context.Context, *refusal) {
	given := r.Header.Values("Authorization")
	switch {
	case r.URL.Query().Has("access_token"):
		return nil, &refusal{status: http.StatusBadRequest, reason: "http.token_in_address", challenge: `, error="invalid_request"`}
	case len(given) > 1:
		return nil, &refusal{status: http.StatusBadRequest, reason: "http.token", challenge: `, error="invalid_request"`}
	case a.open():
		return a.asUsual(r)
	case len(given) == 0 || given[0] == "":
		return nil, &refusal{status: http.StatusUnauthorized, reason: "http.token"}
	}
	if wait := a.attempts.wait(r.RemoteAddr); wait > 0 {
		return nil, &refusal{status: http.StatusTooManyRequests, reason: "http.attempts", wait: wait}
	}
	ctx, refused := a.withToken(r, given[0])
	switch {
	case refused == nil:
		a.attempts.trust(r.RemoteAddr)
	case refused.guess:
		a.attempts.count(r.RemoteAddr)
	}
	return ctx, refused
}

// open reports whether callers need no token, which is so on this machine only.
func (a *App) open() bool {
	return a.config.Token == "" && a.config.People == nil && a.config.Issuer == nil && !slices.ContainsFunc(a.config.AllowedHosts, func(host string) bool { return !isLoopback(host) })
}

// asUsual admits a caller of whom no person is known: at this machine, or with the token for all.
func (a *App) asUsual(r *http.Request) (context.Context, *refusal) {
	ctx, ok := a.identify(r.Context(), r, "http")
	if !ok {
		return nil, invalidToken("")
	}
	return ctx, nil
}

// withToken admits a caller by her token: that for all, a person's own, or an access token of the issuer.
func (a *App) withToken(r *http.Request, authorization string) (context.Context, *refusal) {
	scheme, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimSpace(token)
	hash := sha256.Sum256([]byte(token))
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return nil, invalidToken("")
	case a.isTokenForAll(hash):
		return a.asUsual(r)
	case a.config.People == nil:
		return nil, invalidToken("")
	}
	if actor, ok := a.config.People.OfToken(hash); ok {
		return a.asPerson(r, actor), nil
	}
	if a.config.Issuer == nil {
		return nil, invalidToken("")
	}
	account, err := a.config.Issuer.Verify(r.Context(), token)
	if err != nil {
		return nil, refusedBy(err)
	}
	actor, known := a.config.People.OfAccount(account)
	switch {
	case !known:
		return nil, &refusal{status: http.StatusForbidden, reason: "http.person"}
	case !account.Has(scopeRead):
		return nil, lacksScope(scopeRead)
	}
	actor.ReadOnly = !account.Has(scopeWrite)
	return a.asPerson(r, actor), nil
}

// isTokenForAll reports whether a hash is that of the token for all callers. How long it takes does not depend on either.
func (a *App) isTokenForAll(hash [sha256.Size]byte) bool {
	want := sha256.Sum256([]byte(a.config.Token))
	return subtle.ConstantTimeCompare(hash[:], want[:]) == 1 && a.config.Token != ""
}

func (a *App) asPerson(r *http.Request, actor tools.Actor) context.Context {
	return a.withCaller(r.Context(), r, caller{Actor: actor, transport: "http", person: true})
}

// refusedBy returns the refusal for an error of the issuer's verifier. That the issuer does not answer says nothing of the token:
// a client that was told that it is wrong would throw it away.
func refusedBy(err error) *refusal {
	if wrong, ok := errors.AsType[*issuer.InvalidError](err); ok {
		refused := invalidToken(wrong.Reason)
		refused.guess = !wrong.Signed()
		return refused
	}
	wait := time.Second
	if missing, ok := errors.AsType[*issuer.UnavailableError](err); ok {
		wait = missing.RetryAfter
	}
	return &refusal{status: http.StatusServiceUnavailable, reason: "http.issuer", wait: wait}
}

func invalidToken(detail string) *refusal {
	challenge := `, error="invalid_token"`
	if detail != "" {
		challenge += `, error_description="` + detail + `"`
	}
	return &refusal{status: http.StatusUnauthorized, reason: "http.token", detail: detail, challenge: challenge, guess: true}
}

// lacksScope returns the refusal of a token that needs these scopes, the granted ones included: a client asks for exactly them.
func lacksScope(scopes ...string) *refusal {
	return &refusal{
		status: http.StatusForbidden, reason: "http.scope",
		challenge: fmt.Sprintf(`, error="insufficient_scope", scope="%s"`, strings.Join(scopes, " ")),
	}
}

func (a *App) answerRefusal(w http.ResponseWriter, r *http.Request, refused refusal) {
	if refused.wait > 0 {
		w.Header().Set("Retry-After", seconds(refused.wait))
	}
	if refused.status == http.StatusUnauthorized || refused.challenge != "" {
		w.Header().Set("WWW-Authenticate", a.challenge(r, refused))
	}
	if refused.detail != "" {
		a.refusals.Warn(r.Context(), "token refused", "why", refused.detail)
	}
	a.refuse(w, r, refused.status, refused.reason)
}

// challenge returns the header that tells a client what it needs (RFC 6750, RFC 9728).
func (a *App) challenge(r *http.Request, refused refusal) string {
	challenge := `Bearer realm="balcao"` + refused.challenge
	if a.config.Issuer == nil {
		return challenge
	}
	challenge += fmt.Sprintf(`, resource_metadata="%s"`, a.metadataAddress(r))
	if refused.status == http.StatusUnauthorized {
		challenge += fmt.Sprintf(`, scope="%s %s"`, scopeRead, scopeWrite)
	}
	return challenge
}

// seconds returns a duration for Retry-After, rounded up.
func seconds(wait time.Duration) string { return strconv.Itoa(int(math.Ceil(wait.Seconds()))) }

// stepUp refuses a call that changes something and whose token is for reading only, with the scopes that it needs: the client asks
// its person for them. The runner would refuse it too.
func (a *App) stepUp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		message := messageOf(r)
		if from := callerOf(r.Context()); from.ReadOnly && message.Method == mcp.MethodToolsCall && a.needsWrite(message.Params.Name) {
			a.answerRefusal(w, r, *lacksScope(scopeRead, scopeWrite))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// needsWrite reports whether a tool is for tokens that may change something.
func (a *App) needsWrite(name string) bool {
	if own, is := a.own[name]; is {
		return own.follows || own.effect.Writes()
	}
	tool, ok := a.tools[name]
	return ok && tool.Effect.Writes()
}
