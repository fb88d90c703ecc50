package slackapp_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal/sandbox"
)

// bankGate holds requests to the bank.
type bankGate struct {
	path    atomic.Pointer[string]
	open    chan struct{}
	arrived atomic.Int32
}

func (g *bankGate) before(bank http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := g.path.Load(); path != nil && strings.Contains(r.Method+" "+r.URL.Path, *path) {
			g.arrived.Add(1)
			select {
			case <-g.open:
			case <-r.Context().Done():
				return
			}
		}
		bank.ServeHTTP(w, r)
	})
}

// hold holds every request whose method and path contain path, until release.
func (g *bankGate) hold(path string) (release func()) {
	g.open = make(chan struct{})
	g.path.Store(&path)
	return sync.OnceFunc(func() { close(g.open) })
}

func TestOnePersonsRequestsDoNotDelayOthers(t *testing.T) {
	t.Parallel()
	for _, way := range []transport{overHTTP, overSocket} {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, way)
			ana, tom := h.ana(), h.user(slacksim.Tom)
			ana.types("/borrowers 1043") // opens her session at the bank
			ana.reads("Inês M.")
			release := h.gate.hold(sandbox.SampleProcess(sandbox.SampleOpen).String())
			defer release()

			const asked = 64
			var typing sync.WaitGroup
			for range asked {
				typing.Go(func() {
					if err := tom.Command(h.ctx(), slacksim.TeamChannel, "/borrowers "+sandbox.SampleProcess(sandbox.SampleOpen).String()); err != nil {
						t.Error(err)
					}
				})
			}
			typing.Wait()
			refused := func() int { return h.countMessages(tom, "You already have") }
			h.wait("the calls above his share to be refused", func() bool { return int(h.gate.arrived.Load()) > 0 && refused() >= asked/2 })
			if at := h.gate.arrived.Load(); at > 8 {
				t.Fatalf("%d of his calls are at the bank", at)
			}
			ana.types("/borrowers 1043")
			h.wait("Ana to be answered", func() bool { return h.countMessages(ana, "Inês M.") == 2 })
			if seen := h.countMessages(tom, "Maria E."); seen != 0 {
				t.Errorf("%d of his calls were answered meanwhile", seen)
			}

			release()
			h.wait("Tom to be answered too", func() bool { return h.countMessages(tom, "Maria E.")+refused() == asked })
		})
	}
}

// countMessages counts the messages with a text that a person sees in the team's channel.
func (h *harness) countMessages(who user, text string) (count int) {
	for _, message := range who.Messages(slacksim.TeamChannel) {
		if strings.Contains(message.FullText(), text) {
			count++
		}
	}
	return count
}
