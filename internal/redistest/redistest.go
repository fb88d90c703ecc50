// Package redistest starts a real redis-server for a test, for its time-outs, restarts and slots. Each server has its own
// free port and data directory, and stops at the end of its test.
package redistest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const timeout = 10 * time.Second

// Server is a redis-server that a test can stop and start again on the same port and data. Every write is in its
// append-only file before it is acknowledged, so that killing the server loses none. The file is never rewritten, so that
// it contains everything that was ever written.
type Server struct {
	t    testing.TB
	dir  string
	kind []string // the arguments of a node, a Cluster or a Sentinel
	port string
	run  *exec.Cmd
	done chan struct{} // closed when the process has ended
	said bytes.Buffer  // to be read only after done
}

var (
	node     = []string{"--save", "", "--repl-diskless-sync-delay", "0", "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", "--appendfsync", "no"}
	cluster  = append(slices.Clone(node), "--cluster-enabled", "yes")
	sentinel = []string{"--sentinel"}
)

// Start starts a single node and returns its address, redis://127.0.0.1:port. The test fails if redis-server is not in
// PATH.
func Start(t testing.TB) (url string) {
	t.Helper()
	return StartServer(t).URL()
}

// StartServer starts a single node.
func StartServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), kind: node}
	s.startAnywhere()
	return s
}

// StartCluster starts a Cluster of one node with all slots. Like a larger one, it refuses commands on keys of two slots.
func StartCluster(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), kind: cluster}
	s.startAnywhere()
	s.await("CLUSTER ADDSLOTSRANGE 0 16383", "OK")
	s.await("CLUSTER INFO", "cluster_state:ok")
	return s
}

// StartReplica starts a replica of master, and waits until it follows it.
func StartReplica(t testing.TB, master *Server) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), kind: append([]string{"--replicaof", "127.0.0.1 " + master.port}, node...)}
	s.startAnywhere()
	s.await("INFO replication", "master_link_status:up")
	master.await("INFO replication", "state=online")
	return s
}

// StartSentinel starts a Sentinel that monitors master under the name «balcao» and returns its address.
func StartSentinel(t testing.TB, master *Server) (url string) {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), kind: sentinel}
	config := "sentinel monitor balcao 127.0.0.1 " + master.port + " 1\n"
	if err := os.WriteFile(s.config(), []byte(config), 0o600); err != nil {
		t.Fatalf("writing the configuration of Sentinel: %v", err)
	}
	s.startAnywhere()
	return s.URL()
}

// URL returns the address for a client.
func (s *Server) URL() string {
	url := "redis://" + s.Addr()
	switch s.kind[len(s.kind)-1] {
	case "--sentinel":
		return url + "?master_name=balcao"
	case "yes":
		return url + "?cluster=true"
	}
	return url
}

// Start starts a stopped server again, and waits until it has loaded its data.
func (s *Server) Start() {
	s.t.Helper()
	s.launch()
	if !s.answers() {
		s.t.Fatalf("redis-server exited: %s", s.said.String())
	}
}

// Stop kills the server. Its data stays for Start. Stopping a stopped server does nothing.
func (s *Server) Stop() {
	if s.run == nil {
		return
	}
	_ = s.run.Process.Kill() // fails only when it has ended already
	<-s.done
	s.run = nil
}

// Lose kills the server and starts it again without data.
func (s *Server) Lose() {
	s.t.Helper()
	s.Stop()
	if err := errors.Join(os.RemoveAll(s.dir), os.Mkdir(s.dir, 0o700)); err != nil {
		s.t.Fatalf("removing the data of redis-server: %v", err)
	}
	s.Start()
}

// Suspend suspends the process, with its connections open, until Resume.
func (s *Server) Suspend() { s.signal(syscall.SIGSTOP) }

// Resume continues a suspended server.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal os.Signal) {
	s.t.Helper()
	if err := s.run.Process.Signal(signal); err != nil {
		s.t.Fatalf("sending redis-server %v: %v", signal, err)
	}
}

// Set changes a setting of the server.
func (s *Server) Set(name, value string) { s.await("CONFIG SET "+name+" "+value, "OK") }

