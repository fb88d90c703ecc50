package portal

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/balcao/balcao/portal/profile"
)

// The operations of the bank's page Authentication.
const (
	Authenticate OperationID = "authenticate"
)

func init() {
	registerReads(Authenticate)
	registerReasons("session.client", "session.broker", "session.user", "session.missing", "session.expired")
}

// margin is how long before its end a session is renewed: longer than a request takes to arrive.
const margin = time.Minute

// sessions stores the open sessions, one for each login. The bank ends a session that was not used for 30 minutes; it
// documents no maximum age, refresh or logout.
type sessions struct {
	client *Client
	logins singleflight.Group // one login at a time for each user

	mu   sync.Mutex
	open map[Login]*session
}

type session struct {
	token string
	used  time.Time
}

func newSessions(client *Client) *sessions {
	return &sessions{client: client, open: map[Login]*session{}}
}

// token returns the token of an open session, and opens one if there is none. Concurrent callers share one login: each waits
// until its own ctx ends, and the login continues if the caller that started it gives up.
func (s *sessions) token(ctx context.Context, login Login) (string, error) {
	if token := s.use(login); token != "" {
		return token, nil
	}
	done := s.logins.DoChan(login.BrokerUID.String()+login.Username, func() (any, error) {
		if token := s.use(login); token != "" { // opened meanwhile
			return token, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.client.config.TotalTimeout)
		defer cancel()
		return s.start(ctx, login)
	})
	select {
	case result := <-done:
		token, _ := result.Val.(string)
		return token, result.Err
	case <-ctx.Done():
		return "", request{op: s.client.rows[Authenticate].Operation}.broken(ctx, ctx.Err(), false)
	}
}

// start opens a session.
//
// See Authenticate on the bank's page Authentication.
func (s *sessions) start(ctx context.Context, login Login) (_ string, err error) {
	defer func() { s.client.faults.note(s.client.rows[Authenticate].Operation, login, err) }()
	request, err := s.client.request(call{op: Authenticate})
	if err != nil {
		return "", err
	}
	request.fill(s.client.config.Profile.Login.Headers, s.client.values(s.client.config.Profile, login))
	reply := loginReply{login: &s.client.config.Profile.Login}
	err = s.client.repeat(ctx, request.op, func(attempt int) error {
		return s.client.send(ctx, request, attempt, &reply)
	})
	if err != nil {
		return "", err
	}
	s.add(login, reply.token)
	return reply.token, nil
}

// use returns the token of an open session and restarts its 30 minutes, "" if none is open.
func (s *sessions) use(login Login) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	session := s.open[login]
	if session == nil || s.stale(session) {
		return ""
	}
	session.used = time.Now()
	return session.token
}

func (s *sessions) stale(session *session) bool {
	life := s.client.config.SessionLife
	return time.Since(session.used) >= life-min(margin, life/10)
}

// add stores a new session and deletes those that have ended; if there are too many, also the longest idle.
func (s *sessions) add(login Login, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var idle Login
	for other, session := range s.open {
		if s.stale(session) {
			delete(s.open, other)
		} else if oldest := s.open[idle]; oldest == nil || session.used.Before(oldest.used) {
			idle = other
		}
	}
	if len(s.open) >= s.client.config.MaxSessions && s.open[login] == nil {
		delete(s.open, idle)
	}
	s.open[login] = &session{token: token, used: time.Now()}
}

// remove deletes a session that the bank has refused, unless another caller has renewed it.
func (s *sessions) remove(login Login, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session := s.open[login]; session != nil && session.token == token {
		delete(s.open, login)
	}
}

func (s *sessions) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.open)
}

// loginReply is the token, where the profile says that it is.
type loginReply struct {
	login *profile.Login
	token string
}

func (r *loginReply) UnmarshalJSON(data []byte) error {
	r.token = r.login.TokenIn(data)
	return nil
}

// lacks names the token unless there is one that is valid in a header.
func (r *loginReply) lacks() string {
	if r.token == "" || len(r.token) > http.DefaultMaxHeaderBytes/64 ||
		strings.ContainsFunc(r.token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "sessionToken that a header can carry"
	}
	return ""
}
