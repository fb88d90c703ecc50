package profile

import (
	"encoding/json"
	"encoding/xml"
	"strings"
)

// Message is a message of an error that a server with the profile sends.
type Message struct {
	Code  string
	Field string // JSON path, "" if it is about none
	Text  string
}

// Write returns the body of an error with at least one message.
func (e *Errors) Write(status int, messages []Message) ([]byte, error) {
	first := messages[0]
	var body any
	switch e.Shape {
	case BareShape:
		var list []any
		for _, m := range messages {
			list = append(list, e.object(m, false))
		}
		return json.Marshal(list)
	case ObjectShape:
		body = e.object(first, false)
	case FieldsShape:
		fields := map[string][]string{}
		for _, m := range messages {
			fields[m.Field] = append(fields[m.Field], m.Text)
		}
		body = map[string]any{"title": first.Text, "status": status, e.At.first("errors"): fields}
	case XMLShape:
		return e.xml(messages)
	default:
		var list []any
		for _, m := range messages {
			list = append(list, e.object(m, true))
		}
		body = list
	}
	out := map[string]any{}
	if at := e.At.first("errors"); e.Shape == FieldsShape {
		out = body.(map[string]any)
	} else {
		put(out, at, body)
	}
	for _, condition := range e.InReply {
		if path, want, compares := strings.Cut(condition, "="); compares {
			put(out, path, json.RawMessage(want))
		}
	}
	return json.Marshal(out)
}

func (e *Errors) object(m Message, withField bool) map[string]any {
	object := map[string]any{}
	put(object, e.Code.first("code"), m.Code)
	put(object, e.Text.first("message"), m.Text)
	if withField && m.Field != "" {
		put(object, e.Field.first("field"), m.Field)
	}
	return object
}

// xml writes the messages as elements named Error.
func (e *Errors) xml(messages []Message) ([]byte, error) {
	var out strings.Builder
	out.WriteString("<" + e.At.first("errors") + ">")
	for _, m := range messages {
		out.WriteString("<error>")
		for _, element := range [][2]string{{e.Code.first("code"), m.Code}, {e.Text.first("message"), m.Text}, {e.Field.first("field"), m.Field}} {
			out.WriteString("<" + element[0] + ">")
			if err := xml.EscapeText(&out, []byte(element[1])); err != nil {
				return nil, err
			}
			out.WriteString("</" + element[0] + ">")
		}
		out.WriteString("</error>")
	}
	out.WriteString("</" + e.At.first("errors") + ">")
	return []byte(out.String()), nil
}
