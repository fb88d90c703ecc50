// Package sandbox simulates the bank's Partners Portal API over real HTTP, as strictly as a bank, so that Balcão can be tried
// and tested without one. It is the bank of a profile, by default the built-in one, whose marks say what is confirmed. What
// it does beyond that is our contract: confirmed are the rules of the borrower operations, the 30 minutes of a session and the
// codes of a success; nearly every value is invented.
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

	"github.com/balcao/balcao/internal/content"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

const (
	maxBody      = 64 << 10
	maxSessions  = 1000
	maxBorrowers = 10 // of one process, by default
	maxFaults    = 100
	maxLatency   = time.Minute
)

// Config configures a [Bank]. Every field has a default.
type Config struct {
	Now func() time.Time // the bank's clock; sample data is relative to it
	Log *slog.Logger     // a line for each call, without personal data

	ClientID, ClientSecret string // the credentials of the network that the sample brokers belong to

	// Profile is what the bank is: its paths, names, forms, rules and the shape of its errors. It is the built-in one by
	// default. The bank refuses what breaks a rule that is an error.
	Profile *profile.Profile
	// AdminAPI serves PUT and DELETE /sandbox/faults, with which anybody who can connect makes the bank fail, and PUT
	// /sandbox/deliveries, /sandbox/pace, /sandbox/processes/{id}/state and /event, and /sandbox/simulations/{id}/state and
	// /event, with which they control it.
	AdminAPI bool

	// MaxBorrowers is the maximum for one process, 10 by default.
	MaxBorrowers int
	// LenientTaxIDs accepts a second borrower with the tax number of another. It is for tests that a caller does not rely on
	// the bank to refuse duplicates.
	LenientTaxIDs bool

	Processes int    // of broker A in addition to the samples, see [Bank.AddProcess]
	Pace      Pace   // of autoplay, off by default
	Seed      uint64 // of autoplay

	DeliveryTimeout time.Duration     // for one attempt to deliver a notification, 5 s by default
	DeliveryTries   int               // 8 by default
	RetryPause      time.Duration     // before the second attempt, 1 s by default; it doubles with each further one
	Transport       http.RoundTripper // of the deliveries
}

// Bank simulates the bank. It is an [http.Handler] and safe for concurrent use; its state is in memory.
type Bank struct {
	config   Config
	mux      *http.ServeMux
	webhooks *webhookSender
	autoplay autoplay
	aliases  profile.Aliases
	values   values

	mu       sync.Mutex // guards all below
	store    *store
	sessions sessions
	faults   faults
	hidden   map[string][]uuid.UUID // processes that a user of their broker does not see
	calls    map[portal.OperationID]int
	tables   map[any]rows // by the [table] that they are of
	rng      *rng
	opened   []uuid.UUID // by autoplay
}

// call is a request to an operation.
type call struct {
	r         *http.Request
	operation portal.OperationID
	wire      *profile.Wire // nil for a request that is not an operation
	lang      dialect
	session   session
	now       time.Time
	body      []byte
	files     content.Files // in place of whose marks the body has documents
	kept      *spool.File   // of files: it stays after the call
}

// keep keeps a document of the call.
func (c *call) keep(file *spool.File) { c.kept = file }

