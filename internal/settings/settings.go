// Package settings reads the settings of the two programs from the environment, and reports all that are missing or wrong at
// once, each with how to obtain it.
package settings

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/profile"
)

// paces are the values of SANDBOX_PACE.
var paces = []string{"off", "slow", "fast"}

// Values that select a built-in system instead of an outside one.
const (
	Sandbox   = "sandbox"   // PORTAL_URL: the sandbox bank
	Simulated = "simulated" // SLACK_API_URL: the simulated workspace
	Memory    = "memory"    // REDIS_URL: a Redis inside the process
)

// Settings are the parsed settings.
type Settings struct {
	PortalURL          string `env:"PORTAL_URL"`
	PortalClientID     string `env:"PORTAL_CLIENT_ID"`
	PortalClientSecret string `env:"PORTAL_CLIENT_SECRET"`
	PortalBrokerUID    string `env:"PORTAL_BROKER_UID"`
	PortalPartnerUID   string `env:"PORTAL_PARTNER_UID"`
	PortalUsername     string `env:"PORTAL_USERNAME"`
	PortalUsers        People `env:"PORTAL_USERS"`
	PortalProfile      string `env:"PORTAL_PROFILE"`
	PortalRate         string `env:"PORTAL_RATE"` // requests to the bank a second, of all replicas, and how many at once; "" for the default of each

	SlackBotToken      string `env:"SLACK_BOT_TOKEN"`
	SlackSigningSecret string `env:"SLACK_SIGNING_SECRET"`
	SlackAppToken      string `env:"SLACK_APP_TOKEN"`
	SlackAPIURL        string `env:"SLACK_API_URL" envDefault:"https://slack.com/api/"`

	MCPToken      string         `env:"MCP_TOKEN"`
	MCPTokens     PersonalTokens `env:"MCP_TOKENS"`
	MCPIssuer     string         `env:"MCP_ISSUER"`                    // whose access tokens are accepted; "" for none
	MCPAudience   string         `env:"MCP_AUDIENCE"`                  // that its tokens must be for; MCP_URL and /mcp by default
	MCPRate       int            `env:"MCP_RATE" envDefault:"120"`     // calls a minute of each person
	MCPConcurrent int            `env:"MCP_CONCURRENT" envDefault:"8"` // calls of each person at once
	MCPHosts      []string       `env:"MCP_HOSTS"`
	MCPOrigins    []string       `env:"MCP_ORIGINS"` // of web pages that may call; loopback ones if empty
	MCPURL        string         `env:"MCP_URL"`     // the address of the server as assistants and people know it, for addresses of files; "" for that of each request
	Tools         []string       `env:"MCP_TOOLS"`   // that assistants are offered: core, all, or names of toolsets; the core if empty
	ReadOnly      bool           `env:"-"`           // assistants may not write
	// AssistantPolicy is what assistants may do without the approval of a person, as the tools package reads it.
	AssistantPolicy string `env:"ASSISTANT_POLICY"`

	RealBankInSimulatedSlack bool `env:"-"` // allowed, although anybody who can open the page acts at the bank

	policy   func(string) error // see [CheckedPolicy]
	toolsets []string           // that exist; see [KnownToolsets]
	rules    []string           // that exist; see [KnownRules]

	CallbackURL    string     `env:"CALLBACK_URL"`    // the public address for callbacks of the bank, without the path; "" if there is none
	CallbackTokens []string   `env:"CALLBACK_TOKENS"` // the first is registered at the bank, all are accepted
	TeamChannel    string     `env:"TEAM_CHANNEL"`
	TeamLang       words.Lang `env:"TEAM_LANG" envDefault:"pt-PT"`
	AdminUser      string     `env:"ADMIN_USER"`

	SandboxProfilePath string `env:"SANDBOX_PROFILE"`
	SandboxPace        string `env:"SANDBOX_PACE" envDefault:"off"` // how fast the sandbox bank changes processes by itself

	CallTimeout time.Duration `env:"CALL_TIMEOUT" envDefault:"60s"` // the time-out of a call that changes something

	RedisURL string `env:"REDIS_URL"`
	StateKey string `env:"STATE_KEY"`
	Addr     string `env:"ADDR" envDefault:"127.0.0.1:8080"`

	Warnings []Warning `env:"-"` // to be logged at start

	Rate           Rate             `env:"-"` // from PortalRate; zero if that is empty
	Keys           *keys.Keys       `env:"-"` // from StateKey; random if Redis is in memory and StateKey is empty
	SandboxProfile *profile.Profile `env:"-"` // of the sandbox bank: from SandboxProfilePath, the built-in one if that is empty
	Profile        *profile.Profile `env:"-"` // of the bank: from PortalProfile, the built-in one if that is empty
}

