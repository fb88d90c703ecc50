package sandbox

import "github.com/balcao/balcao/portal/profile"

// EveryRule returns the rules of the built-in profile, each as strict as given.
func EveryRule(strictness profile.Strictness) profile.Rules {
	rules := profile.Rules{}
	for code := range profile.Builtin().Rules {
		rules[code] = strictness
	}
	return rules
}

// WithRules returns the built-in profile with other rules.
func WithRules(rules profile.Rules) *profile.Profile {
	p := *profile.Builtin()
	p.Rules = rules
	return &p
}
