package portal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal/profile"
)

// Limits of what is read of a refusal.
const (
	maxMessages = 50
	maxDepth    = 6
	maxText     = 500 // runes of a message
	maxTraces   = 3   // uuids, for the log
	maxRefusal  = 64 << 10
)

// parseMessages returns the bank's messages in a refusal. The bank says that a refusal has codes and messages, but prints no
// envelope. These are read, also nested: {"code", "message"} under several names, alone or in a list; {"errors": […]};
// {"operationStatus": {…}}; ASP.NET's ProblemDetails, whose errors are texts by field; a string. XML is read alike.
func parseMessages(errors *profile.Errors, body []byte) []ErrorMessage {
	value, ok := parse(body)
	if !ok {
		value, ok = parseXML(body)
	}
	if !ok {
		return plainText(body)
	}
	var found []ErrorMessage
	newMessageReader(errors).collect(value, ErrorMessage{}, 0, &found)
	return found
}

// parse decodes exactly one JSON value, of limited size.
func parse(body []byte) (value any, ok bool) {
	if len(body) > maxRefusal {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	decoder.UseNumber() // a code may be a number with many digits
	if decoder.Decode(&value) != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return value, err == io.EOF
}

// saysNothing reports whether a refusal is empty, or an empty JSON value.
func saysNothing(body []byte) bool {
	value, ok := parse(body)
	if !ok {
		return len(bytes.TrimSpace(body)) == 0
	}
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(value) == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}

// plainText returns a short body that is neither JSON nor HTML as the message.
func plainText(body []byte) []ErrorMessage {
	text := strings.TrimSpace(string(body))
	if text == "" || len(text) > maxText || strings.ContainsAny(text, "<{[") {
		return nil
	}
	return []ErrorMessage{{Text: tidy(text)}}
}

// messageReader reads messages under the names of a profile, in lower case.
type messageReader struct{ at, code, text, field []string }

func newMessageReader(errors *profile.Errors) messageReader {
	lower := func(names profile.Names) []string {
		return strings.Split(strings.ToLower(strings.Join(names, "\n")), "\n")
	}
	return messageReader{lower(errors.At), lower(errors.Code), lower(errors.Text), lower(errors.Field)}
}

// collect appends the messages in value. Around has the field and code of the enclosing object.
func (m messageReader) collect(value any, around ErrorMessage, depth int, found *[]ErrorMessage) {
	if depth > maxDepth || len(*found) >= maxMessages {
		return
	}
	switch value := value.(type) {
	case string:
		if around.Text = tidy(value); around.Text != "" {
			*found = append(*found, around)
		}
	case []any:
		for _, item := range value {
			m.collect(item, around, depth+1, found)
		}
	case map[string]any:
		before := len(*found)
		fields := lowerKeys(value)
		for _, name := range m.at {
			if inner, ok := fields[name].(map[string]any); ok && !m.isMessage(inner) {
				m.collectByField(inner, depth+1, found)
			} else if ok := fields[name] != nil; ok {
				m.collect(fields[name], around, depth+1, found)
			}
		}
		if message := m.messageOf(fields); len(*found) == before && (message.Text != "" || message.Code != "") {
			*found = append(*found, message)
		}
	}
}

// collectByField reads the errors of ProblemDetails: {"TaxId": ["is invalid"]}.
func (m messageReader) collectByField(fields map[string]any, depth int, found *[]ErrorMessage) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		m.collect(fields[name], ErrorMessage{Field: tidy(name)}, depth, found)
	}
}

func (m messageReader) isMessage(value map[string]any) bool {
	fields := lowerKeys(value)
	for _, name := range m.at {
		if fields[name] != nil {
			return true
		}
	}
	message := m.messageOf(fields)
	return message.Text != "" || message.Code != ""
}

func (m messageReader) messageOf(fields map[string]any) ErrorMessage {
	return ErrorMessage{Code: first(fields, m.code), Field: first(fields, m.field), Text: first(fields, m.text)}
}

func first(fields map[string]any, names []string) string {
	for _, name := range names {
		switch value := fields[name].(type) {
		case string:
			return tidy(value)
		case json.Number:
			return tidy(value.String())
		}
	}
	return ""
}

func lowerKeys(fields map[string]any) map[string]any {
	lower := make(map[string]any, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		lower[strings.ToLower(name)] = fields[name]
	}
	return lower
}

// tidy returns the bank's text as one line of limited length, without invisible and direction characters.
func tidy(text string) string {
	text = strings.Map(func(c rune) rune {
		switch {
		case unicode.Is(unicode.Cf, c) || c == utf8.RuneError:
			return -1
		case unicode.IsControl(c):
			return ' '
		}
		return c
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxText {
		return string(runes[:maxText-1]) + "…"
	}
	return text
}

// errorMessages returns the messages with their known reasons, and with the bank's texts without the values that were sent,
// which a refusal may quote.
func (r request) errorMessages(raw []ErrorMessage) []ErrorMessage {
	if raw == nil {
		return nil
	}
	echo := pii.NewEcho(r.sentValues())
	var all []ErrorMessage
	for _, message := range raw {
		m := ErrorMessage{Field: knownField(message.Field), Text: tidy(echo.Scrub(message.Text))}
		if isCode.MatchString(message.Code) && echo.Scrub(message.Code) == message.Code {
			m.Code = message.Code
		}
		if reason, field := reasonOfText(message.Text); reason != "" {
			m.Reason, m.Known, m.Field, m.Text = reason, true, cmp.Or(m.Field, field), message.Text
		} else {
			m.Reason = reasonOfCode(r.errors, m.Code)
		}
		all = append(all, m)
	}
	return all
}

var (
	isUUID = regexp.MustCompile(`(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b`)
	// address matches a URL, whose path may be the secret of a callback.
	address = regexp.MustCompile(`(?i)\bhttps?:(?://|\\/\\/)[^\s"'<>]+`)
)

// traces returns the uuids in a refusal that were not sent. The bank can find them in its own log.
func (r request) traces(body []byte) (ids []string) {
	text, sent := address.ReplaceAllString(string(body[:min(len(body), maxRefusal)]), ""), strings.ToLower(r.url)
	for _, value := range r.sentValues() {
		sent += " " + strings.ToLower(value)
	}
	for _, id := range isUUID.FindAllString(text, maxMessages) {
		if id = strings.ToLower(id); len(ids) < maxTraces && !strings.Contains(sent, id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// sentValues returns the values of the request.
func (r request) sentValues() []string {
	values := slices.Clone(r.private)
	if value, ok := parse(r.body); ok {
		values = appendValues(value, values)
	}
	return values
}

func appendValues(value any, found []string) []string {
	switch value := value.(type) {
	case string:
		return append(found, value)
	case json.Number:
		return append(found, value.String())
	case bool:
		return append(found, "true", "false")
	case []any:
		for _, item := range value {
			found = appendValues(item, found)
		}
	case map[string]any:
		for _, item := range value {
			found = appendValues(item, found)
		}
	}
	return found
}
