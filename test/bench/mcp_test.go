// Package bench measures the shipped program for assistants in one run: against a server made of the library alone, with one
// and two replicas on a real Redis, and its memory. script/bench runs it. What is compared is measured in short rounds, in
// turn, and of the rounds the median is taken, so that other work on the machine affects both sides.
package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/internal/redistest"
)

const (
	callers    = 8
	rounds     = 15
	roundTime  = 700 * time.Millisecond
	warmUp     = 3000   // calls before anything is measured
	warmMemory = 20_000 // calls before memory is, whose peak garbage reaches slowly
	manyCalls  = 50_000 // calls over which memory must not grow
	redisDelay = 5 * time.Millisecond
	// A replica has a part of a core, so that the machine has enough for two of them, the callers and Redis.
	replicaCores = 0.3
	replicaGoal  = "at least 1.8×"
)

// echoAnswer is set in the process that is the bare server: the text that its tool returns.
const echoAnswer = "BENCH_ECHO_ANSWER"

func TestMain(m *testing.M) {
	if answer, is := os.LookupEnv(echoAnswer); is {
		if err := serveEcho(answer); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveEcho serves a tool that returns a text, with the library and nothing else.
func serveEcho(answer string) error {
	bare := server.NewMCPServer("bare", "1")
	bare.AddTool(mcp.NewTool("search_taxonomy"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText(answer), nil
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/mcp\n", listener.Addr())
	s := http.Server{Handler: server.NewStreamableHTTPServer(bare, server.WithStateLess(true)), ReadHeaderTimeout: time.Minute}
	return s.Serve(listener)
}

// BenchmarkMCP prints the figures of the whole chain of a call: HTTP, identity, share, runner and audit log.
func BenchmarkMCP(b *testing.B) {
	program := build(b)
	fmt.Printf("\n%d cores, shared by the servers, Redis and the callers; %d rounds of %v each\n\n", runtime.NumCPU(), rounds, roundTime)
	row("", "measured", "goal")
	b.Run("Chain", func(b *testing.B) { measureChain(b, program) })
	b.Run("Replicas", func(b *testing.B) { measureReplicas(b, program) })
	b.Run("Memory", func(b *testing.B) { measureMemory(b, program) })
}

// measureChain compares a server with a bare one. With all cores in use the ratio of the throughputs is that of the CPU a
// call, which other work on the machine disturbs less.
func measureChain(b *testing.B, program string) {
	redis := redistest.StartServer(b)
	full := start(b, program, settingsOf(b, redis.URL()))
	echo := startEcho(b, answerOf(b, full))
	full.call(b, warmUp)
	echo.call(b, warmUp)
	measure := func(caller newCaller) comparison {
		return inTurn(b, side{[]*process{echo}, 0, caller}, side{[]*process{full}, redis.PID(), caller})
	}
	found := measure(newMCPClient)
	row("cached read, 8 clients: throughput of a bare server", percent(found.throughput), "at least 60 %")
	row("the same by CPU a call: servers, Redis and clients", percent(found.cpu), "")
	row("p99 of a bare server", times(found.p99), "at most 3×")
	found.print("bare server", "mcpserver")
	found = measure(newBareCaller)
	row("the same with 8 callers that cost less than any client", percent(found.throughput), "")
	found.print("bare server", "mcpserver")
}

func (c comparison) print(first, second string) {
	c.sides[0].print(first)
	c.sides[1].print(second)
}

func (f figures) print(name string) {
	detail("%s: %.0f calls/s, p99 %v; CPU a call: server %.0f µs, Redis %.0f µs, callers %.0f µs; %.2f of %d cores in use",
		name, f.rate, f.p99, f.cpu, f.redis, f.own, f.cores, runtime.NumCPU())
}

// measureReplicas compares two replicas with one, which shows whether they wait for each other at Redis.
func measureReplicas(b *testing.B, program string) {
	redis := redistest.StartServer(b)
	near := settingsOf(b, redis.URL())
	limit := fmt.Sprintf("two replicas on one Redis, of one, each with %.1f cores", replicaCores)
	one, other := start(b, program, near), start(b, program, near)
	if err := errors.Join(limitCPU(b, one, replicaCores), limitCPU(b, other, replicaCores)); err != nil {
		row(limit, "not measured", replicaGoal)
		detail("limiting the CPU of a process: %v", err)
	} else {
		compareReplicas(b, one, other, redis, limit, replicaGoal)
	}
	const unlimited = "the same without a limit"
	compareReplicas(b, start(b, program, near), start(b, program, near), redis, unlimited+", on cores that the callers use too", "")
	far := settingsOf(b, "redis://"+startDelay(b, redis.Addr(), redisDelay))
	compareReplicas(b, start(b, program, far), start(b, program, far), redis, fmt.Sprintf("%s, with Redis %v away", unlimited, redisDelay), replicaGoal)
}

func compareReplicas(b *testing.B, one, other *process, redis *redistest.Server, what, goal string) {
	one.call(b, 10*callers)
	other.call(b, 10*callers)
	found := inTurn(b, side{[]*process{one}, redis.PID(), newBareCaller}, side{[]*process{one, other}, redis.PID(), newBareCaller})
	row(what, times(found.throughput), goal)
	found.print("one", "two")
	busy := found.sides[1].redis * found.sides[1].rate / 1e6
	detail("Redis, which serves one command at a time, is busy for %.0f %% of the time, and could serve %.0f calls/s", 100*busy, 1e6/found.sides[1].redis)
}

// measureMemory measures servers that nobody calls, and how much they grow over many calls.
func measureMemory(b *testing.B, program string) {
	stores := []struct{ name, url string }{{"in memory", "memory"}, {"in Redis", redistest.Start(b)}}
	var servers []*process
	for _, store := range stores {
		servers = append(servers, start(b, program, settingsOf(b, store.url)))
	}
	for i, found := range idle(b, servers...) {
		row("idle, store "+stores[i].name+": resident memory", megabytes(found.median), "at most 25 MB")
		detail("this is the median; the highest is %s, of which %s are pages of the program's file", megabytes(found.highest), megabytes(found.file))
	}
	for i, store := range stores {
		p := servers[i]
		p.call(b, warmMemory)
		before := p.settled(b)
		p.call(b, manyCalls)
		after := p.settled(b)
		row(fmt.Sprintf("growth over %d calls, store %s", manyCalls, store.name), megabytes(after-before), "flat")
		detail("%s after %d calls, %s after %d more", megabytes(before), warmMemory, megabytes(after), manyCalls)
		p.stop()
	}
}

func row(what, measured, goal string) { fmt.Printf("%-62s %12s   %s\n", what, measured, goal) }

func detail(format string, args ...any) { fmt.Printf("    "+format+"\n", args...) }

func percent(ratio float64) string { return fmt.Sprintf("%.0f %%", 100*ratio) }

func times(ratio float64) string { return fmt.Sprintf("%.2f×", ratio) }

func megabytes(bytes float64) string { return fmt.Sprintf("%.1f MB", bytes/(1<<20)) }
