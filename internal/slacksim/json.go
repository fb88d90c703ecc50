package slacksim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
)

// verificationToken is the old shared token that Slack still puts into every payload.
const verificationToken = "simulated-verification-token"

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the reader may have left
}

// encode marshals what the simulator itself made, which cannot fail.
func encode(value any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic("slacksim: encode: " + err.Error())
	}
	return bytes.TrimSpace(b.Bytes())
}

// decode reads a JSON object with its numbers as written; nil when it is none.
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

// blockTexts collects every text that is read in blocks, in order.
func blockTexts(raw json.RawMessage) []string {
	var texts []string
	var collect func(any)
	collect = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, item := range v {
				collect(item)
			}
		case map[string]any:
			if text, ok := v["text"].(string); ok {
				texts = append(texts, text)
			}
			for _, key := range []string{"title", "label", "text", "hint", "fields", "rows", "elements", "element", "accessory", "options", "option_groups", "initial_option"} {
				if _, isText := v[key].(string); !isText {
					collect(v[key])
				}
			}
		}
	}
	collect(decodeAny(raw))
	return texts
}

func jsonPayload(kind string, body map[string]any) payload {
	raw := encode(body)
	return payload{kind: kind, envelope: "events_api", body: raw, mime: "application/json", object: raw}
}

func formPayload(kind string, form url.Values) payload {
	flat := map[string]any{}
	for key := range form {
		flat[key] = form.Get(key)
	}
	return payload{kind: kind, envelope: "slash_commands", body: []byte(form.Encode()), mime: formType, object: encode(flat)}
}

// interaction wraps what a person did, as Slack posts it: JSON inside a form.
func interaction(kind string, body map[string]any) payload {
	raw := encode(body)
	form := url.Values{"payload": {string(raw)}}
	return payload{kind: kind, envelope: "interactive", body: []byte(form.Encode()), mime: formType, object: raw}
}

const formType = "application/x-www-form-urlencoded"
