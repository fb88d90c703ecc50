// Package portal is a client of the bank's Partners Portal API, with one method for each operation. Only this package knows
// how the bank names things, when a call may be repeated and what a failure means.
package portal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"github.com/balcao/balcao/portal/profile"
)

// Config says where the bank is and how to call it. Only BaseURL, ClientID and ClientSecret are required.
type Config struct {
	BaseURL      string // with any path prefix: https://api-qua-portalparceiros.bancoctt.pt
	ClientID     string
	ClientSecret string

	// PartnerUID is the partner whose callbacks are registered. What a partner is, and how it gets its uuid, is not public.
	PartnerUID uuid.UUID

	// Profile is what the bank is taken to be, the built-in profile by default.
	Profile *profile.Profile

	// Transport sends the calls. An *http.Transport is used as it is for reads; a clone of it opens a new HTTP/1.1
	// connection for each write. A transport of another type must never send a request twice by itself.
	Transport http.RoundTripper
	Log       *slog.Logger // bodies, query strings and user names are not logged

	// Pace limits the requests a second in place of MaxPerSecond, for one limit over several clients.
	Pace Pace

	// Described is called with what each reply says of the ids in it, and the language that was asked for. The call waits for it.
	Described func(ctx context.Context, language string, said []Description)

	AttemptTimeout time.Duration // for one attempt, 15 s by default
	TotalTimeout   time.Duration // for a call with its login, attempts and pauses, 45 s by default
	ReadAttempts   int           // attempts of a read, 4 by default; a write has one
	MaxPause       time.Duration // longest pause between two attempts, 10 s by default; a call that the bank asks to wait longer fails
	SessionLife    time.Duration // of inactivity, 30 min by default, as the bank says
	MaxSessions    int           // open at once, 10,000 by default; the longest idle is closed for a new one
	MaxReply       int64         // bytes, 1 MiB by default
	MaxContent     int64         // bytes of a document before base64, 32 MiB by default
	ContentTimeout time.Duration // for one attempt to send or to read a document, 30 s by default

	MaxInFlight  int           // requests at once, 64 by default and at least 2; a quarter of them is for logins only
	MaxWaiting   int           // queued calls, and queued logins, 1,024 by default; further ones fail with [TooMany]
	MaxPerSecond int           // requests, logins included, 200 by default; not used with Pace
	TripAfter    int           // consecutive failures that open the circuit of an operation, or of the whole bank, 8 by default
	OpenFor      time.Duration // how long a circuit stays open, 15 s by default; then one request probes the bank
}

// Pace limits the requests a second.
type Pace interface {
	// Wait returns when the next request may be sent. It fails at once if the deadline of ctx comes first, and once ctx ends.
	Wait(ctx context.Context) error
}

// String returns the base URL, without the secret.
func (c Config) String() string { return "portal.Config{" + c.BaseURL + "}" }

// Format writes String for every verb.
func (c Config) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue returns String.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Client calls the bank. It is safe for concurrent use by any number of users.
type Client struct {
	config   Config
	base     *url.URL
	rows     map[OperationID]row
	reads    http.RoundTripper
	writes   http.RoundTripper
	sessions *sessions
	gate     *gate
	faults   *faults
}

// New returns a client, or an error that lists everything wrong with config.
func New(config Config) (*Client, error) {
	config.setDefaults()
	base, err := url.Parse(config.BaseURL)
	var wrong []error
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") ||
		base.RawQuery != "" || base.Fragment != "" || base.User != nil {
		wrong = append(wrong, errors.New("the base URL must be like https://host/prefix"))
	}
	if config.ClientID == "" {
		wrong = append(wrong, errors.New("the client id is missing"))
	}
	if config.ClientSecret == "" {
		wrong = append(wrong, errors.New("the client secret is missing"))
	}
	if min(config.AttemptTimeout, config.TotalTimeout, config.MaxPause, config.SessionLife, config.OpenFor, config.ContentTimeout) < 0 ||
		min(config.ReadAttempts, config.MaxSessions, config.MaxWaiting, config.MaxPerSecond, config.TripAfter) < 0 ||
		min(config.MaxReply, config.MaxContent) < 0 {
		wrong = append(wrong, errors.New("times and bounds must not be negative"))
	}
	if config.MaxInFlight < 2 {
		wrong = append(wrong, errors.New("MaxInFlight must be at least 2: one request is for logins only"))
	}
	if errors.Join(wrong...) != nil {
		return nil, fmt.Errorf("settings of the bank: %w", errors.Join(wrong...))
	}
	if address := net.ParseIP(base.Hostname()); base.Scheme == "http" && base.Hostname() != "localhost" && !address.IsLoopback() {
		config.Log.Warn("the bank is called without TLS: traffic can be read on the network", "host", base.Host)
	}
	rows := table(config.Profile)
	client := &Client{config: config, base: base, rows: rows, reads: config.Transport, writes: config.Transport, gate: newGate(config, rows), faults: newFaults(config.Log)}
	client.sessions = newSessions(client)
	if transport, ok := config.Transport.(*http.Transport); ok {
		client.writes = forWrites(transport)
	}
	return client, nil
}

