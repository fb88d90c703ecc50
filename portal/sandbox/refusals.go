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
)

// Envelope is the JSON form of errors. Of the bank's only this is public: a validation error is a 400, its code has two
// digits each for category, field and error, and its message is short and names the field.
type Envelope int

// The shapes.
const (
	ErrorList       Envelope = iota // {"errors": [{"errorCode", "errorMessage", "field"}]}: our contract
	BareList                        // [{"code", "message"}]
	OperationStatus                 // {"operationStatus": {"operationStatusCode", "operationStatusMessage"}}, the first error only
	ProblemDetails                  // {"title", "status", "errors": {"field": ["message"]}} as ASP.NET has it
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

func (p problem) code() string { return portal.Reason(p.key).Code(p.field) }

func (p problem) text(lang words.Lang) string {
	return portal.Reason(p.key).Text(string(lang), p.field)
}

type (
	listedError struct {
		Code    string `json:"errorCode"`
		Message string `json:"errorMessage"`
		Field   string `json:"field,omitzero"`
	}
	bareError struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	operationStatus struct {
		Code    string `json:"operationStatusCode"`
		Message string `json:"operationStatusMessage"`
	}
	problemDetails struct {
		Title  string              `json:"title"`
		Status int                 `json:"status"`
		Errors map[string][]string `json:"errors"`
	}
)

func (e Envelope) wrap(lang words.Lang, r *refusal) any {
	switch first := r.problems[0]; e {
	case BareList:
		var list []bareError
		for _, p := range r.problems {
			list = append(list, bareError{p.code(), p.text(lang)})
		}
		return list
	case OperationStatus:
		return map[string]operationStatus{"operationStatus": {first.code(), first.text(lang)}}
	case ProblemDetails:
		details := problemDetails{Title: first.text(lang), Status: r.status, Errors: map[string][]string{}}
		for _, p := range r.problems {
			details.Errors[p.field] = append(details.Errors[p.field], p.text(lang))
		}
		return details
	default:
		var list []listedError
		for _, p := range r.problems {
			list = append(list, listedError{p.code(), p.text(lang), p.field})
		}
		return map[string][]listedError{"errors": list}
	}
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
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if len(body) > 0 && (err != nil || media != "application/json") {
		return nil, refused(http.StatusUnsupportedMediaType, "request.contentType")
	}
	return body, nil
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
