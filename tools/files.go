package tools

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gabriel-vasile/mimetype"
	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
)

// FileSource finds the content of files that were given to a front end.
type FileSource interface {
	// Open returns a file, with its name and size if file lacks them. The actor must have given it: otherwise, and if it
	// does not exist or is gone, the error is [ErrNoFile]. A content of more than max bytes is refused with
	// [spool.ErrTooLarge] before it is read where its size is known. The caller closes the content.
	Open(ctx context.Context, actor Actor, file FileRef, max int64) (FileRef, *spool.File, error)
}

// FilePeeker is implemented by sources that can tell what is in a file without reading it whole, so that a form can refuse it
// at once.
type FilePeeker interface {
	// Peek is Open for the first bytes of a file: as many as tell its type.
	Peek(ctx context.Context, actor Actor, file FileRef) (found FileRef, head []byte, err error)
}

// FileDropper is implemented by sources that store files until they are used.
type FileDropper interface {
	// Drop removes a file that a call has used.
	Drop(ctx context.Context, actor Actor, file FileRef) error
}

// FileKeeper is implemented by sources that store files for a limited time.
type FileKeeper interface {
	// Keep stores a file until a time, or longer if it is stored longer already. Its errors are those of [FileSource].
	Keep(ctx context.Context, actor Actor, file FileRef, until time.Time) error
}

// FileProblem is the error of a source for a file that cannot be used. It is the code of the problem of the field.
type FileProblem string

// The problems of files.
const (
	FileGone      FileProblem = "file.gone"
	FileAwaited   FileProblem = "file.awaited"   // nothing was given at the address yet
	FileElsewhere FileProblem = "file.elsewhere" // it is hosted by another company or service
	FileHidden    FileProblem = "file.hidden"    // the front end lacks the right to read files
	FileBroken    FileProblem = "file.broken"    // it was not read whole
)

// Error implements error.
func (p FileProblem) Error() string { return string(p) }

// ErrNoFile is the error of a file that the actor has not given, or that is gone.
var ErrNoFile error = FileGone

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

// Mark returns a text that is the same for a file whenever it is given, and no other file's. It is added to the file's name
// at the bank, so that the bank's list shows whether the file has arrived.
func (c *Call) Mark(file FileRef) string { return c.Fingerprint([]byte("file " + file.ID))[:8] }

// fileActor returns the actor who gave a file of the call. In a call that an assistant prepared, a file of the person's own front
// end is one that she gave in its place.
func (c *Call) fileActor(file FileRef) Actor {
	scheme, _, _ := strings.Cut(file.ID, ":")
	if c.giver == "" || strings.HasPrefix(c.Actor.ID, scheme+":") {
		return c.Actor
	}
	return Actor{ID: c.giver, Lang: c.Actor.Lang}
}

// keepFiles has the files of a call that waits for a person stored until she has decided.
func (r *Runner) keepFiles(ctx context.Context, request Request, in any, until time.Time) error {
	for _, field := range request.Tool.Fields {
		value, given := field.Value(in)
		if !given || field.Kind.Control != ControlFile {
			continue
		}
		for _, file := range filesOf(value.Interface()) {
			keeper, keeps := r.fileSource(file).(FileKeeper)
			if !keeps {
				continue
			}
			err := keeper.Keep(ctx, request.Actor, file, until)
			if why, isProblem := errors.AsType[FileProblem](err); isProblem {
				return &Error{Kind: Invalid, Problems: []Problem{problem(request.Actor.Lang, field.Path, string(why))}}
			}
			if err != nil {
				return &Error{Kind: Unavailable, Store: true, err: fmt.Errorf("keeping a file: %w", err)}
			}
		}
	}
	return nil
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
	switch {
	case source == nil && c.recovered: // another program has it
		return GivenFile{}, &Error{Kind: Unavailable, Store: true, err: errors.New("no source of the file")}
	case source == nil:
		return refuse("file.gone")
	}
	max = min(max, accepts.MaxSize)
	found, content, err := source.Open(ctx, c.fileActor(file), file, max)
	why, isProblem := errors.AsType[FileProblem](err)
	switch {
	case isProblem:
		return refuse(string(why))
	case errors.Is(err, spool.ErrTooLarge):
		return refuse("file.too_large", "max", megabytes(max))
	case err != nil:
		return GivenFile{}, &Error{Kind: Unavailable, Store: true, err: fmt.Errorf("reading a file: %w", err)}
	}
	given = GivenFile{FileRef: found, Content: content}
	given.Size = content.Size()
	kind, ok := accepts.TypeOf(content.Head())
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

// dropFiles removes the files that were read from where they wait to be used.
func (c *Call) dropFiles(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTimeout)
	defer cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, file := range c.files {
		if dropper, ok := c.runner.fileSource(file.FileRef).(FileDropper); ok {
			if err := dropper.Drop(ctx, c.fileActor(file.FileRef), file.FileRef); err != nil { // its source has it for a limited time only
				c.runner.Log.WarnContext(ctx, "removing a file that was used failed", "error", pii.Scrub(err.Error()))
			}
		}
	}
}

