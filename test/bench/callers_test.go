package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

const request = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_taxonomy","arguments":{"taxonomy":"genders"}}}`

// newMCPClient is a client of the library, as assistants have one.
func newMCPClient(url string) (func() error, func(), error) {
	c, err := client.NewStreamableHttpClient(url, transport.WithHTTPHeaders(map[string]string{"Authorization": "Bearer " + token}))
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	end := func() {
		_ = c.Close() // it has nothing to tell the server
		cancel()
	}
	initialize := mcp.InitializeRequest{}
	initialize.Params.ProtocolVersion, initialize.Params.ClientInfo = mcp.LATEST_PROTOCOL_VERSION, mcp.Implementation{Name: "bench", Version: "1"}
	if err = c.Start(ctx); err == nil {
		_, err = c.Initialize(ctx, initialize)
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return func() error {
		call := mcp.CallToolRequest{}
		call.Params.Name, call.Params.Arguments = "search_taxonomy", map[string]any{"taxonomy": "genders"}
		result, err := c.CallTool(ctx, call)
		if err == nil && result.IsError {
			err = fmt.Errorf("answered %v", result.Content)
		}
		return err
	}, end, nil
}

// newBareCaller sends the same bytes again and again, and hardly looks at the answer: it costs less than any client.
func newBareCaller(url string) (func() error, func(), error) {
	c := newHTTPClient()
	return func() error {
		_, err := answer(c, url)
		return err
	}, c.CloseIdleConnections, nil
}

func newHTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: time.Minute}
}

func answer(client *http.Client, url string) (text string, err error) {
	r, err := http.NewRequest("POST", url, strings.NewReader(request))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if text = string(body); err == nil && (!strings.Contains(text, `"result"`) || strings.Contains(text, `"isError"`)) {
		err = fmt.Errorf("answered %d %s", response.StatusCode, text)
	}
	return text, err
}

// answerOf returns the text of the answer that a server gives.
func answerOf(b *testing.B, p *process) string {
	b.Helper()
	text, err := answer(newHTTPClient(), p.url)
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// call makes a number of calls.
func (p *process) call(b *testing.B, n int) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	var calling sync.WaitGroup
	for range callers {
		calling.Go(func() {
			client := newHTTPClient()
			defer client.CloseIdleConnections()
			for left.Add(-1) >= 0 {
				if _, err := answer(client, p.url); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	calling.Wait()
}
