package pagetest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/slacksim"
)

// fileApp asks for documents, and records the files of each submission.
func fileApp(t *testing.T, app *testApp, submitted chan<- []any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		form, _ := url.ParseQuery(string(raw))
		if form.Has("command") {
			app.call("views.open", object{"trigger_id": form.Get("trigger_id"), "view": object{
				"type": "modal", "title": plain("Novo documento"), "submit": plain("Guardar"), "close": plain("Cancelar"),
				"blocks": []object{inputBlock("ficheiros", "Ficheiros", object{"type": "file_input", "filetypes": []string{"pdf", "jpg"}, "max_files": 3})},
			}})
			return
		}
		var in struct {
			View struct {
				State struct {
					Values map[string]map[string]struct{ Files []any }
				}
			}
		}
		if json.Unmarshal([]byte(form.Get("payload")), &in) == nil && in.View.State.Values != nil {
			submitted <- in.View.State.Values["ficheiros"]["value"].Files
		}
	})
}

func TestFilesAreChosenDroppedAndRemoved(t *testing.T) {
	t.Parallel()
	app := &testApp{t: t}
	submitted := make(chan []any, 1)
	appServer := httptest.NewServer(fileApp(t, app, submitted))
	t.Cleanup(appServer.Close)
	workspace := slacksim.New(slacksim.Config{RequestURL: appServer.URL})
	server := httptest.NewServer(workspace)
	t.Cleanup(func() {
		if err := workspace.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	workspace.SetBaseURL(server.URL)
	app.workspace = server.URL
	folder := t.TempDir()
	path := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}

	p := browsertest.Open(t, server.URL+"/?user="+slacksim.Ana)
	p.Do(chromedp.Evaluate[chromedp.Void](`window.broken = []; document.addEventListener('securitypolicyviolation', (event) => window.broken.push(event.violatedDirective))`))
	p.Until("the page is ready", `document.querySelector('#channels button') && document.activeElement.id === 'composer'`)
	p.Keys("/documento" + kb.Enter)
	p.Until("the input has the focus", `document.activeElement.matches('dialog input[type=file]') && document.activeElement.multiple && document.activeElement.accept === '.pdf,.jpg'`)
	const input = "dialog input[type=file]"
	p.ChooseFiles(input, path("recibo.pdf", "%PDF-1.7\n"+strings.Repeat("x", 48_000)), path("foto.jpg", "\xff\xd8\xff\xe0"+strings.Repeat("y", 2_400_000)))
	p.Until("both are listed with their sizes", `[...document.querySelectorAll('.chosen li')].map((li) => li.innerText.replace(/\s+/g, ' ')).join(';') === 'recibo.pdf 48 kB ✕;foto.jpg 2,4 MB ✕'`)
	p.ChooseFiles(input, path("programa.exe", "MZ"))
	p.Until("another type is refused", `document.querySelector('.drop .problem').innerText.includes('programa.exe') && document.querySelectorAll('.chosen li').length === 2`)
	p.ChooseFiles(input, path("vazio.pdf", ""))
	p.Until("an empty file is refused", `document.querySelector('.drop .problem').innerText.includes('vazio') && document.querySelectorAll('.chosen li').length === 2`)
	p.Eval(`(() => {
		const transfer = new DataTransfer();
		for (const name of ['largado.pdf', 'outro.pdf']) transfer.items.add(new File(['%PDF-1.7 ' + name], name));
		document.querySelector('.drop').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
	})()`)
	p.Until("one was dropped, and the next is one too many", `document.querySelectorAll('.chosen li:not([aria-busy])').length === 3 && document.querySelector('.drop .problem').innerText.includes('3 ficheiros')`)
	p.Do(chromedp.EmulateViewport(375, 720))
	p.Until("nothing is wider than a phone", `document.querySelector('dialog .body').scrollWidth <= document.querySelector('dialog .body').clientWidth`)
	p.Click(".chosen li:nth-child(2) button")
	p.Until("it is removed", `document.querySelectorAll('.chosen li').length === 2 && !document.querySelector('.chosen').innerText.includes('foto.jpg')`)
	p.Click("dialog .submit")
	p.Until("the modal closes", `!document.querySelector('dialog')`)
	files := <-submitted
	var names []string
	for _, file := range files {
		file := file.(map[string]any)
		names = append(names, file["name"].(string))
		if content := workspace.File(file["id"].(string)); int(file["size"].(float64)) != len(content) || !strings.HasPrefix(string(content), "%PDF-1.7") {
			t.Errorf("%v has %d bytes", file, len(content))
		}
	}
	if got := strings.Join(names, " "); got != "recibo.pdf largado.pdf" {
		t.Errorf("the app got %q", got)
	}
	if broken, _ := p.Eval(`window.broken`).([]any); len(broken) != 0 {
		t.Errorf("broken directives: %v", broken)
	}
}
