package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/keys"
)

// process is a server in a process of its own.
type process struct {
	cmd *exec.Cmd
	url string
}

const token = "kZ4vT9qLw2Xn8RbY6mHs3GdJ5cPf7AeU"

// build builds the program as script/release does.
func build(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "mcpserver")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "github.com/balcao/balcao/cmd/mcpserver")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building: %v\n%s", err, out)
	}
	return program
}

// settingsOf are the settings of a server on a store, with the sandbox bank in the process.
func settingsOf(b *testing.B, redis string) []string {
	b.Helper()
	key, err := keys.Generate()
	if err != nil {
		b.Fatal(err)
	}
	if redis != "memory" { // one key for all that use a Redis
		key = stateKey(b)
	}
	return []string{"PORTAL_URL=sandbox", "REDIS_URL=" + redis, "STATE_KEY=" + key, "MCP_TOKEN=" + token, "LANG=en"}
}

var sharedKey string

func stateKey(b *testing.B) string {
	b.Helper()
	if sharedKey == "" {
		key, err := keys.Generate()
		if err != nil {
			b.Fatal(err)
		}
		sharedKey = key
	}
	return sharedKey
}

func start(b *testing.B, program string, settings []string) *process {
	b.Helper()
	return launch(b, exec.Command(program, "-http", "127.0.0.1:0"), settings)
}

func startEcho(b *testing.B, answer string) *process {
	b.Helper()
	return launch(b, exec.Command(os.Args[0]), []string{echoAnswer + "=" + answer})
}

var endpoint = regexp.MustCompile(`http://\S+/mcp`)

// maxScreen is more lines than a program prints when it starts.
const maxScreen = 60

// launch starts a process and waits until it prints its address. Its log goes nowhere.
func launch(b *testing.B, cmd *exec.Cmd, settings []string) *process {
	b.Helper()
	cmd.Env = settings
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	p := &process{cmd: cmd}
	b.Cleanup(p.stop)
	screen := bufio.NewScanner(out)
	for range maxScreen {
		if !screen.Scan() {
			break
		}
		if p.url = endpoint.FindString(screen.Text()); p.url != "" {
			return p
		}
	}
	b.Fatal("the server names no address")
	return nil
}

func (p *process) stop() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only when it has ended
		_ = p.cmd.Wait()
	}
}

// status returns a size of the process, as the system tells it.
func (p *process) status(b *testing.B, name string) int64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, name+":"); is {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	b.Fatalf("the system does not tell %s of a process", name)
	return 0
}

// An idle server is one that nobody called for quietTime. Its memory goes up and down with what it does by itself, some of it
// each minute.
const (
	quietTime = time.Minute
	idleTime  = 65 * time.Second
)

// idleMemory is the resident memory of an idle server.
type idleMemory struct {
	median, highest float64
	file            float64 // what of the highest are pages of the program's file
}

// idle measures servers that nobody calls.
func idle(b *testing.B, servers ...*process) []idleMemory {
	b.Helper()
	found := make([]idleMemory, len(servers))
	all := make([][]float64, len(servers))
	time.Sleep(quietTime)
	for end := time.Now().Add(idleTime); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		for i, p := range servers {
			rss := float64(p.status(b, "VmRSS"))
			all[i] = append(all[i], rss)
			if rss > found[i].highest {
				found[i].highest, found[i].file = rss, float64(p.status(b, "RssFile"))
			}
		}
	}
	for i := range servers {
		found[i].median = median(all[i])
	}
	return found
}

// settled returns the least memory within some seconds after calls, in which the server gives back what it needed for them. Pages
// of the program's file are not counted: they come and go all the time.
func (p *process) settled(b *testing.B) float64 {
	b.Helper()
	least := p.status(b, "RssAnon")
	for range 30 {
		time.Sleep(500 * time.Millisecond)
		least = min(least, p.status(b, "RssAnon"))
	}
	return float64(least)
}

// cpu returns the CPU time that a process has used.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // a tick is a hundredth of a second
}
