package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

const (
	newsPatience = 20 * time.Second // for what is under way at the end; what is cut off, another replica or the next start takes up
	sandboxWalk  = time.Minute      // between two walks over the list of a bank that nobody is a burden to
)

// News is the way from the bank to the team. Until [System.StartNews] it only takes hints and tells what moved.
func (s *System) News() *notifications.Service { return s.news.Load() }

// newsConfig is what notifications work with, without a poster.
func (s *System) newsConfig() (notifications.Config, error) {
	_, err := uuid.Parse(s.settings.PortalBrokerUID)
	if err != nil {
		return notifications.Config{}, errors.New("PORTAL_BROKER_UID is no uuid")
	}
	login := s.itself()
	config := notifications.Config{
		Now: s.now, Reader: s.reader(login),
		Store: s.Store, Bank: s.bank.As(login, string(s.settings.TeamLang)), Fingerprint: s.settings.Keys.Fingerprint, Log: s.log,
		Lang: s.settings.TeamLang, URL: s.settings.CallbackURL, Tokens: s.settings.CallbackTokens,
	}
	if s.settings.AdminUser != "" {
		config.Admin = "slack:" + s.settings.AdminUser
	}
	if s.settings.PortalURL == settings.Sandbox {
		config.ReconcileInterval = sandboxWalk
	}
	return config, nil
}

// openNews lets tools tell of changes and ask what moved, whoever does the rest.
func (s *System) openNews(ctx context.Context) error {
	config, err := s.newsConfig()
	if err != nil {
		return err
	}
	news, err := notifications.Open(ctx, config)
	if err != nil {
		return fmt.Errorf("opening notifications: %w", err)
	}
	s.news.Store(news)
	s.stop = append(s.stop, func() error { news.Close(); return nil })
	return nil
}

// StartNews begins to follow the bank and to tell people by poster, in any number of replicas. Close the doors before the
// system: what they still hear of is then written down.
func (s *System) StartNews(ctx context.Context, poster destination.Poster) error {
	config, err := s.newsConfig()
	if err != nil {
		return err
	}
	config.Poster, config.Meter = poster, s.Metrics.Meter()
	news, err := notifications.Start(ctx, config)
	if err != nil {
		return fmt.Errorf("starting notifications: %w", err)
	}
	s.news.Store(news)
	if s.sandbox != nil && sandbox.Pace(s.settings.SandboxPace) != sandbox.Off {
		s.stop = append(s.stop, s.openWithNews())
	}
	s.stop = append(s.stop, func() error {
		ended := make(chan struct{})
		go func() {
			news.Close()
			close(ended)
		}()
		select {
		case <-ended:
			return nil
		case <-time.After(newsPatience):
			return errors.New("notifications do not end")
		}
	})
	return nil
}

// openWithNews moves a process of the sandbox bank once it was looked at for the first time, so that whoever opens a
// playground reads of something at once.
func (s *System) openWithNews() (stop func() error) {
	ctx, cancel := context.WithTimeout(context.Background(), newsPatience)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		process := sandbox.SampleProcess(sandbox.SampleFirst)
		for {
			if _, known, err := s.News().Snapshot(ctx, process); known && err == nil {
				_ = s.sandbox.Advance(process) // it may have moved to its end by itself
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
		<-ended
		return nil
	}
}

// changed has a process looked at that a tool changed.
func (s *System) changed(ctx context.Context, change tools.Changed) error {
	if change.Subject.Process == uuid.Nil {
		return nil
	}
	return s.News().Trigger(ctx, notifications.Trigger{Process: change.Subject.Process, Source: notifications.Balcao, Actor: change.Actor})
}

// Reachable has a place told what waits for it, since it may be reachable again.
func (s *System) Reachable(place string) {
	ctx, cancel := context.WithTimeout(context.Background(), newsPatience)
	defer cancel()
	if err := s.News().Retry(ctx, place); err != nil {
		s.log.Warn("a place that may be reachable again waits until it is tried anyway", "error", err)
	}
}

// Parts is what has to be well where notifications run.
func (s *System) Parts() []Check {
	return []Check{
		s.StorePart(),
		s.Durability(),
		{Name: "notifications", Vital: true, Run: func(ctx context.Context) error { return s.News().Ready(ctx) }},
		{Name: "bank", Run: func(ctx context.Context) error {
			ailments, err := s.News().Problems(ctx)
			if len(ailments) > 0 {
				return Problem(ailments[0])
			}
			return err
		}},
	}
}

// history tells tools what moved.
type history struct{ system *System }

// Since implements [tools.History]. The record tells what came after a moment, and counts in microseconds.
func (h history) Since(ctx context.Context, since time.Time, limit int, lang words.Lang) ([]tools.ProcessChange, error) {
	updates, err := h.system.News().Since(ctx, since.Add(-time.Microsecond), limit)
	if err != nil {
		return nil, err
	}
	moved := make([]tools.ProcessChange, 0, len(updates))
	for _, update := range updates {
		what := make([]string, 0, len(update.Changes))
		for _, change := range update.Changes {
			what = append(what, change.Text(lang))
		}
		moved = append(moved, tools.ProcessChange{
			Process: update.Process, Number: update.Number, At: update.At, Status: update.Snapshot.Status, What: what,
		})
	}
	return moved, nil
}
