package portal

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Fault is something about the bank that is not as the client takes it to be, and that no caller can do anything about:
// a login that is refused, a path without an operation, a reply that is not understood.
type Fault struct {
	Operation OperationID
	// Kind is [LoginRefused], [Unauthorized], [WrongPath], [Mismatch], [Garbled] or, for refusals in which no message was
	// found, [Refused].
	Kind   Kind
	Reason string // for the log: nothing of it is the bank's, but for the shape of a reply
	Status int    // of HTTP
	Login  Login  // the user whose login was refused, for LoginRefused
	Since  time.Time
}

const (
	maxFaultyLogins = 100            // of users, beside the faults of operations
	faultLogPeriod  = time.Minute    // between two log entries about one fault
	unreadLife      = 24 * time.Hour // after which a refusal that was not understood counts no more: few follow
)

// faultKey is what has at most one fault: an operation, the login of a user, or the form of refusals.
type faultKey struct {
	op       OperationID
	login    Login
	refusals bool
}

type faultEntry struct {
	Fault
	last   time.Time // when it was last seen
	logged time.Time
	told   bool // the log says so, and not yet that it ended
	cured  bool // kept for the time of its log entry
}

// faults holds the faults that were not followed by a success.
type faults struct {
	log *slog.Logger

	mu      sync.Mutex
	entries map[faultKey]*faultEntry
}

func newFaults(log *slog.Logger) *faults {
	return &faults{log: log, entries: map[faultKey]*faultEntry{}}
}

// Faults returns the faults that hold, by operation: each until a call of the same operation, or a login of the same user,
// succeeds. Those of refusals hold until one is understood.
func (c *Client) Faults() []Fault {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	var found []Fault
	for key, entry := range c.faults.entries {
		if !entry.cured && !(key.refusals && time.Since(entry.last) > unreadLife) {
			found = append(found, entry.Fault)
		}
	}
	slices.SortFunc(found, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Kind, b.Kind), a.Since.Compare(b.Since), cmp.Compare(a.Login.Username, b.Login.Username))
	})
	return found
}

// note records the outcome of a call: err is nil or its error. A login is noted with its user.
func (f *faults) note(op Operation, login Login, err error) {
	failure, failed := errors.AsType[*Error](err)
	switch {
	case err != nil && (!failed || failure.Operation != op.ID): // not sent, or the login that it needs failed
	case !failed:
		f.cure(faultKey{op: op.ID}, faultKey{op: op.ID, login: login})
	case failure.Kind == LoginRefused:
		f.cure(faultKey{op: op.ID})
		f.add(op, faultKey{op: op.ID, login: login}, Fault{Kind: LoginRefused, Login: login}, failure)
	case slices.Contains([]Kind{Unauthorized, WrongPath, Mismatch, Garbled}, failure.Kind):
		f.add(op, faultKey{op: op.ID}, Fault{Kind: failure.Kind}, failure)
	case failure.garbled: // a write
		f.add(op, faultKey{op: op.ID}, Fault{Kind: Garbled}, failure)
	case failure.Unread:
		f.cure(faultKey{op: op.ID})
		f.add(op, faultKey{refusals: true}, Fault{Kind: Refused}, failure)
	case failure.Kind == NotFound || failure.Kind == Refused:
		f.cure(faultKey{op: op.ID})
		if len(failure.Messages) > 0 {
			f.cure(faultKey{refusals: true})
		}
	}
}

// add records a fault and logs it, unless it was logged just now.
func (f *faults) add(op Operation, key faultKey, fault Fault, failure *Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	entry := f.entries[key]
	if entry == nil {
		f.makeRoom(key)
		entry = &faultEntry{}
		f.entries[key] = entry
	}
	if entry.cured || entry.Kind != fault.Kind {
		entry.Since = now
	}
	fault.Since = cmp.Or(entry.Since, now)
	fault.Operation, fault.Reason, fault.Status = op.ID, failure.Reason, failure.Status
	entry.Fault, entry.last, entry.cured = fault, now, false
	if now.Sub(entry.logged) < faultLogPeriod {
		return
	}
	entry.logged, entry.told = now, true
	f.log.LogAttrs(context.Background(), slog.LevelError, faultTexts[fault.Kind], slog.String("operation", string(op.ID)),
		slog.String("method", op.Method), slog.String("path", op.Path), slog.Int("status", failure.Status), slog.Any("failure", failure))
}

// faultTexts are the log messages, with what an operator corrects.
var faultTexts = map[Kind]string{
	LoginRefused: "the bank refuses the login: check the client id and secret, the broker and the user, and the names of the headers",
	Unauthorized: "the bank refuses a session that it has just opened: it may want more headers, which the profile lists",
	WrongPath:    "the bank has no such operation at this address: correct its path or method in the profile",
	Mismatch:     "the bank refuses what is sent beside the caller's data: correct the names and limits of parameters, and the headers, in the profile",
	Garbled:      "a reply of the bank is not understood: correct the names of its fields in the profile",
	Refused:      "a refusal of the bank is not understood: correct the names of the fields of errors in the profile",
}

// makeRoom deletes the user's login that was refused longest ago if there are too many.
func (f *faults) makeRoom(key faultKey) {
	var oldest faultKey
	logins := 0
	for other, entry := range f.entries {
		if other.login == (Login{}) {
			continue
		}
		if logins++; f.entries[oldest] == nil || entry.last.Before(f.entries[oldest].last) {
			oldest = other
		}
	}
	if key.login != (Login{}) && logins >= maxFaultyLogins {
		delete(f.entries, oldest)
	}
}

// cure ends faults.
func (f *faults) cure(keys ...faultKey) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range keys {
		entry := f.entries[key]
		if entry == nil || entry.cured {
			continue
		}
		entry.cured = true
		if !entry.told {
			continue
		}
		entry.told = false
		f.log.Info("the bank answers as expected again", "operation", entry.Operation, "kind", entry.Kind)
	}
}
