package profile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// States says what the states of a process mean. A state is known by its id, or else by words of its description.
type States struct {
	Meanings map[string]Meaning `json:"meanings"` // by name
	// IDs are the names of meanings by the id of a state; "" is a state that means none of them.
	IDs map[string]string `json:"ids"`
	// Phases are the ids of the bank's phases by the id of a state.
	Phases    map[string]int32 `json:"phases"`
	Negations []string         `json:"negations"` // words that negate what follows
	Breaks    []string         `json:"breaks"`    // words before a reason
}

// Meaning is what a state means. That of an unknown state is the zero Meaning.
type Meaning struct {
	Name  string   `json:"-"`
	Turn  Turn     `json:"turn"`
	Ends  End      `json:"ends"`
	Words []string `json:"words"` // phrases that say it
	Phase []string `json:"phase"` // phrases of the bank's phase around the state, the first that matches counts
}

// Turn is who acts next on a process.
type Turn string

// The turns.
const (
	Nobody  Turn = "" // or unknown
	Bank    Turn = "bank"
	Partner Turn = "partner" // the broker and the client
)

// End is how a process has ended.
type End string

// The ends.
const (
	Open      End = ""          // or unknown
	Granted   End = "granted"   // the loan was granted, and the process cannot be changed
	Cancelled End = "cancelled" // by the client or by the bank, or refused, or expired
)

// State is a state of the bank's list of states, or of a process.
type State struct {
	ID          int32
	Description string
	PhaseID     int32 // of the phase that it belongs to, 0 if the bank does not say
}

// Phase is a phase of the bank's list of phases, which groups the states.
type Phase struct {
	ID          int32
	Description string
}

// Meaning returns what a state means: by its id, or else by the first of its descriptions that means something. It is not
// known if neither does.
func (s States) Meaning(id int32, descriptions ...string) (m Meaning, known bool) {
	name, known := s.IDs[strconv.Itoa(int(id))]
	known = known && id != 0
	for _, description := range descriptions {
		if known {
			break
		}
		name, known = s.inWords(description)
	}
	m = s.Meanings[name]
	m.Name = name
	return m, known
}

// Names returns the names of all meanings, sorted.
func (s States) Names() []string { return slices.Sorted(maps.Keys(s.Meanings)) }

// Unknown returns the states whose meaning is not known, each once, by id.
func (s States) Unknown(states []State) []UnknownState {
	var unknown []UnknownState
	for _, state := range states {
		if _, known := s.Meaning(state.ID, state.Description); !known {
			unknown = append(unknown, UnknownState{state.ID, state.Description})
		}
	}
	slices.SortStableFunc(unknown, func(a, b UnknownState) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(unknown, func(a, b UnknownState) bool { return a.ID == b.ID && (a.ID != 0 || a == b) })
}

// UnknownState is a state whose meaning is not known.
type UnknownState struct {
	ID          int32
	Description string // of the bank
}

// Line returns the line for the table [states.ids] of a profile, in which the name of the meaning is to be filled in. As it
// is, it says that the state has none. It is "" for a state without an id.
func (u UnknownState) Line() string {
	if u.ID == 0 {
		return ""
	}
	description := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, u.Description)
	return strings.TrimSpace(fmt.Sprintf(`%d = "" # %s`, u.ID, description))
}
