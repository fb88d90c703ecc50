package mcpapp_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

// takeFiles is a tool that takes files and tells what they are.
type takeFiles struct {
	Files tools.FileRefs `json:"files" page:"files" validate:"required"`
}

type takenFiles struct {
	Types []string `json:"types" pii:"open"`
	Sizes []int64  `json:"sizes" pii:"open"`
	Names []string `json:"names" pii:"open"`
}

func (takenFiles) Card(tools.Say) tools.Card { return tools.Card{Title: "taken"} }
func (takenFiles) Subject() tools.Subject    { return tools.Subject{} }

// withFileTools adds a tool that takes files, as one that reads and one that creates something.
func withFileTools(t testing.TB) func(*options) {
	t.Helper()
	text := ""
	for _, name := range []string{"look_at_files", "take_files"} {
		text += "\"" + name + ".title\" = \"" + name + "\"\n\"" + name + ".help\" = \"x\"\n\"" + name + ".command\" = \"" + name + "\"\n\"" + name + ".submit\" = \"x\"\n"
	}
	text += "\"field.files.label\" = \"Files\"\n\"page.files\" = \"Files\"\n"
	set := tools.NewToolset("test", fstest.MapFS{"words/en.toml": {Data: []byte(text)}, "words/pt-PT.toml": {Data: []byte(text)}})
	take := func(ctx context.Context, call *tools.Call, in takeFiles) (out takenFiles, err error) {
		for _, ref := range in.Files {
			file, err := call.File(ctx, "files", ref, 32<<20)
			if err != nil {
				return out, err
			}
			out.Types, out.Sizes, out.Names = append(out.Types, file.MediaType), append(out.Sizes, file.Size), append(out.Names, file.Name.Reveal())
		}
		return out, nil
	}
	tools.Define(set, tools.Spec{Name: "look_at_files", Effect: tools.Reads}, take)
	tools.Define(set, tools.Spec{Name: "take_files", Effect: tools.Creates}, take)
	all, err := tools.NewCatalogue(append(catalogue.New().Toolsets, set)...)
	must(t, err)
	return func(s *options) { s.tools, s.app.Tools = all, []string{tools.AllToolsets} }
}

// address is what request_upload answers.
type address struct {
	File     string   `json:"file"`
	Address  string   `json:"address"`
	Until    string   `json:"until"`
	Accepts  []string `json:"accepts"`
	MaxBytes int64    `json:"maxBytes"`
}

func (a *assistant) asksForAddress(t *testing.T) address {
	t.Helper()
	var got address
	structured(t, succeeded(t, a.call(t, "request_upload", nil)), &got)
	return got
}

func structured(t *testing.T, result *mcp.CallToolResult, into any) {
	t.Helper()
	data, err := json.Marshal(result.StructuredContent)
	must(t, err)
	must(t, json.Unmarshal(data, into))
}

// give sends a file to an address, as curl does or as a browser.
func give(t *testing.T, method, to string, content io.Reader, header map[string]string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, to, content)
	must(t, err)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	if host := header["Host"]; host != "" {
		request.Host = host
	}
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(data)
}

func formOf(t *testing.T, field, name string, content []byte) (io.Reader, map[string]string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	must(t, form.WriteField("other", "value"))
	part, err := form.CreateFormFile(field, name)
	must(t, err)
	_, err = part.Write(content)
	must(t, err)
	must(t, form.Close())
	return &body, map[string]string{"Content-Type": form.FormDataContentType(), "Accept": "text/html", "Accept-Language": "pt-PT"}
}

var pdf = append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("recibo "), 60_000)...)

