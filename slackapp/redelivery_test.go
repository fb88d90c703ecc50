package slackapp_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/portal/sandbox"
)

// copied is a copy of a delivery for any replica.
func copied(r *http.Request, body []byte) *http.Request {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return again
}

// interactionIn reads a delivery.
func interactionIn(body []byte) (said struct {
	Type    string `json:"type"`
	Trigger string `json:"trigger_id"`
}) {
	form, _ := url.ParseQuery(string(body))
	if json.Unmarshal([]byte(form.Get("payload")), &said) != nil && form.Has("command") {
		said.Type, said.Trigger = "command", form.Get("trigger_id")
	}
	return said
}

// deliveriesSeen counts the deliveries that a replica has taken.
func (h *harness) deliveriesSeen() int {
	taken, err := h.replica.store.Client().Keys(h.ctx(), "seen:slack:*").Result()
	must(h.t, err)
	return len(taken)
}

// deliverTwice gives each delivery of a type to both replicas, to the second while the first handles it. Slack gets
// the answer of the second. It returns all answers in pairs.
func (h *harness) deliverTwice(of string, one, other http.Handler) (answers func() []string) {
	var mu sync.Mutex
	var all []string
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		must(h.t, err)
		if interactionIn(body).Type != of {
			one.ServeHTTP(w, copied(r, body))
			return
		}
		first, second := httptest.NewRecorder(), httptest.NewRecorder()
		var both sync.WaitGroup
		before := h.deliveriesSeen()
		both.Go(func() { one.ServeHTTP(first, copied(r, body)) })
		h.wait("the first to have it", func() bool { return h.deliveriesSeen() > before })
		both.Go(func() { other.ServeHTTP(second, copied(r, body)) })
		both.Wait()
		mu.Lock()
		all = append(all, first.Body.String(), second.Body.String())
		mu.Unlock()
		for name, values := range second.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(second.Code)
		_, _ = w.Write(second.Body.Bytes())
	})
	h.handler.Store(&handler)
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func TestTheSameDeliveryTwiceAtOnceGetsTheAnswerOfTheFirst(t *testing.T) {
	t.Parallel()
	for of, do := range map[string]func(t *testing.T, h *harness){
		"view_submission": func(t *testing.T, h *harness) {
			h.ana().submits(nil)
			h.ana().sees("A enviar…")
			h.ana().sees("Proponente criado")
			if h.borrowers() != 2 {
				t.Errorf("the process has %d borrowers", h.borrowers())
			}
		},
		"command": func(_ *testing.T, h *harness) {
			must(h.t, h.ana().Close(h.ctx()))
			h.ana().types("/borrowers 1042")
			h.ana().reads("A consultar…")
			h.ana().reads("Proponentes do processo 1042")
		},
		"block_actions": func(_ *testing.T, h *harness) {
			h.ana().presses("back")
			h.ana().sees("Página 6 de 7")
		},
		"view_closed": func(_ *testing.T, h *harness) {
			must(h.t, h.ana().Close(h.ctx()))
			h.ana().reads("fica guardado")
		},
	} {
		t.Run(of, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, overHTTP)
			h.ana().begins("1042")
			one := h.replica.app.Handler()
			other := h.startReplica()
			defer other.stop()
			defer h.bank.Inject(sandbox.Fault{Latency: 500 * time.Millisecond})()
			answers := h.deliverTwice(of, one, other.app.Handler())
			do(t, h)
			all := answers()
			if len(all) < 2 {
				t.Fatalf("%d answers", len(all))
			}
			for i := 0; i+1 < len(all); i += 2 {
				if all[i] != all[i+1] {
					t.Errorf("the first is answered %.300s\nand the second %.300s", all[i], all[i+1])
				}
			}
			if empty := all[0] == ""; empty != (of == "block_actions" || of == "view_closed") {
				t.Errorf("it is answered %.300q", all[0])
			}
		})
	}
}

// A replica took the delivery and crashed before it answered. The modal must stay open.
func TestADeliveryThatACrashedReplicaTookKeepsTheModal(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	ana.types("/borrower new 1042")
	ana.sees("Página 2 de 7")
	ana.fills(personalData)
	taken := false
	app := h.replica.app.Handler()
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		must(t, err)
		if said := interactionIn(body); said.Type == "view_submission" && !taken {
			first, err := h.replica.store.MarkSeen(h.ctx(), "slack", said.Trigger, time.Hour)
			must(t, err)
			taken = first
		}
		app.ServeHTTP(w, copied(r, body))
	})
	h.handler.Store(&handler)
	_, err := ana.Submit(h.ctx(), nil)
	if err == nil || !strings.Contains(err.Error(), "503") || !taken {
		t.Fatalf("got %v", err)
	}
	if view, open := ana.TopView(); !open || !strings.Contains(view.Text(), "Página 2 de 7") {
		t.Fatalf("the modal shows %q", view.Text())
	}
	for _, delivered := range h.sim.Deliveries() {
		if delivered.Latency > slackTimeout {
			t.Errorf("%s was answered after %s", delivered.Kind, delivered.Latency)
		}
	}
	ana.submits(nil) // what she typed is still there
	ana.sees("Página 3 de 7")
}

const slackTimeout = 3 * time.Second
