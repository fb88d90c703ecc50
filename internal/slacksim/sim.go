// Package slacksim simulates a Slack workspace over real HTTP, so that an app can be run and tested without one.
// It implements Slack's published rules as strictly as Slack: a request that it accepts, Slack accepts too. It does not
// import a Slack library, so that a mistake in one cannot hide a mistake in the app.
//
// [Sim] serves the Web API, response URLs, uploads and downloads of files, Socket Mode, and a page for the browser. A test acts as a person
// of the workspace with [User], and reads with [Sim.Requests] and [Sim.Deliveries] what the app and the workspace sent.
package slacksim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The workspace's ids.
const (
	TeamID     = "T0BALCAO"
	TeamDomain = "balcao"
	TeamName   = "Balcão"
	AppID      = "A0BALCAO"
	BotID      = "B0BALCAO"
	BotUserID  = "U0BALCAO"

	TeamChannel    = "C0EQUIPA"    // #equipa; the bot is a member
	GeneralChannel = "C0GERAL"     // #geral; the bot is not, unless Config.BotChannels says so
	SharedChannel  = "C0PARCEIROS" // #parceiros, shared with another company through Slack Connect; nor in this one

	Ana      = "U0ANA"      // Ana Exemplo, Portuguese
	Tom      = "U0TOM"      // Tom Sample, British
	Guest    = "U0GUEST"    // a restricted account
	Stranger = "U0STRANGER" // a person of another company, through Slack Connect; a member of the shared channel only

	StrangerTeamID = "T0ALHEIO" // of the other company
)

// Config configures a workspace. The zero value is a workspace in Socket Mode with every rule enforced.
type Config struct {
	RequestURL    string           // the app's URL for all deliveries; empty means Socket Mode
	SigningSecret string           // defaults to DefaultSigningSecret
	BotToken      string           // defaults to DefaultBotToken
	AppToken      string           // for Socket Mode; defaults to DefaultAppToken
	Now           func() time.Time // the clock of triggers, response URLs, rates and timestamps; defaults to time.Now
	Manifest      []byte           // the app's manifest: its commands, events and name; empty allows every command and event
	RetryDelays   []time.Duration  // the delays before the retries of an event; nil means Slack's: 0, 1 min, 5 min
	AckTimeout    time.Duration    // within which the app has to acknowledge a delivery; defaults to Slack's 3 s
	PingInterval  time.Duration    // between pings on a socket; defaults to 10 s
	BaseURL       string           // the simulator's own URL, for the URLs that it returns; see SetBaseURL
	BotChannels   []string         // the channels that the bot has joined; nil means TeamChannel
	AnaLocale     string           // defaults to "pt-PT"
	MaxMessages   int              // kept of each channel, the newest; defaults to 5000
	Rate          Rate
	Client        *http.Client // for deliveries to the app
}

// Rate configures the rate limits. The zero value allows one message a second in each channel, after a burst of five, and
// does not enforce the tiers.
type Rate struct {
	MessagesPerSecond float64 // in each channel; 0 means 1, negative means no limit
	Burst             int     // messages allowed at once; 0 means 5
	Tiers             bool    // whether each method's limit per minute is enforced
}

// Defaults of Config. None of them is a real secret.
const (
	DefaultSigningSecret = "51a11a7ed0516e1b4c2f9083d7e6ab52" // as long as Slack's
	DefaultBotToken      = "xoxb-simulated-bot"
	DefaultAppToken      = "xapp-simulated-app"
)

// Sim is a simulated workspace. It is an http.Handler. Create it with New, and Close it after use.
type Sim struct {
	cfg      Config
	mux      *http.ServeMux
	manifest manifest
	client   *http.Client

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // deliveries and sockets

	mu             sync.Mutex
	changed        chan struct{} // closed and replaced on every change
	version        int
	lastTS         int64
	pending        int // events in delivery, retries included
	baseURL        string
	requests       []Request
	calls          map[string]int
	failures       map[string][]Failure
	randomFailures map[string]*randomFailure
	revoked        bool     // the bot's token
	granted        []string // scopes of the bot's token
	limits         map[string]*rate.Limiter
	users          map[string]*user
	channels       map[string]*channel
	triggers       map[string]*trigger
	responseURLs   map[string]*responseURL
	views          map[string]*view
	files          map[string]*file
	sockets        sockets
	log            deliveryLog
	streams        int
}

