package slacksim

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// Failure is what happens to a call instead of its answer, or after its effect.
type Failure struct {
	Error       string        // Slack's error, with status 200: "internal_error"
	Status      int           // or an HTTP status without a JSON body
	RetryAfter  time.Duration // of a 429
	Drop        bool          // or the connection is cut
	AfterEffect bool          // the call takes effect first, and only its answer fails
	Delay       time.Duration // before anything else
}

// RateLimited is Slack's 429.
func RateLimited(after time.Duration) Failure {
	return Failure{Error: "ratelimited", Status: http.StatusTooManyRequests, RetryAfter: after}
}

// Fail makes the next n calls of a method fail; failures of one method queue up. "response_url" and "upload" count as
// methods.
func (s *Sim) Fail(method string, n int, with Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.failures[method] = append(s.failures[method], with)
	}
}

type randomFailure struct {
	probability float64
	with        Failure
	rng         *rand.Rand
}

// Storm makes every call of a method fail with a probability, between 0, which ends it, and 1. The same seed gives the
// same sequence. What [Sim.Fail] arranges comes first.
func (s *Sim) FailRandomly(method string, share float64, seed uint64, with Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.randomFailures[method] = &randomFailure{share, with, rand.New(rand.NewPCG(seed, seed))}
}

// Request is one call that the app made.
type Request struct {
	Method string // "chat.postMessage"; "response_url" and "upload" for what is not the Web API
	At     time.Time
	Error  string // Slack's error code, "" when it was accepted
	Detail string // what exactly was refused
}

const maxRequests = 5000

// Requests lists the calls that the app made, the oldest first; the last 5000 are kept.
func (s *Sim) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Calls counts the calls of a method, failed ones included.
func (s *Sim) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// Refusals lists the calls that were refused, which a right app never makes.
func (s *Sim) Refusals() []Request {
	var refused []Request
	for _, r := range s.Requests() {
		if r.Error != "" {
			refused = append(refused, r)
		}
	}
	return refused
}

// note records a call. Call it with s.mu held.
func (s *Sim) recordCall(method, code, detail string) {
	s.requests = append(s.requests, Request{Method: method, At: s.now(), Error: code, Detail: detail})
	if over := len(s.requests) - maxRequests; over > 0 {
		s.requests = append([]Request(nil), s.requests[over:]...)
	}
}

// arranged takes the next arranged failure of a method, and counts the call.
func (s *Sim) nextFailure(method string) (Failure, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[method]++
	queue := s.failures[method]
	if len(queue) == 0 {
		if storm := s.randomFailures[method]; storm != nil && storm.rng.Float64() < storm.probability {
			return storm.with, true
		}
		return Failure{}, false
	}
	s.failures[method] = queue[1:]
	return queue[0], true
}

// failing wraps a handler with the failures arranged for its method.
func (s *Sim) withFailures(w http.ResponseWriter, r *http.Request, method string, handle func(http.ResponseWriter)) {
	failure, found := s.nextFailure(method)
	if !found {
		handle(w)
		return
	}
	if failure.Delay > 0 {
		timer := time.NewTimer(failure.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		}
	}
	if failure.isDelay() {
		handle(w)
		return
	}
	if failure.AfterEffect {
		handle(discard{http.Header{}})
	}
	if failure.Drop {
		panic(http.ErrAbortHandler)
	}
	failure.write(w)
}

func (f Failure) isDelay() bool { return f.Error == "" && f.Status == 0 && !f.Drop }

func (f Failure) write(w http.ResponseWriter) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", seconds(f.RetryAfter))
	}
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	if f.Error == "" {
		w.WriteHeader(status)
		return
	}
	writeJSON(w, status, map[string]any{"ok": false, "error": f.Error})
}

// discard swallows an answer that the app is not to see.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
