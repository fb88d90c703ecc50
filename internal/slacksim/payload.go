package slacksim

import (
	"encoding/json"
	"net/url"
)

// payload is a delivery in the forms of both transports.
type payload struct {
	kind     string
	envelope string // the Socket Mode type: slash_commands, interactive, events_api
	body     []byte // over HTTP
	mime     string
	object   json.RawMessage // over Socket Mode
}

// verificationToken is the deprecated token that Slack still puts into every payload.
const verificationToken = "simulated-verification-token"

const formType = "application/x-www-form-urlencoded"

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

// interaction returns an interaction payload: over HTTP it is JSON in a form.
func interaction(kind string, body map[string]any) payload {
	raw := encode(body)
	form := url.Values{"payload": {string(raw)}}
	return payload{kind: kind, envelope: "interactive", body: []byte(form.Encode()), mime: formType, object: raw}
}
