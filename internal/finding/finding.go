// Package finding holds what a check of Balcão's surroundings found: the settings, Redis, Slack and the bank. The package that
// knows a system checks it; internal/doctor runs the checks and shows what they found.
package finding

import (
	"context"
	"time"
)

// Status is how far a finding is from what Balcão needs.
type Status string

// The statuses, as they are written in JSON.
const (
	OK       Status = "ok"
	Warn     Status = "warn"      // it works, and something should be corrected
	Differs  Status = "differs"   // the bank is not as the profile says
	Fail     Status = "fail"      // something does not work until it is corrected
	NotTried Status = "not_tried" // nothing is known of it
)

// Finding is the result of a check. It holds no secret, no value of a client and no user name.
type Finding struct {
	Subject string         // what was looked at: a setting, a scope, an operation of the bank; "" for that of its check
	Status  Status         // zero is not valid
	Code    string         // stable, such as redis.evicts; it names the texts, and code.fix how to mend it
	Args    map[string]any // of the texts
	What    string         // instead of the text of Code, for a finding that comes with its text
	Fix     string         // likewise
	Lines   []string       // to add to the bank's profile
	Shapes  []Shape        // what came, for a report of a bug
	Quiet   bool           // not shown at the start if it is ok
	Entries []Entry        // of the bank's profile that were looked at
}

// Entry is an entry of the bank's profile.
type Entry struct {
	Path   string `json:"path"`
	Status Status `json:"status"`
}

// Shape describes a reply without its values.
type Shape struct {
	Of   string `json:"of"`   // such as GET /v1/processes
	Text string `json:"text"` // such as 200 application/json array[12] of {value:int,label:string}
}

// Check looks at one thing. It changes nothing.
type Check struct {
	Subject string
	Vital   bool          // unless it is ok, the later checks of its part are not tried
	AtStart bool          // the programs run it at their start too; it takes a few seconds at most
	Timeout time.Duration // 10 seconds if 0
	Run     func(context.Context) []Finding
}

// One returns a finding with a code, and its arguments as names and values.
func One(status Status, code string, namesAndValues ...any) []Finding {
	return []Finding{New(status, code, namesAndValues...)}
}

// New is [One] for a list of several.
func New(status Status, code string, namesAndValues ...any) Finding {
	f := Finding{Status: status, Code: code}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		if f.Args == nil {
			f.Args = map[string]any{}
		}
		f.Args[namesAndValues[i].(string)] = namesAndValues[i+1]
	}
	return f
}

// About returns the finding with another subject than that of its check.
func (f Finding) About(subject string) Finding {
	f.Subject = subject
	return f
}
