package slacksim

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// file is a file of the workspace: the app's, or one that a person gave in a file input.
type file struct {
	id, name, title string
	owner           string // who uploaded it
	team            string // of the owner
	elsewhere       string // the address of a file that another company or service hosts, or ""
	ticket          string // in the upload URL
	size            int64
	content         *blob // nil until it is uploaded
	visible         bool  // to the app: the app shared it, or a person gave it to the app
	deleted         bool
	createdAt       time.Time
}

// Limits of files. Slack's own limit of one file is 1 GB. Contents are in files on the disk that have no name any more.
const (
	maxFile     = 32 << 20
	maxFiles    = 200
	maxContents = 512 << 20 // all files together
	fileLife    = 24 * time.Hour
	maxFileName = 255 // characters
)

// errTooLarge is returned for a file of more than maxFile bytes.
var errTooLarge = errors.New("the file is too large")

// blob is the content of a file, on the disk. It is read by several readers at a time.
type blob struct {
	on   *os.File
	size int64
}

// newBlob stores what a reader gives. It returns errTooLarge for more than limit bytes.
func newBlob(from io.Reader, limit int64) (*blob, error) {
	on, err := os.CreateTemp("", "slacksim-*")
	if err != nil {
		return nil, fmt.Errorf("slacksim: %w", err)
	}
	size, err := io.Copy(on, io.LimitReader(from, limit+1))
	err = errors.Join(err, os.Remove(on.Name()))
	if err == nil && size > limit {
		err = errTooLarge
	}
	if err != nil {
		return nil, errors.Join(err, on.Close())
	}
	return &blob{on, size}, nil
}

func (b *blob) reader() io.ReadSeeker { return io.NewSectionReader(b.on, 0, b.size) }

func (b *blob) close() {
	if b != nil {
		_ = b.on.Close() // the disk has its space back even if this fails
	}
}

// keepFile stores a file, and drops the oldest beyond the limits. s.mu must be held.
func (s *Sim) keepFile(f *file) {
	s.files[f.id] = f
	now := s.now()
	for id, old := range s.files {
		if now.Sub(old.createdAt) > fileLife {
			s.dropFile(id)
		}
	}
	for len(s.files) > maxFiles || s.storedBytes() > maxContents {
		oldest := f
		for _, other := range s.files {
			if other.createdAt.Before(oldest.createdAt) {
				oldest = other
			}
		}
		s.dropFile(oldest.id)
	}
}

func (s *Sim) storedBytes() (total int64) {
	for _, f := range s.files {
		total += f.size
	}
	return total
}

// dropFile forgets a file. s.mu must be held.
func (s *Sim) dropFile(id string) {
	s.files[id].content.close()
	delete(s.files, id)
}

// closeFiles drops all files.
func (s *Sim) closeFiles() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.files {
		s.dropFile(id)
	}
}

func (f *file) extension() string { return strings.ToLower(strings.TrimPrefix(path.Ext(f.name), ".")) }

// types of the files that systems may lack.
var mimeTypes = map[string]string{"heic": "image/heic", "pdf": "application/pdf", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}

func (f *file) mimeType() string {
	if kind := mimeTypes[f.extension()]; kind != "" {
		return kind
	}
	if kind := mime.TypeByExtension(path.Ext(f.name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// fileType is Slack's short name of the type.
func (f *file) fileType() string {
	switch extension := f.extension(); extension {
	case "jpeg":
		return "jpg"
	case "":
		return "binary"
	default:
		return extension
	}
}

func (f *file) forUser() File {
	return File{ID: f.id, Name: f.name, Title: f.title, MimeType: f.mimeType(), Size: int(f.size), URL: "/sim/files/" + f.id}
}

// forApp returns the file object that the app gets. s.mu must be held.
func (s *Sim) forApp(f *file) map[string]any {
	if f.deleted {
		return map[string]any{"id": f.id, "mode": "tombstone"}
	}
	host := s.baseURL + "/files-pri/" + TeamID + "-" + f.id + "/"
	private, download := host+url.PathEscape(f.name), host+"download/"+url.PathEscape(f.name)
	mode := "hosted"
	if f.elsewhere != "" {
		private, download, mode = f.elsewhere, f.elsewhere, "external"
	}
	created := f.createdAt.Unix()
	return map[string]any{
		"id": f.id, "created": created, "timestamp": created, "name": f.name, "title": or(f.title, f.name), "mimetype": f.mimeType(),
		"filetype": f.fileType(), "pretty_type": strings.ToUpper(f.fileType()), "user": f.owner, "user_team": f.team, "editable": false,
		"size": f.size, "mode": mode, "is_external": f.elsewhere != "", "external_type": "", "is_public": false, "public_url_shared": false,
		"display_as_bot": false, "username": "", "url_private": private, "url_private_download": download,
		"permalink": "https://" + TeamDomain + ".slack.com/files/" + f.owner + "/" + f.id, "is_starred": false, "has_rich_preview": false,
		"file_access": "visible",
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// File returns the content of a file, nil if there is none with that id.
func (s *Sim) File(id string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[id]
	if f == nil || f.content == nil {
		return nil
	}
	all, err := io.ReadAll(f.content.reader())
	if err != nil {
		return nil
	}
	return all
}

// DeleteFile deletes a file, as its owner may at any time.
func (s *Sim) DeleteFile(id string) { s.changeFile(id, func(f *file) { f.deleted = true }) }

// SetFileOwner makes a file that of another person, perhaps of another company.
func (s *Sim) SetFileOwner(id, userID string) {
	s.changeFile(id, func(f *file) { f.owner, f.team = userID, s.users[userID].teamID })
}

// SetFileURL makes a file one that is hosted elsewhere, as those of other services are.
func (s *Sim) SetFileURL(id, address string) {
	s.changeFile(id, func(f *file) { f.elsewhere = address })
}

// SetFileSize makes Slack say another size of a file than it has.
func (s *Sim) SetFileSize(id string, size int64) { s.changeFile(id, func(f *file) { f.size = size }) }

func (s *Sim) changeFile(id string, change func(*file)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.files[id]; f != nil {
		change(f)
	}
}

// Files returns the ids of all files that people uploaded, the oldest first.
func (s *Sim) Files() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, f := range s.files {
		if f.owner != BotUserID {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return s.files[a].createdAt.Compare(s.files[b].createdAt) })
	return ids
}
