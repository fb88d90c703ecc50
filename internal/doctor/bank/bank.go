// Package bank compares the bank with its profile. It logs in, tries each reading operation on a process that it finds itself,
// and proposes the lines for the profile that make it right. It changes nothing at the bank, and nothing that it returns has
// a value of a client: only shapes, and texts of the bank's lists.
package bank

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// Limits of an examination.
const (
	maxRequests  = 280 // to the bank, the lists included
	maxRepairs   = 90  // requests of one check that try something else than the profile
	maxPerSecond = 20
	checkTimeout = 25 * time.Second // of each check
	maxPeople    = 6                // borrowers that are read for what their replies say of lists
)

// Config says where the bank is and what it is taken to be.
type Config struct {
	BaseURL      string
	ClientID     string
	ClientSecret string
	Broker       string // as the setting has it: a uuid or an integer
	Username     string
	Partner      string // "" if it is not set
	Profile      *profile.Profile
	Transport    http.RoundTripper
	MaxPerSecond int // requests, 20 by default
}

// Examination compares one bank with one profile. Its checks run one after another.
type Examination struct {
	config  Config
	client  *portal.Client
	invalid error // of the settings
	login   portal.Login
	answer  portal.Probe // the first that the login had

	profile  *profile.Profile // with the entries that were found so far
	settled  map[string]bool  // paths of these entries
	mu       sync.Mutex       // guards requests and shapes: lists are read at once
	requests int
	repairs  int
	passed   bool            // the check found out how it works
	stopped  string          // the check after which nothing can be tried
	shapes   []finding.Shape // since the last finding
	notes    map[string]bool // forms of values that were seen

	processes  []seen                                        // of the first page, newest first
	ids        map[string]uuid.UUID                          // of the process that is read, by canonical name
	said       map[portal.TaxonomyKey]map[int32]profile.Item // what replies say of ids
	lists      map[portal.TaxonomyKey][]portal.TaxonomyItem  // as the bank has them
	taxID      string                                        // of a borrower of taxProcess
	taxProcess uuid.UUID
	good       map[string]any // the detail of a process, as it came
	moved      map[string]move
}

// seen is a process of the list, as it came.
type seen struct {
	id     uuid.UUID
	fields map[string]any // with canonical names
}

// move is a path that differs.
type move struct{ from, to string }

// Examine returns the examination of a bank. It sends nothing yet.
func Examine(config Config) *Examination {
	if config.Profile == nil {
		config.Profile = profile.Builtin()
	}
	x := &Examination{
		config: config, profile: config.Profile, settled: map[string]bool{}, notes: map[string]bool{}, ids: map[string]uuid.UUID{},
		moved: map[string]move{}, said: map[portal.TaxonomyKey]map[int32]profile.Item{}, lists: map[portal.TaxonomyKey][]portal.TaxonomyItem{},
	}
	x.client, x.invalid = portal.New(portal.Config{
		BaseURL: config.BaseURL, ClientID: config.ClientID, ClientSecret: config.ClientSecret, Profile: config.Profile, Transport: config.Transport,
		Log: slog.New(slog.DiscardHandler), AttemptTimeout: 8 * time.Second, TotalTimeout: 12 * time.Second, ReadAttempts: 2, MaxPause: 2 * time.Second,
		MaxPerSecond: cmp.Or(config.MaxPerSecond, maxPerSecond), TripAfter: maxRequests,
	})
	if partner, err := profile.ParseID(config.Profile.Forms.IDs["partner"], config.Partner); err == nil {
		x.ids["partnerUniqueID"] = partner
	}
	return x
}

// Close closes the connections.
func (x *Examination) Close() {
	if x.client != nil {
		x.client.Close()
	}
}

