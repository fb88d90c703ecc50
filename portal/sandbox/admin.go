package sandbox

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

// routeAdmin serves the operations that control the bank in a test or a demonstration.
func (b *Bank) routeAdmin() {
	b.mux.HandleFunc("PUT /sandbox/faults", b.putFault)
	b.mux.HandleFunc("DELETE /sandbox/faults", b.deleteFaults)
	b.mux.HandleFunc("PUT /sandbox/deliveries", b.admin(b.putDeliveries))
	b.mux.HandleFunc("PUT /sandbox/pace", b.admin(b.putPace))
	b.mux.HandleFunc("PUT /sandbox/processes/{id}/state", b.admin(b.putState))
	b.mux.HandleFunc("PUT /sandbox/simulations/{id}/state", b.admin(b.putSimulationState))
	b.mux.HandleFunc("PUT /sandbox/processes/{id}/event", b.putEvent(processEvents))
	b.mux.HandleFunc("PUT /sandbox/simulations/{id}/event", b.putEvent(simulationEvents))
}

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
	c := &call{r: r, lang: b.dialect(b.askedLanguage(r))}
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

// admin returns the handler of an operation that controls the bank.
func (b *Bank) admin(do func(r *http.Request, body []byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(w, r)
		if err == nil {
			err = do(r, body)
		}
		if err != nil {
			b.render(&call{r: r, lang: b.dialect(b.askedLanguage(r))}, nil, err).write(w)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// putDeliveries is PUT /sandbox/deliveries: {"duplicate": 0.3, "lose": 0.1, "reorder": true, "seed": 1}.
func (b *Bank) putDeliveries(_ *http.Request, body []byte) error {
	var faults struct {
		Duplicate float64 `json:"duplicate"`
		Lose      float64 `json:"lose"`
		Reorder   bool    `json:"reorder"`
		Seed      uint64  `json:"seed"`
	}
	if err := decode(body, &faults); err != nil {
		return err
	}
	for field, share := range map[string]float64{"duplicate": faults.Duplicate, "lose": faults.Lose} {
		if share < 0 || share > 1 {
			return &refusal{http.StatusBadRequest, []problem{{"field.range", field}}}
		}
	}
	b.SetDeliveryFaults(DeliveryFaults{Duplicate: faults.Duplicate, Lose: faults.Lose, Reorder: faults.Reorder, Seed: faults.Seed})
	return nil
}

// putPace is PUT /sandbox/pace: {"pace": "fast"}.
func (b *Bank) putPace(_ *http.Request, body []byte) error {
	var request struct {
		Pace Pace `json:"pace"`
	}
	if err := decode(body, &request); err != nil {
		return err
	}
	if request.Pace == "" || b.SetPace(request.Pace) != nil {
		return &refusal{http.StatusBadRequest, []problem{{"field.range", "pace"}}}
	}
	return nil
}

// putState is PUT /sandbox/processes/{id}/state: it sets the next state or, with the body {"state": 5}, that one.
func (b *Bank) putState(r *http.Request, body []byte) error {
	process, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return &refusal{http.StatusBadRequest, []problem{{"request.uuid", "id"}}}
	}
	var to struct {
		State int32 `json:"state"`
	}
	if len(body) > 0 {
		if err := decode(body, &to); err != nil {
			return err
		}
		err = b.SetState(process, to.State)
	} else {
		err = b.Advance(process)
	}
	switch {
	case errors.Is(err, ErrNoProcess):
		return refused(http.StatusBadRequest, "process.missing")
	case errors.Is(err, ErrEnded):
		return refused(http.StatusBadRequest, "process.state")
	case errors.Is(err, ErrNoState):
		return &refusal{http.StatusBadRequest, []problem{{"field.id", "state"}}}
	}
	return err
}
