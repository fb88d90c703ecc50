package mcpapp_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestWhatIsWrongWithARequestIsToldWithoutRepeatingIt(t *testing.T) {
	const person = "Maria Exemplo 299999998"
	h := open(t)
	w := wire{url: h.serve(t)}
	for name, c := range map[string]struct{ message, code string }{
		"a method that is none":       {`{"jsonrpc":"2.0","id":1,"method":"` + person + `"}`, "-32601"},
		"a tool that is none":         {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + person + `"}}`, "-32602"},
		"a document that is none":     {`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"balcao://` + person + `"}}`, "-32002"},
		"a number beyond all numbers": {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_borrowers","arguments":{"process":299999998e999}}}`, "-32600"},
		"a number for a name":         {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":299999998}}`, "-32600"},
		"a text for parameters":       {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"` + person + `"}`, "-32600"},
		"a place in no list":          {`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"` + person + `"}}`, "-32602"},
		"another JSON-RPC":            {`{"jsonrpc":"` + person + `","id":1,"method":"ping"}`, "-32600"},
		"no JSON-RPC":                 {`["` + person + `"]`, "-32700"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			must(t, h.app.ServeStdio(t.Context(), strings.NewReader(c.message), &out))
			for transport, answer := range map[string]string{"HTTP": w.send(t, http.MethodPost, c.message).body, "stdio": out.String()} {
				if !json.Valid([]byte(answer)) {
					t.Errorf("%s: no JSON", transport)
				}
				contains(t, answer, `"code":`+c.code)
				lacks(t, answer, "Maria", "299999998", "json:", "Go ", "mcp.", "nowhere", "cursor", "base64")
			}
		})
	}
	t.Run("a revision that is none", func(t *testing.T) {
		lacks(t, w.send(t, http.MethodPost, list, map[string]string{"Mcp-Protocol-Version": person}).body, "Maria", "299999998")
	})
}
