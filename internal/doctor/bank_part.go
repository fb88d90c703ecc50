package doctor

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"sync"

	"github.com/balcao/balcao/internal/doctor/bank"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

// NewBank returns the part that compares the bank of the settings with its profile. The sandbox is examined like any bank.
func NewBank(setup Setup) Part { return newBank(setup, 0) }

// newBank is NewBank with a maximum of requests a second, 0 for the default.
func newBank(setup Setup, perSecond int) Part {
	s := setup.Settings
	part := Part{Name: "bank", Blocked: setup.Blocked("PORTAL_PROFILE", "PORTAL_URL", "PORTAL_CLIENT_ID", "PORTAL_CLIENT_SECRET", "PORTAL_USERNAME")}
	if s.PortalBrokerUID == "" { // one that is no uuid may be what the bank wants
		part.Blocked = append(part.Blocked, setup.Blocked("PORTAL_BROKER_UID")...)
	}
	config := bank.Config{
		BaseURL: s.PortalURL, ClientID: s.PortalClientID, ClientSecret: s.PortalClientSecret, Broker: s.PortalBrokerUID,
		Username: s.PortalUsername, Partner: s.PortalPartnerUID, Profile: s.Profile, MaxPerSecond: perSecond,
	}
	if s.PortalURL == settings.Sandbox {
		differs := cmp.Or(s.SandboxProfile, profile.Builtin())
		own := func() http.Handler { return sandbox.New(sandbox.Config{Profile: differs}) }
		config.BaseURL, config.Transport = "http://localhost", inProcess{sync.OnceValue(own)}
		config.ClientID, config.ClientSecret = sandbox.SampleClientID, sandbox.SampleClientSecret
		config.Broker, config.Partner, config.Username = sandbox.BrokerA.ID(differs), sandbox.BrokerA.Partner.String(), sandbox.BrokerA.Users[0]
	}
	examination := bank.Examine(config)
	part.Checks, part.Close = examination.Checks(), examination.Close
	return part
}

// inProcess is a transport to a handler in this process, which is made for the first request.
type inProcess struct{ handler func() http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	reply := &reply{header: http.Header{}, status: http.StatusOK}
	received := r.Clone(r.Context())
	received.Header = http.Header{}
	for name, values := range r.Header {
		received.Header[http.CanonicalHeaderKey(name)] = values // as a server reads them
	}
	t.handler().ServeHTTP(reply, received)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(reply.status), StatusCode: reply.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: reply.header,
		Body: io.NopCloser(&reply.body), ContentLength: int64(reply.body.Len()), Request: r,
	}, nil
}

// reply keeps what a handler writes.
type reply struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *reply) Header() http.Header            { return r.header }
func (r *reply) WriteHeader(status int)         { r.status = status }
func (r *reply) Write(data []byte) (int, error) { return r.body.Write(data) }
