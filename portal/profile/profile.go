// Package profile holds what Balcão takes the bank to be: paths, names, forms, states and rules. What the bank prints and
// what is inferred of it are told apart by marks. The built-in profile is bank.toml; a file overrides its entries.
package profile

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/BurntSushi/toml"
)

// Profile is what a bank is taken to be. Its names are canonical: those of the JSON tags of package portal. The entries map
// them to the bank's.
type Profile struct {
	States States `toml:"states"`
	Rules  Rules  `toml:"rules"`
}

// States says what the states of a process mean.
type States struct{}

// Rules are the strictness of each rule that the bank may have, by the rule's code.
type Rules map[string]Strictness

// Strictness says what a rule does with data that breaks it.
type Strictness string

// The strictnesses.
const (
	Error Strictness = "error" // the data is refused
	Warn  Strictness = "warn"  // the person confirms
	Off   Strictness = "off"   // nothing is checked
)

//go:embed bank.toml
var builtin string

// Builtin returns the built-in profile. It is shared: do not change it.
var Builtin = sync.OnceValue(func() *Profile {
	var p Profile
	if _, err := toml.Decode(builtin, &p); err != nil {
		panic(fmt.Sprintf("profile: bank.toml: %v", err))
	}
	return &p
})
