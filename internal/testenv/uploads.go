package testenv

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/tools"
)

// Uploads are the files that actors have given, for all replicas. It is the [tools.FileSource] of the scheme «upload», and has
// the file of the examples of tools, «upload:example».
type Uploads struct {
	mu     sync.Mutex
	files  map[string]upload
	kept   map[string]time.Time
	opened int
}

type upload struct {
	name    string
	content []byte
}

// NewUploads returns the file of the examples.
func NewUploads() *Uploads {
	return &Uploads{files: map[string]upload{"upload:example": {"recibo.pdf", []byte("%PDF-1.7\n")}}, kept: map[string]time.Time{}}
}

// Give returns the reference of a new file.
func (u *Uploads) Give(name string, content []byte) tools.FileRef {
	u.mu.Lock()
	defer u.mu.Unlock()
	id := fmt.Sprintf("upload:%d", len(u.files))
	u.files[id] = upload{name, content}
	return tools.FileRef{ID: id, Name: pii.New[pii.Private](name), Size: int64(len(content))}
}

// Remove removes a file.
func (u *Uploads) Remove(file tools.FileRef) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.files, file.ID)
}

// Opened returns how often a content was read.
func (u *Uploads) Opened() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.opened
}

// Open implements [tools.FileSource].
func (u *Uploads) Open(_ context.Context, _ tools.Actor, file tools.FileRef, max int64) (tools.FileRef, *spool.File, error) {
	u.mu.Lock()
	given, known := u.files[file.ID]
	u.opened++
	u.mu.Unlock()
	if !known {
		return file, nil, tools.ErrNoFile
	}
	content, err := spool.Read(bytes.NewReader(given.content), max)
	file.Name, file.Size = pii.New[pii.Private](given.name), content.Size()
	return file, content, err
}

// Keep implements [tools.FileKeeper].
func (u *Uploads) Keep(_ context.Context, _ tools.Actor, file tools.FileRef, until time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, known := u.files[file.ID]; !known {
		return tools.ErrNoFile
	}
	u.kept[file.ID] = until
	return nil
}

// KeptUntil returns until when a file has to be kept; the zero time if nobody asked for that.
func (u *Uploads) KeptUntil(file tools.FileRef) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.kept[file.ID]
}

// FilesArg returns files as a value of the arguments.
func FilesArg(files ...tools.FileRef) string {
	var ids []string
	for _, file := range files {
		ids = append(ids, fmt.Sprintf("%q", file.ID))
	}
	return "[" + strings.Join(ids, ",") + "]"
}