// Checks returns the checks, in the order in which they have to run.
func (x *Examination) Checks() []finding.Check {
	check := func(subject string, vital bool, run func(context.Context) []finding.Finding) finding.Check {
		return finding.Check{Subject: subject, Timeout: checkTimeout, Run: func(ctx context.Context) []finding.Finding {
			if x.stopped != "" {
				return finding.One(finding.NotTried, "bank.after."+x.stopped)
			}
			x.repairs, x.shapes, x.passed = 0, nil, false
			found := run(ctx)
			if vital && x.stopped == "" && !x.passed {
				x.stopped = strings.TrimPrefix(subject, "bank.")
			}
			return found
		}}
	}
	return []finding.Check{
		check("bank.login", true, x.checkLogin),
		check("processList", true, x.checkProcessList),
		check("processDetail", false, x.checkProcessDetail),
		check("bank.errors", false, x.checkErrors),
		check("borrowerList", false, x.checkBorrowerList),
		check("borrowerGet", false, x.checkBorrowerGet),
		check("processESISGet", false, x.checkESIS),
		check("callbackList", false, x.checkCallbacks),
		check("bank.pages", false, x.checkPages),
		check("bank.filters", false, x.checkFilters),
		check("bank.lists", false, x.checkLists),
		check("bank.values", false, x.checkValues),
		check("bank.rest", false, x.checkRest),
	}
}

// errSpent is the error of a request that was not sent because there were too many.
var errSpent = errors.New("too many requests")

// ask sends a read with a profile. The reply's shape is kept for the next finding.
func (x *Examination) ask(ctx context.Context, p *profile.Profile, op portal.OperationID, query map[string]string) portal.Probe {
	return x.askIn(ctx, "pt-PT", p, op, x.ids, query)
}

func (x *Examination) askIn(ctx context.Context, language string, p *profile.Profile, op portal.OperationID, ids map[string]uuid.UUID, query map[string]string) portal.Probe {
	if !x.spend(ctx) {
		return portal.Probe{Operation: op, Err: errSpent}
	}
	call := portal.ProbeCall{Operation: op, Profile: p, IDs: map[string]uuid.UUID{}, Query: values(query)}
	wire := p.Wire(string(op))
	for name, id := range ids {
		if slices.Contains(profile.Placeholders(wire.Path), name) || wire.QueryName(name) != "" {
			call.IDs[name] = id
		}
	}
	probe, err := x.client.As(x.login, language).Probe(ctx, call)
	if err != nil {
		probe.Err = err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.shapes = append(x.shapes, shapeOf(probe))
	return probe
}

// spend counts a request. It returns false if there were too many, or the time is up.
func (x *Examination) spend(ctx context.Context) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.requests >= maxRequests || ctx.Err() != nil {
		return false
	}
	x.requests++
	return true
}

// try is ask for something else than the profile. It sends nothing after too many tries in one check.
func (x *Examination) try(ctx context.Context, p *profile.Profile, op portal.OperationID, query map[string]string) portal.Probe {
	if x.repairs >= maxRepairs {
		return portal.Probe{Operation: op, Err: errSpent}
	}
	x.repairs++
	return x.ask(ctx, p, op, query)
}

// settle takes entries over, so that later checks use them. It returns their lines.
func (x *Examination) settle(entries []entry) []string {
	p, err := with(x.profile, entries)
	if err != nil {
		return nil
	}
	x.profile = p
	for _, e := range entries {
		x.settled[e.path()] = true
	}
	return lines(entries)
}

// found returns a finding of what the bank is, with the shapes of the replies since the last one.
func (x *Examination) found(status finding.Status, code string, namesAndValues ...any) finding.Finding {
	f := finding.New(status, code, namesAndValues...)
	if came, ok := f.Args["came"].(string); ok {
		f.Args["came"] = readable(came)
	}
	f.Shapes, x.shapes = x.shapes, nil
	return f
}

// differs returns the finding of entries that differ and were corrected.
func (x *Examination) differs(came string, entries []entry) finding.Finding {
	paths := make([]string, len(entries))
	for i, e := range entries {
		paths[i] = e.path()
	}
	f := x.found(finding.Differs, "bank.entries.differ", "entries", shortened(paths), "came", came)
	f.Lines = x.settle(entries)
	for _, e := range entries {
		f.Entries = append(f.Entries, finding.Entry{Path: e.path(), Status: finding.Differs})
	}
	return f
}

// shortened returns a list for people, with at most five names.
func shortened(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// confirmed returns entries for a finding.
func confirmed(status finding.Status, paths ...string) (entries []finding.Entry) {
	for _, path := range paths {
		entries = append(entries, finding.Entry{Path: path, Status: status})
	}
	return entries
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
