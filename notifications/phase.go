package notifications

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/BurntSushi/toml"
	"golang.org/x/text/unicode/norm"

	"github.com/balcao/balcao/portal"
)

// side is who has to act next on a process.
type side string

const (
	nobody side = ""
	bank   side = "bank"
	broker side = "broker"
)

// step is how a broker reads the bank's text of a status.
type step struct {
	Name    string
	Words   []string
	Phase   []string
	WaitsOn side `toml:"waits_on"`
}

//go:embed phases.toml
var phaseFile string

var steps = func() []step {
	var file struct{ Step []step }
	if _, err := toml.Decode(phaseFile, &file); err != nil {
		panic(fmt.Sprintf("notifications: phases.toml: %v", err))
	}
	return file.Step
}()

// stepOf returns the step that a text of the bank means; ok is false if it is unknown.
func stepOf(text string) (s step, ok bool) {
	text = fold(text)
	for _, s := range steps {
		if containsAny(text, s.Words) {
			return s, true
		}
	}
	return step{}, false
}

// phaseOf returns the bank's phase that a step belongs to: the phase with the same meaning, or else the coarser one
// around it.
func phaseOf(s step, phases []portal.TaxonomyItem) (portal.TaxonomyItem, bool) {
	for _, phase := range phases {
		if own, ok := stepOf(phase.Description); ok && own.Name == s.Name {
			return phase, true
		}
	}
	for _, phase := range phases {
		if containsAny(fold(phase.Description), s.Phase) {
			return phase, true
		}
	}
	return portal.TaxonomyItem{}, false
}

func containsAny(text string, words []string) bool {
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// fold returns text in lower case without accents, for comparison.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
}

// How long the bank's lists of states and phases are used, and how long after a failure they are not read.
const (
	listTTL   = 6 * time.Hour
	listRetry = 30 * time.Second
)

// phases caches the bank's lists of states and phases. A cached list is used while the bank is down.
type phases struct {
	read func(context.Context, portal.TaxonomyKey) ([]portal.TaxonomyItem, error) // nil without a bank
	now  func() time.Time

	mu     sync.Mutex
	states map[int32]string
	phases []portal.TaxonomyItem
	err    error // of the last read, while nothing is cached
	next   time.Time
}

// phase returns the phase of a process with this status, and who has to act next. It reads the text of the status, or,
// if that is unknown, the text that the bank's list has for its id. The phase is the zero item if neither is known. It
// returns an error while the lists were never read.
func (p *phases) phase(ctx context.Context, statusID int32, status string) (phase portal.TaxonomyItem, waits side, err error) {
	s, ok := stepOf(status)
	states, list, err := p.lists(ctx)
	if !ok {
		s, ok = stepOf(states[statusID])
	}
	if !ok {
		return portal.TaxonomyItem{}, nobody, err
	}
	phase, _ = phaseOf(s, list)
	return phase, s.WaitsOn, err
}

func (p *phases) lists(ctx context.Context) (states map[int32]string, list []portal.TaxonomyItem, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.read == nil || p.now().Before(p.next) {
		return p.states, p.phases, p.err
	}
	phases, err := p.read(ctx, "workflowPhases")
	items, stateless := p.read(ctx, "workflowStatesProposal")
	if err = errors.Join(err, stateless); err != nil {
		p.next = p.now().Add(listRetry)
		if p.phases == nil {
			p.err = fmt.Errorf("reading the bank's phases: %w", err)
		}
		return p.states, p.phases, p.err
	}
	p.states = map[int32]string{}
	for _, item := range items {
		p.states[item.ID] = item.Description
	}
	p.phases, p.err, p.next = phases, nil, p.now().Add(listTTL)
	return p.states, p.phases, nil
}
