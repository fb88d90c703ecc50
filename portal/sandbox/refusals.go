package sandbox

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// Envelope is a shape that errors can have on the wire. Of the bank's only this is public: a validation error is a 400,
// its code has two digits each for category, field and error, and its message is short and names the field.
type Envelope int

// The shapes.
const (
	ErrorList       Envelope = iota // {"errors": [{"errorCode", "errorMessage", "field"}]}: our contract
	BareList                        // [{"code", "message"}]
	OperationStatus                 // {"operationStatus": {"operationStatusCode", "operationStatusMessage"}}, the first error only
	ProblemDetails                  // {"title", "status", "errors": {"field": ["message"]}} as ASP.NET has it
)

// problem is one thing wrong with a call: a key of the words, and the field at fault if there is one. It never holds
// the value at fault.
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

// category holds the first two digits of an error's code, by the room of the problem's key. They follow the categories
// of the bank's codes for success, 04 process and 05 borrower; the others are ours.
var category = map[string]int{"request": 0, "session": 1, "process": 4, "borrower": 5, "field": 5, "esis": 7, "callback": 8}

// specific holds the last two digits of an error's code.
var specific = map[string]int{
	"field.required": 1, "field.type": 2, "field.format": 2, "field.id": 3, "field.range": 4, "field.length": 4,
	"field.checkDigit": 5, "field.unknown": 6, "borrower.secondKey": 7, "borrower.duplicate": 8, "borrower.tooMany": 9,
	"borrower.lastKey": 10, "borrower.isKey": 11,
	"borrower.missing": 1, "process.missing": 1, "process.state": 2, "esis.age": 1, "esis.term": 2, "esis.noKey": 3, "esis.state": 4, "esis.address": 5,
	"callback.partner": 1, "callback.type": 2, "callback.url": 3, "callback.missing": 4, "callback.subject": 5, "callback.body": 6,
	"callback.unreachable": 7, "callback.answer": 8,
	"request.json": 1, "request.contentType": 2, "request.tooLarge": 3, "request.path": 4, "request.method": 5,
	"request.uuid": 6, "request.query": 7, "request.failed": 8,
	"session.client": 1, "session.broker": 2, "session.user": 3, "session.missing": 4, "session.expired": 5,
}

// borrowerFields numbers the fields of a borrower's request, from 1, for the middle two digits of a code.
var borrowerFields = func() map[string]int {
	numbers := map[string]int{}
	var walk func(reflect.Type, string)
	walk = func(t reflect.Type, path string) {
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			numbers[path+name] = len(numbers) + 1
			if inner := field.Type; inner.Kind() == reflect.Pointer && inner.Elem().Kind() == reflect.Struct {
				walk(inner.Elem(), path+name+".")
			}
		}
	}
	walk(reflect.TypeFor[portal.BorrowerRequest](), "")
	return numbers
}()

func (p problem) code() string {
	room, _, _ := strings.Cut(p.key, ".")
	return fmt.Sprintf("%02d%02d%02d", category[room], borrowerFields[p.field], specific[p.key])
}

func (p problem) say(lang words.Lang) string {
	return book.Say(lang, p.key, map[string]any{"field": p.field})
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
			list = append(list, bareError{p.code(), p.say(lang)})
		}
		return list
	case OperationStatus:
		return map[string]operationStatus{"operationStatus": {first.code(), first.say(lang)}}
	case ProblemDetails:
		details := problemDetails{Title: first.say(lang), Status: r.status, Errors: map[string][]string{}}
		for _, p := range r.problems {
			details.Errors[p.field] = append(details.Errors[p.field], p.say(lang))
		}
		return details
	default:
		var list []listedError
		for _, p := range r.problems {
			list = append(list, listedError{p.code(), p.say(lang), p.field})
		}
		return map[string][]listedError{"errors": list}
	}
}

// readBody reads the body of a write. A call without one, such as Authenticate, needs no content type either.
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

// decode reads JSON with the exact spelling and no field too many: a field that the bank would ignore is a borrower's
// data lost, which is better found here.
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

// path writes a pointer as the dotted path that errors name, cut short: its words come from outside.
func path(pointer jsontext.Pointer) string {
	var tokens []string
	for token := range pointer.Tokens() {
		tokens = append(tokens, token)
	}
	const longest = 100
	dotted := strings.Join(tokens, ".")
	return strings.ToValidUTF8(dotted[:min(len(dotted), longest)], "")
}
