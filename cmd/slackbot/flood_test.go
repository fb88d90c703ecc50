package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
)

const (
	floodSize   = 1000    // connections
	floodBody   = 1 << 20 // bytes that each sends
	floodGrowth = 32 << 20

	// floodTimeout is how long genuine commands may go unanswered. A flood takes 4 s at most, more where its thousand
	// senders and the program have little of the machine.
	floodTimeout = 15 * time.Second
)

// memory reads a line of what the system says of the program's memory: VmRSS is what it has now, VmHWM its peak.
func (h *harness) memory(t *testing.T, line string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.bot.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(line + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("there is no %s in\n%s", line, status)
	}
	kilobytes, _ := strconv.ParseInt(string(found[1]), 10, 64)
	return kilobytes << 10
}

// resetPeak has VmHWM begin anew.
func (h *harness) resetPeak(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", h.bot.Process.Pid), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

// flood opens all connections, sends head and then body on each, and reads the answers' first lines. It returns once
// every connection was answered or closed.
func (h *harness) flood(ctx context.Context, head, body []byte) (answers map[string]int) {
	answers = map[string]int{}
	var mu sync.Mutex
	var opened, senders sync.WaitGroup
	var dialer net.Dialer
	opened.Add(floodSize)
	for range floodSize {
		senders.Go(func() {
			line := "closed"
			conn, err := dialer.DialContext(ctx, "tcp", h.addr)
			opened.Done()
			if err == nil {
				opened.Wait()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				go func() { // ends with the connection
					_, _ = conn.Write(head)
					_, _ = conn.Write(body)
				}()
				answer := make([]byte, 12)
				if n, _ := conn.Read(answer); n == len(answer) {
					line = string(answer)
				}
				conn.Close()
			}
			mu.Lock()
			defer mu.Unlock()
			answers[line]++
		})
	}
	senders.Wait()
	return answers
}

func TestAFloodOfUnverifiedRequestsTakesLittleMemoryAndDelaysNobody(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	h := newAssistantHarness(t)
	fresh, old := strconv.FormatInt(time.Now().Unix(), 10), strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10)
	forged := "X-Slack-Signature: v0=" + strings.Repeat("0a", 32) + "\r\n"
	body := bytes.Repeat([]byte("a"), floodBody)
	for _, c := range []struct {
		name, path, header string
		body               []byte
		claimed            int
		answer             string
		genuine            int64 // commands that are answered meanwhile, at least
	}{
		{"not signed", "/slack/events", "", body, floodBody, "401", 1},
		{"signed an hour ago", "/slack/events", "X-Slack-Request-Timestamp: " + old + "\r\n" + forged, body, floodBody, "401", 1},
		{"signed with another secret", "/slack/events", "X-Slack-Request-Timestamp: " + fresh + "\r\n" + forged, body, floodBody, "", 1},
		{"signed with another secret, and never ending", "/slack/events", "X-Slack-Request-Timestamp: " + fresh + "\r\n" + forged, body[1:], floodBody, "", 10}, // for 3 s, in which a quiet machine answers 50
		{"a callback without a token of ours", "/callbacks/" + strings.Repeat("x", 32) + "/1", "", body, floodBody, "404", 1},
		{"an assistant without a token", "/mcp", "Content-Type: application/json\r\n", body, floodBody, "413", 1},
		{"an assistant without a token, with less", "/mcp", "Content-Type: application/json\r\n", body[:200<<10], 200 << 10, "401", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.start(t)
			defer h.kill()
			if err := h.ana.Command(ctx, slacksim.TeamChannel, "/borrowers 1042"); err != nil {
				t.Fatal(err)
			}
			h.resetPeak(t)
			before := h.memory(t, "VmRSS")
			over, genuine := make(chan struct{}), atomic.Int64{}
			var people sync.WaitGroup
			people.Go(func() {
				answered := time.Now()
				for refused := 0; ; {
					err := h.ana.Command(ctx, slacksim.TeamChannel, "/borrowers 1042")
					failure, _ := errors.AsType[*slacksim.AppError](err)
					switch {
					case err == nil:
						genuine.Add(1)
						answered, refused = time.Now(), 0
					case failure != nil && failure.Code == "operation_timeout" && time.Since(answered) < floodTimeout: // others use the machine as well
					case refused == 0 && time.Since(answered) < floodTimeout:
						refused++
					default:
						t.Errorf("genuine commands, one after the other, for %s: %v", time.Since(answered), err)
						return
					}
					select {
					case <-over:
						return
					case <-time.After(50 * time.Millisecond):
					}
				}
			})
			head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %d\r\n\r\n", c.path, h.addr, c.header, c.claimed)
			answers := h.flood(ctx, []byte(head), c.body)
			close(over)
			people.Wait()
			if genuine.Load() < c.genuine {
				t.Errorf("%d genuine commands were answered, want %d", genuine.Load(), c.genuine)
			}
			grown := h.memory(t, "VmHWM") - before
			t.Logf("answers %v, %d genuine commands, %d kB more than %d kB", answers, genuine.Load(), grown>>10, before>>10)
			if grown > floodGrowth {
				t.Errorf("the memory grew by %d kB", grown>>10)
			}
			if c.answer != "" && answers["HTTP/1.1 "+c.answer] < floodSize*9/10 {
				t.Errorf("answered %v, want %s", answers, c.answer)
			}
			if answers["HTTP/1.1 200"]+answers["HTTP/1.1 202"] > 0 {
				t.Errorf("answered %v", answers)
			}
		})
	}
}

func newAssistantHarness(t *testing.T) *harness {
	t.Helper()
	h := newTeamHarness(t)
	h.env = append(h.env, "MCP_TOKEN="+assistantToken)
	return h
}
