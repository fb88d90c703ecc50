package slacksim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Errors of a file input, which a person sees before the app gets anything.
var (
	errFileType  = &AppError{"file_type", "the input does not accept files of this type"}
	errFileCount = &AppError{"file_count", "the input does not accept that many files"}
	errFileEmpty = &AppError{"file_empty", "Slack does not take empty files"}
	errFileSize  = &AppError{"file_size", "the simulator takes files of at most 32 MB"}
)

// Upload uploads a file of this person, for a file input. It returns the file's id, which [Values] may name.
func (u *User) Upload(name string, from io.Reader) (id string, err error) {
	f, err := u.sim.storeFile(u.ID, name, from)
	if err != nil {
		return "", err
	}
	return f.id, nil
}

// storeFile stores a file that a person uploads. The app does not see it until it is in a file input.
func (s *Sim) storeFile(userID, name string, from io.Reader) (*file, error) {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	if n := utf8.RuneCountInString(name); n > maxFileName {
		extension := []rune(path.Ext(name))
		extension = extension[:min(len(extension), 10)]
		name = string([]rune(name)[:maxFileName-len(extension)]) + string(extension)
	}
	stored, err := newBlob(from, maxFile)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, errFileSize
	case err != nil:
		return nil, err
	case stored.size == 0:
		stored.close()
		return nil, errFileEmpty
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userID]
	if u == nil {
		stored.close()
		return nil, errors.New("slacksim: there is no such person")
	}
	f := &file{id: newID("F"), name: name, owner: u.id, team: u.teamID, size: stored.size, content: stored, createdAt: s.now()}
	s.keepFile(f)
	return f, nil
}

// pageUpload receives a file that a person chose in a file input of the page.
func (s *Sim) pageUpload(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	blocks, _, _, err := s.stateOf(s.users[q.Get("user")], container{viewID: q.Get("view_id")})
	s.mu.Unlock()
	if err != nil {
		writeFailure(w, err)
		return
	}
	_, element := findElement(blocks, func(b, e map[string]any) bool {
		return b["block_id"] == q.Get("block_id") && e["action_id"] == q.Get("action_id") && e["type"] == "file_input"
	})
	if element == nil {
		writeFailure(w, errors.New("slacksim: there is no such file input"))
		return
	}
	if !acceptsType(element, q.Get("name")) {
		writeFailure(w, errFileType)
		return
	}
	f, err := s.storeFile(q.Get("user"), q.Get("name"), r.Body)
	if err != nil {
		writeFailure(w, err)
		return
	}
	s.mu.Lock()
	chosen := s.forApp(f)
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"ok": true, "file": chosen})
}

func acceptsType(element map[string]any, name string) bool {
	accepted := list(element["filetypes"])
	return len(accepted) == 0 || slices.Contains(accepted, any((&file{name: name}).extension()))
}

// chooseFiles returns the value of a file input in which a person chooses files, one a line: by the id of a file that she
// uploaded, or by a name, for which a small file of that type is made.
func (s *Sim) chooseFiles(userID string, element map[string]any, lines string) ([]any, error) {
	chosen := []any{}
	for line := range strings.SplitSeq(lines, "\n") {
		if line == "" {
			continue
		}
		s.mu.Lock()
		f := s.files[line]
		s.mu.Unlock()
		if f == nil {
			if !acceptsType(element, line) {
				return nil, errFileType
			}
			var err error
			if f, err = s.storeFile(userID, line, bytes.NewReader(sampleContent(line))); err != nil {
				return nil, err
			}
		}
		chosen = append(chosen, map[string]any{"id": f.id})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heldFiles(userID, element, chosen)
}

// sampleContent returns a small content that begins as files of a name's type do.
func sampleContent(name string) []byte {
	begin := map[string]string{
		"pdf": "%PDF-1.7\n", "png": "\x89PNG\r\n\x1a\n", "jpg": "\xff\xd8\xff\xe0", "jpeg": "\xff\xd8\xff\xe0",
		"heic": "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
	}[(&file{name: name}).extension()]
	return fmt.Appendf(nil, "%sThe content of %s\n", begin, name)
}

// heldFiles returns the file objects for what a file input is to hold: files that the person uploaded, each once. From now on
// the app may read them. s.mu must be held.
func (s *Sim) heldFiles(userID string, element map[string]any, chosen []any) ([]any, error) {
	var files []*file
	for _, each := range chosen {
		f := s.files[str(object(each)["id"])]
		switch {
		case f == nil || f.owner != userID && !f.visible || f.content == nil:
			return nil, errors.New("slacksim: the person has no such file")
		case !acceptsType(element, f.name):
			return nil, errFileType
		case !slices.Contains(files, f):
			files = append(files, f)
		}
	}
	if len(files) > intOr(element["max_files"], 10) {
		return nil, errFileCount
	}
	held := []any{}
	for _, f := range files {
		f.visible = true
		held = append(held, s.forApp(f))
	}
	return held, nil
}

// withFiles returns the state with the file objects of the simulator in place of those that a client sent. s.mu must be held.
func (s *Sim) withFiles(userID string, blocks []byte, state State) (State, error) {
	checked := state.clone()
	for blockID, actions := range state {
		for actionID, entry := range actions {
			_, element := findElement(blocks, func(b, e map[string]any) bool {
				return b["block_id"] == blockID && e["action_id"] == actionID && e["type"] == "file_input"
			})
			if element == nil || entry["files"] == nil {
				continue
			}
			held, err := s.heldFiles(userID, element, list(entry["files"]))
			if err != nil {
				return nil, err
			}
			checked[blockID][actionID] = map[string]any{"type": "file_input", "files": held}
		}
	}
	return checked, nil
}
