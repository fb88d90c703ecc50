// Package destination holds what several packages say of a destination: a channel or a person that is notified of
// processes. It has the settings of a destination, the messages that are posted there, and who posts them.
package destination

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/words"
)

// Limits of one destination; far above what a person could read.
const (
	MaxSubscriptions = 50
	MaxMutes         = 500
)

// Settings is what a destination is notified of, and when.
type Settings struct {
	ID            string                  `json:"id"` // opaque, such as slack:C0TEAM
	Lang          words.Lang              `json:"lang,omitempty"`
	Subscriptions []Subscription          `json:"subscriptions,omitempty"`
	Mutes         map[uuid.UUID]time.Time `json:"mutes,omitempty"`  // processes and simulations, and until when; the zero time is without end
	Quiet         QuietHours              `json:"quiet,omitzero"`   // when nothing is posted
	Digest        string                  `json:"digest,omitempty"` // the time of a weekday, HH:MM, when all is posted at once; "" posts each as it comes
}

// Subscription is one thing that a destination is notified of.
type Subscription struct {
	Kind  Scope  `json:"kind"`
	Value string `json:"value,omitempty"`
	Name  string `json:"name,omitempty"` // what people call it, without personal data; not compared by Same
	By    string `json:"by,omitempty"`   // the actor who subscribed, as whom the bank is read; "" for the team's own
}

// Same reports whether two subscriptions are of the same processes, whoever made them.
func (s Subscription) Same(other Subscription) bool {
	return s.Kind == other.Kind && s.Value == other.Value
}

// Scope says what a subscription's value names.
type Scope string

// The scopes.
const (
	ScopeAll        Scope = "all"        // every process and simulation; no value
	ScopeProcess    Scope = "process"    // a process's uuid
	ScopeSimulation Scope = "simulation" // a simulation's uuid
	ScopeBranch     Scope = "branch"     // an id of the bank's branches
	ScopePhase      Scope = "phase"      // an id of the bank's workflow phases
	ScopePerson     Scope = "person"     // the actor who owns a process or simulation
)

// QuietHours are the hours of each day, HH:MM in Lisbon, in which nothing is posted; From after To goes over midnight.
// The zero value is none.
type QuietHours struct {
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// String returns the hours as people read them, "" for none.
func (q QuietHours) String() string {
	if q == (QuietHours{}) {
		return ""
	}
	return q.From + "–" + q.To
}

// Clone returns settings that share nothing with s.
func (s Settings) Clone() Settings {
	s.Subscriptions, s.Mutes = slices.Clone(s.Subscriptions), maps.Clone(s.Mutes)
	return s
}

// Equals reports whether a destination with either settings is notified of the same at the same times.
func (s Settings) Equals(other Settings) bool {
	return s.Quiet == other.Quiet && s.Digest == other.Digest && slices.Equal(s.Subscriptions, other.Subscriptions) &&
		maps.EqualFunc(s.Mutes, other.Mutes, time.Time.Equal)
}

// At returns the settings without the mutes that have ended at now.
func (s Settings) At(now time.Time) Settings {
	s = s.Clone()
	maps.DeleteFunc(s.Mutes, func(_ uuid.UUID, until time.Time) bool { return Ended(until, now) })
	return s
}

// Ended reports whether a mute until that time has ended at now; the zero time never ends.
func Ended(until, now time.Time) bool { return !until.IsZero() && !until.After(now) }
