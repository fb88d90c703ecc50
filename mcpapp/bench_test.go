package mcpapp_test

import (
	"net/http/httptest"
	"strings"
	"testing"
)

const searchRequest = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_taxonomy","arguments":{"taxonomy":"genders"}}}`

// BenchmarkHandler measures the App without a network; script/bench mcp measures the program, against a bare server. search_taxonomy calls the bank once and then uses its cache.
func BenchmarkHandler(b *testing.B) {
	handler := start(b).app.Handler()
	for name, body := range map[string]string{"list": listRequest, "call": searchRequest} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest("POST", "http://localhost/mcp", strings.NewReader(body))
				request.Header.Set("Content-Type", "application/json")
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, request)
				if answer := recorder.Body.String(); !isSuccess(answer) {
					b.Fatal(answer)
				}
			}
		})
	}
}

func isSuccess(answer string) bool {
	return strings.Contains(answer, `"result"`) && !strings.Contains(answer, `"isError"`)
}