// Program is one of the two programs. Each needs some of the settings.
type Program string

// The programs.
const (
	SlackBot  Program = "slackbot"
	MCPServer Program = "mcpserver"
)

// Playground returns the environment of a playground, with all outside systems replaced by built-in ones. Variables that are
// set have precedence.
func Playground(environ map[string]string) map[string]string {
	merged := map[string]string{"PORTAL_URL": Sandbox, "SLACK_API_URL": Simulated, "REDIS_URL": Memory, "SANDBOX_PACE": "slow"}
	for name, value := range environ {
		if value != "" {
			merged[name] = value
		}
	}
	return merged
}

// Environ returns the environment of the process as a map.
func Environ() map[string]string { return env.ToMap(os.Environ()) }

// Lang returns the language of the environment: Portuguese if LC_ALL or LANG say so, else English.
func Lang(environ map[string]string) words.Lang {
	if strings.HasPrefix(cmp.Or(environ["LC_ALL"], environ["LANG"]), "pt") {
		return words.Portuguese
	}
	return words.English
}

// Option is an option of [Load].
type Option func(*Settings)

// AllowRealBankInSimulatedSlack allows a real bank with the simulated Slack, which does not authenticate anybody.
func AllowRealBankInSimulatedSlack(s *Settings) { s.RealBankInSimulatedSlack = true }

// KnownToolsets names what MCP_TOOLS may name; without it every name is accepted.
func KnownToolsets(names ...string) Option {
	return func(s *Settings) { s.toolsets = names }
}

// CheckedPolicy has ASSISTANT_POLICY checked; without it every text is accepted.
func CheckedPolicy(check func(string) error) Option {
	return func(s *Settings) { s.policy = check }
}

// KnownRules names the rules of which the profile may set the strictness, beside those of the built-in profile.
func KnownRules(codes ...string) Option {
	return func(s *Settings) { s.rules = codes }
}

// Load reads the settings of a program. It fails with [Problems].
func Load(program Program, environ map[string]string, options ...Option) (Settings, error) {
	s, problems := Read(program, environ, options...)
	if len(problems) > 0 {
		return Settings{}, problems
	}
	return s, nil
}