func TestAFileIsGivenAtAnAddressAndTakenByReference(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t, withFileTools(t))
			a := variant.start(t, e)
			got := a.asksForAddress(t)
			if !strings.HasPrefix(got.Address, "http://127.0.0.1:") || !strings.HasPrefix(got.File, "upload:") || len(got.Accepts) == 0 || got.MaxBytes < 1<<20 {
				t.Errorf("got %+v", got)
			}
			contains(t, failed(t, a.call(t, "take_files", map[string]any{"files": []string{got.File}})), "No file was given at its address yet")
			if status, answer := give(t, http.MethodPut, got.Address+"Recibo%20de%20mar%C3%A7o.pdf", bytes.NewReader(pdf), nil); status != http.StatusCreated || !strings.Contains(answer, got.File) {
				t.Fatalf("the file gave %d %s", status, answer)
			}
			var looked, taken takenFiles
			structured(t, succeeded(t, a.call(t, "look_at_files", map[string]any{"files": []string{got.File}})), &looked)
			structured(t, succeeded(t, a.call(t, "take_files", map[string]any{"files": []string{got.File}, "idempotencyKey": "1"})), &taken)
			for _, out := range []takenFiles{looked, taken} {
				if len(out.Types) != 1 || out.Types[0] != "application/pdf" || out.Sizes[0] != int64(len(pdf)) || out.Names[0] != "Recibo de março.pdf" {
					t.Errorf("taken: %+v", out)
				}
			}
			structured(t, succeeded(t, a.call(t, "take_files", map[string]any{"files": []string{got.File}, "idempotencyKey": "1"})), &taken) // the same call again
			contains(t, failed(t, a.call(t, "take_files", map[string]any{"files": []string{got.File}})), "The file is no longer there")
			if status, _ := give(t, http.MethodPut, got.Address, bytes.NewReader(pdf), nil); status != http.StatusNotFound {
				t.Errorf("after it was used, the address gives %d", status)
			}
			lacks(t, a.transcript.String(), "recibo recibo")
		})
	}
}

func TestAFileThatWasGivenBecomesADocument(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			a := variant.start(t, start(t, withFileTools(t)))
			got := a.asksForAddress(t)
			if status, answer := give(t, http.MethodPut, got.Address+"recibo.pdf", bytes.NewReader(pdf), nil); status != http.StatusCreated {
				t.Fatalf("the file gave %d %s", status, answer)
			}
			var out struct {
				Process string
				Added   []struct{ Document string }
			}
			structured(t, succeeded(t, a.call(t, "add_document", map[string]any{"process": "1042", "documentTypeId": 203, "files": []string{got.File}})), &out)
			if len(out.Added) != 1 {
				t.Fatalf("added %+v", out)
			}
			uri := "balcao://processes/" + out.Process + "/documents/" + out.Added[0].Document
			read, err := a.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: uri}})
			must(t, err)
			blob, ok := read.Contents[0].(mcp.BlobResourceContents)
			if content, err := base64.StdEncoding.DecodeString(blob.Blob); !ok || err != nil || !bytes.Equal(content, pdf) || blob.MIMEType != "application/pdf" {
				t.Errorf("read %d bytes of %q, %v", len(content), blob.MIMEType, err)
			}
			contains(t, failed(t, a.call(t, "add_document", map[string]any{"process": "1042", "documentTypeId": 203, "files": []string{got.File}, "title": "again"})), "no longer there")
		})
	}
}

