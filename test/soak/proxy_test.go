package soak

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy is between the replicas and the bank, and breaks connections at random.
type proxy struct {
	listener net.Listener
	bank     string
	slowest  time.Duration

	mu     sync.Mutex
	rng    *rand.Rand // nil once the faults are stopped
	counts map[string]int
	group  sync.WaitGroup
}

func startProxy(t *testing.T, bank string, seed uint64, slowest time.Duration) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, bank: bank, slowest: slowest, rng: rand.New(rand.NewPCG(seed, 1)), counts: map[string]int{}}
	p.group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.group.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.group.Wait()
	})
	return p
}

// fault is what happens to a share of the connections.
type fault struct {
	name  string
	share float64
}

var faults = []fault{{"cut before", 0.05}, {"cut after", 0.05}, {"late request", 0.05}, {"late answer", 0.03}, {"slow", 0.1}}

func (p *proxy) draw() (name string, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rng == nil {
		return "", 0
	}
	at, wait := p.rng.Float64(), time.Duration(p.rng.Float64()*float64(p.slowest))
	for _, fate := range faults {
		if at -= fate.share; at < 0 {
			p.counts[fate.name]++
			return fate.name, wait
		}
	}
	return "", wait
}

func (p *proxy) stopFaults() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rng = nil
}

// serve forwards one connection. A late request arrives even if its sender has given up, as on a real network.
func (p *proxy) serve(caller net.Conn) {
	defer caller.Close()
	fate, wait := p.draw()
	bank, err := net.Dial("tcp", p.bank)
	if err != nil {
		return
	}
	defer bank.Close()
	first := make([]byte, 64<<10)
	n, err := caller.Read(first)
	if err != nil || fate == "cut before" {
		return
	}
	switch fate {
	case "late request":
		time.Sleep(wait)
	case "slow":
		time.Sleep(wait / 10)
	}
	if _, err := bank.Write(first[:n]); err != nil {
		return
	}
	if fate == "cut after" || fate == "late answer" {
		n, err := bank.Read(first)
		if err != nil || fate == "cut after" {
			return
		}
		time.Sleep(wait)
		_, _ = caller.Write(first[:n]) // an error shows in the copy below
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(caller, bank)
		_ = caller.Close()
	})
	_, _ = io.Copy(bank, caller)
	_ = bank.(*net.TCPConn).CloseWrite()
	back.Wait()
}
