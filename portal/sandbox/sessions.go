package sandbox

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"time"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
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
	login := b.config.Profile.Login
	given := b.given(c.r, login.Headers)
	if !same(given["client_id"], b.config.ClientID) || !same(given["client_secret"], b.config.ClientSecret) {
		return nil, refused(http.StatusUnauthorized, "session.client")
	}
	broker, known := b.brokerOf(given["broker"])
	if !known {
		return nil, refused(http.StatusUnauthorized, "session.broker")
	}
	user := given["username"]
	if !slices.Contains(broker.Users, user) {
		return nil, refused(http.StatusUnauthorized, "session.user")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	token := token()
	b.sessions.open(token, session{broker, user, c.now})
	return login.Reply(token), nil
}

// brokerOf returns the broker with an id in the bank's form.
func (b *Bank) brokerOf(id string) (Broker, bool) {
	parsed, err := profile.ParseID(b.config.Profile.Forms.IDs["broker"], id)
	if err != nil {
		return Broker{}, false
	}
	return brokerOf(b.aliases.Read(parsed).String())
}

// given returns the values that a request has in headers, by their names in the templates.
func (b *Bank) given(r *http.Request, templates map[string]string) map[string]string {
	return profile.Extract(templates, r.Header.Get)
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
	given := b.given(c.r, b.config.Profile.Headers)
	for name, wanted := range map[string]string{"client_id": b.config.ClientID, "client_secret": b.config.ClientSecret} {
		if b.config.Profile.Sends(name) && !same(given[name], wanted) {
			return session{}, refused(http.StatusUnauthorized, "session.client")
		}
	}
	token := given["token"]
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

func same(given, wanted string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(wanted)) == 1
}
