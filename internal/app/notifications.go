package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

const (
	shutdownTimeout          = 20 * time.Second // of notifications; another replica or the next start continues what was cancelled
	sandboxReconcileInterval = time.Minute      // between two reconciliations with the sandbox, which has no other load
)

// Notifications returns the service of notifications. Until [System.StartNotifications] it only accepts triggers and returns
// updates.
func (s *System) Notifications() *notifications.Service { return s.notifications.Load() }

// notificationsConfig returns the configuration of notifications without a poster.
func (s *System) notificationsConfig() notifications.Config {
	login := s.serviceLogin()
	config := notifications.Config{
		Now: s.now, Reader: s.reader(login),
		Store: s.Store, Bank: s.bank.As(login, string(s.settings.TeamLang)), Fingerprint: s.settings.Keys.Fingerprint, Log: s.log,
		Profile: s.profile, UnknownState: s.unknown.states, UnknownType: s.unknown.notifications,
		Lang: s.settings.TeamLang, URL: s.settings.CallbackURL, Tokens: s.settings.CallbackTokens,
	}
	if s.Runner != nil { // not yet while the service is only opened
		config.Index = s.Runner.IndexOf(login.BrokerUID)
	}
	if s.settings.AdminUser != "" {
		config.Admin = "slack:" + s.settings.AdminUser
	}
	if s.settings.PortalURL == settings.Sandbox {
		config.ReconcileInterval = sandboxReconcileInterval
	}
	return config
}

// openNotifications opens the service so that tools can trigger and read updates. Another process may post them.
func (s *System) openNotifications(ctx context.Context) error {
	config := s.notificationsConfig()
	service, err := notifications.Open(ctx, config)
	if err != nil {
		return fmt.Errorf("opening notifications: %w", err)
	}
	s.notifications.Store(service)
	s.stop = append(s.stop, func() error { service.Close(); return nil })
	return nil
}

// StartNotifications starts to read changes from the bank and to post them with poster, in any number of replicas. Stop the
// front ends before the system, so that the triggers that they still receive are stored.
func (s *System) StartNotifications(ctx context.Context, poster destination.Poster) error {
	config := s.notificationsConfig()
	config.Poster, config.Meter = poster, s.Metrics.Meter()
	service, err := notifications.Start(ctx, config)
	if err != nil {
		return fmt.Errorf("starting notifications: %w", err)
	}
	s.notifications.Store(service)
	if s.sandbox != nil && sandbox.Pace(s.settings.SandboxPace) != sandbox.Off {
		s.stop = append(s.stop, s.changeFirstProcess())
	}
	s.stop = append(s.stop, func() error {
		stopped := make(chan struct{})
		go func() {
			service.Close()
			close(stopped)
		}()
		select {
		case <-stopped:
			return nil
		case <-time.After(shutdownTimeout):
			return errors.New("notifications do not stop in time")
		}
	})
	return nil
}

// changeFirstProcess changes a process of the sandbox bank once it has a snapshot, so that a new playground soon shows a
// notification.
func (s *System) changeFirstProcess() (stop func() error) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		process := sandbox.SampleProcess(sandbox.SampleFirst)
		for {
			if _, known, err := s.Notifications().Snapshot(ctx, notifications.OfProcess(process)); known && err == nil {
				_ = s.sandbox.Advance(process) // fails if the process has ended by itself
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() error {
		cancel()
		<-stopped
		return nil
	}
}

// changed triggers a read of a process or simulation that a tool has changed.
func (s *System) changed(ctx context.Context, change tools.Changed) error {
	if change.Subject == (tools.Subject{}) {
		return nil
	}
	return s.Notifications().Trigger(ctx, notifications.Trigger{Subject: notifications.Subject(change.Subject), Source: notifications.Balcao, Actor: change.Actor})
}

// Reachable retries the deliveries to a destination that may be reachable again.
func (s *System) Reachable(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := s.Notifications().Retry(ctx, id); err != nil {
		s.log.Warn("retrying a destination failed; it is retried later", "error", err)
	}
}

// Checks returns the readiness checks of a program that runs notifications.
func (s *System) Checks() []Check {
	return []Check{
		s.StoreCheck(),
		s.DurabilityCheck(),
		{Name: "notifications", Vital: true, Run: func(ctx context.Context) error { return s.Notifications().Ready(ctx) }},
		s.BankCheck(),
		{Name: "bank", Run: func(ctx context.Context) error {
			problems, err := s.Notifications().Problems(ctx)
			if len(problems) > 0 {
				return Problem(problems[0])
			}
			return err
		}},
		s.SearchCheck(),
	}
}

// filterIgnored: the bank returns every process, whatever is searched for.
const filterIgnored Problem = "filter_ignored"

// SearchCheck fails if the bank was last seen to ignore the text filter of its list of processes. Searches use the index only
// then, and find nobody by tax number.
func (s *System) SearchCheck() Check {
	return Check{Name: "search", Run: func(context.Context) error {
		if s.Runner.IndexOf(s.serviceLogin().BrokerUID).FilterIgnored() {
			return filterIgnored
		}
		return nil
	}}
}

// history implements [tools.History].
type history struct{ system *System }

// Since implements [tools.History]. Updates are stored with microseconds; Since of the service excludes the given one.
func (h history) Since(ctx context.Context, since time.Time, limit int, lang words.Lang, states map[int32]string) ([]tools.ProcessChange, error) {
	updates, err := h.system.Notifications().Since(ctx, since.Add(-time.Microsecond), limit)
	if err != nil {
		return nil, err
	}
	changes := make([]tools.ProcessChange, 0, len(updates))
	for _, update := range updates {
		changes = append(changes, tools.ProcessChange{
			Subject: tools.Subject(update.Subject), Number: update.Number, At: update.At, What: update.Texts(lang, states),
			StatusID: update.Snapshot.StatusID, Status: update.Snapshot.Status, Moved: update.StatusBefore != update.Snapshot.StatusID,
		})
	}
	return changes, nil
}

// Horizon implements [tools.History].
func (h history) Horizon(ctx context.Context) (tools.Horizon, error) {
	horizon, err := h.system.Notifications().Horizon(ctx)
	return tools.Horizon(horizon), err
}
