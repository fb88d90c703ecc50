// Package mcpapp is the front end for AI assistants: it serves the catalogue of tools over the Model Context Protocol, on
// stdio and as Streamable HTTP. No other package imports the MCP library. The package names no tool and no field; it
// derives everything from their definitions.
package mcpapp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/issuer"
	"github.com/balcao/balcao/internal/refusals"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// Identify returns the actor of a request, and ok false if the caller is to be refused. The request is nil on stdio. It
// still has its Authorization header, which is removed afterwards.
type Identify func(ctx context.Context, r *http.Request) (actor tools.Actor, ok bool)

// Always identifies every caller as the same actor.
func Always(actor tools.Actor) Identify {
	return func(context.Context, *http.Request) (tools.Actor, bool) { return actor, true }
}

// Config configures an [App]. Runner and Actor are required; the rest has defaults.
type Config struct {
	Runner  *tools.Runner
	Actor   Identify // an actor without a language gets English
	Log     *slog.Logger
	Tools   []string // what is offered, see [tools.Catalogue.Only]; the core if empty
	Version string   // of Balcão, in serverInfo; "dev" by default

	Files *conversations.Store // files that assistants give and fetch by an address; without it there are no addresses
	URL   string               // the address of this server as callers know it; of each request by default

	// Announce shows a person without an account in Slack the address of the page on which she decides; it works once. handed is
	// true if her client opens it too, or she has the page open. Without Announce there is no page, and a call that she has to
	// approve is refused. It is for a server that only this machine reaches, see [OnlyLocal]. Address is where that listens,
	// without a path; by default it is that of each request, and on stdio one of its own.
	Announce func(address string, handed bool) `json:"-"`
	Address  string

	Token          string           `json:"-"` // a bearer token for all HTTP callers, who are Actor; "" if there is none
	People         Identities       // of callers with a token of their own; nil if there are none
	Issuer         *issuer.Verifier // of access tokens of People; nil if there is none
	Signed         *Signed          // of callers through Slack; nil if there are none
	AllowedHosts   []string         // names in the Host header, without port; the loopback names by default; others need one of the four
	AllowedOrigins []string         // such as https://assistant.example.com, whose pages may also read; loopback origins by default

	MaxBody        int64         // bytes of a message, 256 KiB by default
	MaxFile        int           // bytes of a document before base64, 1 MiB by default; a larger one gets an address
	MaxConcurrent  int           // calls in flight, 64 by default
	MaxPerActor    int           // calls in flight of an actor who is no person of People, 16 by default
	MaxPerPerson   int           // calls in flight of a person, 8 by default
	CallsPerMinute int           // of a person, 120 by default
	BodyTimeout    time.Duration // for reading a message, 10 s by default
	CallTimeout    time.Duration // for a call, 70 s by default; longer than the runner's own time-out
}

// App serves assistants. It is safe for concurrent use.
type App struct {
	config    Config
	server    *server.MCPServer
	tools     map[string]*tools.Tool // that can be called
	listed    map[string]bool        // that are in the list of tools
	own       map[string]ownTool     // of this package, in the list too
	resources []resource
	prompts   map[string]*tools.Prompt
	limits    *concurrencyLimit
	shares    *callShares
	transfers *concurrencyLimit // of files
	local     localFiles
	access    *approvalAccess
	attempts  *attemptLimiter
	refusals  *refusals.Log

	readers     map[string]server.ToolHandlerFunc // see answerDirectly
	listedNames []string                          // of all tools that may be in a list
	prepared    preparedLists
}

// New returns an App. It returns an error if a tool's schema does not compile, or if the configuration would serve callers
// from outside without a token.
func New(config Config) (*App, error) {
	a := &App{config: config.withDefaults(), tools: map[string]*tools.Tool{}, listed: map[string]bool{}, own: map[string]ownTool{}, prompts: map[string]*tools.Prompt{}}
	if err := a.config.check(); err != nil {
		return nil, err
	}
	a.limits, a.shares, a.attempts = newConcurrencyLimit(a.config.MaxConcurrent), newCallShares(a.config.CallsPerMinute), newAttemptLimiter()
	a.transfers = newConcurrencyLimit(maxTransfers)
	a.refusals, a.access = refusals.New(a.config.Log), newApprovalAccess()
	if a.config.Files != nil {
		a.config.Runner.AddFileSource(uploads, uploadSource{a.config.Files})
		a.config.Runner.OfferUploads(a)
	}
	hooks := &server.Hooks{}
	hooks.AddAfterListTools(a.filterTools)
	hooks.AddAfterListResourceTemplates(a.filterResources)
	hooks.AddBeforeReadResource(a.fetchResource)
	hooks.AddBeforeGetPrompt(a.checkPrompt)
	a.server = a.newServer(
		server.WithPromptFilter(a.filterPrompts),
		server.WithPromptCompletionProvider(completer{a}),
		server.WithResourceCompletionProvider(completer{a}),
		server.WithHooks(hooks),
	)
	catalogue, err := a.config.Runner.Catalogue.Only(a.config.Tools...)
	if err != nil {
		return nil, fmt.Errorf("selecting toolsets for assistants: %w", err)
	}
	for _, tool := range catalogue.Tools() {
		a.listed[tool.Name] = true
	}
	reachesAll := len(a.config.Tools) == 0 || slices.Contains(a.config.Tools, tools.CoreTools)
	if reachesAll {
		catalogue = a.config.Runner.Catalogue // the own tools reach what is not listed
	}
	for name, own := range a.ownTools() {
		if reachesAll || own.follows {
			a.addOwn(name, own)
		}
	}
	for _, tool := range catalogue.Tools() {
		if err := a.add(tool); err != nil {
			return nil, fmt.Errorf("offering %s to assistants: %w", tool.Name, err)
		}
	}
	a.addPrompts()
	a.readers, a.listedNames = a.readersOf(), slices.Sorted(maps.Keys(a.server.ListTools()))
	return a, nil
}