// dropTimeout is how long a call waits until the files that it used are removed.
const dropTimeout = 2 * time.Second

// checkFiles is the check of the kinds of files: it refuses what can be told without reading a file whole. What cannot be told
// in time is left to the call.
func checkFiles(ctx context.Context, call *Call, field Field, value reflect.Value) []Problem {
	files := filesOf(value.Interface())
	problems := make([]*Problem, len(files))
	var group errgroup.Group
	group.SetLimit(4)
	for i, file := range files {
		group.Go(func() error {
			problems[i] = call.peek(ctx, field, file)
			return nil
		})
	}
	_ = group.Wait() // none returns an error
	for _, problem := range problems {
		if problem != nil { // a form shows one of each field
			return []Problem{*problem}
		}
	}
	return nil
}

// peek returns the problem of a file as far as its first bytes tell, nil if there is none.
func (c *Call) peek(ctx context.Context, field Field, file FileRef) *Problem {
	refuse := func(code string, args ...any) *Problem {
		found := problem(c.Actor.Lang, field.Path, code, args...)
		return &found
	}
	source := c.runner.fileSource(file)
	if source == nil {
		return refuse("file.gone")
	}
	peeker, ok := source.(FilePeeker)
	if !ok {
		return nil
	}
	accepts := field.Kind.Accepts
	found, head, err := peeker.Peek(ctx, c.fileActor(file), file)
	if why, is := errors.AsType[FileProblem](err); is && why != FileBroken {
		return refuse(string(why))
	}
	if err != nil {
		return nil
	}
	kind, accepted := accepts.TypeOf(head)
	switch {
	case len(head) == 0:
		return refuse("file.empty")
	case found.Size > accepts.MaxSize:
		return refuse("file.too_large", "max", megabytes(accepts.MaxSize))
	case !accepted:
		return refuse("file.type", "is", kind)
	}
	return nil
}

// Fits reports whether a file of a media type may have an extension, in lower case without the dot.
func (a Accepts) Fits(extension, mediaType string) bool {
	return slices.Contains(extensionsOf[mediaType], extension)
}

// Extension returns the usual extension of an accepted media type.
func (a Accepts) Extension(mediaType string) string {
	if extensions := extensionsOf[mediaType]; len(extensions) > 0 {
		return extensions[0]
	}
	return a.Extensions[0]
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

// TypeOf returns the accepted media type that the first bytes of a content show. Otherwise ok is false and the name is the
// usual extension of what they show, in capitals, "" if that is not known.
func (a Accepts) TypeOf(head []byte) (name string, ok bool) {
	shown := mimetype.Detect(head)
	for _, accepted := range a.MediaTypes {
		if shown.Is(accepted) {
			return accepted, true
		}
	}
	return strings.ToUpper(strings.TrimPrefix(shown.Extension(), ".")), false
}

func megabytes(bytes int64) int64 { return bytes >> 20 }
