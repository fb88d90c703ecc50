package slacksim

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

type file struct {
	id, name, title string
	ticket          string // in the upload URL
	size            int
	bytes           []byte // nil until uploaded
	shared          bool
	createdAt       time.Time
}

// Limits of files. Slack's own limit is 1 GB.
const (
	maxFile  = 20 << 20
	maxFiles = 200
)

func (f *file) mimeType() string {
	if kind := mime.TypeByExtension(path.Ext(f.name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

func (f *file) forUser() File {
	return File{ID: f.id, Name: f.name, Title: f.title, MimeType: f.mimeType(), Size: f.size, URL: "/sim/files/" + f.id}
}

// File returns the content of a file that the app uploaded, nil if there is none with that id.
func (s *Sim) File(id string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.files[id]; f != nil {
		return slices.Clone(f.bytes)
	}
	return nil
}

// attach stores the files that a person chooses in a file input, by name, one a line. It returns what the input then holds.
func (s *Sim) attach(element map[string]any, names string) ([]any, error) {
	held := []any{}
	for _, name := range strings.Split(names, "\n") {
		if name == "" {
			continue
		}
		extension := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
		if accepted := list(element["filetypes"]); len(accepted) > 0 && !slices.Contains(accepted, any(extension)) {
			return nil, errors.New("the input does not accept files of this type")
		}
		content := []byte("The content of " + name)
		f := &file{id: newID("F"), name: name, size: len(content), bytes: content, createdAt: s.now()}
		s.mu.Lock()
		s.files[f.id] = f
		evictOldest(s.files, maxFiles, func(f *file) time.Time { return f.createdAt })
		s.mu.Unlock()
		held = append(held, map[string]any{"id": f.id, "name": f.name, "mimetype": f.mimeType(), "filetype": extension, "size": f.size})
	}
	if len(held) > intOr(element["max_files"], 10) {
		return nil, errors.New("too many files")
	}
	return held, nil
}

// uploadURL is the first of the three steps of an upload: it returns the upload URL.
func (s *Sim) uploadURL(a args) (response, *refusal) {
	size, err := strconv.Atoi(a["length"])
	switch {
	case a["filename"] == "":
		return nil, refuse("invalid_arguments", "[ERROR] missing required field: filename")
	case err != nil || size <= 0:
		return nil, refuse("invalid_arguments", "[ERROR] length must be more than 0")
	case size > maxFile:
		return nil, refuse("file_upload_size_restricted")
	}
	f := &file{id: newID("F"), name: a["filename"], size: size, ticket: randomHex(16), createdAt: s.now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[f.id] = f
	evictOldest(s.files, maxFiles, func(f *file) time.Time { return f.createdAt })
	return response{"upload_url": s.baseURL + "/files/upload/" + f.id + "/" + f.ticket, "file_id": f.id}, nil
}

// serveUpload is the second step: it receives the content, raw or in a multipart form.
func (s *Sim) serveUpload(w http.ResponseWriter, r *http.Request) {
	s.withFailures(w, r, "upload", func(w http.ResponseWriter) {
		code, status := s.upload(r)
		s.mu.Lock()
		s.recordCall("upload", code, "")
		s.mu.Unlock()
		if code != "" {
			http.Error(w, code, status)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "OK - "+strconv.FormatInt(r.ContentLength, 10))
	})
}

func (s *Sim) upload(r *http.Request) (code string, status int) {
	s.mu.Lock()
	f := s.files[r.PathValue("id")]
	ok := f != nil && f.ticket == r.PathValue("ticket") && f.bytes == nil
	s.mu.Unlock()
	if !ok {
		return "upload_not_found", http.StatusNotFound
	}
	content, err := uploaded(r)
	switch {
	case err != nil:
		return "malformed_upload", http.StatusBadRequest
	case len(content) != f.size:
		return "length_mismatch", http.StatusBadRequest
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.bytes = content
	return "", http.StatusOK
}

// uploaded reads the content of an upload. It reads somewhat more than maxFile, so that a file that is too long is noticed.
func uploaded(r *http.Request) ([]byte, error) {
	body := io.LimitReader(r.Body, maxFile+64<<10)
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return io.ReadAll(body)
	}
	form := multipart.NewReader(body, params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return nil, err
		}
		if part.FileName() != "" {
			return io.ReadAll(part)
		}
	}
}

// completeUpload is the third step: it shares the files.
func (s *Sim) completeUpload(a args) (response, *refusal) {
	var want []struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	if json.Unmarshal([]byte(a["files"]), &want) != nil || len(want) == 0 || len(want) > 10 {
		return nil, refuse("invalid_arguments", pointerProblem("/files", "must provide 1 to 10 files"))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var files []*file
	summaries := []any{}
	for _, want := range want {
		f := s.files[want.ID]
		if f == nil || f.bytes == nil || f.shared {
			return nil, refuse("file_not_found")
		}
		files = append(files, f)
		summaries = append(summaries, map[string]any{"id": want.ID, "title": want.Title})
	}
	channels, refused := s.shareWith(a)
	if refused != nil {
		return nil, refused
	}
	for i, f := range files {
		f.shared, f.title = true, want[i].Title
		setDefault(&f.title, f.name)
	}
	for _, c := range channels {
		s.add(c, &message{user: BotUserID, text: a["initial_comment"], thread: a["thread_ts"], files: files})
	}
	return response{"files": summaries}, nil
}

// shareWith returns the conversations to share files in. s.mu must be held.
func (s *Sim) shareWith(a args) ([]*channel, *refusal) {
	ids := a["channel_id"]
	if a["channels"] != "" {
		ids = strings.Trim(ids+","+a["channels"], ",")
	}
	if ids == "" {
		return nil, nil // the file stays private
	}
	var channels []*channel
	for id := range strings.SplitSeq(ids, ",") {
		if id == a["channel_id"] && s.users[id] != nil {
			return nil, refuse("channel_not_found") // only the argument channels accepts user ids
		}
		c, refused := s.channelToPost(id)
		if refused != nil {
			return nil, refused
		}
		if a["thread_ts"] != "" && c.message(a["thread_ts"]) == nil {
			return nil, refuse("thread_not_found")
		}
		channels = append(channels, c)
	}
	if a["thread_ts"] != "" && len(channels) > 1 {
		return nil, refuse("invalid_arguments", pointerProblem("/thread_ts", "only one channel with thread_ts"))
	}
	return channels, nil
}

// servePrivateFile serves a file to the app, which needs its token.
func (s *Sim) servePrivateFile(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+s.cfg.BotToken {
		http.Error(w, "not_authed", http.StatusUnauthorized)
		return
	}
	s.serveFile(w, r)
}

// serveFile serves a shared file to the page. The sandbox policy keeps a browser from running scripts in it.
func (s *Sim) serveFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.files[r.PathValue("id")]
	s.mu.Unlock()
	if f == nil || !f.shared {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.mimeType())
	w.Header().Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": f.name}))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if f.mimeType() != "application/pdf" {
		w.Header().Set("Content-Security-Policy", "sandbox")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(f.bytes)))
	_, _ = w.Write(f.bytes)
}
