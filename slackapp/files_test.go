package slackapp_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/slackapp"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

// takeFiles is a tool that takes files beside a text.
type takeFiles struct {
	Note  string         `json:"note" page:"files" pii:"open"`
	Files tools.FileRefs `json:"files" page:"files" validate:"required"`
	Other string         `json:"other,omitzero" page:"more" pii:"open"`
}

type takenFiles struct {
	Text string `json:"text" pii:"open"`
}

func (t takenFiles) Card(tools.Say) tools.Card { return tools.Card{Title: "Taken", Text: t.Text} }
func (takenFiles) Subject() tools.Subject      { return tools.Subject{} }

// withFileTool adds a tool that takes files of at most 4 MB, and says what they are.
func withFileTool(t testing.TB) func(*options) {
	t.Helper()
	text := ""
	for _, line := range []string{
		`take_files.title = Take files`, `take_files.help = x`, `take_files.command = take`, `take_files.submit = Send`, `page.files = Files page`,
		`page.more = More page`, `field.files.label = Files`, `field.note.label = Note`, `field.other.label = Other`,
	} {
		name, value, _ := strings.Cut(line, " = ")
		text += `"` + name + `" = "` + value + "\"\n"
	}
	set := tools.NewToolset("test", fstest.MapFS{"words/en.toml": {Data: []byte(text)}, "words/pt-PT.toml": {Data: []byte(text)}})
	tools.Define(set, tools.Spec{Name: "take_files", Effect: tools.Creates, AlwaysForm: true}, func(ctx context.Context, call *tools.Call, in takeFiles) (takenFiles, error) {
		var all []string
		for _, ref := range in.Files {
			file, err := call.File(ctx, "files", ref, 4<<20)
			if err != nil {
				return takenFiles{}, err
			}
			all = append(all, file.MediaType+" "+tools.FormatNumber(file.Size))
		}
		return takenFiles{in.Note + ": " + strings.Join(all, ", ")}, nil
	})
	all, err := tools.NewCatalogue(append(catalogue.New().Toolsets, set)...)
	must(t, err)
	return func(o *options) {
		o.tools = all
		o.Manifest, err = slackapp.Manifest(all, "https://slack.invalid", false, "pt-PT", "en")
		must(t, err)
	}
}

// uploads uploads a file as Slack's client does once it is chosen.
func (s user) uploads(name string, content []byte) string {
	s.h.t.Helper()
	id, err := s.Upload(name, bytes.NewReader(content))
	must(s.h.t, err)
	return id
}

func pdfOf(size int) []byte { return append([]byte("%PDF-1.7\n"), make([]byte, size-9)...) }

func TestFilesAreGivenInAFormAndSurviveItsPages(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP, withFileTool(t))
	ana := h.ana()
	ana.types("/take")
	ana.sees("Files page")
	if done := ana.submits(slacksim.Values{"note": "Maria", "files": ana.uploads("recibo.pdf", pdfOf(3<<20)) + "\n" + ana.uploads("foto.png", []byte("\x89PNG\r\n\x1a\n"))}); done.Action != "update" {
		t.Fatalf("the page: %+v", done)
	}
	ana.sees("More page")
	ana.presses("back")
	ana.sees("Files page", "Já dados: recibo.pdf, foto.png", "Retirar")
	ana.submits(nil) // the files stay
	ana.sees("More page")
	ana.presses("back")
	ana.sees("Já dados: recibo.pdf, foto.png")
	ana.presses("no_files")
	view, err := ana.WaitView(h.ctx(), func(v slacksim.View) bool { return !strings.Contains(v.Text(), "Já dados") })
	must(t, err)
	if typed(view.Values["note"]) != "Maria" {
		t.Errorf("the note is %q", typed(view.Values["note"]))
	}
	if done := ana.submits(nil); done.Action != "incomplete" {
		t.Errorf("without files: %+v", done)
	}
	ana.submits(slacksim.Values{"files": ana.uploads("outro.jpg", []byte("\xff\xd8\xff\xe0 12"))})
	ana.sees("More page")
	ana.submits(nil)
	ana.sees("Confirmação", "outro.jpg")
	ana.submits(nil)
	ana.sees("Taken", "Maria: image/jpeg 7")
	h.checkNoRefusals()
	for _, secret := range []string{"recibo.pdf", "outro.jpg", "foto.png"} {
		if strings.Contains(h.log.String(), secret) || bytes.Contains(h.redis.Written(), []byte(secret)) {
			t.Errorf("%s is in the log or in Redis", secret)
		}
	}
}

