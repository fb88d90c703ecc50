package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/pause"
	"github.com/balcao/balcao/portal"
)

// Body says how the body of a reply is spoilt.
type Body string

// The ways to spoil a body.
const (
	Intact    Body = ""
	Garbage   Body = "garbage"   // no JSON, though the header says so
	HTML      Body = "html"      // the page of something that stands before the bank
	Truncated Body = "truncated" // the connection ends in the middle
)

// Fault is something going wrong with the calls that it matches. What it says happens in the order of the fields.
type Fault struct {
	Operation portal.OperationID // "" matches every operation
	Path      string             // a part of the request's path; "" matches all
	Times     int                // how many calls to spoil; 0 spoils until removed

	// Probability spoils this share of the calls that match, chosen by Seed; 0 spoils all of them.
	Probability float64
	Seed        uint64

	Latency       time.Duration // at most a minute; a caller who does not wait leaves nothing changed
	ExpireSession bool          // the caller's session ends before the call
	DropBefore    bool          // the connection ends; nothing took hold
	Status        int           // the answer, 5xx, 429 or another; nothing took hold
	Reply         string        // the body of that answer, in which {{request}} stands for what was sent, within a JSON text
	RetryAfter    time.Duration // sent with Status, in whole seconds
	DropAfter     bool          // the connection ends; the change took hold
	Body          Body          // of the reply; the change took hold, unless there is a Status
}

// faults are those that wait, the oldest first.
type faults []*armed

type armed struct {
	Fault
	left int
	rng  *rand.Rand
}

// Inject makes calls fail until the returned function is called, or until the fault's times are used up.
func (b *Bank) Inject(fault Fault) (remove func()) {
	waiting := &armed{fault, fault.Times, rand.New(rand.NewPCG(fault.Seed, fault.Seed))}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.faults) >= maxFaults {
		b.faults = b.faults[1:]
	}
	b.faults = append(b.faults, waiting)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.faults = slices.DeleteFunc(b.faults, func(other *armed) bool { return other == waiting })
	}
}

// take returns the fault that befalls a call, and uses it up.
func (f *faults) take(operation portal.OperationID, path string) Fault {
	for i, waiting := range *f {
		matches := (waiting.Operation == "" || waiting.Operation == operation) && strings.Contains(path, waiting.Path)
		if !matches || waiting.Probability > 0 && waiting.rng.Float64() >= waiting.Probability {
			continue
		}
		if waiting.left--; waiting.left == 0 {
			*f = slices.Delete(*f, i, i+1)
		}
		return waiting.Fault
	}
	return Fault{}
}

// before does what happens ahead of the call, and tells whether it has been answered.
func (f Fault) before(w http.ResponseWriter, r *http.Request, body []byte) (answered bool) {
	if f.Latency > 0 && !pause.For(r.Context(), min(f.Latency, maxLatency)) {
		return true
	}
	if f.DropBefore {
		panic(http.ErrAbortHandler) // closes the connection, and nothing else
	}
	if f.Status == 0 {
		return false
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	quoted, _ := json.Marshal(string(body) + r.URL.RawQuery) // a string marshals
	sent := string(quoted[1 : len(quoted)-1])
	f.after(w, response{f.Status, []byte(cmp.Or(strings.ReplaceAll(f.Reply, "{{request}}", sent), "{}"))})
	return true
}

// after sends the reply, or what the fault makes of it.
func (f Fault) after(w http.ResponseWriter, out response) {
	if f.DropAfter {
		panic(http.ErrAbortHandler)
	}
	switch f.Body {
	case Garbage:
		out.body = []byte(`{"borrowerList":[{"borrowerUniqueID":`)
	case HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(out.status)
		_, _ = fmt.Fprint(w, "<!doctype html><title>Gateway</title><h1>Gateway</h1>")
		return
	case Truncated:
		w.Header().Set("Content-Length", strconv.Itoa(len(out.body)))
		out.body = out.body[:len(out.body)/2]
		out.write(w)
		_ = http.NewResponseController(w).Flush() // a writer that cannot flush sends nothing at all, which is as broken
		panic(http.ErrAbortHandler)
	}
	out.write(w)
}

// name tells a log the worst that befalls a call.
func (f Fault) name() string {
	switch {
	case f.DropBefore:
		return "drop-before"
	case f.Status != 0:
		return "status"
	case f.DropAfter:
		return "drop-after"
	case f.Body != Intact:
		return string(f.Body)
	case f.ExpireSession:
		return "expired-session"
	default:
		return "latency"
	}
}