// Forbid forbids a command, as managed Redis does with some.
func (s *Server) Forbid(command string) { s.await("ACL SETUSER default -"+command, "OK") }

// Fill makes the server refuse writes, as one that has reached maxmemory and may not evict keys, until Drain.
func (s *Server) Fill() { s.await("CONFIG SET maxmemory 1", "OK") }

// Drain ends Fill.
func (s *Server) Drain() { s.await("CONFIG SET maxmemory 0", "OK") }

// Demote makes the server a replica without a master, which answers reads and refuses writes, until Promote.
func (s *Server) Demote() { s.await("REPLICAOF 127.0.0.1 1", "OK") }

// Promote ends Demote.
func (s *Server) Promote() { s.await("REPLICAOF NO ONE", "OK") }

// Keys returns the names of all keys.
func (s *Server) Keys() (keys []string) {
	s.t.Helper()
	answer, err := s.ask("KEYS *")
	if err != nil {
		s.t.Fatalf("listing the keys: %v", err)
	}
	for line := range strings.Lines(answer) {
		if !strings.HasPrefix(line, "*") && !strings.HasPrefix(line, "$") { // lengths
			keys = append(keys, strings.TrimSpace(line))
		}
	}
	slices.Sort(keys)
	return keys
}

// Written returns the append-only file: all that was ever written to the server, deleted keys included.
func (s *Server) Written() []byte {
	s.t.Helper()
	var all []byte
	files, err := filepath.Glob(filepath.Join(s.dir, "appendonlydir", "*"))
	if err != nil || len(files) == 0 {
		s.t.Fatalf("there is no append-only file: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}

// startAnywhere tries several ports, because another process may take a free one before the server listens on it.
func (s *Server) startAnywhere() {
	s.t.Helper()
	s.t.Cleanup(s.Stop)
	for range 5 {
		s.port = freePort(s.t)
		s.launch()
		if s.answers() {
			return
		}
	}
	s.t.Fatalf("redis-server does not start: %s", s.said.String())
}

func (s *Server) launch() {
	s.t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		s.t.Fatalf("this test needs redis-server in PATH (Debian: apt install redis-server): %v", err)
	}
	args := append([]string{"--port", s.port, "--bind", "127.0.0.1", "--dir", s.dir}, s.kind...)
	if s.kind[0] == "--sentinel" {
		args = append([]string{s.config()}, args...)
	} else {
		args = append(args, "--cluster-port", freePort(s.t))
	}
	s.said.Reset()
	run, done := exec.Command(path, args...), make(chan struct{})
	run.Stdout, run.Stderr = &s.said, &s.said
	if err := run.Start(); err != nil {
		s.t.Fatalf("starting redis-server: %v", err)
	}
	go func() {
		_ = run.Wait() // killed on purpose
		close(done)
	}()
	s.run, s.done = run, done
}

// answers waits until the server has loaded its data. It returns false if the server ends first. Another server that took the
// port meanwhile has another process id.
func (s *Server) answers() bool {
	s.t.Helper()
	return s.await("INFO server", fmt.Sprintf("process_id:%d\r\n", s.run.Process.Pid)) && s.await("PING", "+PONG")
}

// await sends command until the answer contains want. It returns false if the server ends first.
func (s *Server) await(command, want string) bool {
	s.t.Helper()
	for deadline := time.Now().Add(timeout); ; {
		answer, err := s.ask(command)
		if strings.Contains(answer, want) {
			return true
		}
		select {
		case <-s.done:
			return false
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("redis-server does not answer %s with %q but %q: %v", command, want, answer, err)
		}
	}
}

// ask sends one command in the inline form of Redis. Closing our half of the connection ends the answer.
func (s *Server) ask(command string) (string, error) {
	conn, err := net.DialTimeout("tcp", s.Addr(), timeout)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
		return "", err
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

// PID returns the id of the process.
func (s *Server) PID() int { return s.run.Process.Pid }

// Addr returns the host and port.
func (s *Server) Addr() string { return "127.0.0.1:" + s.port }

func (s *Server) config() string { return filepath.Join(s.dir, "sentinel.conf") }

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("looking for a free port: %v", err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
