package tools_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// uploads is a source of files.
type uploads struct {
	content map[string]string
	opened  []*spool.File
}

// Open implements [tools.FileSource].
func (u *uploads) Open(_ context.Context, actor tools.Actor, file tools.FileRef, max int64) (tools.FileRef, *spool.File, error) {
	content, ok := u.content[strings.TrimPrefix(file.ID, "test:")]
	if !ok {
		return file, nil, tools.ErrNoFile
	}
	if content == "broken" {
		return file, nil, errors.New("no connection")
	}
	read, err := spool.Read(strings.NewReader(content), max)
	if err != nil {
		return file, nil, err
	}
	u.opened = append(u.opened, read)
	file.Name = pii.New[pii.Private]("Recibo Rui Amostra.pdf")
	return file, read, nil
}

type filesInput struct {
	Files tools.FileRefs `json:"files" page:"files" validate:"required"`
}

// filesRead describes files by type and size.
type filesRead struct {
	Types []string `json:"types"`
	Sizes []int64  `json:"sizes"`
}

func (filesRead) Card(tools.Say) tools.Card { return tools.Card{} }

// readFiles reads each file twice, of at most 100 kB.
func readFiles(ctx context.Context, call *tools.Call, in filesInput) (out filesRead, err error) {
	for range 2 {
		out = filesRead{}
		for _, ref := range in.Files {
			file, err := call.File(ctx, "files", ref, 100<<10)
			if err != nil {
				return out, err
			}
			out.Types, out.Sizes = append(out.Types, file.MediaType), append(out.Sizes, file.Size)
		}
	}
	return out, nil
}

// filesTool makes a runner with a tool that reads files, and their source.
func filesTool(t *testing.T) (env, *tools.Tool, *uploads) {
	t.Helper()
	text := "\"field.files.label\" = \"Files\"\n\"page.files\" = \"Files\"\n\"read_files.title\" = \"x\"\n\"read_files.help\" = \"x\"\n"
	set := tools.NewToolset("test", fstest.MapFS{"words/en.toml": {Data: []byte(text)}, "words/pt-PT.toml": {Data: []byte(text)}})
	tool := tools.Define(set, tools.Spec{Name: "read_files", Effect: tools.Reads}, readFiles)
	e := start(t)
	source := &uploads{content: map[string]string{
		"pdf": "%PDF-1.7\n", "photo": "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "jpeg": "\xff\xd8\xff\xe0", "png": "\x89PNG\r\n\x1a\n",
		"word": "PK\x03\x04" + strings.Repeat("\x00", 22) + "\x11\x00\x00\x00word/document.xml", "text": "Rui Amostra, 299999998", "empty": "",
		"large": "%PDF-1.7\n" + strings.Repeat("x", 100<<10), "broken": "broken",
	}}
	e.AddFileSource("test", source)
	return e, tool, source
}

func TestAFileIsReadOnceAndClosedWhenTheCallEnds(t *testing.T) {
	t.Parallel()
	e, tool, source := filesTool(t)
	result, err := e.Run(t.Context(), tools.Request{Tool: tool, Actor: e.Actor, Args: json.RawMessage(
		`{"files":["test:pdf","test:photo",{"id":"test:jpeg","name":"a.pdf","size":4},"test:png"]}`)})
	if err != nil {
		t.Fatal(err)
	}
	out := result.Output.(filesRead)
	if want := []string{"application/pdf", "image/heic", "image/jpeg", "image/png"}; !slices.Equal(out.Types, want) || !slices.Equal(out.Sizes, []int64{9, 24, 4, 8}) {
		t.Errorf("read %v of %v bytes", out.Types, out.Sizes)
	}
	if len(source.opened) != 4 {
		t.Errorf("the source was asked for %d files", len(source.opened))
	}
	for _, file := range source.opened {
		if _, err := file.Open(); err == nil {
			t.Error("a file is still open")
		}
	}
}

func TestAFileThatIsNotAcceptedIsAProblemOfItsField(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ given, code, text string }{
		"of another type":        {`["test:pdf","test:word"]`, "file.type", "By its content, the file is of the type DOCX. Give a PDF, JPEG, PNG or HEIC file."},
		"text":                   {`["test:text"]`, "file.type", "By its content, the file is of the type TXT. Give a PDF, JPEG, PNG or HEIC file."},
		"empty":                  {`["test:empty"]`, "file.empty", "The file is empty."},
		"too large":              {`["test:large"]`, "file.too_large", "The file is too large: at most 0 MB."},
		"gone":                   {`["test:gone"]`, "file.gone", "The file is no longer there. Give it again."},
		"of no front end":        {`["other:pdf"]`, "file.gone", "The file is no longer there. Give it again."},
		"without a scheme":       {`["pdf"]`, "kind.files", ""},
		"no file":                {`[]`, "kind.files", ""},
		"larger than any":        {`[{"id":"test:pdf","size":33554433}]`, "kind.files", ""},
		"of a size below zero":   {`[{"id":"test:pdf","size":-1}]`, "kind.files", ""},
		"eleven":                 {`["` + strings.Repeat(`test:pdf","`, 10) + `test:pdf"]`, "kind.files", ""},
		"a number":               {`[1]`, "kind.files", ""},
		"a reference that grows": {`["test:` + strings.Repeat("x", 600) + `"]`, "kind.files", ""},
	} {
		e, tool, source := filesTool(t)
		_, err := e.Run(t.Context(), tools.Request{Tool: tool, Actor: e.Actor, Args: json.RawMessage(`{"files":` + c.given + `}`)})
		failure, ok := errors.AsType[*tools.Error](err)
		if !ok || failure.Kind != tools.Invalid || len(failure.Problems) != 1 || failure.Problems[0].Code != c.code || failure.Problems[0].Path != "files" {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if c.text != "" && failure.Problems[0].Text != c.text {
			t.Errorf("%s: got %q", name, failure.Problems[0].Text)
		}
		for _, file := range source.opened {
			if _, err := file.Open(); err == nil {
				t.Errorf("%s: a file is still open", name)
			}
		}
	}
	e, tool, _ := filesTool(t)
	_, err := e.Run(t.Context(), tools.Request{Tool: tool, Actor: e.Actor, Args: json.RawMessage(`{"files":["test:broken"]}`)})
	if failure, ok := errors.AsType[*tools.Error](err); !ok || failure.Kind != tools.Unavailable || !failure.Store {
		t.Errorf("a source that fails: got %v", err)
	}
}

func TestTheAnswersOfAFormAreTheFilesOfACall(t *testing.T) {
	t.Parallel()
	_, tool, _ := filesTool(t)
	one := tools.FileRef{ID: "test:pdf", Name: pii.New[pii.Private]("Rui Amostra.pdf"), Size: 9}
	for name, answer := range map[string]string{"one": one.Answer(), "of several": tools.FileRefs{one, {ID: "test:png"}}.Answer()} {
		args, problems := tool.Args(map[string]string{"files": answer}, words.English)
		if len(problems) > 0 || !bytes.Contains(args, []byte(`[{"id":"test:pdf","name":"Rui Amostra.pdf","size":9}`)) {
			t.Errorf("%s: got %s, %v", name, args, problems)
		}
	}
	if text := (tools.FileRefs{one, {ID: "test:png"}}).String(); text != "PDF, file" {
		t.Errorf("others see %q", text)
	}
}
