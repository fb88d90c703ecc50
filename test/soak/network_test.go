package soak

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

const replicas = 3

// network is replicas of the server for assistants that share a real Redis, and a bank that they reach through a proxy that
// breaks connections.
type network struct {
	bank     *sandbox.Bank
	server   *httptest.Server // the bank, without the proxy
	proxy    *proxy
	replicas []*replica
	client   *http.Client
}

// startNetwork starts a bank, the proxy before it, a Redis and the replicas. call is how long a call may take.
func startNetwork(t *testing.T, config sandbox.Config, call time.Duration) *network {
	t.Helper()
	n := &network{bank: sandbox.New(config)}
	t.Cleanup(n.bank.Close)
	n.server = httptest.NewServer(n.bank)
	t.Cleanup(n.server.Close)
	n.proxy = startProxy(t, n.server.Listener.Addr().String(), *seed, call*2/5)
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	environ := []string{
		"PORTAL_URL=http://" + n.proxy.listener.Addr().String(), "PORTAL_CLIENT_ID=" + sandbox.SampleClientID,
		"PORTAL_CLIENT_SECRET=" + sandbox.SampleClientSecret, "PORTAL_BROKER_UID=" + sandbox.BrokerA.UID.String(),
		"PORTAL_USERNAME=" + sandbox.BrokerA.Users[0], "REDIS_URL=" + redistest.Start(t), "STATE_KEY=" + key,
		"ASSISTANT_POLICY=allow", // the assistants act at once
		"CALL_TIMEOUT=" + call.String(), "LANG=en",
	}
	program := build(t)
	for i := range replicas {
		log, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprintf("replica-%d.log", i)))
		if err != nil {
			t.Fatal(err)
		}
		r := &replica{program: program, args: []string{"-http", "127.0.0.1:0"}, environ: environ, log: log}
		if err := r.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.kill(); _ = log.Close() })
		n.replicas = append(n.replicas, r)
	}
	n.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * call}
	return n
}

// failingWrites are faults of an operation that writes: in some of them the bank has done what it was asked for.
func failingWrites(operation portal.OperationID) []sandbox.Fault {
	return []sandbox.Fault{
		{Operation: operation, Probability: 0.04, Status: http.StatusServiceUnavailable},
		{Operation: operation, Probability: 0.04, Status: http.StatusInternalServerError, DropAfter: true},
		{Operation: operation, Probability: 0.04, DropAfter: true},
		{Operation: operation, Probability: 0.04, Body: sandbox.Truncated},
		{Operation: operation, Probability: 0.04, Body: sandbox.HTML},
		{Operation: operation, Probability: 0.02, Status: http.StatusTooManyRequests, RetryAfter: time.Second},
	}
}

// killReplicas kills a replica about every interval and starts it again, until over is closed.
func (n *network) killReplicas(t *testing.T, every time.Duration, over <-chan struct{}) (killed int) {
	rng := rand.New(rand.NewPCG(*seed, 99))
	for {
		select {
		case <-time.After(every/2 + time.Duration(rng.Int64N(int64(every)))):
		case <-over:
			return killed
		}
		victim := n.replicas[rng.IntN(replicas)]
		victim.kill()
		killed++
		if err := victim.start(); err != nil {
			t.Errorf("a replica does not start again: %v", err)
			return killed
		}
	}
}

// login returns a user of the bank, without the proxy.
func (n *network) login(t *testing.T, broker sandbox.Broker) (*portal.Client, *portal.User) {
	t.Helper()
	client, err := portal.New(portal.Config{
		BaseURL: n.server.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret,
		MaxPerSecond: 100_000, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, client.As(portal.Login{BrokerUID: broker.UID, Username: broker.Users[0]}, "en")
}

// logFailure logs the end of the replicas' logs if the test has failed.
func (n *network) logFailure(t *testing.T) {
	t.Helper()
	if !t.Failed() {
		return
	}
	for _, r := range n.replicas {
		log, _ := os.ReadFile(r.log.Name())
		t.Logf("%s ends with\n%s", filepath.Base(r.log.Name()), log[max(0, len(log)-4000):])
	}
}
