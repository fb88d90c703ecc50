// Package spool holds the content of documents while they are on their way between the bank and a person: small ones in
// memory, others in an encrypted temporary file. What it holds is bounded, and gone when it is closed or the process ends.
package spool

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

const (
	inMemory  = 64 << 10 // bytes of a content that needs no file
	headBytes = 3 << 10  // bytes that [File.Head] returns
	segment   = 16 << 10 // bytes that are encrypted at once
	maxTotal  = 1 << 30  // bytes on disk, of all files of the process
)

// What a [Writer] refuses.
var (
	ErrTooLarge = errors.New("the content is larger than it may be")
	ErrFull     = errors.New("too many documents are on their way at once")
)

// onDisk is the number of bytes in all files of the process, before encryption.
var onDisk atomic.Int64

// Writer receives a content. Either [Writer.File] or [Writer.Close] ends it.
type Writer struct {
	max   int64
	size  int64
	head  []byte
	small bytes.Buffer // until the content is too large for memory
	disk  *disk        // from then on
	err   error        // of the first write that failed
}

// NewWriter returns a Writer of a content of at most max bytes.
func NewWriter(max int64) *Writer { return &Writer{max: max} }

// Read receives all that r has. It returns [ErrTooLarge] if that is more than max bytes.
func Read(r io.Reader, max int64) (*File, error) {
	w := NewWriter(max)
	defer w.Close()
	if _, err := io.Copy(w, r); err != nil {
		return nil, err
	}
	return w.File()
}

// Write implements [io.Writer]. After an error all further writes fail with it.
func (w *Writer) Write(p []byte) (n int, err error) {
	if w.err != nil {
		return 0, w.err
	}
	defer func() { w.err = err }()
	if w.size+int64(len(p)) > w.max {
		return 0, ErrTooLarge
	}
	if w.disk == nil && w.size+int64(len(p)) > inMemory {
		if w.disk, err = newDisk(); err != nil {
			return 0, err
		}
		if _, err := w.disk.write(w.small.Bytes()); err != nil {
			return 0, err
		}
		w.small = bytes.Buffer{}
	}
	if w.disk != nil {
		n, err = w.disk.write(p)
	} else {
		n, err = w.small.Write(p)
	}
	w.size += int64(n)
	w.head = append(w.head, p[:min(n, headBytes-len(w.head))]...)
	return n, err
}

// Size returns the number of bytes received so far.
func (w *Writer) Size() int64 { return w.size }

// File ends the content and returns it.
func (w *Writer) File() (*File, error) {
	if w.err == nil && w.disk != nil {
		w.err = w.disk.end()
	}
	if w.err != nil {
		return nil, w.err
	}
	file := &File{size: w.size, head: w.head, small: w.small.Bytes(), disk: w.disk}
	w.small, w.disk, w.err = bytes.Buffer{}, nil, os.ErrClosed
	return file, nil
}

// Close discards what was received, unless [Writer.File] has returned it.
func (w *Writer) Close() error {
	if w.err == nil {
		w.err = os.ErrClosed
	}
	disk := w.disk
	w.small, w.disk = bytes.Buffer{}, nil
	return disk.close()
}

// File is a content that can be read, any number of times and at once. A nil File is empty. It prints its size only.
type File struct {
	size   int64
	head   []byte
	small  []byte
	disk   *disk
	closed atomic.Bool
}

// Size returns the number of bytes.
func (f *File) Size() int64 {
	if f == nil {
		return 0
	}
	return f.size
}

// Head returns the first bytes, from which the type of a document can be told: at most 3,072.
func (f *File) Head() []byte {
	if f == nil {
		return nil
	}
	return f.head
}

// Open returns a reader of the content from its beginning. It fails once the file is closed.
func (f *File) Open() (io.ReadCloser, error) {
	switch {
	case f == nil:
		return io.NopCloser(bytes.NewReader(nil)), nil
	case f.closed.Load():
		return nil, os.ErrClosed
	case f.disk == nil:
		return io.NopCloser(bytes.NewReader(f.small)), nil
	}
	return f.disk.open()
}

// Close removes the content. It may be called more than once.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	f.closed.Store(true)
	return f.disk.close()
}

// String returns the size.
func (f *File) String() string { return fmt.Sprintf("content of %d bytes", f.Size()) }

// Format writes String for every verb.
func (f *File) Format(s fmt.State, _ rune) { io.WriteString(s, f.String()) }

// disk is an encrypted content in a file that has no name any more. The key is in memory only.
type disk struct {
	*stored
	aead   tink.StreamingAEAD
	writer io.WriteCloser
	clean  runtime.Cleanup
}

// stored is the file and its size. It is closed when nothing refers to its disk, even if nobody has closed that.
type stored struct {
	file *os.File
	name string // of the file, if the system could not remove it while it is open; else ""
	once sync.Once
	size int64
}

func newDisk() (*disk, error) {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	aead, err := subtle.NewAESGCMHKDF(key, "SHA256", len(key), segment, 0)
	if err != nil {
		return nil, fmt.Errorf("a key for a temporary file: %w", err)
	}
	file, err := os.CreateTemp("", "balcao-*")
	if err != nil {
		return nil, errors.New("a temporary file cannot be created") // without its name
	}
	d := &disk{stored: &stored{file: file}, aead: aead}
	if os.Remove(file.Name()) != nil {
		d.name = file.Name()
	}
	d.clean = runtime.AddCleanup(d, func(s *stored) { _ = s.remove() }, d.stored)
	if d.writer, err = aead.NewEncryptingWriter(file, nil); err != nil {
		_ = d.close()
		return nil, fmt.Errorf("encrypting a temporary file: %w", err)
	}
	return d, nil
}

func (d *disk) write(p []byte) (int, error) {
	if onDisk.Add(int64(len(p))) > maxTotal {
		onDisk.Add(-int64(len(p)))
		return 0, ErrFull
	}
	d.size += int64(len(p))
	n, err := d.writer.Write(p)
	return n, withoutName(err)
}

// end writes what makes the content complete.
func (d *disk) end() error {
	err := d.writer.Close()
	d.writer = nil
	return withoutName(err)
}

func (d *disk) open() (io.ReadCloser, error) {
	reader, err := d.aead.NewDecryptingReader(&section{io.NewSectionReader(d.file, 0, 1<<62), d}, nil)
	if err != nil {
		return nil, withoutName(err)
	}
	return io.NopCloser(reader), nil
}

// section is a part of a file whose disk stays alive as long as it is read.
type section struct {
	*io.SectionReader
	of *disk
}

func (d *disk) close() error {
	if d == nil {
		return nil
	}
	d.clean.Stop()
	return d.remove()
}

// remove closes the file, once.
func (s *stored) remove() (err error) {
	s.once.Do(func() {
		onDisk.Add(-s.size)
		err = withoutName(s.file.Close())
		if s.name != "" {
			os.Remove(s.name)
		}
	})
	return err
}

// withoutName removes the path of a temporary file from an error.
func withoutName(err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("a temporary file: %s: %w", path.Op, path.Err)
	}
	return err
}
