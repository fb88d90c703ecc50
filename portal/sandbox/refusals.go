package sandbox

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// problem is one error in a call: a [portal.Reason], and the field at fault if there is one. It never has the value at
// fault.
type problem struct {
	key   string
	field string // JSON path
}

// refusal is an answer other than 200.
type refusal struct {
	status   int
	problems []problem
}

func refused(status int, key string) *refusal {
	return &refusal{status: status, problems: []problem{{key: key}}}
}

func (r *refusal) Error() string { return fmt.Sprintf("refused with %d: %v", r.status, r.problems) }

func asRefusal(err error) *refusal {
	if reason, ok := errors.AsType[*refusal](err); ok {
		return reason
	}
	return refused(http.StatusInternalServerError, "request.failed")
}

func (p problem) text(lang words.Lang) string {
	return portal.Reason(p.key).Text(string(lang), p.field)
}

// failure writes a refusal in the bank's shape. A bank that has errors inside replies with a status of success does so for
// those that are not about the session.
func (b *Bank) failure(c *call, r *refusal) response {
	errors := &b.config.Profile.Errors
	var messages []profile.Message
	for _, p := range r.problems {
		messages = append(messages, profile.Message{
			Code: portal.Reason(p.key).Code(b.config.Profile, p.field), Field: p.field, Text: p.text(c.lang.Lang),
		})
	}
	status := r.status
	if len(errors.InReply) > 0 && status == http.StatusBadRequest {
		status = http.StatusOK
	}
	body, err := errors.Write(r.status, messages)
	if err != nil {
		b.config.Log.Error("refusal cannot be written", "operation", c.operation, "error", err)
		return response{status: http.StatusInternalServerError}
	}
	return response{status: status, xml: errors.Shape == profile.XMLShape, body: body}
}

// operationStatus is the status of a write that succeeded.
type operationStatus struct {
	Code    string `json:"operationStatusCode"`
	Message string `json:"operationStatusMessage"`
}

// readBody reads the body of a write. A call without a body, such as Authenticate, needs no content type.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, refused(http.StatusRequestEntityTooLarge, "request.tooLarge")
	}
	if err != nil {
		return nil, refused(http.StatusBadRequest, "request.json")
	}
	if len(body) > 0 && !isJSON(r) {
		return nil, refused(http.StatusUnsupportedMediaType, "request.contentType")
	}
	return body, nil
}

func isJSON(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/json"
}

// decode decodes JSON with exact names and no unknown field: a field that the bank ignores would be lost data of a
// borrower.
func decode(body []byte, into any) error {
	err := json.Unmarshal(body, into, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	wrong, ok := errors.AsType[*json.SemanticError](err)
	if !ok || wrong.JSONPointer == "" {
		return refused(http.StatusBadRequest, "request.json")
	}
	key := "field.type"
	if errors.Is(err, json.ErrUnknownName) {
		key = "field.unknown"
	}
	return &refusal{http.StatusBadRequest, []problem{{key, path(wrong.JSONPointer)}}}
}

// path returns a pointer as the dotted path that errors name. It is cut to a maximum length, since callers choose it.
func path(pointer jsontext.Pointer) string {
	var tokens []string
	for token := range pointer.Tokens() {
		tokens = append(tokens, token)
	}
	const longest = 100
	dotted := strings.Join(tokens, ".")
	return strings.ToValidUTF8(dotted[:min(len(dotted), longest)], "")
}