func TestAPersonGivesAFileInABrowser(t *testing.T) {
	t.Parallel()
	e := start(t, withFileTools(t))
	a := variants[3].start(t, e)
	got := a.asksForAddress(t)
	browser := map[string]string{"Accept": "text/html", "Accept-Language": "pt-PT", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	status, page := give(t, http.MethodGet, got.Address, nil, browser)
	if status != http.StatusOK {
		t.Errorf("a link gives %d", status)
	}
	contains(t, page, `lang="pt-PT"`, "Dar um ficheiro ao assistente", `type="file"`, `accept=".pdf,`, `enctype="multipart/form-data"`)
	lacks(t, page, "<script", "style=")
	_, page = give(t, http.MethodGet, got.Address, nil, map[string]string{"Accept": "text/html", "Accept-Language": "en"})
	contains(t, page, `lang="en"`, "Give a file to the assistant")
	_, line := give(t, http.MethodGet, got.Address, nil, nil)
	contains(t, line, "curl -T")
	at, err := url.Parse(got.Address)
	must(t, err)
	for name, c := range map[string]struct {
		content []byte
		status  int
		want    string
	}{
		"a program by another name": {[]byte("MZ\x90\x00\x03\x00\x00\x00"), http.StatusUnsupportedMediaType, "São aceites: PDF"},
		"nothing":                   {nil, http.StatusUnprocessableEntity, "O ficheiro está vazio."},
		"a web page":                {[]byte("<html><script>alert(1)</script></html>"), http.StatusUnsupportedMediaType, "do tipo HTML"},
	} {
		body, header := formOf(t, "file", "recibo.pdf", c.content)
		header["Origin"], header["Sec-Fetch-Site"] = "http://"+at.Host, "same-origin"
		status, page := give(t, http.MethodPost, got.Address, body, header)
		if status != c.status {
			t.Errorf("%s gives %d", name, status)
		}
		contains(t, page, c.want, `role="alert"`, `type="file"`) // she may choose another
	}
	body, header := formOf(t, "file", "Recibo.PDF", pdf)
	status, page = give(t, http.MethodPost, got.Address, body, header)
	if status != http.StatusCreated {
		t.Errorf("a file gives %d %s", status, page)
	}
	contains(t, page, "O ficheiro foi recebido (410 kB)")
	lacks(t, page, `type="file"`)
	if status, page = give(t, http.MethodGet, got.Address, nil, browser); status != http.StatusGone {
		t.Errorf("afterwards it gives %d", status)
	}
	contains(t, page, "Aqui já foi dado um ficheiro")
	var out takenFiles
	structured(t, succeeded(t, a.call(t, "look_at_files", map[string]any{"files": []string{got.File}})), &out)
	if out.Names[0] != "Recibo.PDF" {
		t.Errorf("it is called %q", out.Names)
	}
}

func TestAFileIsOnlyTakenFromWhoMayGiveIt(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	e := start(t, withFileTools(t), func(s *options) { s.redis = redis })
	a := variants[3].start(t, e)
	got := a.asksForAddress(t)
	for name, c := range map[string]struct {
		method, to string
		header     map[string]string
		status     int
	}{
		"another secret":          {http.MethodPut, strings.TrimSuffix(got.Address, "/") + "x/", nil, http.StatusNotFound},
		"another upload's id":     {http.MethodPut, strings.Replace(got.Address, strings.TrimPrefix(got.File, "upload:"), "zzzz", 1), nil, http.StatusNotFound},
		"another host":            {http.MethodPut, got.Address, map[string]string{"Host": "evil.example"}, http.StatusForbidden},
		"a page of another site":  {http.MethodPost, got.Address, map[string]string{"Origin": "https://evil.example"}, http.StatusForbidden},
		"a frame of another site": {http.MethodGet, got.Address, map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, http.StatusForbidden},
		"another method":          {http.MethodDelete, got.Address, nil, http.StatusNotFound},
	} {
		if status, answer := give(t, c.method, c.to, bytes.NewReader(pdf), c.header); status != c.status {
			t.Errorf("%s gives %d %s", name, status, answer)
		}
	}
	if status, _ := give(t, http.MethodPut, got.Address, bytes.NewReader(pdf), nil); status != http.StatusCreated {
		t.Fatalf("the right one gives %d", status)
	}
	if status, _ := give(t, http.MethodPut, got.Address, bytes.NewReader(pdf), nil); status != http.StatusGone {
		t.Errorf("a second file gives %d", status)
	}
	data, err := json.Marshal(map[string]any{"files": []string{got.File}})
	must(t, err)
	look, _ := e.runner.Catalogue.Named("look_at_files")
	if _, err := e.runner.Run(t.Context(), tools.Request{Tool: look, Actor: tools.Actor{ID: "bruno", Lang: words.English, Assistant: true}, Args: data}); err == nil || !strings.Contains(tools.AsError(err).Problems[0].Code, "file.gone") {
		t.Errorf("another person's assistant gets %v", err)
	}
}

func TestNamesOfFilesAreOnlyNames(t *testing.T) {
	t.Parallel()
	e := start(t, withFileTools(t))
	a := variants[3].start(t, e)
	for given, want := range map[string]string{
		"../../etc/passwd":                   "passwd.pdf",
		`C:\Users\Rui\Recibo.pdf`:            "Recibo.pdf",
		"recibo.exe":                         "recibo.pdf",
		"":                                   "document.pdf",
		"..":                                 "document.pdf",
		"a\u202efdp.exe":                     "afdp.pdf",
		strings.Repeat("ç", 10_000) + ".pdf": strings.Repeat("ç", 251) + ".pdf",
		"foto.jpeg":                          "foto.pdf",
		`a"; filename="b.pdf`:                "a; filename=b.pdf",
	} {
		got := a.asksForAddress(t)
		body, header := formOf(t, "file", "x", pdf[:100])
		if given != "" {
			var form bytes.Buffer
			_, err := io.Copy(&form, body)
			must(t, err)
			quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(given)
			body = strings.NewReader(strings.Replace(form.String(), `filename="x"`, `filename="`+quoted+`"`, 1))
		} else {
			body, header = bytes.NewReader(pdf[:100]), nil
		}
		method := http.MethodPost
		if status, answer := give(t, method, got.Address, body, header); status != http.StatusCreated {
			t.Errorf("%.40q gives %d %s", given, status, answer)
			continue
		}
		var out takenFiles
		structured(t, succeeded(t, a.call(t, "take_files", map[string]any{"files": []string{got.File}})), &out)
		if out.Names[0] != want {
			t.Errorf("%.40q is stored as %.60q, want %.60q", given, out.Names[0], want)
		}
	}
}

// zeros is a PDF that never ends.
type zeros struct{ begun bool }

func (z *zeros) Read(p []byte) (int, error) {
	n := 0
	if !z.begun {
		z.begun, n = true, copy(p, "%PDF-1.7\n")
	}
	clear(p[n:])
	return len(p), nil
}

func TestAFileIsBoundedAndStreamed(t *testing.T) {
	e := start(t, withFileTools(t), func(s *options) { s.redis = redistest.Start(t) })
	a := variants[3].start(t, e)
	got := a.asksForAddress(t)
	for name, content := range map[string]io.Reader{
		"of a length that is said": bytes.NewReader(make([]byte, got.MaxBytes+1<<20)),
		"without a length":         io.LimitReader(&zeros{}, got.MaxBytes+1),
	} {
		if status, answer := give(t, http.MethodPut, got.Address, content, nil); status != http.StatusRequestEntityTooLarge || !strings.Contains(answer, "at most 20 MB") {
			t.Errorf("one that is too large, %s, gives %d %s", name, status, answer)
		}
	}
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	highest := highestHeap(t, func() {
		if status, answer := give(t, http.MethodPut, got.Address, io.LimitReader(&zeros{}, 20<<20), nil); status != http.StatusCreated {
			t.Fatalf("20 MB give %d %s", status, answer)
		}
	})
	if extra := int64(highest) - int64(before.HeapAlloc); extra > 8<<20 {
		t.Errorf("20 MB took %d kB", extra>>10)
	}
	var out takenFiles
	structured(t, succeeded(t, a.call(t, "look_at_files", map[string]any{"files": []string{got.File}})), &out)
	if out.Sizes[0] != 20<<20 {
		t.Errorf("%d bytes arrived", out.Sizes[0])
	}
}

// highestHeap returns the highest heap while do runs, right after collections.
func highestHeap(t *testing.T, do func()) (highest uint64) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var now runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&now)
			highest = max(highest, now.HeapAlloc)
			select {
			case <-done:
				return
			default:
			}
		}
	}()
	do()
	close(done)
	<-ended
	return highest
}
