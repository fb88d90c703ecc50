package portal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal/profile"
)

// Probe is the reply to a read as the bank sent it, for a diagnosis of the profile. Body may hold a client's data: it is
// never to be printed or kept.
type Probe struct {
	Operation OperationID
	Method    string
	Path      string // with placeholders, below the base URL
	Status    int    // 0 if there was no reply
	Header    http.Header
	Body      []byte
	Canonical []byte        // the reply with canonical names; nil if it is not understood
	Described []Description // what the reply says of ids of the bank's lists
	Err       error         // of the method of [User] that makes this call; nil if the reply is understood
}

// Format writes operation and status.
func (p Probe) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "probe of %s: %d", p.Operation, p.Status) }

// ProbeCall is a read for a diagnosis.
type ProbeCall struct {
	Operation OperationID
	Profile   *profile.Profile     // in place of the client's
	IDs       map[string]uuid.UUID // of placeholders, by canonical name
	Query     url.Values           // by canonical name
}

// ErrNoProbe is the error of a probe of an operation that writes, or that discloses a document.
var ErrNoProbe = errors.New("portal: an operation that is not a read")

// probed are the replies of the reads that a probe decodes.
var probed = map[OperationID]func() any{
	ProcessList:    func() any { return new(processListReply) },
	ProcessDetail:  func() any { return new(Process) },
	BorrowerList:   func() any { return new(borrowerListReply) },
	BorrowerGet:    func() any { return new(Borrower) },
	ProcessESISGet: func() any { return new(esisReply) },
	CallbackList:   func() any { return new(callbackListReply) },

	SimulationList:    func() any { return new(simulationListReply) },
	SimulationDetail:  func() any { return new(Simulation) },
	SimulationESISGet: func() any { return new(esisReply) },
}

func newProbed(id OperationID) any {
	if reply, ok := probed[id]; ok {
		return reply()
	}
	return new(taxonomyReply)
}

// Probe sends one read as the user, with the limits of every call, and returns its reply as it came. A session must be open:
// the probe of [Authenticate] opens one. Faults are not recorded. The error says that nothing was sent.
func (u *User) Probe(ctx context.Context, call ProbeCall) (Probe, error) {
	if writes, known := operations()[call.Operation]; !known || writes {
		return Probe{}, ErrNoProbe
	}
	ctx, cancel := context.WithTimeout(ctx, u.client.config.TotalTimeout)
	defer cancel()
	row := rowOf(call.Profile, call.Operation)
	probe := Probe{Operation: call.Operation, Method: row.Method, Path: row.Path}
	if row.Path == "" {
		return probe, fmt.Errorf("portal: %s has no path", call.Operation)
	}
	if row.Method != http.MethodGet && call.Operation != Authenticate {
		return probe, ErrNoProbe
	}
	request, err := u.client.requestFor(row, &call.Profile.Errors, u.probeCall(call))
	if err != nil {
		return probe, err
	}
	request.keep = &probe
	if call.Operation == Authenticate {
		probe.Err = u.probeLogin(ctx, request, call.Profile)
		return probe, nil
	}
	token := u.client.sessions.use(u.login)
	if token == "" {
		return probe, errors.New("portal: no session is open")
	}
	values := u.client.values(call.Profile, u.login)
	values["language"], values["token"] = u.language, token
	request.fill(call.Profile.Headers, values)
	var reply any
	probe.Err = u.client.repeat(ctx, request.op, func(attempt int) error {
		reply = newProbed(call.Operation)
		return u.client.send(ctx, request, attempt, reply)
	})
	if r, ok := reply.(contentReply); ok {
		_ = r.file().Close()
	}
	if probe.Err == nil {
		probe.Described = Descriptions(reply)
		probe.Canonical, _ = row.wire.Reply(probe.Body)
	}
	return probe, nil
}

func (u *User) probeCall(probe ProbeCall) call {
	sent := call{op: probe.Operation, query: probe.Query, path: pathValues{}, private: []string{u.login.Username}}
	for name, id := range probe.IDs {
		sent.path[name] = id
	}
	return sent
}

// probeLogin logs in, and stores the session.
func (u *User) probeLogin(ctx context.Context, request request, p *profile.Profile) error {
	request.fill(p.Login.Headers, u.client.values(p, u.login))
	reply := loginReply{login: &p.Login}
	err := u.client.repeat(ctx, request.op, func(attempt int) error {
		return u.client.send(ctx, request, attempt, &reply)
	})
	if err == nil {
		u.client.sessions.add(u.login, reply.token)
	}
	return err
}
