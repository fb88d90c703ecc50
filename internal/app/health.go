package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"
)

// readyWithin is how long whoever watches waits for an answer, at most.
const readyWithin = 3 * time.Second

// Check is something that has to be well.
type Check struct {
	Name  string // short, and no secret
	Vital bool   // without it no request can be served; other replicas may be able to
	Run   func(context.Context) error
}

// Problem is what is wrong with a part in a word that may be told.
type Problem string

func (a Problem) Error() string { return string(a) }

// Healthy answers as long as the process does.
func Healthy() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
}

// Ready answers 200 when a request could be served now and 503 when a vital part is not well, with the names of the
// parts that are not. Why they are not, the log says.
func Ready(parts ...Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
		defer cancel()
		ready, unwell := look(ctx, parts)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(struct {
			Ready  bool     `json:"ready"`
			Unwell []string `json:"unwell,omitempty"`
		}{ready, unwell})
	})
}

// look asks all parts at once: one that hangs does not hide another.
func look(ctx context.Context, parts []Check) (ready bool, unwell []string) {
	errs := make([]error, len(parts))
	var looking sync.WaitGroup
	for i, part := range parts {
		looking.Go(func() { errs[i] = part.Run(ctx) })
	}
	looking.Wait()
	ready = true
	for i, part := range parts {
		if errs[i] != nil {
			name := part.Name
			if ailment, ok := errors.AsType[Problem](errs[i]); ok {
				name += ": " + string(ailment)
			}
			unwell = append(unwell, name)
			ready = ready && !part.Vital
		}
	}
	slices.Sort(unwell)
	return ready, unwell
}

// Cached asks well no more often than each life: whoever looks often must not wear out who is asked.
func Cached(well func(context.Context) error, life time.Duration) func(context.Context) error {
	var mu sync.Mutex
	var asked time.Time
	var last error
	return func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if !asked.IsZero() && time.Since(asked) < life {
			return last
		}
		err := well(ctx)
		if !errors.Is(ctx.Err(), context.Canceled) { // else it tells of who asked
			asked, last = time.Now(), err
		}
		return err
	}
}
