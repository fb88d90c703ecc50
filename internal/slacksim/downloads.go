package slacksim

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// filesRead is the scope that reading files needs.
const filesRead = "files:read"

// fileInfo describes a file that the app may see.
func (s *Sim) fileInfo(a args) (response, *refusal) {
	if a["file"] == "" {
		return nil, refuse("invalid_arguments", "[ERROR] missing required field: file")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch f := s.files[a["file"]]; {
	case f == nil || !f.visible || f.content == nil:
		return nil, refuse("file_not_found")
	case f.deleted:
		return nil, refuse("file_deleted")
	default:
		return response{"file": s.forApp(f), "comments": []any{}, "content_html": nil}, nil
	}
}

// serveDownload serves a file at its url_private or url_private_download. Without a token that may read files it redirects to
// the page for signing in, as Slack does, and not with an error.
func (s *Sim) serveDownload(w http.ResponseWriter, r *http.Request) {
	s.withFailures(w, r, "download", func(w http.ResponseWriter) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.mu.Lock()
		_, id, _ := strings.Cut(r.PathValue("file"), "-")
		f := s.files[id]
		var code string
		switch {
		case token != s.cfg.BotToken || s.revoked || !slices.Contains(s.granted, filesRead):
			code = "not_authed"
		case f == nil || !f.visible || f.deleted || f.content == nil:
			code = "file_not_found"
		}
		s.recordCall("download", code, "")
		s.mu.Unlock()
		switch code {
		case "":
			writeFile(w, r, f, "attachment")
		case "not_authed":
			http.Redirect(w, r, "/signin?redir="+url.QueryEscape(r.URL.Path), http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	})
}

// serveSignIn is the page to which Slack sends who may not read a file.
func serveSignIn(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>")
}

// serveFile serves a file to the page.
func (s *Sim) serveFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.files[r.PathValue("id")]
	ok := f != nil && !f.deleted && f.content != nil && f.ticket == ""
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	writeFile(w, r, f, "inline")
}

// writeFile writes a file's content. The sandbox policy keeps a browser from running scripts in it.
func writeFile(w http.ResponseWriter, r *http.Request, f *file, disposition string) {
	w.Header().Set("Content-Type", f.mimeType())
	w.Header().Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.name}))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if f.mimeType() != "application/pdf" {
		w.Header().Set("Content-Security-Policy", "sandbox")
	}
	http.ServeContent(w, r, "", time.Time{}, f.content.reader())
}
