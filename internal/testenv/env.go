// Package testenv starts what tests of a front end, of the operations and of the engine need alike: a simulated bank over
// HTTP, a client of it, a store, the team, and a Runner with the whole catalogue. A test of what is special to a package
// builds on it.
package testenv

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
	"github.com/balcao/balcao/validation"
)

// Options are what a test may change. All are optional.
type Options struct {
	Profile *profile.Profile                     // of the client and the rules, and of the bank if Sandbox has none; the built-in one by default
	Sandbox sandbox.Config                       // of the bank
	Proxy   func(bank http.Handler) http.Handler // between the client and the bank
	Portal  func(*portal.Config)                 // changes the client
	Redis   string                               // a URL; "memory" by default
	Store   []conversations.Option               // of each store
	Timeout time.Duration                        // of one call of a store; that of every other wait by default
	Now     func() time.Time                     // the clock of the Runner; time.Now by default
	Checks  func(*validation.Options)            // changes the rules, which are those of the profile
	Runner  func(*tools.Config)                  // changes the configuration of each Runner
}

// Env is a Runner with everything that it works with. Several replicas share a bank, a Redis and a key.
type Env struct {
	*tools.Runner
	Bank   *sandbox.Bank
	URL    string // of the bank
	Client *portal.Client
	Keys   *keys.Keys
	Store  *conversations.Store
	Files  *Uploads     // what actors have given
	Audit  *AuditLog    // what the Runner has audited
	Log    *logtest.Log // JSON
	Actor  tools.Actor  // who calls tools: Ana, in English
	Close  func()       // closes the store and the client of a replica before the test ends; may be called twice

	options Options
}

// Start starts a bank and one replica. Everything ends with the test.
func Start(t testing.TB, options Options) *Env {
	t.Helper()
	options.Profile = cmp.Or(options.Profile, options.Sandbox.Profile, profile.Builtin())
	options.Sandbox.Profile = cmp.Or(options.Sandbox.Profile, options.Profile)
	bank := sandbox.New(options.Sandbox)
	t.Cleanup(bank.Close)
	handler := http.Handler(bank)
	if options.Proxy != nil {
		handler = options.Proxy(bank)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	sealing, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	if options.Redis == "" {
		options.Redis = memory
	}
	first := &Env{Bank: bank, URL: server.URL, Keys: sealing, Files: NewUploads(), options: options}
	return first.Replica(t)
}

// Both are safe for concurrent use, and costly to make for each of many replicas.
var (
	checks     = sync.OnceValue(func() *validation.Checker { return newChecks(profile.Builtin(), nil) })
	operations = sync.OnceValue(catalogue.New)
)

// newChecks returns the rules of a profile, changed by change.
func newChecks(bank *profile.Profile, change func(*validation.Options)) *validation.Checker {
	options, err := tools.ChecksOf(bank)
	if err != nil {
		panic(err) // a test of the profile fails too
	}
	if change != nil {
		change(&options)
	}
	return validation.New(options)
}

// recovery is the time between the end of a lease and the recovery of its call. Stores in use wait longer: as long as one
// call may take.
const recovery = 500 * time.Millisecond

// memory is the URL of an embedded Redis, of which each store has its own.
const memory = "memory"

// Replica starts another replica. change changes the configuration of its Runner after [Options.Runner] did. Replicas
// without a real Redis share the store of the first.
func (e *Env) Replica(t testing.TB, change ...func(*tools.Config)) *Env {
	t.Helper()
	r := &Env{
		Bank: e.Bank, URL: e.URL, Keys: e.Keys, Files: e.Files, Store: e.Store, Audit: &AuditLog{}, Log: &logtest.Log{},
		Actor: tools.Actor{ID: "ana", Lang: words.English}, options: e.options,
	}
	closeStore := func() {}
	if r.Store == nil || r.options.Redis != memory {
		lives := conversations.Lives{Call: cmp.Or(r.options.Timeout, waittest.Deadline), Recovery: recovery}
		store, err := conversations.Open(t.Context(), r.options.Redis, r.Keys, append(r.options.Store, conversations.WithLives(lives))...)
		if err != nil {
			t.Fatal(err)
		}
		r.Store = store
		closeStore = func() {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	log, now := slog.New(slog.NewJSONHandler(r.Log, nil)), time.Now
	if r.options.Now != nil {
		now = r.options.Now
	}
	learnt := tools.NewLearnt(r.Store, r.URL, log, now)
	r.Client = r.newClient(t, learnt)
	config := tools.Config{
		Catalogue: operations(), Bank: r.Client, People: Team(), Checks: checks(),
		Journal: r.Store, AuditLog: r.Audit, Fingerprint: r.Keys.Fingerprint, Sealer: r.Keys, Claims: r.Store,
		Approvals: r.Store, Policy: allowAll(),
		Index: r.Store, List: tools.ListPace{Page: time.Millisecond, Lease: 5 * time.Second, Poll: recovery, Wait: waittest.Deadline},
		Log: log, Now: now, Learnt: learnt, States: r.options.Profile.States, SimulationStates: r.options.Profile.SimulationMeaning,
	}
	if r.options.Checks != nil || r.options.Profile != profile.Builtin() {
		config.Checks = newChecks(r.options.Profile, r.options.Checks)
	}
	if r.options.Runner != nil {
		change = append([]func(*tools.Config){r.options.Runner}, change...)
	}
	for _, c := range change {
		c(&config)
	}
	r.Runner = tools.NewRunner(config)
	r.AddFileSource("upload", r.Files)
	reading, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var lists sync.WaitGroup
	lists.Go(func() { r.ReadLists(reading) })
	r.Close = sync.OnceFunc(func() {
		stop()
		lists.Wait()
		closeStore()
		r.Client.Close()
	})
	t.Cleanup(r.Close)
	return r
}

// newClient returns a client that waits as long as a test does, and repeats nothing, so that a test decides what the bank
// is asked.
func (e *Env) newClient(t testing.TB, learnt *tools.Learnt) *portal.Client {
	t.Helper()
	config := portal.Config{
		Profile: e.options.Profile, BaseURL: e.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret, PartnerUID: sandbox.BrokerA.Partner,
		AttemptTimeout: waittest.Deadline, TotalTimeout: waittest.Deadline, ReadAttempts: 1, MaxPerSecond: 10_000,
		Described: learnt.Learn,
	}
	if e.options.Portal != nil {
		e.options.Portal(&config)
	}
	client, err := portal.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Team returns the people whom [Start] lets use the bank: ana and bruno of one broker, with reader, who may change nothing;
// and rita of another.
func Team() tools.Team {
	ours, others := Login(sandbox.BrokerA), Login(sandbox.BrokerB)
	return tools.Team{"ana": {Login: ours}, "bruno": {Login: ours}, "reader": {Login: ours, ReadOnly: true}, "rita": {Login: others}}
}

// Login returns the login of the first user of a broker.
func Login(broker sandbox.Broker) portal.Login {
	return portal.Login{BrokerUID: broker.UID, Username: broker.Users[0]}
}

// User returns the bank as Ana uses it, for what a test reads or changes itself.
func (e *Env) User() *portal.User { return e.Client.As(Login(sandbox.BrokerA), "en") }

// AuditInStore writes the audit log to the store instead of [Env.Audit].
func AuditInStore(c *tools.Config) { c.AuditLog = c.Journal.(tools.AuditLog) }
