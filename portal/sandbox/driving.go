package sandbox

import (
	"net/http"
	"time"

	"github.com/balcao/balcao/portal"
)

// faultRequest is the body of PUT /sandbox/faults: {"operation": "borrowerCreate", "times": 1, "dropAfter": true}.
// Durations are written as in Go: "1500ms".
type faultRequest struct {
	Operation     portal.OperationID `json:"operation"`
	Path          string             `json:"path"`
	Times         int                `json:"times"`
	Probability   float64            `json:"probability"`
	Seed          uint64             `json:"seed"`
	Latency       duration           `json:"latency"`
	ExpireSession bool               `json:"expireSession"`
	DropBefore    bool               `json:"dropBefore"`
	Status        int                `json:"status"`
	RetryAfter    duration           `json:"retryAfter"`
	DropAfter     bool               `json:"dropAfter"`
	Body          Body               `json:"body"`
}

type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

// putFault adds a fault.
func (b *Bank) putFault(w http.ResponseWriter, r *http.Request) {
	c := &call{r: r, lang: askedLanguage(r)}
	request, err := readFault(w, r)
	if err != nil {
		b.render(c, nil, err).write(w)
		return
	}
	b.Inject(Fault{
		Operation: request.Operation, Path: request.Path, Times: request.Times,
		Probability: request.Probability, Seed: request.Seed,
		Latency: time.Duration(request.Latency), ExpireSession: request.ExpireSession, DropBefore: request.DropBefore,
		Status: request.Status, RetryAfter: time.Duration(request.RetryAfter), DropAfter: request.DropAfter, Body: request.Body,
	})
	w.WriteHeader(http.StatusNoContent)
}

func readFault(w http.ResponseWriter, r *http.Request) (request faultRequest, err error) {
	body, err := readBody(w, r)
	if err != nil {
		return request, err
	}
	if err := decode(body, &request); err != nil {
		return request, err
	}
	for field, wrong := range map[string]bool{
		"status":      request.Status != 0 && (request.Status < 400 || request.Status > 599),
		"body":        request.Body != Intact && request.Body != Garbage && request.Body != HTML && request.Body != Truncated,
		"probability": request.Probability < 0 || request.Probability > 1,
		"times":       request.Times < 0,
		"latency":     request.Latency < 0 || time.Duration(request.Latency) > maxLatency,
	} {
		if wrong {
			return request, &refusal{http.StatusBadRequest, []problem{{"field.range", field}}}
		}
	}
	return request, nil
}

// deleteFaults removes all faults.
func (b *Bank) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	b.mu.Lock()
	b.faults = nil
	b.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}