// Read reads the settings of a program as far as they are valid, and returns the problems of the others.
func Read(program Program, environ map[string]string, options ...Option) (Settings, Problems) {
	var s Settings
	for _, option := range options {
		option(&s)
	}
	var problems Problems
	if err := env.ParseWithOptions(&s, env.Options{Environment: environ}); err != nil {
		problems = append(problems, unread(err)...)
	}
	if s.CallTimeout != 0 && (s.CallTimeout < shortestCall || s.CallTimeout > longestCall) {
		problems = append(problems, Problem{Name: "CALL_TIMEOUT", What: "wrong"})
	}
	if s.toolsets != nil && slices.ContainsFunc(s.Tools, func(name string) bool { return !slices.Contains(s.toolsets, name) }) {
		problems = append(problems, Problem{Name: "MCP_TOOLS", What: "wrong"})
	}
	if s.policy != nil && s.policy(s.AssistantPolicy) != nil {
		problems = append(problems, Problem{Name: "ASSISTANT_POLICY", What: "wrong"})
	}
	problems = append(problems, s.checkPortal()...)
	problems = append(problems, s.checkRate()...)
	wrong := s.readProfile(environ)
	if problems = append(problems, wrong...); len(wrong) == 0 {
		problems = append(problems, s.checkIDs()...)
	}
	if program == SlackBot {
		problems = append(problems, s.checkSlack()...)
		problems = append(problems, s.checkCallbacks()...)
		problems = append(problems, s.checkUsers()...)
	}
	usersRead := !slices.ContainsFunc(problems, func(p Problem) bool { return p.Name == "PORTAL_USERS" })
	problems = append(problems, s.checkAssistants(usersRead)...)
	problems = append(problems, s.checkState()...)
	problems = append(problems, s.checkSecrets()...)
	s.checkNetwork()
	host, port, err := net.SplitHostPort(s.Addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		problems = append(problems, Problem{Name: "ADDR", What: "wrong"})
	} else if program == MCPServer && !Loopback(host) {
		problems = append(problems, require(map[string]string{"MCP_HOSTS": strings.Join(s.MCPHosts, "")})...)
		if !s.ServesAssistants() {
			problems = append(problems, Problem{Name: "MCP_TOKEN", What: "missing"})
		}
	}
	return s, problems.firstProblems()
}

// A call must be longer than a request to the bank, and shorter than the write time-out of the HTTP server.
const (
	shortestCall = 2 * time.Second
	longestCall  = time.Minute
)

// unread returns the names of the settings that could not be parsed, without their values.
func unread(err error) (problems Problems) {
	all, _ := errors.AsType[env.AggregateError](err)
	for _, one := range all.Errors {
		wrong, ok := errors.AsType[env.ParseError](one)
		if !ok {
			continue
		}
		problem := Problem{What: "wrong"}
		if field, known := reflect.TypeFor[Settings]().FieldByName(wrong.Name); known {
			problem.Name = field.Tag.Get("env")
		}
		if at, is := errors.AsType[*EntryError](wrong.Err); is {
			problem.Entry = at.Entry
		}
		problems = append(problems, problem)
	}
	return problems
}

func (s *Settings) checkPortal() (problems Problems) {
	if s.PortalURL != Sandbox {
		problems = require(map[string]string{
			"PORTAL_URL": s.PortalURL, "PORTAL_CLIENT_ID": s.PortalClientID, "PORTAL_CLIENT_SECRET": s.PortalClientSecret,
			"PORTAL_BROKER_UID": s.PortalBrokerUID, "PORTAL_USERNAME": s.PortalUsername,
		})
		if s.PortalURL != "" && !isURL(s.PortalURL, "https", "http") {
			problems = append(problems, Problem{Name: "PORTAL_URL", What: "wrong"})
		}
	}
	if !slices.Contains(paces, s.SandboxPace) {
		problems = append(problems, Problem{Name: "SANDBOX_PACE", What: "wrong"})
	}
	return problems
}

func (s *Settings) checkSlack() (problems Problems) {
	if s.SlackAPIURL == Simulated {
		if host, _, err := net.SplitHostPort(s.Addr); err == nil && !Loopback(host) {
			problems = append(problems, Problem{Name: "ADDR", What: "simulated"})
		}
		if s.PortalURL != "" && s.PortalURL != Sandbox && !s.RealBankInSimulatedSlack {
			problems = append(problems, Problem{Name: "PORTAL_URL", What: "simulated-slack"})
		}
		return problems
	}
	problems = require(map[string]string{"SLACK_BOT_TOKEN": s.SlackBotToken})
	if s.SlackSigningSecret == "" && s.SlackAppToken == "" {
		problems = append(problems, Problem{Name: "SLACK_SIGNING_SECRET", What: "missing"})
	}
	for name, token := range map[string]struct{ value, prefix string }{
		"SLACK_BOT_TOKEN": {s.SlackBotToken, "xoxb-"}, "SLACK_APP_TOKEN": {s.SlackAppToken, "xapp-"},
	} {
		if token.value != "" && !strings.HasPrefix(token.value, token.prefix) {
			problems = append(problems, Problem{Name: name, What: "wrong"})
		}
	}
	if !isURL(s.SlackAPIURL, "https", "http") {
		problems = append(problems, Problem{Name: "SLACK_API_URL", What: "wrong"})
	}
	if !strings.HasSuffix(s.SlackAPIURL, "/") {
		s.SlackAPIURL += "/"
	}
	return problems
}

