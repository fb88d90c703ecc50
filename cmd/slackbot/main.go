// Command slackbot serves Slack over HTTP or Socket Mode: slash commands, forms, buttons and notifications. With
// -playground it starts everything that it needs, including a simulated Slack with a page in the browser.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/doctor"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/profilecmd"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/telemetry"
	"github.com/balcao/balcao/internal/version"
	"github.com/balcao/balcao/internal/webguard"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/slackapp"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

// shutdownTimeout is how long the program waits for requests in progress when it stops.
const shutdownTimeout = 15 * time.Second

// tokenCheckLife is how long a check of the bot token by /readyz is cached.
const tokenCheckLife = time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	app.SetGCPercent()
	os.Exit(run(ctx, os.Args[1:], settings.Environ(), os.Stdout, os.Stderr))
}

// run is main without globals. It returns the exit code: 2 for invalid settings or arguments, 1 for a failure.
func run(ctx context.Context, args []string, environ map[string]string, stdout, stderr io.Writer, options ...app.Option) int {
	say := newTranslator(environ)
	if len(args) > 0 && args[0] == "manifest" {
		return printManifest(args[1:], stdout, stderr, say)
	}
	if len(args) > 0 && args[0] == "mcp-token" {
		return printPersonalToken(args[1:], environ, stdout, stderr, say)
	}
	if len(args) > 0 && args[0] == "doctor" {
		return newDoctor().Command(ctx, args[1:], environ, stdout, stderr)
	}
	if len(args) > 0 && args[0] == "profile" {
		return profilecmd.Command{Program: settings.SlackBot, Rules: app.RuleCodes()}.Run(args[1:], environ, stdout, stderr)
	}
	flags := flag.NewFlagSet("slackbot", flag.ContinueOnError)
	flags.SetOutput(stderr)
	playground := flags.Bool("playground", false, say("flag.playground"))
	realBank := flags.Bool("simulated-slack-with-real-bank", false, say("flag.simulated-slack-with-real-bank"))
	addr := flags.String("addr", "", say("flag.addr"))
	showVersion := flags.Bool("version", false, say("flag.version"))
	verbose := flags.Bool("v", false, say("flag.v"))
	newKey := flags.Bool("new-state-key", false, say("flag.new-state-key"))
	rotateKey := flags.Bool("rotate-state-key", false, say("flag.rotate-state-key"))
	deadLetters := flags.Bool("dead-letters", false, say("flag.dead-letters"))
	replay := flags.String("replay", "", say("flag.replay"))
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if *showVersion {
		fmt.Fprintln(stdout, version.String())
		return 0
	}
	audit := auditCommand(flags.Args())
	if flags.NArg() > 0 && audit == nil {
		fmt.Fprintln(stderr, say("usage"))
		return 2
	}
	if *newKey {
		return printKey(keys.Generate, stdout, stderr)
	}
	if *rotateKey {
		return printKey(func() (string, error) { return keys.Rotate(environ["STATE_KEY"]) }, stdout, stderr)
	}
	if *playground {
		environ = settings.Playground(environ)
	}
	if *addr != "" {
		environ["ADDR"] = *addr
	}
	checks := []settings.Option{settings.KnownToolsets(catalogue.New().Selectable()...), settings.KnownRules(app.RuleCodes()...), settings.CheckedPolicy(app.CheckPolicy)}
	if *realBank {
		checks = append(checks, settings.AllowRealBankInSimulatedSlack)
	}
	s, err := settings.Load(settings.SlackBot, environ, checks...)
	if problems, ok := errors.AsType[settings.Problems](err); ok {
		fmt.Fprint(stderr, problems.Text(settings.Lang(environ)))
		if !*playground {
			fmt.Fprintln(stderr, say("only-try"))
		}
		return 2
	}
	log := telemetry.ForProgram(stderr, *playground, *verbose)
	slog.SetDefault(log) // for libraries that log by themselves
	switch {
	case audit != nil:
		err = withAudit(ctx, s, log, stdout, say, audit)
	case *deadLetters:
		err = withNews(ctx, s, log, func(ctx context.Context, news *notifications.Service) error {
			return listDeadLetters(ctx, news, stdout, say)
		})
	case *replay != "":
		err = withNews(ctx, s, log, func(ctx context.Context, news *notifications.Service) error {
			return replayDeadLetters(ctx, news, *replay, stdout, say)
		})
	default:
		err = serve(ctx, s, log, screen{stdout, stderr, settings.Lang(environ), say}, options...)
		if err == nil {
			fmt.Fprintln(stdout, say("ended"))
		}
	}
	if errors.Is(err, conversations.ErrOtherKey) {
		fmt.Fprintln(stderr, say("other-key"))
	}
	if errors.Is(err, errRefused) { // the screen says it
		return 2
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		fmt.Fprintln(stderr, say("addr-taken", "addr", s.Addr))
		return 1
	}
	if err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

func printKey(make func() (string, error), stdout, stderr io.Writer) int {
	key, err := make()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	fmt.Fprintln(stdout, key)
	return 0
}

// serve runs the bot until ctx ends. It shows the screen of a start once it serves.
func serve(ctx context.Context, s settings.Settings, log *slog.Logger, shown screen, options ...app.Option) (err error) {
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("listening on ADDR: %w", err)
	}
	defer listener.Close()
	start, err := shown.begin(ctx, s)
	if err != nil {
		return err
	}
	guard := app.GuardOf(listener, s)
	guard.Linked, guard.Images = mcpapp.FilePaths(), []string{mcpapp.IconPath}
	guard.Shared, guard.Origins = mcpapp.SharedPaths(), s.MCPOrigins
	mux, endpoints := http.NewServeMux(), endpoints{bot: baseURL(listener), socketMode: s.SlackAppToken != ""}
	server := webguard.NewServer(mux, guard, log)
	if s.SlackAPIURL == settings.Simulated {
		workspace := simulate(&s, endpoints.bot)
		defer workspace.Close()
		server.RegisterOnShutdown(func() { _ = workspace.Close() }) // its pages hold connections until then
		mux.Handle("/", workspace)
		endpoints.slack = endpoints.bot + "/"
	}
	setCallbacks(&s, endpoints.bot)
	system, err := app.Start(ctx, s, log, options...)
	if err != nil {
		shown.failed(start)
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	bot, err := slackapp.New(slackapp.Config{
		Runner: system.Runner, Store: system.Store, Log: log,
		BotToken: s.SlackBotToken, SigningSecret: s.SlackSigningSecret, AppToken: s.SlackAppToken, APIURL: s.SlackAPIURL,
		Reachable: system.Reachable,
	})
	if err != nil {
		return err
	}
	// Close the front end first: what it receives until then is stored, and handled by another replica or the next start.
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		err = errors.Join(err, bot.Close(closing))
	}()
	start.Add(ctx, doctor.Bank(system.BankURL, func(ctx context.Context) string { return string(system.CheckBank(ctx)) }))
	if err := system.StartNotifications(ctx, bot); err != nil {
		return err
	}
	mux.Handle("/callbacks/", system.Notifications().Handler())
	mux.Handle("/slack/events", bot.Handler())
	mux.Handle("GET /metrics", system.Metrics.Handler())
	mux.Handle("GET /healthz", app.Healthy())
	mux.Handle("GET /readyz", app.Ready(append(system.Checks(), app.Check{Name: "slack", Run: app.Cached(bot.HealthCheck, tokenCheckLife)})...))
	if endpoints.slack != "" || s.ServesAssistants() || slackCalls(s) {
		assistants, err := mcpapp.New(mcpapp.Config{
			Runner: system.Runner, Actor: mcpapp.Always(tools.Actor{ID: app.Assistant, Lang: words.English}), Log: log, Version: version.String(),
			Token: s.MCPToken, People: system.Identities(), Issuer: system.Issuer, MaxPerPerson: s.MCPConcurrent, CallsPerMinute: s.MCPRate,
			AllowedHosts: s.MCPHosts, AllowedOrigins: s.MCPOrigins, Tools: s.Tools, Files: system.Store, URL: s.MCPURL,
			Signed: &mcpapp.Signed{Header: slackapp.SignatureHeader, Sender: bot.SignedCaller},
		})
		if err != nil {
			return err
		}
		assistants.Mount(mux)
		endpoints.mcp = endpoints.bot + "/mcp"
	}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return app.Serve(ctx, server, listener, shutdownTimeout) })
	group.Go(func() error {
		app.ReleaseMemory(ctx)
		return nil
	})
	if s.SlackAppToken != "" {
		group.Go(func() error { return bot.RunSocket(ctx) })
	}
	shown.started(start, endpoints)
	return group.Wait()
}

// slackCalls reports whether Slack's own assistant may call the MCP server: Slack signs its messages, and reaches the server by a
// name of its own. In Socket Mode nothing is signed.
func slackCalls(s settings.Settings) bool { return s.SlackSigningSecret != "" && len(s.MCPHosts) > 0 }
