package tools

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
)

// FileRef is a file that a person gave in a form. The front end that took it finds its content by the id.
type FileRef struct {
	ID   string      `json:"id"`
	Name pii.Private `json:"name"` // in the person's own words, and so perhaps a client's name
	Size int64       `json:"size"` // bytes
}

// Class returns [pii.Contact].
func (FileRef) Class() pii.Class { return pii.Contact }

// String returns the extension of the file in capitals: what may be shown of its name.
func (f FileRef) String() string { return strings.ToUpper(f.extension()) }

func (f FileRef) extension() string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(f.Name.Reveal()), "."))
}

// Answer returns f as an answer in a form, which holds the name in clear.
func (f FileRef) Answer() string {
	text, err := pii.MarshalClear(f)
	if err != nil {
		panic(err) // strings and numbers marshal
	}
	return string(text)
}

// acceptedFiles are scans and photographs of documents; the bank's own limits are not known.
var acceptedFiles = Accepts{Extensions: []string{"pdf", "jpg", "jpeg", "png"}, MaxSize: 8 << 20}

var fileSchema = &jsonschema.Schema{
	Type:       "object",
	Properties: map[string]*jsonschema.Schema{"id": ofType("string"), "name": ofType("string"), "size": ofType("integer")},
	Required:   []string{"id", "name", "size"},
}

// parseFile reads what [FileRef.Answer] wrote. It accepts a file of an accepted type and size.
func parseFile(text string) (any, bool) {
	var file FileRef
	err := json.Unmarshal([]byte(text), &file)
	ok := err == nil && file.ID != "" && slices.Contains(acceptedFiles.Extensions, file.extension()) && file.Size <= acceptedFiles.MaxSize
	return json.RawMessage(text), ok
}

func convertFile(value any) (any, bool) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, false
	}
	text, err := json.Marshal(object)
	if err != nil {
		return nil, false
	}
	return parseFile(string(text))
}

func clearFile(_ words.Lang, value any) string {
	file, _ := value.(FileRef)
	return file.Name.Reveal()
}