func TestAFileThatCannotBeUsedIsAnErrorUnderItsField(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file    string
		content []byte
		change  func(s *slacksim.Sim, id string)
		want    string
	}{
		"a program by another name": {"recibo.pdf", []byte("MZ\x90\x00\x03\x00\x00\x00\x04"), nil, "Pelo conteúdo, o ficheiro é do tipo EXE"},
		"deleted meanwhile":         {"recibo.pdf", pdfOf(100), func(s *slacksim.Sim, id string) { s.DeleteFile(id) }, "já não está disponível"},
		"of another person":         {"recibo.pdf", pdfOf(100), func(s *slacksim.Sim, id string) { s.SetFileOwner(id, slacksim.Tom) }, "já não está disponível"},
		"of another company":        {"recibo.pdf", pdfOf(100), func(s *slacksim.Sim, id string) { s.SetFileURL(id, "https://files.example/recibo.pdf") }, "guardado noutra empresa ou serviço"},
		"without the scope":         {"recibo.pdf", pdfOf(100), func(s *slacksim.Sim, _ string) { s.Grant("chat:write", "files:write", "im:write", "users:read") }, "não pode ler ficheiros"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, overHTTP, withFileTool(t), func(o *options) { o.ackWait = ackWaitForever })
			ana := h.ana()
			ana.types("/take")
			ana.sees("Files page")
			id := ana.uploads(c.file, c.content)
			ana.fills(slacksim.Values{"note": "Maria", "files": id})
			if c.change != nil {
				c.change(h.sim, id)
			}
			done, err := ana.Submit(h.ctx(), nil)
			must(t, err)
			if done.Action != "errors" || !strings.Contains(done.Errors["files"], c.want) {
				t.Fatalf("got %+v", done)
			}
			ana.submits(slacksim.Values{"files": ana.uploads("certo.pdf", pdfOf(100))}) // what she typed is still there
			if c.change == nil {
				ana.sees("More page")
				ana.submits(nil)
				ana.sees("Confirmação", "Maria", "certo.pdf")
			}
		})
	}
}

func TestAFileThatBreaksWhileItIsSentIsKeptAndSentAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP, withFileTool(t))
	ana := h.ana()
	ana.types("/take")
	ana.sees("Files page")
	ana.submits(slacksim.Values{"note": "Maria", "files": ana.uploads("recibo.pdf", pdfOf(2<<20))})
	ana.sees("More page")
	ana.submits(nil)
	ana.sees("Confirmação", "recibo.pdf")
	peeks := h.sim.Calls("download")
	h.sim.Fail("download", 1, slacksim.Failure{}) // of the look before it is sent
	h.sim.Fail("download", 1, slacksim.Failure{CutAfter: 1 << 20})
	ana.submits(nil)
	ana.sees("não pôde ser lido por inteiro", "recibo.pdf")
	if n := h.sim.Calls("download") - peeks; n < 2 {
		t.Errorf("%d downloads", n)
	}
	ana.presses("fix")
	ana.sees("Files page", "Já dados: recibo.pdf")
	ana.submits(nil)
	ana.sees("More page")
	ana.submits(nil)
	ana.sees("Confirmação", "Send")
	ana.submits(nil)
	ana.sees("Taken", "Maria: application/pdf 2097152")
}

func TestAFileTooLargeForTheBankIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP, withFileTool(t))
	ana := h.ana()
	ana.types("/take")
	ana.sees("Files page")
	ana.submits(slacksim.Values{"note": "Maria", "files": ana.uploads("grande.pdf", pdfOf(5<<20))})
	ana.sees("More page")
	ana.submits(nil)
	ana.sees("Confirmação")
	before := h.sim.Calls("download")
	ana.submits(nil)
	ana.sees("O ficheiro é demasiado grande: no máximo 4 MB", "grande.pdf")
	if n := h.sim.Calls("download") - before; n > 2 { // looks, none of the whole
		t.Errorf("%d downloads", n)
	}
}

// The token must not leave Slack, whatever address a file has or wherever Slack's host redirects.
func TestTheTokenGoesToSlacksHostOfFilesOnly(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	foreign := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			asked.Add(1)
		}
	}))
	t.Cleanup(foreign.Close)
	var target atomic.Value
	h := newHarness(t, overHTTP, withFileTool(t), func(o *options) { o.ackWait = ackWaitForever })
	redirecting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/files-pri/") && target.Load() != nil {
			http.Redirect(w, r, target.Load().(string), http.StatusFound)
			return
		}
		h.sim.ServeHTTP(w, r)
	}))
	t.Cleanup(redirecting.Close)
	for name, change := range map[string]func(id string){
		"the address of the file": func(id string) { h.sim.SetFileURL(id, foreign.URL+"/recibo.pdf") },
		"a redirect of Slack":     func(string) { target.Store(foreign.URL) },
		"a name that looks alike": func(id string) {
			h.sim.SetFileURL(id, strings.Replace(h.sim.APIURL(), "127.0.0.1", "127.0.0.1.example", 1))
		},
		"a user before the host":    func(id string) { h.sim.SetFileURL(id, strings.Replace(h.sim.APIURL(), "http://", "http://files@", 1)) },
		"an address that is broken": func(id string) { h.sim.SetFileURL(id, "http://%zz") },
	} {
		ana := h.ana()
		ana.types("/take")
		ana.sees("Files page")
		id := ana.uploads("recibo.pdf", pdfOf(100))
		h.sim.SetBaseURL(redirecting.URL)
		ana.fills(slacksim.Values{"note": "Maria", "files": id})
		change(id)
		done, err := ana.Submit(h.ctx(), nil)
		must(t, err)
		if done.Action != "errors" || done.Errors["files"] == "" {
			t.Errorf("%s: got %+v", name, done)
		}
		must(t, ana.Close(h.ctx()))
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the token was sent %d times", n)
	}
}
