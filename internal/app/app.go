// Package app builds what both programs share: the client of the bank or its sandbox, the store, notifications and the
// runner of the catalogue.
package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/issuer"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/telemetry"
	"github.com/balcao/balcao/internal/version"
	"github.com/balcao/balcao/internal/webguard"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
	"github.com/balcao/balcao/validation"
)

// System is everything that both programs need below their front ends.
type System struct {
	Runner  *tools.Runner
	Store   *conversations.Store
	Metrics *telemetry.Metrics
	BankURL string           // the address of the bank
	Issuer  *issuer.Verifier // of MCP_ISSUER; nil if there is none

	settings      settings.Settings
	profile       *profile.Profile
	unknown       unknown
	bank          *portal.Client
	sandbox       *sandbox.Bank // nil if the bank is a real one
	people        *People
	notifications atomic.Pointer[notifications.Service]
	log           *slog.Logger
	now           func() time.Time
	stop          []func() error
}

// Option changes how a system is put together.
type Option func(*System)

// WithClock has notifications take the time from now, for tests of what happens at a time of day.
func WithClock(now func() time.Time) Option {
	return func(s *System) { s.now = now }
}

// RuleCodes returns the codes of the rules of which a profile may set the strictness.
func RuleCodes() []string {
	codes := []string{}
	for _, code := range validation.Codes() {
		codes = append(codes, string(code))
	}
	return codes
}

// CheckPolicy returns an error for an ASSISTANT_POLICY that is not valid.
func CheckPolicy(policy string) error {
	_, err := tools.ParsePolicy(policy, catalogue.New())
	return err
}

// Start builds the system. Stop it with Close.
func Start(ctx context.Context, s settings.Settings, log *slog.Logger, options ...Option) (system *System, err error) {
	log.Info("starting", "version", version.String())
	for _, warning := range s.Warnings {
		log.Warn(warning.Text(words.English))
	}
	system = &System{BankURL: s.PortalURL, profile: s.Profile, log: log, now: time.Now}
	for _, option := range options {
		option(system)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, system.Close())
		}
	}()
	if system.Metrics, err = telemetry.NewMetrics(); err != nil {
		return system, err
	}
	system.stop = append(system.stop, func() error { return system.Metrics.Close(context.Background()) })
	if err := observeVersion(system.Metrics.Meter()); err != nil {
		return system, err
	}
	if system.unknown, err = newUnknown(system.Metrics.Meter()); err != nil {
		return system, err
	}
	if s.PortalURL == settings.Sandbox {
		s.PortalClientID, s.PortalClientSecret = sandbox.SampleClientID, rand.Text()+rand.Text()
		if system.BankURL, err = system.serveSandbox(s, log); err != nil {
			return system, fmt.Errorf("starting the sandbox bank: %w", err)
		}
		s.PortalBrokerUID = cmp.Or(s.PortalBrokerUID, sandbox.BrokerA.ID(s.SandboxProfile))
		s.PortalPartnerUID = cmp.Or(s.PortalPartnerUID, sandbox.BrokerA.Partner.String())
		s.PortalUsername = cmp.Or(s.PortalUsername, sandbox.BrokerA.Users[0])
	}
	if s.PortalProfile != "" {
		log.Info("the profile of the bank is read", "setting", "PORTAL_PROFILE", "entries that differ", len(s.Profile.Compare(profile.Builtin())))
	}
	system.settings = s
	if system.Store, err = OpenStore(ctx, s, log); err != nil {
		return system, err
	}
	system.stop = append(system.stop, system.Store.Close)
	learnt := tools.NewLearnt(system.Store, system.BankURL, log, time.Now)
	if system.bank, err = client(s, system.BankURL, learnt, system.pace(s), log); err != nil {
		return system, err
	}
	system.stop = append(system.stop, func() error { system.bank.Close(); return nil })
	if !system.inMemory() {
		logWeaknesses(ctx, system.Store, log)
	}
	if system.people, err = newPeople(s); err != nil {
		return system, err
	}
	if s.MCPIssuer != "" {
		system.Issuer = issuer.New(issuer.Config{URL: s.MCPIssuer, Audience: s.MCPAudience, Log: log})
		system.stop = append(system.stop, system.Issuer.Close)
	}
	if err := system.openNotifications(ctx); err != nil {
		return system, err
	}
	if err := observeCircuits(system.Metrics.Meter(), system.bank); err != nil {
		return system, err
	}
	if err := observeFaults(system.Metrics.Meter(), system.bank); err != nil {
		return system, err
	}
	checks, err := tools.ChecksOf(s.Profile)
	if err != nil {
		return system, err
	}
	policy, err := tools.ParsePolicy(s.AssistantPolicy, catalogue.New())
	if err != nil {
		return system, fmt.Errorf("reading ASSISTANT_POLICY: %w", err)
	}
	histogram, err := newCallHistogram(system.Metrics.Meter())
	if err != nil {
		return system, err
	}
	system.Runner = tools.NewRunner(tools.Config{
		Catalogue: catalogue.New(), Bank: system.bank, People: system.people, Checks: validation.New(checks),
		Journal: system.Store, AuditLog: system.Store, Fingerprint: s.Keys.Fingerprint, Sealer: s.Keys, Claims: system.Store,
		Approvals: system.Store, Policy: policy,
		Index: system.Store, List: tools.ListPace{Login: system.serviceLogin()}, Log: log, CallTimeout: s.CallTimeout,
		Destinations: destinations{system.Store, system.Notifications, teamDestination(s)}, Updates: history{system}, Learnt: learnt, Changed: system.changed, Counted: histogram,
		States: system.profile.States, SimulationStates: system.profile.SimulationMeaning, UnknownState: system.unknown.states,
	})
	lossCheck := lossCheckInterval
	if system.inMemory() {
		lossCheck = lossCheckIntervalMemory
	}
	system.stop = append(system.stop, startRecovery(system.Runner, lossCheck, log), startReadingLists(system.Runner), startCheckpoints(system.Store, log))
	return system, nil
}

