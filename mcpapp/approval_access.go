package mcpapp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/balcao/balcao/tools"
)

// A person without an account in Slack decides on a page of this server, which only her own machine reaches. Its address has 256
// random bits and works once: it is printed, or handed to a client that opens it for her, and never part of what a model reads.
// Who opens it gets a session, as a cookie that no script and no other site can use. All state is in the memory of the process,
// secrets as hashes.
//
// This protects against an assistant that only has the tools of this server, against pages of other sites in her browser, and
// against whoever sees the address later: it is used up then, or she finds that it is. It does not protect against a program that
// runs as the person on the same machine, such as an assistant with a shell: it can read where the address is printed and open it
// first. Against that, people decide in Slack.

const (
	lookAgain        = 30 * time.Second // longer than an open page takes to look again
	sessionLife      = time.Hour
	maxOpenAddresses = 8  // not opened yet, of one person
	maxSessions      = 4  // of one person
	maxKeptForms     = 10 // of a session, that were begun
	maxSessionNews   = 20 // of a session
	maxPeopleOfPage  = 200
)

// approvalAccess knows whom the page is for. It is safe for concurrent use.
type approvalAccess struct {
	cookie string // its name; cookies are not kept apart by port, so that each process has its own
	now    func() time.Time

	mu        sync.Mutex
	addresses []approvalAddress
	sessions  []*approvalSession
}

// approvalAddress is an address that nobody has opened.
type approvalAddress struct {
	secret [sha256.Size]byte
	owner  string
	until  time.Time
}

// approvalSession is the session of a person who opened an address.
type approvalSession struct {
	secret [sha256.Size]byte
	owner  string
	until  time.Time
	token  string    // in her forms, so that no other page can send one
	used   time.Time // under the mutex of approvalAccess

	mu     sync.Mutex
	news   []news // what came of her last decision
	kept   []keptForm
	making []string // the ids of approvals that she has seen being done
}

// keptForm is a form that a person has begun to change.
type keptForm struct {
	approval, asked string // its id, and the digest of what was asked for
	form            tools.Form
}

func newApprovalAccess() *approvalAccess {
	return &approvalAccess{cookie: "balcao-" + randomText(6), now: time.Now}
}

// randomText returns a random text of n random bytes.
func randomText(n int) string {
	data := make([]byte, n)
	_, _ = rand.Read(data) // never fails
	return base64.RawURLEncoding.EncodeToString(data)
}

// secretBytes is how many random bytes an address, a session and a token have.
const secretBytes = 32

// address returns the secret of a new address for a person. The oldest ones that she has not opened end, if there are many.
func (p *approvalAccess) address(owner string, until time.Time) (secret string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	secret = randomText(secretBytes)
	p.addresses = append(p.addresses, approvalAddress{sha256.Sum256([]byte(secret)), owner, until})
	p.addresses = newest(p.addresses, maxOpenAddresses, func(a approvalAddress) bool { return a.owner == owner })
	p.addresses = newest(p.addresses, maxPeopleOfPage, func(approvalAddress) bool { return true })
	return secret
}

// newest returns all without the first of those that are meant, so that at most n of them are left.
func newest[T any](all []T, n int, meant func(T) bool) []T {
	over := -n
	for _, each := range all {
		if meant(each) {
			over++
		}
	}
	return slices.DeleteFunc(all, func(each T) bool {
		if over <= 0 || !meant(each) {
			return false
		}
		over--
		return true
	})
}

// expire ends what is over. p.mu is held.
func (p *approvalAccess) expire() {
	now := p.now()
	p.addresses = slices.DeleteFunc(p.addresses, func(a approvalAddress) bool { return !now.Before(a.until) })
	p.sessions = slices.DeleteFunc(p.sessions, func(s *approvalSession) bool { return !now.Before(s.until) })
}

