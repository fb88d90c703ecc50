package mcpapp

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"sync"
)

//go:embed page
var pageFiles embed.FS

var pageTemplate = templateOf("page/upload.html")

// templateOf returns a template, which is parsed when it is first used.
func templateOf(file string) func() *template.Template {
	return sync.OnceValue(func() *template.Template { return template.Must(template.ParseFS(pageFiles, file)) })
}

// page is what a browser shows at the address of a file. Its texts are in the language of the browser.
type page struct {
	Lang, Title    string
	Problem        string
	Text           []string
	Form           bool
	Label, About   string
	Accept, Submit string
	Link, LinkText string
}

// Style is the address of the style sheet.
func (page) Style() string { return uploadPath + "style.css" }

func writePage(w http.ResponseWriter, status int, shown page) {
	var text bytes.Buffer
	if err := pageTemplate().Execute(&text, shown); err != nil {
		panic(err) // texts and booleans
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = text.WriteTo(w) // the caller is gone if this fails
}

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	style, err := pageFiles.ReadFile("page/style.css")
	if err != nil {
		panic(err) // it is embedded
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(style)
}
