// Package logtest keeps what a program logs, for tests that read it while the program still writes.
package logtest

import (
	"bytes"
	"sync"
)

// Log is everything that was written to it. The zero value is ready, and safe for use by many at once.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// String is all that was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
