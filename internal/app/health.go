package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// readyTimeout is the longest that a request for readiness takes.
const readyTimeout = 3 * time.Second

// Check is a condition for readiness.
type Check struct {
	Name  string // short, and not secret
	Vital bool   // no request can be served while it fails; other replicas may be able to
	Run   func(context.Context) error
}

// Problem is the reason for which a check fails, in a word that is not secret.
type Problem string

func (p Problem) Error() string { return string(p) }

// Problems are the reasons for which a check of several parts fails. Each is listed.
type Problems []Problem

func (p Problems) Error() string {
	var text strings.Builder
	for i, problem := range p {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(string(problem))
	}
	return text.String()
}

// Healthy answers 200.
func Healthy() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
}

// Ready answers 200 if a request can be served now and 503 if a vital check fails, with the names of the failing checks and
// their [Problem]. Other errors are not shown.
func Ready(checks ...Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		ready, failing := runChecks(ctx, checks)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(struct {
			Ready   bool     `json:"ready"`
			Failing []string `json:"failing,omitempty"`
		}{ready, failing})
	})
}

// runChecks runs all checks concurrently, so that one that hangs does not hide another.
func runChecks(ctx context.Context, checks []Check) (ready bool, failing []string) {
	errs := make([]error, len(checks))
	var running sync.WaitGroup
	for i, check := range checks {
		running.Go(func() { errs[i] = check.Run(ctx) })
	}
	running.Wait()
	ready = true
	for i, check := range checks {
		if errs[i] == nil {
			continue
		}
		ready = ready && !check.Vital
		problems, several := errors.AsType[Problems](errs[i])
		if problem, one := errors.AsType[Problem](errs[i]); one && !several {
			problems = Problems{problem}
		}
		for _, problem := range problems {
			failing = append(failing, check.Name+": "+string(problem))
		}
		if problems == nil {
			failing = append(failing, check.Name)
		}
	}
	slices.Sort(failing)
	return ready, slices.Compact(failing)
}

// Cached returns a check that runs check at most once per life and returns its last result in between.
func Cached(check func(context.Context) error, life time.Duration) func(context.Context) error {
	var mu sync.Mutex
	var checked time.Time
	var last error
	return func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if !checked.IsZero() && time.Since(checked) < life {
			return last
		}
		err := check(ctx)
		if !errors.Is(ctx.Err(), context.Canceled) { // the result says nothing if the caller has gone
			checked, last = time.Now(), err
		}
		return err
	}
}
