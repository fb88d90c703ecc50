package slacksim

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
)

// uploadURL is the first of the three steps of an upload: it returns the upload URL.
func (s *Sim) uploadURL(a args) (response, *refusal) {
	size, err := strconv.ParseInt(a["length"], 10, 64)
	switch {
	case a["filename"] == "":
		return nil, refuse("invalid_arguments", "[ERROR] missing required field: filename")
	case err != nil || size <= 0:
		return nil, refuse("invalid_arguments", "[ERROR] length must be more than 0")
	case size > maxFile:
		return nil, refuse("file_upload_size_restricted")
	}
	f := &file{
		id: newID("F"), name: a["filename"], owner: BotUserID, team: TeamID, visible: true, size: size, ticket: randomHex(16), createdAt: s.now(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepFile(f)
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
	ok := f != nil && f.ticket != "" && f.ticket == r.PathValue("ticket") && f.content == nil
	s.mu.Unlock()
	if !ok {
		return "upload_not_found", http.StatusNotFound
	}
	stored, err := uploaded(r, f.size)
	switch {
	case errors.Is(err, errTooLarge) || err == nil && stored.size != f.size:
		stored.close()
		return "length_mismatch", http.StatusBadRequest
	case err != nil:
		return "malformed_upload", http.StatusBadRequest
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.content != nil || s.files[f.id] != f { // a second upload was as fast, or the file has expired
		stored.close()
		return "upload_not_found", http.StatusNotFound
	}
	f.content = stored
	return "", http.StatusOK
}

// uploaded stores the content of an upload.
func uploaded(r *http.Request, size int64) (*blob, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return newBlob(r.Body, size)
	}
	form := multipart.NewReader(r.Body, params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return nil, err
		}
		if part.FileName() != "" {
			return newBlob(part, size)
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
		if f == nil || f.content == nil || f.ticket == "" {
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
		f.ticket, f.title = "", want[i].Title
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
