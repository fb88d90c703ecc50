// Package redistest starts a real redis-server for a test, because only a real one has a real one's time-outs,
// restarts and slots. Each server has a free port and a data directory of its own, and ends with its test.
package redistest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

const patience = 10 * time.Second

// Server is a redis-server that a test can stop and start again on the same port and data. Every write is on disk
// before it is acknowledged.
type Server struct {
	t    testing.TB
	port int
	dir  string
	args []string
	run  *exec.Cmd
	done chan struct{} // closed when the process has ended
	said bytes.Buffer  // read only after done
}

// Start starts a single node and returns its address, redis://127.0.0.1:port. Without redis-server in PATH the test
// fails: a test that needs Redis and has none has shown nothing.
func Start(t testing.TB) (url string) {
	t.Helper()
	return StartServer(t).URL()
}

// StartServer starts a single node.
func StartServer(t testing.TB) *Server {
	t.Helper()
	return start(t)
}

// StartCluster starts a Cluster of one node that serves every slot: it refuses what touches two slots, as a large one
// does. Its URL says cluster=true.
func StartCluster(t testing.TB) *Server {
	t.Helper()
	s := start(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(freePort(t)))
	s.await("CLUSTER ADDSLOTSRANGE 0 16383", "+OK")
	s.await("CLUSTER INFO", "cluster_state:ok")
	return s
}

// StartSentinel starts a Sentinel that watches master under the name «balcao» and returns its address.
func StartSentinel(t testing.TB, master *Server) (url string) {
	t.Helper()
	s := newServer(t)
	config := s.dir + "/sentinel.conf"
	watch := fmt.Sprintf("sentinel monitor balcao 127.0.0.1 %d 1\n", master.port)
	if err := os.WriteFile(config, []byte(watch), 0o600); err != nil {
		t.Fatalf("writing the configuration of Sentinel: %v", err)
	}
	s.args = append([]string{config, "--sentinel"}, s.args...)
	s.Start()
	return s.URL() + "?master_name=balcao"
}

func start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := newServer(t)
	s.args = append(s.args, "--save", "", "--appendonly", "yes", "--appendfsync", "always")
	s.args = append(s.args, args...)
	s.Start()
	return s
}

func newServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, port: freePort(t), dir: t.TempDir()}
	s.args = []string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir}
	t.Cleanup(s.Stop)
	return s
}

// URL is the address for a client.
func (s *Server) URL() string {
	url := "redis://" + s.addr()
	if strings.Contains(strings.Join(s.args, " "), "--cluster-enabled") {
		url += "?cluster=true"
	}
	return url
}

func (s *Server) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Start starts a server that is not running, and waits until it answers with its data loaded.
func (s *Server) Start() {
	s.t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		s.t.Fatalf("this test needs redis-server in PATH (Debian: apt install redis-server): %v", err)
	}
	s.said.Reset()
	s.run, s.done = exec.Command(path, s.args...), make(chan struct{})
	s.run.Stdout, s.run.Stderr = &s.said, &s.said
	if err := s.run.Start(); err != nil {
		s.t.Fatalf("starting redis-server: %v", err)
	}
	go func(run *exec.Cmd, done chan struct{}) {
		_ = run.Wait() // killed on purpose
		close(done)
	}(s.run, s.done)
	s.await("PING", "+PONG")
}

// Stop kills the server as a power cut would; its data stays for Start. Stopping a stopped server does nothing.
func (s *Server) Stop() {
	if s.run == nil {
		return
	}
	_ = s.run.Process.Kill() // fails only when it has ended already
	<-s.done
	s.run = nil
}

// await asks until the answer holds want.
func (s *Server) await(command, want string) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		answer, err := s.ask(command)
		if strings.Contains(answer, want) {
			return
		}
		select {
		case <-s.done:
			s.t.Fatalf("redis-server ended: %s", s.said.String())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("redis-server does not answer %s with %q but %q: %v", command, want, answer, err)
		}
	}
}

func (s *Server) ask(command string) (string, error) {
	conn, err := net.DialTimeout("tcp", s.addr(), patience)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte(command + "\r\nQUIT\r\n")); err != nil { // QUIT makes the answer end
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("looking for a free port: %v", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
