package slacksim

import (
	"bytes"
	"encoding/json"
	"net/http"
)

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the client may be gone
}

// encode marshals a value of the simulator's own. It panics on an error.
func encode(value any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic("slacksim: encode: " + err.Error())
	}
	return bytes.TrimSpace(b.Bytes())
}

// decode parses a JSON object, with numbers as json.Number. It returns nil for anything else.
func decode(raw []byte) map[string]any {
	object, _ := decodeAny(raw).(map[string]any)
	return object
}

func decodeAny(raw []byte) any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	if d.Decode(&value) != nil {
		return nil
	}
	return value
}

func str(value any) string {
	s, _ := value.(string)
	return s
}

func object(value any) map[string]any {
	o, _ := value.(map[string]any)
	return o
}

func list(value any) []any {
	l, _ := value.([]any)
	return l
}
