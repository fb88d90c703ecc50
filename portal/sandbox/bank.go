// Package sandbox is a stand-in for the bank's Partners Portal API, served over real HTTP and strict like a bank, so
// that everything above the wire can be tried and tested without one. It is our contract, not the bank's: confirmed are
// the paths, fields and rules of the borrower operations, the headers of Authenticate, the 30 minutes of a session and
// the codes of a success; the other paths, the envelope and codes of errors, the lists' and taxonomies' shapes and
// nearly every value are inferred or invented.
package sandbox

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

const (
	maxBody      = 64 << 10
	maxSessions  = 1000
	maxBorrowers = 10 // of one process, by default
	maxFaults    = 100
	maxLatency   = time.Minute
)

// Config says how a bank is set up. Every field has a default.
type Config struct {
	Now func() time.Time // the bank's clock; sample data is dated by it
	Log *slog.Logger     // a line for each call, without personal data

	ClientID, ClientSecret string // the pair of the network that the sample brokers belong to

	// Envelope is the shape of errors. The bank's is not public, and a client must understand several.
	Envelope Envelope
	// AdminAPI serves PUT and DELETE /sandbox/faults, with which anybody who reaches the bank can make it fail, and PUT
	// /sandbox/deliveries, /sandbox/pace and /sandbox/processes/{id}/state, with which they make it do what it does by itself.
	AdminAPI bool

	// MaxBorrowers of one process are taken, 10 by default.
	MaxBorrowers int
	// LenientTaxIDs takes a second borrower with the tax number of another. It is for tests of callers who must not rely
	// on the bank to notice that they send something twice.
	LenientTaxIDs bool

	Processes int    // of broker A beside the samples, see [Bank.AddProcess]
	Pace      Pace   // at which processes move by themselves, off by default
	Seed      uint64 // of what happens by itself

	DeliveryTimeout time.Duration     // for one try to deliver a notification, 5 s by default
	DeliveryTries   int               // 8 by default
	RetryPause      time.Duration     // before the second try, 1 s by default; it doubles with each further one
	Transport       http.RoundTripper // of the deliveries
}

// Bank is the stand-in. It is an [http.Handler] and safe for use by many at once; its state lives in memory.
type Bank struct {
	config   Config
	mux      *http.ServeMux
	webhooks *webhookSender
	autoplay autoplay

	mu       sync.Mutex // guards all below
	store    *store
	sessions sessions
	faults   faults
	hidden   map[string][]uuid.UUID // processes that a user of their broker does not see
	calls    map[portal.OperationID]int
	tables   map[any]rows // by the [table] that they are of
	rng      *rng
	opened   []uuid.UUID // by the mover
}

// call is a request on its way through the bank.
type call struct {
	r         *http.Request
	operation portal.OperationID
	lang      words.Lang
	session   session
	now       time.Time
	body      []byte
}

// New returns a bank with the sample processes. One that delivers notifications or moves processes by itself is closed
// at the end.
func New(config Config) *Bank {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	config.ClientID = cmp.Or(config.ClientID, SampleClientID)
	config.ClientSecret = cmp.Or(config.ClientSecret, SampleClientSecret)
	config.MaxBorrowers = cmp.Or(config.MaxBorrowers, maxBorrowers)
	config.DeliveryTimeout = cmp.Or(config.DeliveryTimeout, 5*time.Second)
	config.DeliveryTries = cmp.Or(config.DeliveryTries, 8)
	config.RetryPause = cmp.Or(config.RetryPause, time.Second)
	if config.Transport == nil {
		config.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	b := &Bank{
		config:   config,
		mux:      http.NewServeMux(),
		webhooks: newWebhookSender(config),
		autoplay: autoplay{pace: Off},
		store:    samples(config.Now().In(lisbon.Zone)),
		sessions: sessions{},
		calls:    map[portal.OperationID]int{},
		tables:   map[any]rows{},
		rng:      newRNG(config.Seed),
	}
	for range config.Processes {
		b.store.add(BrokerA, b.now())
	}
	b.route()
	if err := b.SetPace(config.Pace); err != nil {
		config.Log.Error("the processes stand still", "error", err)
	}
	return b
}

func (b *Bank) route() {
	served := map[string][]string{} // methods by path
	for _, op := range portal.Operations() {
		handle, ok := handlers[op.ID]
		if !ok {
			continue // a test checks that there is a handler for every operation
		}
		b.mux.Handle(op.Method+" "+op.Path, b.operation(op, handle))
		served[op.Path] = append(served[op.Path], op.Method)
	}
	for path, methods := range served { // each method by itself: one path may be a case of another
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			if !slices.Contains(methods, method) {
				b.mux.Handle(method+" "+path, b.refuse(http.StatusMethodNotAllowed, "request.method"))
			}
		}
	}
	b.mux.Handle("/", b.refuse(http.StatusNotFound, "request.path"))
	if b.config.AdminAPI {
		b.routeAdmin()
	}
}

