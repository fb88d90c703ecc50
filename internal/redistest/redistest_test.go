package redistest

import (
	"strings"
	"testing"
)

func TestAServerKeepsItsDataAcrossARestart(t *testing.T) {
	s := StartServer(t)
	if answer, err := s.ask("SET kept yes"); !strings.Contains(answer, "+OK") {
		t.Fatalf("writing: %q, %v", answer, err)
	}
	before := s.URL()
	s.Stop()
	if answer, err := s.ask("GET kept"); err == nil {
		t.Fatalf("a stopped server answers %q", answer)
	}
	s.Stop() // once more does no harm
	s.Start()
	if answer, err := s.ask("GET kept"); !strings.Contains(answer, "yes") {
		t.Errorf("reading: %q, %v", answer, err)
	}
	if s.URL() != before {
		t.Errorf("it moved from %s to %s", before, s.URL())
	}
}

func TestAClusterRefusesWhatTouchesTwoSlots(t *testing.T) {
	s := StartCluster(t)
	if answer, err := s.ask("MSET {a}1 x {a}2 y"); !strings.Contains(answer, "+OK") {
		t.Errorf("within a slot: %q, %v", answer, err)
	}
	if answer, err := s.ask("MSET a x b y"); !strings.Contains(answer, "CROSSSLOT") {
		t.Errorf("over two slots: %q, %v", answer, err)
	}
}

func TestASentinelReturnsTheAddressOfItsMaster(t *testing.T) {
	master := StartServer(t)
	url := StartSentinel(t, master)
	addr, _, _ := strings.Cut(strings.TrimPrefix(url, "redis://127.0.0.1:"), "?")
	s := &Server{t: t, port: addr}
	if answer, err := s.ask("SENTINEL get-master-addr-by-name balcao"); !strings.Contains(answer, master.port) {
		t.Errorf("the master is %q, %v", answer, err)
	}
}