// inMemory reports whether the store is lost with this process.
func (s *System) inMemory() bool { return s.settings.RedisURL == settings.Memory }

// Close stops the system, in the reverse order of its start.
func (s *System) Close() error {
	var errs []error
	for i := len(s.stop) - 1; i >= 0; i-- {
		errs = append(errs, s.stop[i]())
	}
	s.stop = nil
	return errors.Join(errs...)
}

// pace returns the limit of PORTAL_RATE: over all replicas, or of this process if nothing else uses its store. It is nil
// without the setting.
func (s *System) pace(set settings.Settings) portal.Pace {
	switch {
	case set.Rate.PerSecond == 0:
		return nil
	case set.RedisURL == settings.Memory:
		return rate.NewLimiter(rate.Limit(set.Rate.PerSecond), set.Rate.Burst)
	}
	return s.Store.NewPace(s.BankURL, set.Rate.PerSecond, set.Rate.Burst)
}

func client(s settings.Settings, base string, learnt *tools.Learnt, pace portal.Pace, log *slog.Logger) (*portal.Client, error) {
	config := portal.Config{
		Profile: s.Profile, BaseURL: base, ClientID: s.PortalClientID, ClientSecret: s.PortalClientSecret, Log: log, Described: learnt.Learn,
		// A request has ended well before the lease of its call expires.
		TotalTimeout: s.CallTimeout / 2, AttemptTimeout: s.CallTimeout / 4, Pace: pace,
	}
	if s.PortalPartnerUID != "" {
		partner, err := id(s, "partner", s.PortalPartnerUID)
		if err != nil {
			return nil, fmt.Errorf("PORTAL_PARTNER_UID: %w", err)
		}
		config.PartnerUID = partner
	}
	return portal.New(config)
}

// id reads an id of a setting in the form that the profile says. The ids of the sandbox's samples are uuids.
func id(s settings.Settings, kind, text string) (uuid.UUID, error) {
	if s.PortalURL == settings.Sandbox {
		if id, err := uuid.Parse(text); err == nil {
			return id, nil
		}
	}
	return profile.ParseID(s.Profile.Forms.IDs[kind], text)
}

// serveSandbox serves a sandbox bank on a free port of the loopback interface.
func (s *System) serveSandbox(set settings.Settings, log *slog.Logger) (url string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	log = log.With("at", "sandbox bank")
	bank := sandbox.New(sandbox.Config{Log: log, ClientSecret: set.PortalClientSecret, AdminAPI: true, Profile: set.SandboxProfile, Pace: sandbox.Pace(set.SandboxPace)})
	server := webguard.NewServer(bank, webguard.Guard{Hosts: []string{}}, log)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	s.sandbox = bank
	s.stop = append(s.stop, func() error {
		bank.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return errors.Join(server.Shutdown(ctx), ignoreClosed(<-done))
	})
	return "http://" + listener.Addr().String(), nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
