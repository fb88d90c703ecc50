package content

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
)

// FuzzRead reads replies that a bank may send: JSON stays JSON, and a content is what encoding/json reads.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"content":"JVBERi0x","title":"x"}`, `{"content":"\u004aVBE\/+==","a":{"content":""}}`, `{"content":"data:;base64,JVBE"}`,
		`"content":"`, `{"content":"\ud83d\u0041"}`, `["content","JVBE"]`, `{"content" :"JVBERi0xLg"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rest, found, err := Read(bytes.NewReader(body), []string{"content"}, 64<<10, 64<<10)
		defer found.Close(nil)
		if !json.Valid(body) || len(body) > 8<<10 {
			return
		}
		if err == nil && !json.Valid(rest) {
			t.Errorf("%s became %s", body, rest)
		}
		var whole, read struct {
			Content any `json:"content"`
		}
		var file struct {
			Content []byte `json:"content"`
		}
		if json.Unmarshal(body, &whole) != nil || json.Unmarshal(body, &file) != nil {
			return // no object, or a content that is no base64
		}
		if _, text := whole.Content.(string); !text {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if err := json.Unmarshal(rest, &read); err != nil {
			t.Fatal(err)
		}
		mark, _ := read.Content.(string)
		content, ok := found[Mark(mark)]
		if !ok { // under a name with an escape
			return
		}
		reader, err := content.Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(reader); err != nil || !bytes.Equal(got, file.Content) {
			t.Errorf("%s: got %q, want %q, %v", body, got, file.Content, err)
		}
	})
}
