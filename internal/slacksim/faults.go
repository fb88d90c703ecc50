package slacksim

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// Failure describes how a call fails.
type Failure struct {
	Error       string        // Slack's error code, with status 200, such as "internal_error"
	Status      int           // or an HTTP status without a JSON body
	RetryAfter  time.Duration // of a 429
	Drop        bool          // or the connection is closed without a response
	CutAfter    int           // or the connection is closed after that many bytes of the response's body
	AfterEffect bool          // the call takes effect before it fails
	Delay       time.Duration // before anything else
}

// RateLimited returns Slack's 429.
func RateLimited(after time.Duration) Failure {
	return Failure{Error: "ratelimited", Status: http.StatusTooManyRequests, RetryAfter: after}
}

// Fail makes the next n calls of a method fail, after the failures already queued. "response_url", "upload" and
// "download" are methods too.
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

// FailRandomly makes each call of a method fail with a probability from 0, which ends it, to 1. The same seed gives the
// same sequence. Failures queued by [Sim.Fail] come first.
func (s *Sim) FailRandomly(method string, share float64, seed uint64, with Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.randomFailures[method] = &randomFailure{share, with, rand.New(rand.NewPCG(seed, seed))}
}

// Request is a call that the app made.
type Request struct {
	Method string // such as "chat.postMessage"; "response_url", "upload" and "download" outside the Web API
	At     time.Time
	Error  string // Slack's error code, "" on success
	Detail string // of the error
}

const maxRequests = 5000

// Requests returns the last 5000 calls that the app made, the oldest first.
func (s *Sim) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Calls returns the number of calls of a method, failed ones included.
func (s *Sim) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// Refusals returns the calls that were refused. A correct app makes none.
func (s *Sim) Refusals() []Request {
	var refused []Request
	for _, r := range s.Requests() {
		if r.Error != "" {
			refused = append(refused, r)
		}
	}
	return refused
}

// recordCall adds a call to the log. s.mu must be held.
func (s *Sim) recordCall(method, code, detail string) {
	s.requests = append(s.requests, Request{Method: method, At: s.now(), Error: code, Detail: detail})
	if over := len(s.requests) - maxRequests; over > 0 {
		s.requests = append([]Request(nil), s.requests[over:]...)
	}
}

// nextFailure counts a call of a method, and returns the failure that applies to it.
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

// withFailures calls handle, unless a failure of the method applies.
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
	if failure.CutAfter > 0 {
		handle(&cutWriter{w, failure.CutAfter})
		return
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

// cutWriter closes the connection after a number of bytes.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(b []byte) (int, error) {
	if len(b) >= c.left {
		_, _ = c.ResponseWriter.Write(b[:c.left])
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(b)
	return c.ResponseWriter.Write(b)
}

// discard is a ResponseWriter that drops the response.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
