// Package slackapp is the Slack front end. It makes a command, a form and a card of every tool of the catalogue, and
// answers people where they are. It names no tool, and no other package imports slack-go.
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
	ackTimeout      = 2 * time.Second        // until a delivery is acknowledged; Slack waits 3 s
	defaultAckWait  = 300 * time.Millisecond // Config.AckWait
	ackPollInterval = 25 * time.Millisecond  // between two reads of the answer that another replica stores
	ackStoreTimeout = 500 * time.Millisecond // to store an acknowledgement
	ackDelay        = 500 * time.Millisecond // before an update that must follow an acknowledgement
	lookupTimeout   = 2 * time.Second        // one call to the bank while a form opens
	workTimeout     = 2 * time.Minute        // background work
	shutdownGrace   = 2 * time.Second        // for cancelled work to end
	seenLife        = time.Hour              // of a delivery's id and answer; Slack repeats for some minutes
)

// Config configures an [App]. Runner, Store and BotToken are required, and SigningSecret (for HTTP) or AppToken (for
// Socket Mode).
type Config struct {
	Runner        *tools.Runner
	Store         *conversations.Store
	BotToken      string
	SigningSecret string
	AppToken      string
	APIURL        string // ends in a slash; Slack's own if empty
	Log           *slog.Logger
	AckWait       time.Duration     // how long an acknowledgement waits for a quick result; 300 ms if 0, less than 2 s
	Reachable     func(dest string) // called when a destination can be posted to again; may be nil
}

// App serves one Slack workspace. Make one with [New] and [App.Close] it; in between, serve [App.Handler] or
// [App.RunSocket]. It shows what assistants ask for in their persons' direct messages from the start.
type App struct {
	runner  *tools.Runner
	store   *conversations.Store
	log     *slog.Logger
	slack   *client
	secret  string
	ackWait time.Duration

	refusals *refusals.Log

	orphanedAcks chan []byte // acknowledgements whose socket was closed first
	searches     searchLimiter

	approvalsChanged chan struct{}      // wakes what shows approvals
	stopShowing      context.CancelFunc // ends what shows approvals

	reachable func(dest string) // Config.Reachable
	ctx       context.Context   // ends when Close cancels running work
	stop      context.CancelFunc
	queue     fairQueue
	busy      sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

// New returns an App. It returns an error if the configuration is incomplete.
func New(config Config) (*App, error) {
	switch {
	case config.Runner == nil || config.Store == nil:
		return nil, errors.New("slackapp: no runner or no store")
	case config.BotToken == "":
		return nil, errors.New("slackapp: no bot token")
	case config.SigningSecret == "" && config.AppToken == "":
		return nil, errors.New("slackapp: neither a signing secret (HTTP) nor an app token (Socket Mode)")
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	app := &App{
		runner: config.Runner, store: config.Store, log: config.Log, secret: config.SigningSecret,
		slack: newClient(config.APIURL, config.BotToken, config.AppToken), reachable: config.Reachable, ackWait: cmp.Or(config.AckWait, defaultAckWait),
		queue: fairQueue{persons: map[string]*personQueue{}}, refusals: refusals.New(config.Log), orphanedAcks: make(chan []byte, sockets*maxInFlight),
		searches: searchLimiter{running: map[string]int{}}, approvalsChanged: make(chan struct{}, 1),
	}
	app.runner.AddFileSource(slackFiles, fileSource{app.slack})
	app.ctx, app.stop = context.WithCancel(context.Background())
	var showing context.Context
	showing, app.stopShowing = context.WithCancel(app.ctx)
	app.busy.Go(func() { app.showApprovals(showing) })
	return app, nil
}

// Close accepts no more work and waits for running work until ctx ends. Then it cancels that work and waits two
// seconds more. A person finds cancelled work in her draft.
func (a *App) Close(ctx context.Context) error {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.stopShowing()
	idle := make(chan struct{})
	go func() {
		a.busy.Wait()
		close(idle)
	}()
	var err error
	select {
	case <-idle:
	case <-ctx.Done():
		err = fmt.Errorf("slackapp: cancelling running work: %w", ctx.Err())
	}
	a.stop()
	select {
	case <-idle:
	case <-time.After(shutdownGrace): // a call to the bank continues; the journal has it
	}
	a.slack.close()
	return err
}

// inBackground runs do after the delivery is acknowledged, and shows the person its error. It returns an error if too
// much is running already, in total or for her.
func (a *App) inBackground(req request, do func(ctx context.Context, req *request) error) error {
	return a.inBackgroundAs(req.user, req, do)
}

// inBackgroundAs is [App.inBackground] with a name other than the person's in the queue.
func (a *App) inBackgroundAs(share string, req request, do func(ctx context.Context, req *request) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return errOverloaded
	}
	ctx, cancel := context.WithTimeout(a.ctx, workTimeout) // the time in the queue included
	a.busy.Add(1)
	err := a.queue.submit(share, func() {
		defer a.busy.Done()
		defer cancel()
		if err := a.recovered(func() error { return do(ctx, &req) }); err != nil {
			ctx, cancel := context.WithTimeout(a.ctx, background.timeout) // the one of the work may be over
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

// recovered calls do and turns a panic into an error.
func (a *App) recovered(do func() error) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			a.log.Error("recovered from a panic", "type", fmt.Sprintf("%T", caught), "stack", pii.Scrub(string(debug.Stack())))
			err = errPanic
		}
	}()
	return do()
}

var errPanic = errors.New("a panic, logged before")
