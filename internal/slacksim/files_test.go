package slacksim_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
)

var documentModal = modal("Documento", selectInput("documento", "file_input", object{"filetypes": []string{"pdf", "jpg"}, "max_files": 2}))

// given returns the file objects of the last submission.
func (e *env) given() []any {
	e.t.Helper()
	in, _ := e.last()
	files, _ := dig(in, "view", "state", "values", "documento", "documento_chosen", "files").([]any)
	return files
}

// give submits a modal with these files and returns the file object of the first.
func (e *env) give(files ...string) object {
	e.t.Helper()
	ana := e.openModal(documentModal)
	_, err := ana.Submit(timeoutContext(e.t), slacksim.Values{"documento": strings.Join(files, "\n")})
	must(e.t, err)
	first, _ := e.given()[0].(map[string]any)
	return first
}

func (e *env) download(address string, header http.Header) (int, http.Header, []byte) {
	e.t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	must(e.t, err)
	req.Header = header
	resp, err := http.DefaultTransport.RoundTrip(req)
	must(e.t, err)
	defer resp.Body.Close()
	all, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, all
}

var bearer = http.Header{"Authorization": {"Bearer " + slacksim.DefaultBotToken}}

func TestTheAppReadsAFileThatAPersonGaveIt(t *testing.T) {
	e := newEnv(t)
	content := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("x"), 3<<20)...)
	id, err := e.User(slacksim.Ana).Upload("Recibo de março.pdf", bytes.NewReader(content))
	must(t, err)
	refused(t, e.form("files.info", url.Values{"file": {id}}), "file_not_found") // she has not given it yet
	given := e.give(id, "segundo.jpg")
	info, _ := dig(accepted(t, e.form("files.info", url.Values{"file": {id}})), "file").(map[string]any)
	for name, want := range map[string]any{
		"id": id, "name": "Recibo de março.pdf", "mimetype": "application/pdf", "filetype": "pdf", "size": float64(len(content)), "user": slacksim.Ana,
		"user_team": slacksim.TeamID, "mode": "hosted", "is_external": false,
	} {
		if given[name] != want || info[name] != want {
			t.Errorf("%s is %v in the payload and %v in files.info, want %v", name, given[name], info[name], want)
		}
	}
	for _, field := range []string{"url_private", "url_private_download"} {
		status, header, got := e.download(info[field].(string), bearer)
		if status != http.StatusOK || !bytes.Equal(got, content) || header.Get("Content-Type") != "application/pdf" {
			t.Errorf("%s gave %d, %d bytes of %s", field, status, len(got), header.Get("Content-Type"))
		}
	}
	if len(e.given()) != 2 || dig(e.given(), "1", "filetype") != "jpg" {
		t.Errorf("the payload has %v", e.given())
	}
}

func TestAFileIsRefusedAsSlackRefusesIt(t *testing.T) {
	rows := []struct {
		name   string
		change func(e *env, id string)
		header http.Header
		info   string
		status int
	}{
		{"without a token", func(*env, string) {}, http.Header{}, "", http.StatusFound},
		{"without the scope", func(e *env, _ string) { e.Grant("files:write") }, bearer, "missing_scope", http.StatusFound},
		{"deleted", func(e *env, id string) { e.DeleteFile(id) }, bearer, "file_deleted", http.StatusNotFound},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			given := e.give("recibo.pdf")
			row.change(e, given["id"].(string))
			if answer := e.form("files.info", url.Values{"file": {given["id"].(string)}}); row.info != "" {
				refused(t, answer, row.info)
			}
			status, header, _ := e.download(given["url_private_download"].(string), row.header)
			if status != row.status || status == http.StatusFound && !strings.HasPrefix(header.Get("Location"), "/signin") {
				t.Errorf("the download gave %d to %q", status, header.Get("Location"))
			}
		})
	}
	e := newEnv(t)
	refused(t, e.form("files.info", url.Values{}), "invalid_arguments")
	refused(t, e.form("files.info", url.Values{"file": {"F0NADA"}}), "file_not_found")
}

func TestAFileInputHoldsOnlyFilesOfItsPersonAndType(t *testing.T) {
	e := newEnv(t)
	toms, err := e.User(slacksim.Tom).Upload("contrato.pdf", strings.NewReader("%PDF-1.7"))
	must(t, err)
	ana := e.openModal(documentModal)
	for what, files := range map[string]string{
		"a file of another person": toms, "another type": "programa.exe", "too many": "a.pdf\nb.pdf\nc.pdf",
	} {
		if _, err := ana.Submit(timeoutContext(t), slacksim.Values{"documento": files}); err == nil {
			t.Errorf("it takes %s", what)
		}
	}
	view, _ := ana.TopView()
	forged := slacksim.State{"documento": {"documento_chosen": {"type": "file_input", "files": []any{map[string]any{"id": toms, "url_private": "https://evil.example"}}}}}
	status, answer := e.request(http.MethodPost, "/sim/submit", mustJSON(object{"user": slacksim.Ana, "view_id": view.ID, "values": forged}),
		http.Header{"X-Requested-With": {"slacksim"}})
	if status != http.StatusOK || answer["ok"] != false {
		t.Errorf("a client sends a forged file: %d %v", status, answer)
	}
}

func TestFilesOfPeopleAreBounded(t *testing.T) {
	now := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	e := newEnv(t, func(cfg *slacksim.Config) { cfg.Now = func() time.Time { return now } })
	ana := e.User(slacksim.Ana)
	if _, err := ana.Upload("vazio.pdf", strings.NewReader("")); err == nil {
		t.Error("an empty file is taken")
	}
	var failed *slacksim.AppError
	if _, err := ana.Upload("grande.pdf", io.LimitReader(zeros{}, 33<<20)); !errors.As(err, &failed) || failed.Code != "file_size" {
		t.Errorf("a file of 33 MB gave %v", err)
	}
	id, err := ana.Upload("../../"+strings.Repeat("ç", 10000)+".pdf", strings.NewReader("%PDF"))
	must(t, err)
	info := e.give(id)
	if name := info["name"].(string); len([]rune(name)) != 255 || !strings.HasSuffix(name, "ç.pdf") || strings.Contains(name, "/") {
		t.Errorf("a long name became %d characters", len([]rune(name)))
	}
	now = now.Add(25 * time.Hour)
	if _, err := ana.Upload("novo.pdf", strings.NewReader("%PDF")); err != nil || e.File(id) != nil {
		t.Errorf("a file of yesterday is kept (%v)", err)
	}
	for range 210 {
		_, err := ana.Upload("novo.pdf", strings.NewReader("%PDF"))
		must(t, err)
	}
	if n := len(e.Files()); n != 200 {
		t.Errorf("%d files are kept", n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestADownloadThatBreaksEndsEarly(t *testing.T) {
	e := newEnv(t)
	given := e.give("recibo.pdf")
	e.Fail("download", 1, slacksim.Failure{CutAfter: 5})
	req, _ := http.NewRequest(http.MethodGet, given["url_private_download"].(string), nil)
	req.Header = bearer
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err == nil || string(got) != "%PDF-" {
		t.Errorf("it gave %q and %v", got, err)
	}
}

func TestNoFileIsLeftOnTheDisk(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	e := newEnv(t)
	e.give("recibo.pdf")
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}