func (c *Config) setDefaults() {
	if c.Profile == nil {
		c.Profile = profile.Builtin()
	}
	setDefault(&c.Log, slog.New(slog.DiscardHandler))
	setDefault(&c.AttemptTimeout, 15*time.Second)
	setDefault(&c.TotalTimeout, 45*time.Second)
	setDefault(&c.ReadAttempts, 4)
	setDefault(&c.MaxPause, 10*time.Second)
	setDefault(&c.SessionLife, 30*time.Minute)
	setDefault(&c.MaxSessions, 10_000)
	setDefault(&c.MaxReply, 1<<20)
	setDefault(&c.MaxContent, 32<<20)
	setDefault(&c.ContentTimeout, 30*time.Second)
	setDefault(&c.MaxInFlight, 64)
	setDefault(&c.MaxWaiting, 1024)
	setDefault(&c.MaxPerSecond, 200)
	setDefault(&c.TripAfter, 8)
	setDefault(&c.OpenFor, 15*time.Second)
	if c.Pace == nil {
		c.Pace = rate.NewLimiter(rate.Limit(c.MaxPerSecond), max(1, c.MaxPerSecond/10))
	}
	if c.Transport == nil {
		c.Transport = newTransport()
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func newTransport() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	transport.MaxResponseHeaderBytes = 64 << 10
	return transport
}

// forWrites returns a transport that sends nothing twice. By default net/http resends some requests: a GET on a kept
// connection that is closed; over HTTP/2, a request that the server resets in certain ways. A write that fails on a kept
// connection would also not show whether the bank received it.
func forWrites(transport *http.Transport) *http.Transport {
	fresh := transport.Clone()
	fresh.DisableKeepAlives = true
	setDefault(&fresh.ExpectContinueTimeout, time.Second)
	fresh.Protocols = new(http.Protocols)
	fresh.Protocols.SetHTTP1(true)
	if fresh.TLSClientConfig != nil { // the original may have added HTTP/2
		fresh.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	return fresh
}

// Close closes idle connections and discards the sessions. Calls in flight continue.
func (c *Client) Close() {
	for _, transport := range []http.RoundTripper{c.reads, c.writes} {
		if t, ok := transport.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
	}
	c.sessions.clear()
}

// Login is the user that the bank is called as. The bank attributes every action to a user of a broker.
type Login struct {
	BrokerUID uuid.UUID
	Username  string `json:"-"` // often an e-mail address
}

// String leaves the user's name out.
func (l Login) String() string { return "broker " + l.BrokerUID.String() }

// Format writes String for every verb.
func (l Login) Format(f fmt.State, _ rune) { io.WriteString(f, l.String()) }

// LogValue returns String.
func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }

// User calls the bank as one user, in one language. It is cheap to create and safe for concurrent use.
type User struct {
	client   *Client
	login    Login
	language string
}

// As returns a [User] for login. The language ("pt-PT", "en") is sent as the profile says.
func (c *Client) As(login Login, language string) *User { return &User{c, login, language} }

// MaxLength returns the most characters that the bank takes for a text in the body of an operation, by its canonical name; 0 if
// the profile does not say.
func (u *User) MaxLength(op OperationID, field string) int {
	return u.client.rows[op].wire.Lengths[field]
}

// Username returns the name with which the user logs in.
func (u *User) Username() string { return u.login.Username }