func (s *Settings) checkState() (problems Problems) {
	problems = require(map[string]string{"REDIS_URL": s.RedisURL})
	if s.RedisURL != "" && s.RedisURL != Memory && !isURL(s.RedisURL, "redis", "rediss") {
		problems = append(problems, Problem{Name: "REDIS_URL", What: "wrong"})
	}
	var err error
	switch {
	case s.StateKey != "":
		s.Keys, err = keys.Parse(s.StateKey)
	case s.RedisURL == Memory:
		s.Keys, err = keys.Ephemeral()
	default:
		return append(problems, Problem{Name: "STATE_KEY", What: "missing"})
	}
	if err != nil {
		problems = append(problems, Problem{Name: "STATE_KEY", What: "wrong"})
	}
	return problems
}

func require(values map[string]string) (problems Problems) {
	for name, value := range values {
		if value == "" {
			problems = append(problems, Problem{Name: name, What: "missing"})
		}
	}
	return problems
}

func isURL(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && slices.Contains(schemes, u.Scheme)
}

// Loopback reports whether a host can be reached from this machine only.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Problem is one setting that is missing or wrong.
type Problem struct {
	Name    string            // of the environment variable
	What    string            // missing, wrong, integer, profile, replaced, weak, unlisted, nobody-at-issuer, simulated or simulated-slack
	Entry   int               // of a list, from 1, that is wrong; 0 for the whole value
	Profile *profile.Problems // of the file of a profile, nil if the problem is another
}

// Problems are the reasons for which a program does not start.
type Problems []Problem

// firstProblems returns the first problem of each setting; others may follow from it.
func (p Problems) firstProblems() Problems {
	reported := map[string]bool{}
	return slices.DeleteFunc(p, func(problem Problem) bool {
		again := reported[problem.Name]
		reported[problem.Name] = true
		return again
	})
}

//go:embed words
var wordFiles embed.FS

var texts = words.Sub(wordFiles, "words")

// Error returns the names of the settings, never a value.
func (p Problems) Error() string {
	names := []string{}
	for _, problem := range p {
		names = append(names, problem.Name+" "+problem.What)
	}
	slices.Sort(names)
	return "settings: " + strings.Join(names, ", ")
}

// Text describes the problem, and fix how to obtain the setting.
func (p Problem) Text(lang words.Lang) (text, fix string) {
	if p.Profile != nil {
		return p.profileText(lang)
	}
	key := "problem." + p.What
	if p.Entry > 0 && p.What == "wrong" {
		key = "problem.entry"
	}
	return texts.Say(lang, key, map[string]any{"name": p.Name, "entry": p.Entry}), texts.Say(lang, p.Name, nil)
}

// Text describes every problem and how to correct it.
func (p Problems) Text(lang words.Lang) string {
	lines := []string{}
	for _, problem := range p {
		what, fix := problem.Text(lang)
		lines = append(lines, fmt.Sprintf("  %s\n    %s", what, fix))
	}
	slices.Sort(lines)
	return texts.Say(lang, "problems", map[string]any{"count": len(lines)}) + "\n" + strings.Join(lines, "\n") + "\n"
}
