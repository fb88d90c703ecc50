package tools

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gabriel-vasile/mimetype"

	"github.com/balcao/balcao/internal/spool"
)

// FileSource finds the content of files that were given to a front end.
type FileSource interface {
	// Open returns a file, with its name and size if file lacks them. The actor must have given it: otherwise, and if it
	// does not exist or is gone, the error is [ErrNoFile]. A content of more than max bytes is refused with
	// [spool.ErrTooLarge] before it is read where its size is known. The caller closes the content.
	Open(ctx context.Context, actor Actor, file FileRef, max int64) (FileRef, *spool.File, error)
}

// ErrNoFile is the error of a file that the actor has not given, or that is gone.
var ErrNoFile = errors.New("no such file")

// fileSources are the sources by the scheme of [FileRef.ID].
type fileSources struct {
	mu       sync.RWMutex
	byScheme map[string]FileSource
}

// AddFileSource makes the files of a scheme known, such as «slack». It replaces an earlier source of the scheme.
func (r *Runner) AddFileSource(scheme string, source FileSource) {
	r.files.mu.Lock()
	defer r.files.mu.Unlock()
	if r.files.byScheme == nil {
		r.files.byScheme = map[string]FileSource{}
	}
	r.files.byScheme[scheme] = source
}

func (r *Runner) fileSource(file FileRef) FileSource {
	scheme, _, _ := strings.Cut(file.ID, ":")
	r.files.mu.RLock()
	defer r.files.mu.RUnlock()
	return r.files.byScheme[scheme]
}

// GivenFile is a file of an argument with its content.
type GivenFile struct {
	FileRef
	MediaType string // by its content, one of those that its kind accepts
	Content   *spool.File
}

// File returns a file that the field at path has, of at most max bytes. Its content is read once in a call and closed when
// the call ends. A file that is gone, is too large or is of a type that the field does not accept is a problem of the field.
func (c *Call) File(ctx context.Context, path string, file FileRef, max int64) (GivenFile, error) {
	c.mu.Lock()
	given, known := c.files[file.ID]
	c.mu.Unlock()
	if known {
		return given, nil
	}
	field, _ := c.tool.Field(path)
	accepts := field.Kind.Accepts
	refuse := func(code string, args ...any) (GivenFile, error) {
		return GivenFile{}, &Error{Kind: Invalid, Problems: []Problem{problem(c.Actor.Lang, path, code, args...)}}
	}
	source := c.runner.fileSource(file)
	if source == nil {
		return refuse("file.gone")
	}
	max = min(max, accepts.MaxSize)
	found, content, err := source.Open(ctx, c.Actor, file, max)
	switch {
	case errors.Is(err, ErrNoFile):
		return refuse("file.gone")
	case errors.Is(err, spool.ErrTooLarge):
		return refuse("file.too_large", "max", megabytes(max))
	case err != nil:
		return GivenFile{}, &Error{Kind: Unavailable, Store: true, err: fmt.Errorf("reading a file: %w", err)}
	}
	given = GivenFile{FileRef: found, Content: content}
	given.Size = content.Size()
	kind, ok := accepts.typeOf(content.Head())
	if given.MediaType = kind; !ok || content.Size() == 0 || content.Size() > max {
		_ = content.Close()
		switch {
		case content.Size() > max:
			return refuse("file.too_large", "max", megabytes(max))
		case content.Size() == 0:
			return refuse("file.empty")
		}
		return refuse("file.type", "is", kind)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		c.files = map[string]GivenFile{}
	}
	c.files[file.ID] = given
	return given, nil
}

// closeFiles closes the files that were read. c may be nil.
func (c *Call) closeFiles() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range slices.Collect(maps.Keys(c.files)) {
		_ = c.files[id].Content.Close()
		delete(c.files, id)
	}
}

// typeOf returns the accepted media type that the first bytes of a content show. Otherwise ok is false and the name is the
// usual extension of what they show, in capitals, "" if that is not known.
func (a Accepts) typeOf(head []byte) (name string, ok bool) {
	shown := mimetype.Detect(head)
	for _, accepted := range a.MediaTypes {
		if shown.Is(accepted) {
			return accepted, true
		}
	}
	return strings.ToUpper(strings.TrimPrefix(shown.Extension(), ".")), false
}

func megabytes(bytes int64) int64 { return bytes >> 20 }
