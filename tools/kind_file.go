package tools

import (
	"encoding/json"
	"path"
	"reflect"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
)

// FileRef is a file that somebody gave to a front end, which finds its content by the id; see [FileSource]. A person's form
// also knows its name and size. An assistant gives the id alone, as text.
type FileRef struct {
	ID   string      `json:"id"`            // a scheme, a colon and what the source of the scheme knows the file by
	Name pii.Private `json:"name,omitzero"` // in the person's own words, and so perhaps a client's name
	Size int64       `json:"size,omitzero"` // bytes; 0 if it is not known yet
}

// Class returns [pii.Contact].
func (FileRef) Class() pii.Class { return pii.Contact }

// String returns the extension of the file in capitals: what may be shown of its name.
func (f FileRef) String() string { return strings.ToUpper(f.extension()) }

func (f FileRef) extension() string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(f.Name.Reveal()), "."))
}

// Answer returns f as an answer in a form, which holds the name in clear.
func (f FileRef) Answer() string { return inClear(f) }

// FileRefs are files that somebody gave to one field.
type FileRefs []FileRef

// Class returns [pii.Contact].
func (FileRefs) Class() pii.Class { return pii.Contact }

// IsZero reports whether there is none.
func (f FileRefs) IsZero() bool { return len(f) == 0 }

// String returns the extensions of the files.
func (f FileRefs) String() string { return maskedFiles(words.English, f) }

// Answer returns f as an answer in a form, which holds the names in clear.
func (f FileRefs) Answer() string { return inClear(f) }

func inClear(v any) string {
	text, err := pii.MarshalClear(v)
	if err != nil {
		panic(err) // strings and numbers marshal
	}
	return string(text)
}

const (
	maxFile  = 32 << 20 // bytes of a file; what the bank accepts is less
	maxFiles = 10       // of one field, as many as a form of Slack takes
	maxRef   = 512      // bytes of a reference without the name
)

// accepted are scans and photographs of documents, by what is in them. The extensions are what a form offers to choose.
func accepted(files int) Accepts {
	return Accepts{
		Extensions: []string{"pdf", "jpg", "jpeg", "png", "heic", "heif"},
		MediaTypes: []string{"application/pdf", "image/jpeg", "image/png", "image/heic", "image/heif"},
		MaxSize:    maxFile, MaxFiles: files,
	}
}

// extensionsOf has the extensions of the files of a media type, the usual one first.
var extensionsOf = map[string][]string{
	"application/pdf": {"pdf"}, "image/jpeg": {"jpg", "jpeg"}, "image/png": {"png"}, "image/heic": {"heic"}, "image/heif": {"heif", "heic"},
}

// fileSchema is what assistants give: the reference of an upload; see [UploadAddress].
var fileSchema = &jsonschema.Schema{Type: "string", Pattern: "^upload:"}

var filesSchema = &jsonschema.Schema{Type: "array", Items: fileSchema, MinItems: new(1), MaxItems: new(maxFiles)}

// parseFile reads what [FileRef.Answer] wrote, or a reference alone.
func parseFile(text string) (any, bool) {
	file := FileRef{ID: text}
	if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &file) != nil {
		return nil, false
	}
	scheme, id, found := strings.Cut(file.ID, ":")
	ok := found && scheme != "" && id != "" && len(file.ID) <= maxRef && file.Size >= 0 && file.Size <= maxFile
	return json.RawMessage(file.Answer()), ok
}

// parseFiles reads what [FileRefs.Answer] or [FileRef.Answer] wrote, or a reference alone.
func parseFiles(text string) (any, bool) {
	given := []json.RawMessage{json.RawMessage(text)}
	if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &given) != nil {
		return nil, false
	}
	files := []any{}
	for _, each := range given {
		plain := string(each)
		if strings.HasPrefix(plain, `"`) && json.Unmarshal(each, &plain) != nil {
			return nil, false
		}
		file, ok := parseFile(plain)
		if !ok {
			return nil, false
		}
		files = append(files, file)
	}
	return files, len(files) > 0 && len(files) <= maxFiles
}

// convertJSON reads a value of the arguments as parse reads its text.
func convertJSON(parse func(string) (any, bool)) func(any) (any, bool) {
	return func(value any) (any, bool) {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, false
		}
		return parse(string(text))
	}
}

// filesOf returns the files of a value of either kind.
func filesOf(value any) FileRefs {
	if file, one := value.(FileRef); one {
		return FileRefs{file}
	}
	files, _ := value.(FileRefs)
	return files
}

// mapFiles returns an input in which each file is what change makes of it.
func (t *Tool) mapFiles(in any, change func(FileRef) FileRef) any {
	changed := reflect.New(t.in).Elem()
	changed.Set(reflect.ValueOf(in))
	for _, field := range t.Fields {
		value, given := field.Value(in)
		if !given || field.Kind.Control != ControlFile {
			continue
		}
		if file, one := value.Interface().(FileRef); one {
			changed.FieldByIndex(field.index).Set(reflect.ValueOf(change(file)))
			continue
		}
		var files FileRefs
		for _, file := range filesOf(value.Interface()) {
			files = append(files, change(file))
		}
		changed.FieldByIndex(field.index).Set(reflect.ValueOf(files))
	}
	return changed.Interface()
}

// maskedFiles returns what may be shown of the names: the extensions.
func maskedFiles(lang words.Lang, value any) string {
	return joinedNames(value, func(file FileRef) string { return or(file.String(), engineWords.Say(lang, "file", nil)) })
}

// GivenFiles returns the names of the files in an answer of a form, for who gave them.
func GivenFiles(lang words.Lang, answer string) pii.Private {
	given, _ := parseFiles(answer)
	text, err := json.Marshal(given)
	var files FileRefs
	if err == nil {
		err = json.Unmarshal(text, &files)
	}
	if err != nil {
		return pii.Private{}
	}
	return pii.New[pii.Private](clearFiles(lang, files))
}

func clearFiles(lang words.Lang, value any) string {
	return joinedNames(value, func(file FileRef) string { return or(file.Name.Reveal(), engineWords.Say(lang, "file", nil)) })
}

func joinedNames(value any, name func(FileRef) string) string {
	var names []string
	for _, file := range filesOf(value) {
		names = append(names, name(file))
	}
	return strings.Join(names, ", ")
}
