// Package portal is the bank's Partners Portal API in Go: one method for each operation, one table of operations. It
// exists so that nothing else has to know how the bank spells, when a call may be repeated, and what a failure means.
package portal

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
)

// Config says where the bank is and how to call it. Only BaseURL, ClientID and ClientSecret are required.
type Config struct {
	BaseURL      string // with any path prefix: https://api-qua-portalparceiros.bancoctt.pt
	ClientID     string
	ClientSecret string

	// PartnerUID is whose callbacks are registered. What a partner is, and how it learns its uuid, is not public.
	PartnerUID uuid.UUID

	Operations   map[OperationID]Route // corrections of the table of operations, see [ReadRoutes]
	LoginHeaders LoginHeaders

	// Transport carries the calls. An *http.Transport is used twice over: as it is for reads, and with a fresh
	// HTTP/1.1 connection for each write. One of another type must never send a request twice by itself.
	Transport http.RoundTripper
	Log       *slog.Logger // never told bodies, query strings or user names

	AttemptTimeout time.Duration // for one try, 15 s by default
	TotalTimeout   time.Duration // for a call with its login, tries and pauses, 45 s by default
	ReadAttempts   int           // how often a read is tried, 4 by default; a write is tried once
	MaxPause       time.Duration // longest pause between two tries, 10 s by default; who is told to wait longer gives up
	SessionLife    time.Duration // of inactivity, 30 min by default, as the bank says
	MaxSessions    int           // kept at once, 10,000 by default; the longest idle make room
	MaxReply       int64         // bytes, 1 MiB by default
	MaxESIS        int64         // bytes of the reply that holds an ESIS, 16 MiB by default

	MaxInFlight  int           // requests at once, 64 by default and 2 at least; a quarter of them is kept for logins
	MaxWaiting   int           // calls that wait for their turn, and logins, 1,024 by default; further ones fail with [TooMany]
	MaxPerSecond int           // requests, logins included, 200 by default
	TripAfter    int           // failures in a row after which an operation, or the whole bank, is not asked for a while, 8 by default
	OpenFor      time.Duration // how long it is not asked then, 15 s by default; a single request finds out whether it is back
}

// LoginHeaders are the names of the login's headers. The bank's documents disagree about them; the defaults are those
// of its API reference.
type LoginHeaders struct {
	ClientID     string // xClientID
	ClientSecret string // xClientSecret
	BrokerUID    string // xBrokerUID
	Username     string // xUsername
}

// String keeps the secret out of what prints a Config.
func (c Config) String() string { return "portal.Config{" + c.BaseURL + "}" }

// Format writes String for every verb.
func (c Config) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue gives String to slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Client calls the bank for any number of users at once.
type Client struct {
	config   Config
	base     *url.URL
	rows     map[OperationID]row
	reads    http.RoundTripper
	writes   http.RoundTripper
	sessions *sessions
	gate     *gate
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
	if min(config.AttemptTimeout, config.TotalTimeout, config.MaxPause, config.SessionLife, config.OpenFor) < 0 ||
		min(config.ReadAttempts, config.MaxSessions, config.MaxWaiting, config.MaxPerSecond, config.TripAfter) < 0 ||
		min(config.MaxReply, config.MaxESIS) < 0 {
		wrong = append(wrong, errors.New("times and bounds must not be negative"))
	}
	if config.MaxInFlight < 2 {
		wrong = append(wrong, errors.New("two requests at once are the least: one is kept for logins"))
	}
	rows, err := table(config.Operations)
	if wrong = append(wrong, err); errors.Join(wrong...) != nil {
		return nil, fmt.Errorf("settings of the bank: %w", errors.Join(wrong...))
	}
	if address := net.ParseIP(base.Hostname()); base.Scheme == "http" && base.Hostname() != "localhost" && !address.IsLoopback() {
		config.Log.Warn("the bank is called without TLS: whoever is on the way reads everything", "host", base.Host)
	}
	client := &Client{config: config, base: base, rows: rows, reads: config.Transport, writes: config.Transport, gate: newGate(config, rows)}
	client.sessions = newSessions(client)
	if transport, ok := config.Transport.(*http.Transport); ok {
		client.writes = forWrites(transport)
	}
	return client, nil
}

func (c *Config) setDefaults() {
	setDefault(&c.LoginHeaders.ClientID, "xClientID")
	setDefault(&c.LoginHeaders.ClientSecret, "xClientSecret")
	setDefault(&c.LoginHeaders.BrokerUID, "xBrokerUID")
	setDefault(&c.LoginHeaders.Username, "xUsername")
	setDefault(&c.Log, slog.New(slog.DiscardHandler))
	setDefault(&c.AttemptTimeout, 15*time.Second)
	setDefault(&c.TotalTimeout, 45*time.Second)
	setDefault(&c.ReadAttempts, 4)
	setDefault(&c.MaxPause, 10*time.Second)
	setDefault(&c.SessionLife, 30*time.Minute)
	setDefault(&c.MaxSessions, 10_000)
	setDefault(&c.MaxReply, 1<<20)
	setDefault(&c.MaxESIS, 16<<20)
	setDefault(&c.MaxInFlight, 64)
	setDefault(&c.MaxWaiting, 1024)
	setDefault(&c.MaxPerSecond, 200)
	setDefault(&c.TripAfter, 8)
	setDefault(&c.OpenFor, 15*time.Second)
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

// forWrites returns a transport that sends nothing twice. By itself net/http sends some requests again: on a kept
// connection that turns out to be dead, a GET; over HTTP/2, any that the server resets in certain ways. And on a kept
// connection that dies, a write that is not sent again fails without telling whether the bank has seen it.
func forWrites(transport *http.Transport) *http.Transport {
	fresh := transport.Clone()
	fresh.DisableKeepAlives = true
	fresh.Protocols = new(http.Protocols)
	fresh.Protocols.SetHTTP1(true)
	if fresh.TLSClientConfig != nil { // to which the original may have added HTTP/2
		fresh.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	return fresh
}

// Close gives back idle connections and forgets the sessions. Calls under way go on.
func (c *Client) Close() {
	for _, transport := range []http.RoundTripper{c.reads, c.writes} {
		if t, ok := transport.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
	}
	c.sessions.clear()
}

// Login says as whom the bank is called: it attributes every act to a user of a broker.
type Login struct {
	BrokerUID uuid.UUID
	Username  string `json:"-"` // often an e-mail address
}

// String leaves the user's name out.
func (l Login) String() string { return "broker " + l.BrokerUID.String() }

// Format writes String for every verb.
func (l Login) Format(f fmt.State, _ rune) { io.WriteString(f, l.String()) }

// LogValue gives String to slog.
func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }

// User calls the bank as one user, in one language. It is cheap to make and safe for concurrent use.
type User struct {
	client   *Client
	login    Login
	language string
}

// As returns the client's view of one user. The language ("pt-PT", "en") goes out as Accept-Language, which is a guess:
// the bank localises its replies but does not say how a language is chosen.
func (c *Client) As(login Login, language string) *User { return &User{c, login, language} }
