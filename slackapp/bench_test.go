package slackapp_test

import (
	"slices"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal/sandbox"
)

// BenchmarkAcknowledgementsWithASlowBank measures how long Slack waits for each acknowledgement while the bank takes
// ten seconds for every answer. Slack gives up after 3000 ms.
func BenchmarkAcknowledgementsWithASlowBank(b *testing.B) {
	for _, way := range []transport{overHTTP, overSocket} {
		b.Run(string(way), func(b *testing.B) {
			h := newHarness(b, way, func(c *options) { c.Rate.MessagesPerSecond = -1 })
			ana, tom := h.ana(), h.user(slacksim.Tom)
			ana.types("/borrower new 1042")
			ana.sees("Página 2 de 7")
			ana.submits(personalData)
			ana.sees("Página 3 de 7")
			remove := h.bank.Inject(sandbox.Fault{Latency: 10 * time.Second})
			for b.Loop() {
				ana.types("/borrowers 1042")
				ana.submits(nil)
				ana.sees("Página 4 de 7")
				ana.presses("back")
				ana.sees("Página 3 de 7")
				tom.types("/borrowers")
				tom.sees("Look up")
				for _, typed := range []string{"", "1", "10"} {
					_, err := tom.Options(h.ctx(), "process", typed)
					must(b, err)
				}
				must(b, tom.Close(h.ctx()))
			}
			remove()
			var waits []time.Duration
			for _, d := range h.sim.Deliveries() {
				waits = append(waits, d.Latency)
			}
			slices.Sort(waits)
			for name, per := range map[string]int{"p50-ms": 50, "p99-ms": 99} {
				b.ReportMetric(float64(waits[len(waits)*per/100].Microseconds())/1000, name)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
