// Command slackbot serves the Slack door: slash commands, forms and buttons, over HTTP or Socket Mode. With -playground
// it starts everything that it needs, a simulated Slack with a page in the browser included.
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
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/telemetry"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/slackapp"
	"github.com/balcao/balcao/tools"
)

//go:embed manifest.json
var manifest []byte

// patience is how long the program waits at its end for what is under way.
const patience = 15 * time.Second

// tokenLife is how long it is believed that Slack takes our token.
const tokenLife = time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks twice does not wait
	app.SaveMemory()
	os.Exit(run(ctx, os.Args[1:], settings.Environ(), os.Stdout, os.Stderr))
}

// run is main with everything handed in. It returns the exit code: 2 for settings to correct, 1 for a failure.
func run(ctx context.Context, args []string, environ map[string]string, stdout, stderr io.Writer) int {
	say := speaker(environ)
	flags := flag.NewFlagSet("slackbot", flag.ContinueOnError)
	flags.SetOutput(stderr)
	playground := flags.Bool("playground", false, say("flag.playground"))
	realBank := flags.Bool("simulated-slack-with-real-bank", false, say("flag.simulated-slack-with-real-bank"))
	addr := flags.String("addr", "", say("flag.addr"))
	verbose := flags.Bool("v", false, say("flag.v"))
	newKey := flags.Bool("new-state-key", false, say("flag.new-state-key"))
	rotateKey := flags.Bool("rotate-state-key", false, say("flag.rotate-state-key"))
	letters := flags.Bool("letters", false, say("flag.letters"))
	replay := flags.String("replay", "", say("flag.replay"))
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
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
	var allowed []settings.Option
	if *realBank {
		allowed = append(allowed, settings.AllowRealBankInSimulatedSlack)
	}
	s, err := settings.Load(settings.SlackBot, environ, allowed...)
	if problems, ok := errors.AsType[settings.Problems](err); ok {
		fmt.Fprint(stderr, problems.Text(settings.Lang(environ)))
		if !*playground {
			fmt.Fprintln(stderr, say("only-try"))
		}
		return 2
	}
	log := telemetry.ForProgram(stderr, *playground, *verbose)
	slog.SetDefault(log) // what libraries say by themselves goes the same way
	switch {
	case audit != nil:
		err = withAudit(ctx, s, log, stdout, say, audit)
	case *letters:
		err = withNews(ctx, s, log, func(ctx context.Context, news *notifications.Service) error {
			return listLetters(ctx, news, stdout, say)
		})
	case *replay != "":
		err = withNews(ctx, s, log, func(ctx context.Context, news *notifications.Service) error {
			return replayLetters(ctx, news, *replay, stdout, say)
		})
	default:
		err = serve(ctx, s, log, func(places places) { fmt.Fprint(stdout, places.text(say)) })
		if err == nil {
			fmt.Fprintln(stdout, say("ended"))
		}
	}
	if errors.Is(err, conversations.ErrOtherKey) {
		fmt.Fprintln(stderr, say("other-key"))
	}
	if problems, ok := errors.AsType[settings.Problems](err); ok { // which only Slack knew
		fmt.Fprint(stderr, problems.Text(settings.Lang(environ)))
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

// serve runs the bot until ctx ends. It calls started once everything answers.
func serve(ctx context.Context, s settings.Settings, log *slog.Logger, started func(places)) (err error) {
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("listening on ADDR: %w", err)
	}
	defer listener.Close()
	guard := app.GuardOf(listener, s)
	mux, places := http.NewServeMux(), places{bot: reached(listener), slackAPI: s.SlackAPIURL}
	server := app.NewServer(mux, guard, log)
	if s.SlackAPIURL == settings.Simulated {
		workspace := simulate(&s, places.bot)
		defer workspace.Close()
		server.RegisterOnShutdown(func() { _ = workspace.Close() }) // its pages listen until then
		mux.Handle("/", workspace)
		places.slack = places.bot + "/"
	}
	callBack(&s, places.bot)
	system, err := app.Start(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	places.bank = system.BankURL
	bot, err := slackapp.New(slackapp.Config{
		Runner: system.Runner, Store: system.Store, Log: log,
		BotToken: s.SlackBotToken, SigningSecret: s.SlackSigningSecret, AppToken: s.SlackAppToken, APIURL: s.SlackAPIURL,
		Reachable: system.Reachable,
	})
	if err != nil {
		return err
	}
	// The doors close first: what they hear of until then is written down, and is told by whoever comes next.
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		err = errors.Join(err, bot.Close(closing))
	}()
	if places.said, err = askSystems(ctx, system, bot, places.slack != "", log); err != nil {
		return err
	}
	if err := system.StartNews(ctx, bot); err != nil {
		return err
	}
	mux.Handle("/callbacks/", system.News().Handler())
	mux.Handle("/slack/events", bot.Handler())
	mux.Handle("GET /metrics", system.Metrics.Handler())
	mux.Handle("GET /healthz", app.Healthy())
	mux.Handle("GET /readyz", app.Ready(append(system.Parts(), app.Check{Name: "slack", Run: app.Cached(bot.HealthCheck, tokenLife)})...))
	if places.slack != "" || s.MCPToken != "" {
		assistants, err := mcpapp.New(mcpapp.Config{
			Runner: system.Runner, Actor: mcpapp.Always(tools.Actor{ID: app.Assistant, Lang: words.English}), Log: log,
			Token: s.MCPToken, AllowedHosts: s.MCPHosts,
		})
		if err != nil {
			return err
		}
		mux.Handle("/mcp", assistants.Handler())
		places.mcp = places.bot + "/mcp"
	}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return app.Serve(ctx, server, listener, patience) })
	if s.SlackAppToken != "" {
		group.Go(func() error { return bot.RunSocket(ctx) })
	}
	started(places)
	return group.Wait()
}
