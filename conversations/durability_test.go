package conversations

import (
	"errors"
	"fmt"
	"testing"

	"github.com/balcao/balcao/internal/redistest"
)

func TestWeaknessesOfASingleNode(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	s := open(t, server.URL(), newKeys(t))
	found := func() string { return fmt.Sprint(s.Weaknesses(t.Context())) }
	if got := found(); got != "[] <nil>" {
		t.Errorf("without a weakness: %s", got)
	}
	server.Set("appendonly", "no")
	server.Set("maxmemory-policy", "allkeys-lru")
	if got := found(); got != "[not_persistent evicts] <nil>" {
		t.Errorf("got %s", got)
	}
	server.Set("appendonly", "yes")
	server.Set("maxmemory-policy", "noeviction")
	redistest.StartReplica(t, server)
	if got := found(); got != "[no_min_replicas] <nil>" {
		t.Errorf("with a replica: %s", got)
	}
	server.Set("min-replicas-to-write", "1")
	if got := found(); got != "[] <nil>" {
		t.Errorf("with min-replicas-to-write: %s", got)
	}
}

func TestWeaknessesOfACluster(t *testing.T) {
	t.Parallel()
	server := redistest.StartCluster(t)
	s := open(t, server.URL(), newKeys(t))
	server.Set("maxmemory-policy", "volatile-lru")
	if got := fmt.Sprint(s.Weaknesses(t.Context())); got != "[evicts] <nil>" {
		t.Errorf("got %s", got)
	}
}

func TestWeaknessesFailsIfTheSettingsCannotBeRead(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	server.Forbid("info")
	s := open(t, server.URL(), newKeys(t))
	if found, err := s.Weaknesses(t.Context()); !errors.Is(err, ErrUnchecked) || found != nil {
		t.Errorf("got %v, %v", found, err)
	}
	server.Stop()
	if _, err := s.Weaknesses(t.Context()); errors.Is(err, ErrUnchecked) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("without Redis: %v", err)
	}
}
