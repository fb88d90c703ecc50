package bench

import (
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

// side is what is measured in a round: servers that are called at once, by a number of callers each.
type side struct {
	servers []*process
	redis   int // the id of its process, 0 if the servers use none
	caller  newCaller
}

// newCaller returns a function that makes a call, on a connection of its own that end closes.
type newCaller func(url string) (call func() error, end func(), err error)

// figures are the medians of a side.
type figures struct {
	rate  float64 // calls a second
	p99   time.Duration
	cpu   float64 // of the servers, in µs a call
	redis float64 // of Redis, in µs a call
	own   float64 // of the callers, in µs a call
	cores float64 // in use by all of them
}

// comparison is the second side against the first.
type comparison struct {
	throughput, p99 float64
	cpu             float64 // the first side's CPU a call by the second's, of all processes together
	sides           [2]figures
}

// inTurn measures two sides in turn, and returns the medians of the rounds.
func inTurn(b *testing.B, first, second side) (all comparison) {
	b.Helper()
	var found [2][]figures
	for round := range rounds {
		for i := range 2 {
			i := (i + round) % 2
			found[i] = append(found[i], []side{first, second}[i].round(b))
		}
	}
	ratio := func(of func(figures) float64) float64 {
		var ratios []float64
		for i := range rounds {
			ratios = append(ratios, of(found[1][i])/of(found[0][i]))
		}
		return median(ratios)
	}
	all.throughput = ratio(func(f figures) float64 { return f.rate })
	all.p99 = ratio(func(f figures) float64 { return float64(f.p99) })
	all.cpu = ratio(func(f figures) float64 { return 1 / (f.cpu + f.redis + f.own) })
	for i := range found {
		pick := func(of func(figures) float64) float64 {
			var values []float64
			for _, f := range found[i] {
				values = append(values, of(f))
			}
			return median(values)
		}
		all.sides[i] = figures{
			rate: pick(func(f figures) float64 { return f.rate }), p99: time.Duration(pick(func(f figures) float64 { return float64(f.p99) })),
			cpu: pick(func(f figures) float64 { return f.cpu }), redis: pick(func(f figures) float64 { return f.redis }),
			own: pick(func(f figures) float64 { return f.own }), cores: pick(func(f figures) float64 { return f.cores }),
		}
	}
	return all
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// round calls the servers of a side for the time of a round.
func (s side) round(b *testing.B) figures {
	b.Helper()
	servers := func() (used time.Duration) {
		for _, p := range s.servers {
			used += cpu(b, p.cmd.Process.Pid)
		}
		return used
	}
	redis := func() time.Duration {
		if s.redis == 0 {
			return 0
		}
		return cpu(b, s.redis)
	}
	before, redisBefore, own := servers(), redis(), cpu(b, os.Getpid())
	until := time.Now().Add(roundTime)
	began := time.Now()
	var mu sync.Mutex
	var took []time.Duration
	var calling sync.WaitGroup
	for _, p := range s.servers {
		for range callers {
			calling.Go(func() {
				call, end, err := s.caller(p.url)
				if err != nil {
					b.Error(err)
					return
				}
				defer end()
				var mine []time.Duration
				for time.Now().Before(until) {
					sent := time.Now()
					if err := call(); err != nil {
						b.Error(err)
						return
					}
					mine = append(mine, time.Since(sent))
				}
				mu.Lock()
				defer mu.Unlock()
				took = append(took, mine...)
			})
		}
	}
	calling.Wait()
	lasted := time.Since(began)
	used, redisUsed, ownUsed := servers()-before, redis()-redisBefore, cpu(b, os.Getpid())-own
	if len(took) == 0 {
		b.Fatal("no call was answered")
	}
	slices.Sort(took)
	each := func(used time.Duration) float64 { return float64(used.Microseconds()) / float64(len(took)) }
	return figures{
		rate: float64(len(took)) / lasted.Seconds(), p99: took[len(took)*99/100].Round(10 * time.Microsecond),
		cpu: each(used), redis: each(redisUsed), own: each(ownUsed), cores: (used + redisUsed + ownUsed).Seconds() / lasted.Seconds(),
	}
}
