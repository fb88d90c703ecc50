package mcpapp_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/balcao/balcao/internal/redistest"
)

const search = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_taxonomy","arguments":{"taxonomy":"genders"}}}`

// What the door costs by itself, without a network: search_taxonomy asks the bank once and then answers from memory.
func BenchmarkTheDoor(b *testing.B) {
	handler := open(b).app.Handler()
	for name, body := range map[string]string{"list": list, "call": search} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest("POST", "http://localhost/mcp", strings.NewReader(body))
				request.Header.Set("Content-Type", "application/json")
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, request)
				if answer := recorder.Body.String(); !succeeds(answer) {
					b.Fatal(answer)
				}
			}
		})
	}
}

func succeeds(answer string) bool {
	return strings.Contains(answer, `"result"`) && !strings.Contains(answer, `"isError"`)
}

// What everything that a call goes through costs, audit trail included, beside a server of the library alone that says
// the same. The bars: no more than 1 ms added to the slowest hundredth of calls one at a time, and 5 ms to that of
// eight at once; at least 60 % of the bare server's throughput.
func BenchmarkCallsBesideABareServer(b *testing.B) {
	door := open(b, func(s *settings) { s.redis, s.app.Log = redistest.Start(b), slog.New(slog.DiscardHandler) }).serve(b)
	body, err := post(http.DefaultClient, door)
	must(b, err)
	bare := server.NewMCPServer("bare", "1")
	bare.AddTool(mcp.NewTool("search_taxonomy"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText(body), nil
	})
	echo := httptest.NewServer(server.NewStreamableHTTPServer(bare, server.WithStateLess(true)))
	b.Cleanup(echo.Close)
	for _, atOnce := range []int{1, 8} {
		b.Run(fmt.Sprintf("%d at once", atOnce), func(b *testing.B) {
			took := drive(b, [2]string{door, echo.URL}, atOnce)
			var p99, mean [2]float64
			for i := range took {
				slices.Sort(took[i])
				p99[i] = took[i][len(took[i])*99/100].Seconds()
				for _, one := range took[i] {
					mean[i] += one.Seconds() / float64(len(took[i]))
				}
			}
			b.ReportMetric(1000*(p99[0]-p99[1]), "added-p99-ms")
			b.ReportMetric(1000*(mean[0]-mean[1]), "added-mean-ms")
			b.ReportMetric(100*mean[1]/mean[0], "%-of-bare")
		})
	}
}

// drive makes b.N calls of each server, in turns, so that what else the machine does is the same to both.
func drive(b *testing.B, urls [2]string, atOnce int) (took [2][]time.Duration) {
	transport := &http.Transport{MaxIdleConnsPerHost: atOnce}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	for i := range took {
		took[i] = make([]time.Duration, b.N)
	}
	var callers sync.WaitGroup
	for caller := range atOnce {
		callers.Go(func() {
			for n := caller; n < b.N; n += atOnce {
				for i, url := range urls {
					sent := time.Now()
					if _, err := post(client, url); err != nil {
						b.Error(err)
					}
					took[i][n] = time.Since(sent)
				}
			}
		})
	}
	callers.Wait()
	return took
}

func post(client *http.Client, url string) (answer string, err error) {
	response, err := client.Post(url, "application/json", strings.NewReader(search))
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && !succeeds(string(body)) {
		err = fmt.Errorf("answered %s", body)
	}
	return string(body), err
}
