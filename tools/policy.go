package tools

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Decision is what happens when an assistant asks for a call that changes something at the bank.
type Decision string

// The decisions.
const (
	Deny    Decision = "deny"    // it is refused
	Approve Decision = "approve" // it waits until a person approves it; the default
	Allow   Decision = "allow"   // it is made at once
	// Elicit trusts the assistant's client: it asks its person, who accepts or declines. A client that cannot ask is as under
	// Approve.
	Elicit Decision = "elicit"
)

// withoutPerson reports whether a call may be made without a person who approves it outside the reach of the assistant.
func (d Decision) withoutPerson() bool { return d == Allow || d == Elicit }

// Policy has the decisions that differ from Approve, by the name of a tool or by an [Effect]; "*" is all others. That of a tool
// counts before that of its effect. What deletes cannot be taken back: there Allow and Elicit count only for the tool by its name.
type Policy map[string]Decision

// Of returns the decision about an assistant's call of a tool.
func (p Policy) Of(tool *Tool) Decision {
	if !tool.Effect.Writes() {
		return Allow
	}
	if decision, ok := p[tool.Name]; ok {
		return decision
	}
	for _, name := range []string{string(tool.Effect), "*"} {
		if decision, ok := p[name]; ok && (tool.Effect != Deletes || !decision.withoutPerson()) {
			return decision
		}
	}
	return Approve
}

// ParsePolicy reads a policy: decisions separated by commas, each for a tool, an effect, or all others.
//
//	approve
//	allow,sends=approve,cancel_process=deny
//
// It returns an error for a decision, a tool or an effect that does not exist, and for Allow and Elicit of all that deletes.
func ParsePolicy(text string, catalogue *Catalogue) (Policy, error) {
	policy := Policy{}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, decision, named := strings.Cut(part, "=")
		if !named {
			name, decision = "*", part
		}
		name, decision = strings.TrimSpace(name), strings.TrimSpace(decision)
		if !slices.Contains([]Decision{Deny, Approve, Allow, Elicit}, Decision(decision)) {
			return nil, fmt.Errorf("%q is none of deny, approve, elicit and allow", decision)
		}
		tool, known := catalogue.Named(name)
		if !slices.Contains([]string{"*", string(Creates), string(Updates), string(Deletes), string(Sends)}, name) && !(known && tool.Effect.Writes()) {
			return nil, fmt.Errorf("%q is neither an effect (creates, updates, deletes, sends) nor a tool that changes something", name)
		}
		if name == string(Deletes) && Decision(decision).withoutPerson() {
			return nil, fmt.Errorf("%s is for a single tool that deletes, as in delete_borrower=%[1]s", decision)
		}
		policy[name] = Decision(decision)
	}
	return policy, nil
}

// String returns the policy as [ParsePolicy] reads it.
func (p Policy) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		parts = append(parts, name+"="+string(p[name]))
	}
	return strings.Join(parts, ",")
}
