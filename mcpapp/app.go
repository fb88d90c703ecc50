// Package mcpapp is the door for AI assistants: it serves the catalogue over the Model Context Protocol, on stdio and
// as Streamable HTTP. It exists so that nothing else has to know that protocol; it names no tool and no field, but
// derives all it shows from their definitions.
package mcpapp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/internal/refusals"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// Identify says who asks. The request is nil on stdio; it still has its Authorization header, which nothing behind it
// sees. With ok false the caller is turned away.
type Identify func(ctx context.Context, r *http.Request) (actor tools.Actor, ok bool)

// Always identifies everybody who gets in as the same actor.
func Always(actor tools.Actor) Identify {
	return func(context.Context, *http.Request) (tools.Actor, bool) { return actor, true }
}

// Config says what an [App] works with. Runner and Actor are needed; the rest has defaults.
type Config struct {
	Runner  *tools.Runner
	Actor   Identify // an actor without a language is answered in English
	Log     *slog.Logger
	Version string // of Balcão, for clients

	Token          string   `json:"-"` // a bearer token that HTTP callers have to show; "" asks for none, on loopback only
	AllowedHosts   []string // names in the Host header, without port; the loopback names by default
	AllowedOrigins []string // such as https://assistant.example.com; pages served from loopback by default

	MaxBody       int64         // bytes of a message, 256 KiB by default
	MaxFile       int           // bytes of a document, 8 MiB by default; base64 makes them a third more
	MaxConcurrent int           // requests at once, 64 by default
	MaxPerActor   int           // of them by one actor, 16 by default
	BodyTimeout   time.Duration // for a message to arrive whole, 10 s by default
	CallTimeout   time.Duration // for a call, 70 s by default: beyond what the runner grants, for what it does not foresee
}

// App serves assistants. It is safe for use by many at once.
type App struct {
	config    Config
	server    *server.MCPServer
	tools     map[string]*tools.Tool
	documents []document
	busy      *slots
	guesses   *guesses
	refused   *refusals.Log
}

// New makes an App. It fails on a definition that assistants could not use, and on a configuration that would let
// strangers in.
func New(config Config) (*App, error) {
	a := &App{config: config.withDefaults(), tools: map[string]*tools.Tool{}}
	if err := a.config.check(); err != nil {
		return nil, err
	}
	a.busy, a.guesses = newSlots(a.config.MaxConcurrent, a.config.MaxPerActor), newGuesses()
	a.refused = refusals.New(a.config.Log)
	hooks := &server.Hooks{}
	hooks.AddAfterListTools(a.hideTools)
	hooks.AddAfterListResourceTemplates(a.hideDocuments)
	hooks.AddBeforeReadResource(a.fetch)
	a.server = server.NewMCPServer("balcao", a.config.Version,
		server.WithTitle("Balcão"),
		server.WithInstructions(book.Say(words.English, "instructions", nil)),
		// Said outright, because the library would else promise notices of changes, and hold a stream open for them.
		server.WithToolCapabilities(false),
		server.WithResourceCapabilities(false, false),
		server.WithCacheHints(0, mcp.CacheScopePrivate),
		server.WithHooks(hooks),
	)
	for _, tool := range tools.Catalogue() {
		if err := a.add(tool); err != nil {
			return nil, fmt.Errorf("offering %s to assistants: %w", tool.Name, err)
		}
	}
	return a, nil
}

func (a *App) add(tool *tools.Tool) error {
	definition, err := define(tool)
	if err != nil {
		return err
	}
	a.tools[tool.Name] = tool
	a.server.AddTool(definition, a.handler(tool))
	if tool.Resource == "" {
		return nil
	}
	document, err := documentOf(tool)
	if err != nil {
		return err
	}
	a.documents = append(a.documents, document)
	a.server.AddResourceTemplate(document.template, a.read)
	return nil
}

// String tells how callers get in, without the token.
func (c Config) String() string {
	return fmt.Sprintf("assistants at %v, with a token: %v", c.AllowedHosts, c.Token != "")
}

// Format writes String for every verb.
func (c Config) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// LogValue gives String to slog.
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
	c.MaxFile = positive(c.MaxFile, 8<<20)
	c.MaxConcurrent = positive(c.MaxConcurrent, 64)
	c.MaxPerActor = positive(c.MaxPerActor, 16)
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
		wrong = append(wrong, errors.New("there is no runner"))
	}
	if c.Actor == nil {
		wrong = append(wrong, errors.New("nothing says who asks"))
	}
	for _, host := range c.AllowedHosts {
		if c.Token == "" && !isLoopback(host) {
			wrong = append(wrong, fmt.Errorf("the host %q can be reached from outside, which wants a token", host))
		}
	}
	return errors.Join(wrong...)
}

// caller is who asks, and which way they came.
type caller struct {
	tools.Actor
	transport string // "stdio" or "http"
}

type callerKey struct{}

// identified puts the caller into ctx; ok is false for those who are turned away.
func (a *App) identified(ctx context.Context, r *http.Request, transport string) (_ context.Context, ok bool) {
	actor, ok := a.config.Actor(ctx, r)
	if actor.Lang == "" {
		actor.Lang = words.English
	}
	actor.Assistant = true
	return context.WithValue(ctx, callerKey{}, caller{Actor: actor, transport: transport}), ok
}

// callerOf finds who asks; both transports put them there before anything else happens.
func callerOf(ctx context.Context) caller {
	who, _ := ctx.Value(callerKey{}).(caller)
	return who
}