// New returns a workspace. It panics if the manifest is not valid JSON.
func New(cfg Config) *Sim {
	cfg = cfg.withDefaults()
	s := &Sim{
		cfg: cfg, baseURL: strings.TrimSuffix(cfg.BaseURL, "/"), client: deliveryClient(cfg.Client),
		manifest: readManifest(cfg.Manifest),
		changed:  make(chan struct{}), calls: map[string]int{}, failures: map[string][]Failure{}, randomFailures: map[string]*randomFailure{},
		limits: map[string]*rate.Limiter{}, triggers: map[string]*trigger{}, responseURLs: map[string]*responseURL{},
		views: map[string]*view{}, files: map[string]*file{}, sockets: newSockets(),
	}
	s.granted = s.manifest.scopes()
	s.users = newUsers(cfg)
	s.channels = newChannels(cfg)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mux = s.routes()
	return s
}

func (c Config) withDefaults() Config {
	setDefault(&c.SigningSecret, DefaultSigningSecret)
	setDefault(&c.BotToken, DefaultBotToken)
	setDefault(&c.AppToken, DefaultAppToken)
	setDefault(&c.AnaLocale, "pt-PT")
	setDefault(&c.AckTimeout, 3*time.Second)
	setDefault(&c.PingInterval, 10*time.Second)
	setDefault(&c.MaxMessages, 5000)
	setDefault(&c.Rate.MessagesPerSecond, 1)
	setDefault(&c.Rate.Burst, 5)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.RetryDelays == nil {
		c.RetryDelays = []time.Duration{0, time.Minute, 5 * time.Minute}
	}
	if c.BotChannels == nil {
		c.BotChannels = []string{TeamChannel}
	}
	return c
}

func setDefault[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}

// ServeHTTP serves the Web API under /api/, response URLs, files, Socket Mode and the page.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// SetBaseURL sets Config.BaseURL if it is known only after New, such as "http://127.0.0.1:8080".
func (s *Sim) SetBaseURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.baseURL = strings.TrimSuffix(url, "/")
}

// APIURL returns the Web API's URL for the app's client. It ends in a slash, as Slack's does.
func (s *Sim) APIURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.baseURL + "/api/"
}

// Close closes every socket, ends streams and deliveries, waits for sockets and deliveries, and drops all files.
func (s *Sim) Close() error {
	s.mu.Lock()
	s.cancel() // with s.mu held, so that no work is added once Wait runs
	s.mu.Unlock()
	s.closeSockets()
	s.work.Wait()
	s.closeFiles()
	return nil
}

// notifyChange wakes all waiters. s.mu must be held.
func (s *Sim) notifyChange() {
	s.version++
	close(s.changed)
	s.changed = make(chan struct{})
}

// timestamp returns a message timestamp that is unique in the workspace. s.mu must be held.
func (s *Sim) timestamp() string {
	s.lastTS = max(s.lastTS+1, s.cfg.Now().UnixMicro())
	return fmt.Sprintf("%d.%06d", s.lastTS/1e6, s.lastTS%1e6)
}

func (s *Sim) now() time.Time { return s.cfg.Now() }

// newID returns an id as Slack forms it: a letter for the kind, then random capitals and digits.
func newID(kind string) string { return kind + strings.ToUpper(randomHex(5)) }

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// wait calls check after every change until it returns true or ctx is done. check is called without s.mu.
func wait[T any](ctx context.Context, s *Sim, check func() (T, bool)) (T, error) {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if found, ok := check(); ok {
			return found, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			var none T
			return none, fmt.Errorf("slacksim: wait: %w", ctx.Err())
		case <-s.ctx.Done():
			var none T
			return none, errors.New("slacksim: wait: the simulator is closed")
		}
	}
}

// evictOldest deletes the oldest entries of a map until it has at most bound.
func evictOldest[K comparable, V any](m map[K]V, bound int, createdAt func(V) time.Time) {
	for len(m) > bound {
		var oldest K
		var at time.Time
		for k, v := range m {
			if t := createdAt(v); at.IsZero() || t.Before(at) {
				oldest, at = k, t
			}
		}
		delete(m, oldest)
	}
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
