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

// Body is a fault in the body of a reply.
type Body string

// The faults of a body.
const (
	Intact    Body = ""
	Garbage   Body = "garbage"   // invalid JSON
	HTML      Body = "html"      // the page of a proxy
	Truncated Body = "truncated" // the connection is closed in the middle
)

// Fault is a fault of the calls that it matches. Its effects happen in the order of the fields.
type Fault struct {
	Operation portal.OperationID // "" matches every operation
	Path      string             // a part of the request's path; "" matches all
	Times     int                // the number of calls; 0 is all until removed

	// Probability is the share of the matching calls that fail, chosen by Seed; 0 is all of them.
	Probability float64
	Seed        uint64

	Latency       time.Duration // at most a minute; if the caller disconnects, nothing is changed
	ExpireSession bool          // the caller's session ends before the call
	DropBefore    bool          // the connection is closed; nothing is changed
	Status        int           // the answer, 5xx, 429 or another; nothing is changed
	Reply         string        // the body of that answer; {{request}} is replaced by what was sent, as part of a JSON string
	RetryAfter    time.Duration // sent with Status, in whole seconds
	DropAfter     bool          // the connection is closed; the change is made
	Body          Body          // of the reply; the change is made, unless there is a Status
}

// faults are the active faults, the oldest first.
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

// take returns the fault for a call and counts it.
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

// before applies the fault's effects ahead of the call, and reports whether the call is answered.
func (f Fault) before(w http.ResponseWriter, r *http.Request, body []byte) (answered bool) {
	if f.Latency > 0 && !pause.For(r.Context(), min(f.Latency, maxLatency)) {
		return true
	}
	if f.DropBefore {
		panic(http.ErrAbortHandler) // closes the connection
	}
	if f.Status == 0 {
		return false
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	quoted, _ := json.Marshal(string(body) + r.URL.RawQuery) // a string marshals
	sent := string(quoted[1 : len(quoted)-1])
	f.after(w, response{status: f.Status, body: []byte(cmp.Or(strings.ReplaceAll(f.Reply, "{{request}}", sent), "{}"))})
	return true
}

// after sends the reply, as changed by the fault.
func (f Fault) after(w http.ResponseWriter, out response) {
	if f.DropAfter {
		panic(http.ErrAbortHandler)
	}
	switch f.Body {
	case Garbage:
		out.document = nil
		out.body = []byte(`{"borrowerList":[{"borrowerUniqueID":`)
	case HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(out.status)
		_, _ = fmt.Fprint(w, "<!doctype html><title>Gateway</title><h1>Gateway</h1>")
		return
	case Truncated:
		if out.document != nil {
			w.Header().Set("Content-Length", strconv.FormatInt(out.document.Size(), 10))
			writeDocument(w, out.document, out.document.Size()/2)
		} else {
			w.Header().Set("Content-Length", strconv.Itoa(len(out.body)))
			out.body = out.body[:len(out.body)/2]
			out.write(w)
		}
		_ = http.NewResponseController(w).Flush() // an error means that nothing was sent, which is a fault too
		panic(http.ErrAbortHandler)
	}
	out.write(w)
}

// name returns the main effect, for the log.
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
