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

// side is on whose side the next act of a process is.
type side string

const (
	nobody side = ""
	bank   side = "bank"
	broker side = "broker"
)

// step is what a broker makes of the words that the bank has for the state of a process.
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

// stepOf reads a text of the bank's; ok is false where it says nothing that is known.
func stepOf(text string) (s step, ok bool) {
	text = fold(text)
	for _, s := range steps {
		if containsAny(text, s.Words) {
			return s, true
		}
	}
	return step{}, false
}

// phaseOf finds which of the bank's phases a step belongs to: the one that is the step itself, or else the coarser one
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

// fold makes texts comparable: small letters, no accents.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
}

// How long the bank's lists of states and phases serve, and how long it is left alone after a failure.
const (
	listTTL   = 6 * time.Hour
	listRetry = 30 * time.Second
)

// phases knows the bank's lists of states and phases. A list that was read once serves while the bank is down.
type phases struct {
	read func(context.Context, portal.TaxonomyKey) ([]portal.TaxonomyItem, error) // nil where there is no bank
	now  func() time.Time

	mu     sync.Mutex
	states map[int32]string
	phases []portal.TaxonomyItem
	err    error // why nothing was ever read
	next   time.Time
}

// of says which phase a process with this status is in, and on whose side the next act is. The status is read from its
// description; where that says nothing, from what the bank's list says of its id. Where nothing is known of it the phase
// is the zero item. It fails while the lists were never read.
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