// waits reports whether a person has an address that nobody has opened, or a session.
func (p *approvalAccess) waits(owner string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	return slices.ContainsFunc(p.addresses, func(a approvalAddress) bool { return a.owner == owner }) ||
		slices.ContainsFunc(p.sessions, func(s *approvalSession) bool { return s.owner == owner })
}

// open uses an address up, with all others of the same person, and returns the cookie of a new session.
func (p *approvalAccess) open(secret string) (*http.Cookie, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	given := sha256.Sum256([]byte(secret))
	at := slices.IndexFunc(p.addresses, func(a approvalAddress) bool { return subtle.ConstantTimeCompare(a.secret[:], given[:]) == 1 })
	if at < 0 {
		return nil, false
	}
	owner := p.addresses[at].owner
	p.addresses = slices.DeleteFunc(p.addresses, func(a approvalAddress) bool { return a.owner == owner })
	value := randomText(secretBytes)
	p.sessions = append(p.sessions, &approvalSession{
		secret: sha256.Sum256([]byte(value)), owner: owner, until: p.now().Add(sessionLife), token: randomText(secretBytes),
	})
	p.sessions = newest(p.sessions, maxSessions, func(s *approvalSession) bool { return s.owner == owner })
	p.sessions = newest(p.sessions, maxPeopleOfPage, func(*approvalSession) bool { return true })
	return &http.Cookie{
		Name: p.cookie, Value: value, Path: approvalPath, MaxAge: int(sessionLife.Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}, true
}

// session returns the session of a request; ok is false if it has none.
func (p *approvalAccess) session(r *http.Request) (session *approvalSession, ok bool) {
	cookie, err := r.Cookie(p.cookie)
	if err != nil {
		return nil, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	given := sha256.Sum256([]byte(cookie.Value))
	at := slices.IndexFunc(p.sessions, func(s *approvalSession) bool { return subtle.ConstantTimeCompare(s.secret[:], given[:]) == 1 })
	if at < 0 {
		return nil, false
	}
	p.sessions[at].used = p.now()
	return p.sessions[at], true
}

// inUse reports whether a person has the page open: it looks again by itself while nothing waits.
func (p *approvalAccess) inUse(owner string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	return slices.ContainsFunc(p.sessions, func(s *approvalSession) bool { return s.owner == owner && p.now().Sub(s.used) < lookAgain })
}

// sent reports whether a form that was sent is of the session: it has its token, and comes from a page of this server.
func (s *approvalSession) sent(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	return len(origins) == 1 && origins[0] == "http://"+r.Host && subtle.ConstantTimeCompare([]byte(r.PostFormValue(fieldToken)), []byte(s.token)) == 1
}

// tell keeps what came of a decision until the next one: the page may be loaded again before it is read.
func (s *approvalSession) tell(what []news) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.news = newest(what, maxSessionNews, func(news) bool { return true })
}

// latest returns what came of the last decision.
func (s *approvalSession) latest() []news {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.news)
}

// follows sets the ids of the approvals that are being done, and returns those that were and are not any more.
func (s *approvalSession) follows(making []string) (ended []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended = slices.DeleteFunc(s.making, func(id string) bool { return slices.Contains(making, id) })
	s.making = making
	return ended
}

// keep keeps the form of an approval as the person left it, and only in memory.
func (s *approvalSession) keep(approval tools.Approval, form tools.Form) {
	s.forget(approval.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = newest(append(s.kept, keptForm{approval.ID, approval.Digest, form}), maxKeptForms, func(keptForm) bool { return true })
}

// forget removes the form of an approval.
func (s *approvalSession) forget(approval string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = slices.DeleteFunc(s.kept, func(k keptForm) bool { return k.approval == approval })
}

// left returns the form of an approval as the person left it, unless the assistant asks for something else since.
func (s *approvalSession) left(approval tools.Approval) (form tools.Form, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.kept, func(k keptForm) bool { return k.approval == approval.ID && k.asked == approval.Digest })
	if at < 0 {
		return form, false
	}
	return s.kept[at].form, true
}
