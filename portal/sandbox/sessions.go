package sandbox

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/balcao/balcao/portal"
)

func init() {
	serve(portal.Authenticate, (*Bank).authenticate)
}

// sessionLife is how long a session lasts after its last call (confirmed).
const sessionLife = 30 * time.Minute

// session is one user of a broker who is logged in.
type session struct {
	broker Broker
	user   string
	used   time.Time
}

// sessions by token.
type sessions map[string]session

// authenticate checks three levels in order, as the bank says it does: the client pair, the broker, the user.
func (b *Bank) authenticate(c *call) (any, error) {
	header := c.r.Header.Get
	if !same(header("xClientID"), b.config.ClientID) || !same(header("xClientSecret"), b.config.ClientSecret) {
		return nil, refused(http.StatusUnauthorized, "session.client")
	}
	broker, known := brokerOf(header("xBrokerUID"))
	if !known {
		return nil, refused(http.StatusUnauthorized, "session.broker")
	}
	user := header("xUsername")
	if !slices.Contains(broker.Users, user) {
		return nil, refused(http.StatusUnauthorized, "session.user")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	token := token()
	b.sessions.open(token, session{broker, user, c.now})
	return map[string]string{"sessionToken": token}, nil
}

// open stores a new session, and deletes those that have ended; if there are too many, also the longest idle.
func (s sessions) open(token string, opened session) {
	idlest := ""
	for other, session := range s {
		switch {
		case opened.used.Sub(session.used) >= sessionLife:
			delete(s, other)
		case idlest == "" || session.used.Before(s[idlest].used):
			idlest = other
		}
	}
	if len(s) >= maxSessions {
		delete(s, idlest)
	}
	s[token] = opened
}

func (s sessions) drop(token string) { delete(s, token) }

// session returns the caller's session and restarts its 30 minutes.
func (b *Bank) session(c *call) (session, error) {
	token := bearer(c.r)
	if token == "" {
		return session{}, refused(http.StatusUnauthorized, "session.missing")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	found, open := b.sessions[token]
	if !open || c.now.Sub(found.used) >= sessionLife {
		b.sessions.drop(token)
		return session{}, refused(http.StatusUnauthorized, "session.expired")
	}
	found.used = c.now
	b.sessions[token] = found
	return found, nil
}

// bearer returns the token of the Authorization header, "" without one.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

func same(given, wanted string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(wanted)) == 1
}
