// Package slackapp is the Slack door: it turns every tool of the catalogue into a command, a form and a card, and
// answers people where they are. It knows no tool by name; it is the only room that knows Slack.
package slackapp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/refusals"
	"github.com/balcao/balcao/tools"
)

const (
	ackTimeout      = 2 * time.Second        // for everything before an acknowledgement; Slack waits 3 s
	defaultAckWait  = 300 * time.Millisecond // Config.AckWait
	ackPollInterval = 25 * time.Millisecond  // between two looks for the answer that another gives to the same delivery
	ackStoreTimeout = 500 * time.Millisecond // for an acknowledgement to be remembered
	ackDelay        = 500 * time.Millisecond // that Slack takes, at most, to show what an acknowledgement said
	lookupTimeout   = 2 * time.Second        // one call to the bank while a person waits for a form
	workTimeout     = 2 * time.Minute        // everything after an acknowledgement
	shutdownGrace   = 2 * time.Second        // for what is cut off to end
	seenLife        = time.Hour              // of what was delivered; Slack repeats for some minutes
)

// Config is what an [App] works with. Everything is needed, except AppToken without Socket Mode, SigningSecret with
// nothing but it, APIURL, which is Slack's own unless it says otherwise, and what says that it may be nil.
type Config struct {
	Runner        *tools.Runner
	Store         *conversations.Store
	BotToken      string
	SigningSecret string
	AppToken      string
	APIURL        string // ends in a slash
	Log           *slog.Logger
	AckWait       time.Duration     // for a quick result, which an acknowledgement then carries; 300 ms if 0, less than 2 s
	Reachable     func(dest string) // called when something may be posted again where it could not; may be nil
}

// App serves one Slack workspace. Make one with [New] and [App.Close] it; in between, serve [App.Handler] or
// [App.RunSocket].
type App struct {
	runner  *tools.Runner
	store   *conversations.Store
	log     *slog.Logger
	slack   *client
	secret  string
	ackWait time.Duration

	refusals *refusals.Log

	orphanedAcks chan []byte // acknowledgements whose socket ended before them
	searches     searchLimiter

	reachable func(dest string) // Config.Reachable
	ctx       context.Context   // ends when Close loses its patience
	stop      context.CancelFunc
	queue     fairQueue
	busy      sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

// New makes an App. It fails when the configuration lacks something.
func New(config Config) (*App, error) {
	switch {
	case config.Runner == nil || config.Store == nil:
		return nil, errors.New("slackapp: there is no runner or no store")
	case config.BotToken == "":
		return nil, errors.New("slackapp: there is no bot token")
	case config.SigningSecret == "" && config.AppToken == "":
		return nil, errors.New("slackapp: there is neither a signing secret (HTTP) nor an app token (Socket Mode)")
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	app := &App{
		runner: config.Runner, store: config.Store, log: config.Log, secret: config.SigningSecret,
		slack: newClient(config.APIURL, config.BotToken, config.AppToken), reachable: config.Reachable, ackWait: cmp.Or(config.AckWait, defaultAckWait),
		queue: fairQueue{persons: map[string]*personQueue{}}, refusals: refusals.New(config.Log), orphanedAcks: make(chan []byte, sockets*maxInFlight),
		searches: searchLimiter{running: map[string]int{}},
	}
	app.ctx, app.stop = context.WithCancel(context.Background())
	return app, nil
}

// Close takes no more work and waits for what is under way until ctx ends; then it cuts that off and gives it two seconds
// more. What was cut off, a person finds again in her draft.
func (a *App) Close(ctx context.Context) error {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		a.busy.Wait()
		close(idle)
	}()
	var err error
	select {
	case <-idle:
	case <-ctx.Done():
		err = fmt.Errorf("slackapp: cutting off what is under way: %w", ctx.Err())
	}
	a.stop()
	select {
	case <-idle:
	case <-time.After(shutdownGrace): // a call to the bank goes on whoever leaves; the journal knows of it
	}
	a.slack.close()
	return err
}

// inBackground does something for a person after her delivery is acknowledged, and answers her when it fails. It gives an error
// when too much is under way already, here or for her.
func (a *App) inBackground(req request, do func(ctx context.Context, req *request) error) error {
	return a.inBackgroundAs(req.user, req, do)
}

// inBackgroundAs does the same as a part of another share of the work than hers.
func (a *App) inBackgroundAs(share string, req request, do func(ctx context.Context, req *request) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return errOverloaded
	}
	ctx, cancel := context.WithTimeout(a.ctx, workTimeout) // its wait for a turn included
	a.busy.Add(1)
	err := a.queue.submit(share, func() {
		defer a.busy.Done()
		defer cancel()
		if err := a.recovered(func() error { return do(ctx, &req) }); err != nil {
			ctx, cancel := context.WithTimeout(a.ctx, background.timeout) // that of the work may be over
			defer cancel()
			a.showError(ctx, &req, err)
		}
	})
	if err != nil {
		cancel()
		a.busy.Done()
	}
	return err
}

// recovered turns a panic into an error.
func (a *App) recovered(do func() error) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			a.log.Error("a panic", "type", fmt.Sprintf("%T", caught), "stack", pii.Scrub(string(debug.Stack())))
			err = errPanic
		}
	}()
	return do()
}

var errPanic = errors.New("a panic, logged before")
