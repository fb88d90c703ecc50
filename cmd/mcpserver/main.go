// Command mcpserver serves AI assistants over MCP: on stdio, or over Streamable HTTP with -http. With -playground it uses
// the sandbox bank and needs no settings.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/doctor"
	"github.com/balcao/balcao/internal/profilecmd"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/telemetry"
	"github.com/balcao/balcao/internal/version"
	"github.com/balcao/balcao/internal/webguard"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

//go:embed words
var wordFiles embed.FS

var texts = words.Sub(wordFiles, "words")

// shutdownTimeout is how long the program waits for requests in progress when it stops.
const shutdownTimeout = 15 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app.SetGCPercent()
	os.Exit(run(ctx, os.Args[1:], settings.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// run is main with everything handed in. It returns the exit code: 2 for settings to correct, 1 for a failure. On stdio
// nothing but the protocol goes to stdout.
func run(ctx context.Context, args []string, environ map[string]string, stdin io.Reader, stdout, stderr io.Writer) int {
	say := func(key string, args map[string]any) string { return texts.Say(settings.Lang(environ), key, args) }
	if len(args) > 0 && args[0] == "doctor" {
		delete(environ, "ADDR")
		return newDoctor().Command(ctx, args[1:], environ, stdout, stderr)
	}
	if len(args) > 0 && args[0] == "profile" {
		return profilecmd.Command{Program: settings.MCPServer, Rules: app.RuleCodes()}.Run(args[1:], environ, stdout, stderr)
	}
	flags := flag.NewFlagSet("mcpserver", flag.ContinueOnError)
	flags.SetOutput(stderr)
	playground := flags.Bool("playground", false, say("flag.playground", nil))
	addr := flags.String("http", "", say("flag.http", nil))
	showVersion := flags.Bool("version", false, say("flag.version", nil))
	verbose := flags.Bool("v", false, say("flag.v", nil))
	offered := flags.String("tools", "", say("flag.tools", nil))
	var opens *bool
	flags.BoolFunc("open", say("flag.open", nil), func(value string) error {
		given, err := strconv.ParseBool(value)
		opens = &given
		return err
	})
	readOnly := flags.Bool("read-only", false, say("flag.read-only", nil))
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if *showVersion {
		fmt.Fprintln(stdout, version.String())
		return 0
	}
	if flags.NArg() > 0 { // flags after a word are not read either
		fmt.Fprintln(stderr, say("usage", nil))
		return 2
	}
	if *playground {
		environ = settings.Playground(environ)
	}
	if delete(environ, "ADDR"); *addr != "" {
		environ["ADDR"] = *addr
	}
	if *offered != "" {
		environ["MCP_TOOLS"] = *offered
	}
	s, err := settings.Load(settings.MCPServer, environ, settings.KnownToolsets(catalogue.New().Selectable()...), settings.KnownRules(app.RuleCodes()...), settings.CheckedPolicy(app.CheckPolicy))
	if problems, ok := errors.AsType[settings.Problems](err); ok {
		fmt.Fprint(stderr, problems.Text(settings.Lang(environ)))
		if !*playground {
			fmt.Fprintln(stderr, say("only-try", nil))
		}
		return 2
	}
	s.ReadOnly = *readOnly
	log := telemetry.ForProgram(stderr, *playground, *verbose)
	slog.SetDefault(log) // for libraries that log by themselves
	shown := screen{stdout: stdout, stderr: stderr, lang: settings.Lang(environ)}
	if opens != nil && *opens || opens == nil && opensPages(*playground, *addr == "", stdin) {
		shown.open = browser(environ)
	}
	if *addr == "" {
		err = shown.serve(ctx, s, log, nil, func(_ *app.System, assistants *mcpapp.App) error { return assistants.ServeStdio(ctx, stdin, stdout) })
	} else {
		err = shown.serveHTTP(ctx, *addr, s, log)
	}
	if errors.Is(err, conversations.ErrOtherKey) {
		fmt.Fprintln(stderr, say("other-key", nil))
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		fmt.Fprintln(stderr, say("addr-taken", map[string]any{"addr": s.Addr}))
		return 1
	}
	if err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

// serve serves assistants on a transport, and shows what the start finds. listener is where it serves, nil on stdio.
func (s screen) serve(ctx context.Context, set settings.Settings, log *slog.Logger, listener net.Listener, transport func(*app.System, *mcpapp.App) error) error {
	start := doctor.NewStart(ctx, "mcpserver", s.lang, newDoctor().Parts(doctor.Setup{Settings: set, Lang: s.lang})...)
	system, err := app.Start(ctx, set, log)
	if err != nil {
		if len(start.Failed()) > 0 {
			start.NotStarted(s.stderr)
		}
		return err
	}
	if set.RedisURL == settings.Memory { // nobody else follows the bank
		if err := system.StartNotifications(ctx, destination.NopPoster{}); err != nil {
			return errors.Join(err, system.Close())
		}
	}
	asking, stop := context.WithCancel(ctx)
	var asked sync.WaitGroup
	page, url := &approvalPage{out: s.stderr, lang: s.lang, open: s.open}, ""
	config := mcpapp.Config{
		Runner: system.Runner, Actor: mcpapp.Always(tools.Actor{ID: app.Assistant, Lang: words.English}), Log: log, Version: version.String(),
		Token: set.MCPToken, People: system.Identities(), Issuer: system.Issuer, MaxPerPerson: set.MCPConcurrent, CallsPerMinute: set.MCPRate,
		AllowedHosts: set.MCPHosts, AllowedOrigins: set.MCPOrigins, Tools: set.Tools, Files: system.Store, URL: set.MCPURL, Announce: page.announce,
	}
	if listener != nil {
		config.Address, page.out = "http://"+listener.Addr().String(), s.stdout
		url = config.Address + "/mcp"
		if !mcpapp.OnlyLocal(listener.Addr(), set.MCPHosts, set.MCPURL) {
			config.Announce = nil
		}
	}
	asked.Go(func() { // assistants are served meanwhile
		s.started(asking, start, system, url)
		app.ReleaseMemory(asking)
	})
	assistants, err := mcpapp.New(config)
	if err == nil {
		err = transport(system, assistants)
	}
	stop()
	asked.Wait()
	return errors.Join(err, system.Close())
}

// serveHTTP serves at an address, which is taken before anything else begins.
func (s screen) serveHTTP(ctx context.Context, addr string, set settings.Settings, log *slog.Logger) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	defer listener.Close()
	return s.serve(ctx, set, log, listener, func(system *app.System, assistants *mcpapp.App) error {
		assistants.AnnounceWaiting(ctx, app.Assistant)
		mux := http.NewServeMux()
		assistants.Mount(mux)
		mux.Handle("GET /metrics", system.Metrics.Handler())
		mux.Handle("GET /healthz", app.Healthy())
		mux.Handle("GET /readyz", app.Ready(system.StoreCheck(), system.DurabilityCheck(), system.BankCheck(), system.SearchCheck()))
		guard := app.GuardOf(listener, set)
		guard.Linked, guard.Images = mcpapp.LinkedPaths(), []string{mcpapp.IconPath}
		guard.Shared, guard.Origins = mcpapp.SharedPaths(), set.MCPOrigins
		return app.Serve(ctx, webguard.NewServer(mux, guard, log), listener, shutdownTimeout)
	})
}

// screen shows what a start finds.
type screen struct {
	stdout, stderr io.Writer
	lang           words.Lang
	open           func(address string) error // opens a page in a browser; nil without one
}

// started asks the bank and shows the screen. On stdio it is not on stdout, which has the protocol only.
func (s screen) started(ctx context.Context, start doctor.Start, system *app.System, url string) {
	start.Add(ctx, doctor.Bank(system.BankURL, func(ctx context.Context) string { return string(system.CheckBank(ctx)) }))
	if ctx.Err() != nil { // the program ends
		return
	}
	if url == "" {
		start.Started(s.stderr, doctor.Address{Label: texts.Say(s.lang, "endpoint.mcp", nil), URL: "stdio"})
		return
	}
	start.Started(s.stdout, doctor.Address{Label: texts.Say(s.lang, "endpoint.mcp", nil), URL: url})
}