// newServer returns a server of the library with what all callers get whatever the catalogue has, and further options.
func (a *App) newServer(options ...server.ServerOption) *server.MCPServer {
	s := server.NewMCPServer(serverName, a.config.Version, slices.Concat(metadata(a.config), []server.ServerOption{
		server.WithInstructions(book.Say(words.English, "instructions", nil)),
		// Set explicitly: by default the library announces change notifications, and keeps a stream open for them.
		server.WithToolCapabilities(false),
		server.WithResourceCapabilities(false, false),
		server.WithPromptCapabilities(false),
		server.WithCompletions(),
	}, options)...)
	s.Use(a.toolLayers()...)
	return s
}

func (a *App) add(tool *tools.Tool) error {
	definition, err := definition(a.config.Runner.Catalogue, tool)
	if err != nil {
		return err
	}
	a.tools[tool.Name] = tool
	a.server.AddTool(definition, a.handler(tool))
	if tool.Resource == "" {
		return nil
	}
	resource, err := resourceOf(tool)
	if err != nil {
		return err
	}
	a.resources = append(a.resources, resource)
	a.server.AddResourceTemplate(resource.template, a.readResource)
	return nil
}

// String returns the configuration without the token.
func (c Config) String() string {
	return fmt.Sprintf("assistants at %v, with a token: %v, with people: %v", c.AllowedHosts, c.Token != "", c.People != nil)
}

// Format implements fmt.Formatter: every verb prints String.
func (c Config) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// LogValue implements slog.LogValuer with String.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if len(c.AllowedHosts) == 0 {
		c.AllowedHosts = loopback
	}
	c.MaxBody = positive(c.MaxBody, 256<<10)
	c.MaxFile = positive(c.MaxFile, 1<<20)
	c.MaxConcurrent = positive(c.MaxConcurrent, 64)
	c.MaxPerActor = positive(c.MaxPerActor, 16)
	c.MaxPerPerson = positive(c.MaxPerPerson, 8)
	c.CallsPerMinute = positive(c.CallsPerMinute, 120)
	c.BodyTimeout = positive(c.BodyTimeout, 10*time.Second)
	c.CallTimeout = positive(c.CallTimeout, 70*time.Second)
	return c
}

func positive[N ~int | ~int64](given, otherwise N) N {
	if given > 0 {
		return given
	}
	return otherwise
}

func (c Config) check() error {
	var wrong []error
	if c.Runner == nil {
		wrong = append(wrong, errors.New("a Runner is required"))
	}
	if c.Actor == nil {
		wrong = append(wrong, errors.New("an Actor is required"))
	}
	if c.Issuer != nil && c.People == nil {
		wrong = append(wrong, errors.New("with an Issuer, People are required"))
	}
	for _, host := range c.AllowedHosts {
		if c.Token == "" && c.People == nil && c.Signed == nil && !isLoopback(host) {
			wrong = append(wrong, fmt.Errorf("the host %q is not a loopback name, so a token is required", host))
		}
	}
	return errors.Join(append(wrong, c.checkPage())...)
}

// caller is the actor of a request and its transport.
type caller struct {
	tools.Actor
	person    bool   // she has proved who she is, and has a share of her own
	signed    bool   // by the platform through which she calls
	transport string // "stdio", "http" or "file"
	base      string // the address of this server as the caller knows it; "" on stdio
}

type callerKey struct{}

// identify returns ctx with the caller in it, and ok false if the caller is to be refused.
func (a *App) identify(ctx context.Context, r *http.Request, transport string) (_ context.Context, ok bool) {
	actor, ok := a.config.Actor(ctx, r)
	return a.withCaller(ctx, r, caller{Actor: actor, transport: transport}), ok
}

// withCaller returns ctx with the caller of a request in it. The request is nil on stdio.
func (a *App) withCaller(ctx context.Context, r *http.Request, from caller) context.Context {
	if from.Lang == "" {
		from.Lang = words.English
	}
	from.Assistant = true
	if r != nil {
		from.base = a.baseOf(r)
	}
	return context.WithValue(ctx, callerKey{}, from)
}

// callerOf returns the caller that identify put into ctx.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}
