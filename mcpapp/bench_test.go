package mcpapp_test

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// What the door adds to a call: search_taxonomy asks the bank once and then answers from memory.
func BenchmarkTheDoor(b *testing.B) {
	handler := open(b).app.Handler()
	for name, body := range map[string]string{
		"list": list,
		"call": `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_taxonomy","arguments":{"taxonomy":"genders"}}}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest("POST", "http://localhost/mcp", strings.NewReader(body))
				request.Header.Set("Content-Type", "application/json")
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, request)
				if !strings.Contains(recorder.Body.String(), `"result"`) || strings.Contains(recorder.Body.String(), `"isError"`) {
					b.Fatal(recorder.Body.String())
				}
			}
		})
	}
}