// ServeHTTP answers a call. Under a path prefix, wrap the bank in [http.StripPrefix].
func (b *Bank) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.mux.ServeHTTP(w, r) }

// operation takes a call through the faults, the session and its handler.
func (b *Bank) operation(op portal.Operation, handle handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		c := &call{r: r, operation: op.ID, lang: askedLanguage(r), now: b.now()}
		var bodyErr error
		if op.Method != http.MethodGet {
			c.body, bodyErr = readBody(w, r) // first: only then does net/http notice a caller who leaves
		}
		fault := b.arrive(c)
		if fault.before(w, r, c.body) {
			return
		}
		reply, err := b.answer(c, handle, bodyErr)
		out := b.render(c, reply, err)
		b.config.Log.Info("call", "operation", op.ID, "status", out.status, "took", time.Since(started))
		fault.after(w, out)
	})
}

// arrive counts the call and takes the fault that waits for it.
func (b *Bank) arrive(c *call) Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[c.operation]++
	fault := b.faults.take(c.operation, c.r.URL.Path)
	if fault.ExpireSession {
		b.sessions.drop(bearer(c.r))
	}
	if fault != (Fault{}) {
		b.config.Log.Info("fault", "operation", c.operation, "fault", fault.name())
	}
	return fault
}

// answer refuses a call for its session before anything else.
func (b *Bank) answer(c *call, handle handler, bodyErr error) (reply any, err error) {
	if c.operation != portal.Authenticate {
		if c.session, err = b.session(c); err != nil {
			return nil, err
		}
	}
	if bodyErr != nil {
		return nil, bodyErr
	}
	return handle(b, c)
}

// response is a reply ready for the wire.
type response struct {
	status int
	body   []byte
}

func (b *Bank) render(c *call, reply any, err error) response {
	status := http.StatusOK
	if err != nil {
		reason := asRefusal(err)
		if reason.status == http.StatusInternalServerError {
			b.config.Log.Error("call failed", "operation", c.operation, "error", err)
		}
		status, reply = reason.status, b.config.Envelope.wrap(c.lang, reason)
	}
	body, err := pii.MarshalClear(reply)
	if err != nil {
		b.config.Log.Error("reply has no JSON", "operation", c.operation, "error", err)
		return response{status: http.StatusInternalServerError}
	}
	return response{status, body}
}

func (out response) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body) // the caller has gone: nobody is left to tell
}

// now is the bank's time; its days begin and end in Lisbon.
func (b *Bank) now() time.Time { return b.config.Now().In(lisbon.Zone) }

// refuse answers what is no operation at all.
func (b *Bank) refuse(status int, problem string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{r: r, lang: askedLanguage(r)}
		b.render(c, nil, refused(status, problem)).write(w)
	})
}

// Calls tells how often an operation was called, whatever came of it.
func (b *Bank) Calls(operation portal.OperationID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[operation]
}

// Logins tells how often somebody tried to open a session.
func (b *Bank) Logins() int { return b.Calls(portal.Authenticate) }

// askedLanguage is the reply's: how the bank chooses it is not public, Accept-Language is inferred.
func askedLanguage(r *http.Request) words.Lang { return words.Match(r.Header.Get("Accept-Language")) }

// token returns a text of 256 random bits.
func token() string { return fmt.Sprintf("%s%s", rand.Text(), rand.Text()) }
