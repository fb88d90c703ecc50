package testenv

import (
	"context"
	"strings"
	"sync"
)

// AuditLog records what is audited. It implements [tools.AuditLog].
type AuditLog struct {
	mu      sync.Mutex
	entries []string
	texts   []string // stored beside each entry; "" for none
}

// Append implements [tools.AuditLog].
func (a *AuditLog) Append(_ context.Context, entry []byte, text string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entries, a.texts = append(a.entries, string(entry)), append(a.texts, text)
	return nil
}

// Entries returns the entries, as JSON, the oldest first.
func (a *AuditLog) Entries() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.entries...)
}

// Last returns the newest entry and the text stored beside it; both are "" if there is none.
func (a *AuditLog) Last() (entry, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.entries) == 0 {
		return "", ""
	}
	return a.entries[len(a.entries)-1], a.texts[len(a.texts)-1]
}

// String returns all entries, one a line.
func (a *AuditLog) String() string { return strings.Join(a.Entries(), "\n") }
