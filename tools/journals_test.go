package tools_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/tools"
)

// crashingJournal is the journal of a replica that crashes at a point of a call.
type crashingJournal struct {
	tools.Journal
	point string
}

const (
	beforeSending   = "before it sends the call"
	beforeRecording = "before it records the reply of the bank"
)

// crashPoints are the points at which a replica may crash.
var crashPoints = []string{beforeSending, beforeRecording}

func (j crashingJournal) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) (prior []byte, first bool, err error) {
	prior, first, err = j.Journal.Begin(ctx, key, intent, lease)
	if j.point == beforeSending {
		panic("crashed")
	}
	return prior, first, err
}

func (crashingJournal) Finish(context.Context, string, int64, []byte) error { panic("crashed") }

// crash lets a replica whose leases are short crash while it creates the borrower.
func (e env) crash(t *testing.T, point string) {
	t.Helper()
	e.crashDuring(t, point, func(e env) { e.create(t) }, withShortLeases)
}

// crashDuring lets a replica crash during a call.
func (e env) crashDuring(t *testing.T, point string, call func(env), config ...func(*tools.Config)) {
	t.Helper()
	victim := e.replica(t, append(config, func(c *tools.Config) { c.Journal = crashingJournal{c.Journal, point} })...)
	defer func() {
		if recover() == nil {
			t.Error("the replica did not crash")
		}
	}()
	call(victim)
}

// withShortLeases makes leases expire soon, however long a call may take, so that a test waits little for their end.
func withShortLeases(c *tools.Config) {
	c.Journal = shortLeases{c.Journal}
}

type shortLeases struct{ tools.Journal }

const shortLease = 100 * time.Millisecond

func (j shortLeases) Begin(ctx context.Context, key string, intent []byte, _ time.Duration) (prior []byte, first bool, err error) {
	return j.Journal.Begin(ctx, key, intent, shortLease)
}

func (j shortLeases) TakeOver(ctx context.Context, key string, token int64, _ time.Duration) (next int64, taken bool, err error) {
	return j.Journal.TakeOver(ctx, key, token, shortLease)
}

func (j shortLeases) Acquire(ctx context.Context, target, call string, _ time.Duration) (token int64, other string, left time.Duration, err error) {
	return j.Journal.Acquire(ctx, target, call, shortLease)
}

func (j shortLeases) Hold(ctx context.Context, target string, token int64, _ time.Duration) (held bool, err error) {
	return j.Journal.Hold(ctx, target, token, 0)
}

// withShortRest shortens the time after a loss of data in which nothing is sent, however long a call may take.
func withShortRest(rest time.Duration) func(*tools.Config) {
	return func(c *tools.Config) { c.Journal = shortRest{c.Journal, rest} }
}

type shortRest struct {
	tools.Journal
	rest time.Duration
}

func (j shortRest) Epoch(ctx context.Context, _ time.Duration) (epoch string, left time.Duration, err error) {
	return j.Journal.Epoch(ctx, j.rest)
}

// afterBegin calls a function after each Begin.
type afterBegin struct {
	tools.Journal
	then func()
}

func (j afterBegin) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) ([]byte, bool, error) {
	defer j.then()
	return j.Journal.Begin(ctx, key, intent, lease)
}

// beforeFinish calls a function before each Finish.
type beforeFinish struct {
	tools.Journal
	then func()
}

func (j beforeFinish) Finish(ctx context.Context, key string, token int64, outcome []byte) error {
	j.then()
	return j.Journal.Finish(ctx, key, token, outcome)
}

// blockedFinish is the journal of a replica that is suspended before Finish, once. It closes suspended then. err gets what
// Finish returned.
type blockedFinish struct {
	tools.Journal
	suspended chan<- struct{}
	until     <-chan struct{}
	err       *error
}

func (j blockedFinish) Finish(ctx context.Context, key string, token int64, outcome []byte) error {
	close(j.suspended)
	<-j.until
	*j.err = j.Journal.Finish(context.WithoutCancel(ctx), key, token, outcome)
	return *j.err
}

// failingJournal fails at Look or at Begin.
type failingJournal struct {
	tools.Journal
	look, begin error
}

func (j failingJournal) Look(ctx context.Context, key string) ([]byte, int64, time.Duration, error) {
	if j.look != nil {
		return nil, 0, 0, j.look
	}
	return j.Journal.Look(ctx, key)
}

func (j failingJournal) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) ([]byte, bool, error) {
	if j.begin != nil {
		return nil, false, j.begin
	}
	return j.Journal.Begin(ctx, key, intent, lease)
}

// lostReplies is a journal whose replies are lost from Begin on.
type lostReplies struct {
	tools.Journal
	begun bool
}

func (j *lostReplies) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) ([]byte, bool, error) {
	if _, _, err := j.Journal.Begin(ctx, key, intent, lease); err != nil {
		return nil, false, err
	}
	j.begun = true
	return nil, false, conversations.ErrUnavailable
}

func (j *lostReplies) Look(ctx context.Context, key string) ([]byte, int64, time.Duration, error) {
	if j.begun {
		return nil, 0, 0, conversations.ErrUnavailable
	}
	return j.Journal.Look(ctx, key)
}

// fullAtBegin is a journal whose Redis is full at Begin.
type fullAtBegin struct {
	tools.Journal
	server *redistest.Server
}

func (j fullAtBegin) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) ([]byte, bool, error) {
	j.server.Fill()
	return j.Journal.Begin(ctx, key, intent, lease)
}

// failingAuditLog refuses entries of an outcome; "" is every outcome.
type failingAuditLog struct {
	tools.AuditLog
	outcome string
}

func (l failingAuditLog) Append(ctx context.Context, entry []byte, text string) error {
	if strings.Contains(string(entry), fmt.Sprintf(`"outcome":"%s`, l.outcome)) {
		return conversations.ErrUnavailable
	}
	return l.AuditLog.Append(ctx, entry, text)
}

func withFailingAudit(outcome string) func(*tools.Config) {
	return func(c *tools.Config) { c.AuditLog = failingAuditLog{c.AuditLog, outcome} }
}

// waitReporter calls waits when a call has to wait for another.
type waitReporter struct {
	tools.Journal
	waits func()
}

func (j waitReporter) Acquire(ctx context.Context, target, call string, lease time.Duration) (token int64, other string, left time.Duration, err error) {
	token, other, left, err = j.Journal.Acquire(ctx, target, call, lease)
	if err == nil && token == 0 {
		j.waits()
	}
	return token, other, left, err
}

// overlapping returns two replicas. The first one records nothing before a call of the second one waits for it.
func (e env) overlapping(t *testing.T) (first, second env) {
	t.Helper()
	waits := make(chan struct{})
	first = e.replica(t, func(c *tools.Config) {
		c.Journal = beforeFinish{c.Journal, sync.OnceFunc(func() {
			select {
			case <-waits:
			case <-time.After(waittest.Deadline / 2):
				t.Error("the second call did not wait")
			}
		})}
	})
	return first, e.replica(t, func(c *tools.Config) {
		c.Journal = waitReporter{c.Journal, sync.OnceFunc(func() { close(waits) })}
	})
}
