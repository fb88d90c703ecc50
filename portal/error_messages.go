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
)

// Bounds of what is taken from a refusal.
const (
	maxMessages = 50
	maxDepth    = 6
	maxText     = 500 // runes of a message
	maxTraces   = 3   // uuids, for the log
	maxRefusal  = 64 << 10
)

// parseMessages finds the bank's messages in a refusal. The bank says that a refusal holds codes and messages, and
// nowhere prints its envelope, so these are understood, nested in each other too: {"code", "message"} under several
// names, alone or in a list; {"errors": […]}; {"operationStatus": {…}}; ASP.NET's ProblemDetails, whose errors are
// texts by field; a bare string.
func parseMessages(body []byte) []ErrorMessage {
	value, ok := parse(body)
	if !ok {
		return plainText(body)
	}
	var found []ErrorMessage
	collect(value, ErrorMessage{}, 0, &found)
	return found
}

// parse reads exactly one JSON value of bearable size.
func parse(body []byte) (value any, ok bool) {
	if len(body) > maxRefusal {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	decoder.UseNumber() // a code may be a number, and its digits count
	if decoder.Decode(&value) != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return value, err == io.EOF
}

// plainText takes a short body that is no JSON, and no page for a browser, for the message itself.
func plainText(body []byte) []ErrorMessage {
	text := strings.TrimSpace(string(body))
	if text == "" || len(text) > maxText || strings.ContainsAny(text, "<{[") {
		return nil
	}
	return []ErrorMessage{{Text: tidy(text)}}
}

var (
	codeNames  = []string{"code", "errorcode", "operationstatuscode"}
	textNames  = []string{"message", "errormessage", "operationstatusmessage", "description", "detail", "title"}
	fieldNames = []string{"field", "fieldname", "property", "propertyname"}
	nested     = []string{"errors", "error", "messages", "operationstatus", "validationerrors"}
)

// collect appends the messages in value. Around holds the field and code that stand outside of it.
func collect(value any, around ErrorMessage, depth int, found *[]ErrorMessage) {
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
			collect(item, around, depth+1, found)
		}
	case map[string]any:
		before := len(*found)
		fields := lowerKeys(value)
		for _, name := range nested {
			if inner, ok := fields[name].(map[string]any); ok && !isMessage(inner) {
				collectByField(inner, depth+1, found)
			} else if ok := fields[name] != nil; ok {
				collect(fields[name], around, depth+1, found)
			}
		}
		if message := messageOf(fields); len(*found) == before && (message.Text != "" || message.Code != "") {
			*found = append(*found, message)
		}
	}
}

// collectByField reads the errors of ProblemDetails: {"TaxId": ["is invalid"]}.
func collectByField(fields map[string]any, depth int, found *[]ErrorMessage) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		collect(fields[name], ErrorMessage{Field: tidy(name)}, depth, found)
	}
}

func isMessage(value map[string]any) bool {
	fields := lowerKeys(value)
	for _, name := range nested {
		if fields[name] != nil {
			return true
		}
	}
	message := messageOf(fields)
	return message.Text != "" || message.Code != ""
}

func messageOf(fields map[string]any) ErrorMessage {
	return ErrorMessage{Code: first(fields, codeNames), Field: first(fields, fieldNames), Text: first(fields, textNames)}
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

// tidy makes text from outside one line of bearable length, without what is invisible and reorders it.
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

// errorMessages are the bank's messages as they may be handed on: what they mean where that is known, and the bank's words
// without what was sent, which a refusal likes to quote.
func (r request) errorMessages(raw []ErrorMessage) []ErrorMessage {
	if raw == nil {
		return nil
	}
	echo := pii.NewEcho(r.sentValues())
	var all []ErrorMessage
	for _, said := range raw {
		m := ErrorMessage{Field: knownField(said.Field), Text: tidy(echo.Scrub(said.Text))}
		if isCode.MatchString(said.Code) && echo.Scrub(said.Code) == said.Code {
			m.Code = said.Code
		}
		if reason, field := reasonOfText(said.Text); reason != "" {
			m.Reason, m.Known, m.Field, m.Text = reason, true, cmp.Or(m.Field, field), said.Text
		} else {
			m.Reason = reasonOfCode(m.Code)
		}
		all = append(all, m)
	}
	return all
}

var (
	isUUID = regexp.MustCompile(`(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b`)
	// address matches a URL: the path of one may be the secret of a callback.
	address = regexp.MustCompile(`(?i)\bhttps?:(?://|\\/\\/)[^\s"'<>]+`)
)

// traces are the uuids in a refusal that were not sent: with them the bank finds its own log.
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

// sentValues are the values of the request.
func (r request) sentValues() []string {
	values := append(slices.Clone(r.private), strings.TrimPrefix(r.header.Get("Authorization"), "Bearer "))
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
