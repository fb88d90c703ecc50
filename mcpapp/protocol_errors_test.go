package mcpapp_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestProtocolErrorsDoNotRepeatTheRequest(t *testing.T) {
	t.Parallel()
	const person = "Maria Exemplo 299999998"
	e := start(t)
	w := rawClient{url: e.serve(t)}
	for name, c := range map[string]struct{ message, code string }{
		"an unknown method":   {`{"jsonrpc":"2.0","id":1,"method":"` + person + `"}`, "-32601"},
		"an unknown tool":     {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + person + `"}}`, "-32602"},
		"an unknown document": {`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"balcao://` + person + `"}}`, "-32002"},
		"an infinite number":  {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_borrowers","arguments":{"process":299999998e999}}}`, "-32600"},
		"a number for a name": {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":299999998}}`, "-32600"},
		"a string for params": {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"` + person + `"}`, "-32600"},
		"an invalid cursor":   {`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"` + person + `"}}`, "-32602"},
		"another JSON-RPC":    {`{"jsonrpc":"` + person + `","id":1,"method":"ping"}`, "-32600"},
		"an array":            {`["` + person + `"]`, "-32700"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			must(t, e.serveStdio(t.Context(), strings.NewReader(c.message), &out))
			for transport, answer := range map[string]string{"HTTP": w.send(t, http.MethodPost, c.message).body, "stdio": out.String()} {
				if !json.Valid([]byte(answer)) {
					t.Errorf("%s: not JSON", transport)
				}
				contains(t, answer, `"code":`+c.code)
				lacks(t, answer, "Maria", "299999998", "json:", "Go ", "mcp.", "nowhere", "cursor", "base64")
			}
		})
	}
	t.Run("an unknown revision", func(t *testing.T) {
		lacks(t, w.send(t, http.MethodPost, listRequest, map[string]string{"Mcp-Protocol-Version": person}).body, "Maria", "299999998")
	})
}