// New returns a bank with the sample processes. Close it if it delivers notifications or has a [Pace].
func New(config Config) *Bank {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Profile == nil {
		config.Profile = profile.Builtin()
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
	of := valuesOf(config.Profile)
	b := &Bank{
		config:   config,
		mux:      http.NewServeMux(),
		webhooks: newWebhookSender(config),
		autoplay: autoplay{pace: Off},
		values:   of,
		store:    samples(config.Now().In(lisbon.Zone), of),
		sessions: sessions{},
		calls:    map[portal.OperationID]int{},
		tables:   map[any]rows{},
		rng:      newRNG(config.Seed),
	}
	for _, broker := range []Broker{BrokerA, BrokerB} {
		b.aliases.Alias(broker.UID)
	}
	for range config.Processes {
		b.store.add(BrokerA, b.now())
	}
	b.route()
	if err := b.SetPace(config.Pace); err != nil {
		config.Log.Error("sandbox autoplay not started", "error", err)
	}
	return b
}

func (b *Bank) route() {
	served := map[string][]string{} // methods by path
	for _, op := range portal.Operations(b.config.Profile) {
		handle, ok := allHandlers()[op.ID]
		if !ok {
			continue // a test checks that there is a handler for every operation
		}
		b.mux.Handle(op.Method+" "+op.Path, b.operation(op, handle))
		served[op.Path] = append(served[op.Path], op.Method)
	}
	for path, methods := range served { // each method separately, since one path may match another
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

// operation serves a call: it applies faults, checks the session and calls the handler.
func (b *Bank) operation(op portal.Operation, handle handler) http.Handler {
	wire := b.config.Profile.Wire(string(op.ID))
	wire.Aliases = &b.aliases
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		c := &call{r: r, operation: op.ID, wire: wire, lang: b.dialect(b.askedLanguage(r)), now: b.now()}
		var bodyErr error
		if op.Method != http.MethodGet && !takesDocuments(op.ID) {
			c.body, bodyErr = readBody(w, r) // first, since only then net/http notices that the caller has disconnected
		}
		fault := b.arrive(c)
		if fault.before(w, r, c.body) {
			return
		}
		reply, err := b.answer(w, c, handle, bodyErr)
		c.files.Close(c.kept)
		out := b.render(c, reply, err)
		b.config.Log.Info("call", "operation", op.ID, "status", out.status, "took", time.Since(started))
		fault.after(w, out)
	})
}

// arrive counts the call and returns the fault for it.
func (b *Bank) arrive(c *call) Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[c.operation]++
	fault := b.faults.take(c.operation, c.r.URL.Path)
	if fault.ExpireSession {
		b.sessions.drop(b.given(c.r, b.config.Profile.Headers)["token"])
	}
	if fault != (Fault{}) {
		b.config.Log.Info("fault", "operation", c.operation, "fault", fault.name())
	}
	return fault
}

// answer checks the session before anything else and calls the handler.
func (b *Bank) answer(w http.ResponseWriter, c *call, handle handler, bodyErr error) (reply any, err error) {
	if c.operation != portal.Authenticate {
		if c.session, err = b.session(c); err != nil {
			return nil, err
		}
	}
	if takesDocuments(c.operation) {
		c.body, c.files, bodyErr = b.readDocument(w, c)
	}
	if bodyErr != nil {
		return nil, bodyErr
	}
	if c.body, err = c.wire.Request(c.body); err != nil {
		return nil, refused(http.StatusBadRequest, "request.json")
	}
	return handle(b, c)
}

// response is an encoded reply.
type response struct {
	status   int
	xml      bool
	body     []byte
	document *content.Body // the body with a document; nil without one
}

func (b *Bank) render(c *call, reply any, err error) response {
	if err != nil {
		reason := asRefusal(err)
		if reason.status == http.StatusInternalServerError {
			b.config.Log.Error("call failed", "operation", c.operation, "error", err)
		}
		return b.failure(c, reason)
	}
	if _, plain := reply.(written); plain && b.config.Profile.Forms.Done == profile.Empty {
		return response{status: http.StatusNoContent}
	}
	body, err := pii.MarshalClear(reply)
	if err == nil && c.wire != nil && c.operation != portal.Authenticate {
		body, err = c.wire.WriteReply(body)
	}
	if err != nil {
		b.config.Log.Error("reply has no JSON", "operation", c.operation, "error", err)
		return response{status: http.StatusInternalServerError}
	}
	out := response{status: http.StatusOK, body: body}
	if with, ok := reply.(withDocument); ok {
		mark, file := with.document()
		out.document, _ = content.NewBody(body, mark, file)
	}
	return out
}

func (out response) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if out.xml {
		w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(out.status)
	if out.document != nil {
		writeDocument(w, out.document, out.document.Size())
		return
	}
	_, _ = w.Write(out.body) // an error means that the caller has disconnected
}

// now returns the bank's time, in Lisbon.
func (b *Bank) now() time.Time { return b.config.Now().In(lisbon.Zone) }

// refuse answers a request that is not an operation.
func (b *Bank) refuse(status int, problem string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{r: r, lang: b.dialect(b.askedLanguage(r))}
		b.render(c, nil, refused(status, problem)).write(w)
	})
}

// Calls returns how often an operation was called, refused calls included.
func (b *Bank) Calls(operation portal.OperationID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[operation]
}

// Logins returns how often a login was attempted.
func (b *Bank) Logins() int { return b.Calls(portal.Authenticate) }

// dialect returns how the bank describes things in a language.
func (b *Bank) dialect(lang words.Lang) dialect { return dialect{lang, b.values.lists} }

// askedLanguage returns the language of the reply, as the headers of the profile say it.
func (b *Bank) askedLanguage(r *http.Request) words.Lang {
	return words.Match(b.given(r, b.config.Profile.Headers)["language"])
}

// token returns a text with over 256 random bits.
func token() string { return fmt.Sprintf("%s%s", rand.Text(), rand.Text()) }
