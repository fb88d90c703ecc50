// Package slacksim stands in for a Slack workspace, over real HTTP, so that an app can be run and tested without one.
// It is written from Slack's published rules and is as strict as they are: what it accepts, Slack accepts.
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

	"github.com/balcao/balcao/internal/words"
)

// The fixed inhabitants of the workspace.
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
	Stranger = "U0STRANGER" // somebody of another company, through Slack Connect; sees the shared channel alone

	StrangerTeamID = "T0ALHEIO" // of the other company
)

// Config says what workspace to build. The zero value is a workspace in Socket Mode with every rule on.
type Config struct {
	RequestURL    string           // where the app listens for everything; empty means Socket Mode
	SigningSecret string           // defaults to DefaultSigningSecret
	BotToken      string           // defaults to DefaultBotToken
	AppToken      string           // for Socket Mode; defaults to DefaultAppToken
	Now           func() time.Time // the clock of triggers, response URLs, rates and timestamps; defaults to time.Now
	Manifest      []byte           // the app's manifest: its commands, events and name; empty allows every command and event
	RetryDelays   []time.Duration  // waits before each further try of an event; nil means Slack's: 0, 1 min, 5 min
	AckTimeout    time.Duration    // how long the app has to answer; defaults to Slack's 3 s
	PingInterval  time.Duration    // between pings on a socket; defaults to 10 s
	BaseURL       string           // where the simulator is reached, for the URLs it hands out; see SetBaseURL
	BotChannels   []string         // the channels that the bot has joined; nil means TeamChannel
	AnaLocale     string           // defaults to "pt-PT"
	MaxMessages   int              // of each channel, the newest; defaults to 5000
	Rate          Rate
	Client        *http.Client // delivers to the app; defaults to one of its own
}

// Rate sets the limits on calls. The zero value keeps one message a second and channel, after a burst of five, and
// leaves the tiers off.
type Rate struct {
	MessagesPerSecond float64 // a channel; 0 means 1, negative means no limit
	Burst             int     // messages that may come at once; 0 means 5
	Tiers             bool    // also enforce each method's limit per minute
}

// Defaults of Config, plainly not secrets of anybody.
const (
	DefaultSigningSecret = "51a11a7ed0516e1b4c2f9083d7e6ab52" // as long as Slack's
	DefaultBotToken      = "xoxb-simulated-bot"
	DefaultAppToken      = "xapp-simulated-app"
)

// Sim is a simulated workspace. Make one with New, serve it, and Close it.
type Sim struct {
	cfg      Config
	mux      *http.ServeMux
	book     *words.Book
	manifest manifest
	client   *http.Client

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // deliveries under way

	mu             sync.Mutex
	changed        chan struct{} // closed and replaced at every change
	version        int
	lastTS         int64
	pending        int // event deliveries not yet ended
	baseURL        string
	requests       []Request
	calls          map[string]int
	failures       map[string][]Failure
	randomFailures map[string]*randomFailure
	revoked        bool // the bot's token
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

// New builds a workspace. It panics when the manifest is not JSON, since that is a mistake in the program.
func New(cfg Config) *Sim {
	cfg = cfg.withDefaults()
	s := &Sim{
		cfg: cfg, baseURL: strings.TrimSuffix(cfg.BaseURL, "/"), client: deliveryClient(cfg.Client),
		book: words.Load(wordFiles()), manifest: readManifest(cfg.Manifest),
		changed: make(chan struct{}), calls: map[string]int{}, failures: map[string][]Failure{}, randomFailures: map[string]*randomFailure{},
		limits: map[string]*rate.Limiter{}, triggers: map[string]*trigger{}, responseURLs: map[string]*responseURL{},
		views: map[string]*view{}, files: map[string]*file{}, sockets: newSockets(),
	}
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

// ServeHTTP answers the Web API under /api/, response URLs, files, Socket Mode and the browser's page.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// SetBaseURL says where the simulator is reached, when that is known only after New: "http://127.0.0.1:8080".
func (s *Sim) SetBaseURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.baseURL = strings.TrimSuffix(url, "/")
}

// APIURL is the address to configure an app's client with; it ends in a slash, as Slack's own does.
func (s *Sim) APIURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.baseURL + "/api/"
}

// Close ends every socket, stream and delivery, and waits for them.
func (s *Sim) Close() error {
	s.mu.Lock()
	s.cancel() // under the lock, so that nobody begins work while we wait for its end
	s.mu.Unlock()
	s.closeSockets()
	s.work.Wait()
	return nil
}

// touch tells everybody who waits that something changed. Call it with s.mu held.
func (s *Sim) notifyChange() {
	s.version++
	close(s.changed)
	s.changed = make(chan struct{})
}

// timestamp gives the next message timestamp, unique in the workspace. Call it with s.mu held.
func (s *Sim) timestamp() string {
	s.lastTS = max(s.lastTS+1, s.cfg.Now().UnixMicro())
	return fmt.Sprintf("%d.%06d", s.lastTS/1e6, s.lastTS%1e6)
}

func (s *Sim) now() time.Time { return s.cfg.Now() }

// newID makes an identifier in Slack's manner: a letter for the kind, then random capitals and digits.
func newID(kind string) string { return kind + strings.ToUpper(randomHex(5)) }

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// wait repeats look at every change until it finds something or ctx ends. look is called without s.mu.
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
			return none, fmt.Errorf("slacksim: waiting: %w", ctx.Err())
		case <-s.ctx.Done():
			var none T
			return none, errors.New("slacksim: waiting: the simulator was closed")
		}
	}
}

// sweep drops the oldest entries of a map that has grown past its bound.
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
