package soak

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between the replicas and the bank, and spoils connections by dice.
type proxy struct {
	listener net.Listener
	bank     string
	slowest  time.Duration

	mu     sync.Mutex
	dice   *rand.Rand // nil once everything goes well
	counts map[string]int
	group  sync.WaitGroup
}

func startProxy(t *testing.T, bank string, seed uint64, slowest time.Duration) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, bank: bank, slowest: slowest, dice: rand.New(rand.NewPCG(seed, 1)), counts: map[string]int{}}
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

// fate is what befalls a connection, with the share of connections that it befalls.
type fate struct {
	name  string
	share float64
}

var fates = []fate{{"cut before", 0.05}, {"cut after", 0.05}, {"late request", 0.05}, {"late answer", 0.03}, {"slow", 0.1}}

func (p *proxy) throw() (name string, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dice == nil {
		return "", 0
	}
	at, wait := p.dice.Float64(), time.Duration(p.dice.Float64()*float64(p.slowest))
	for _, fate := range fates {
		if at -= fate.share; at < 0 {
			p.counts[fate.name]++
			return fate.name, wait
		}
	}
	return "", wait
}

func (p *proxy) calm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dice = nil
}

// serve carries one connection. A request that is late arrives even if its sender has given up: so it is on a network.
func (p *proxy) serve(caller net.Conn) {
	defer caller.Close()
	fate, wait := p.throw()
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
		_, _ = caller.Write(first[:n]) // who has gone shows below
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
