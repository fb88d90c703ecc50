package conversations

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// UploadWriter writes the content of an upload. Either [UploadWriter.Finish] or [UploadWriter.Leave] ends it.
type UploadWriter struct {
	store  *Store
	ctx    context.Context // of the request that gives the content
	upload Upload
	writer string
	buffer []byte
	chunks int
	size   int64
	err    error // of the first write that failed
}

// ErrUploadTooLarge: the content is larger than the upload may be.
var ErrUploadTooLarge = errors.New("the content is larger than it may be")

// WriteUpload begins to write an upload that [Store.UploadAt] returned, while ctx lasts. It fails with [ErrUsed] if it was written meanwhile,
// and with [ErrInUse] if another writer has begun within the last ten minutes and has not left.
func (s *Store) WriteUpload(ctx context.Context, u Upload) (*UploadWriter, error) {
	w := &UploadWriter{store: s, ctx: ctx, upload: u, writer: rand.Text(), buffer: make([]byte, 0, uploadChunk)}
	bounded, cancel := s.bounded(ctx)
	defer cancel()
	answer, err := s.run(bounded, claimUpload, []string{s.uploadKey(u.ID), s.contentKey(u.ID)}, w.writer, millis(uploadLease)).Text()
	switch {
	case err != nil:
		return nil, failed("beginning an upload", err)
	case answer == "claimed":
		return w, nil
	case answer == "used":
		return nil, ErrUsed
	case answer == "in use":
		return nil, ErrInUse
	}
	return nil, ErrGone
}

// Write implements [io.Writer]. It fails with [ErrUploadTooLarge]. After an error all further writes fail with it.
func (w *UploadWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 && w.err == nil {
		if w.size+int64(len(p)) > w.upload.Max {
			w.err = ErrUploadTooLarge
			break
		}
		part := min(len(p), cap(w.buffer)-len(w.buffer))
		w.buffer, p = append(w.buffer, p[:part]...), p[part:]
		n, w.size = n+part, w.size+int64(part)
		if len(w.buffer) == cap(w.buffer) {
			w.err = w.flush()
		}
	}
	return n, w.err
}

// Size returns the number of bytes received so far.
func (w *UploadWriter) Size() int64 { return w.size }

func (w *UploadWriter) flush() error {
	if len(w.buffer) == 0 {
		return nil
	}
	s := w.store
	ctx, cancel := s.bounded(w.ctx)
	defer cancel()
	key := s.contentKey(w.upload.ID)
	sealed, err := s.seal(chunkName(key, w.writer, w.chunks), w.buffer)
	if err != nil {
		return err
	}
	ours, err := s.run(ctx, writeUpload, []string{s.uploadKey(w.upload.ID), key}, w.writer, w.chunks, sealed).Bool()
	switch {
	case err != nil:
		return failed("writing an upload", err)
	case !ours:
		return ErrGone
	}
	w.buffer, w.chunks = w.buffer[:0], w.chunks+1
	return nil
}

// chunkName binds a chunk to its writer and its number.
func chunkName(key, writer string, n int) string {
	return key + " " + writer + " " + strconv.Itoa(n)
}

// Finish makes what was written the file of the upload, which its owner can read from now on, for another [UploadLife]. Afterwards nobody can
// write it.
func (w *UploadWriter) Finish(name, mediaType string) (Upload, error) {
	if w.err == nil {
		w.err = w.flush()
	}
	if w.err != nil {
		return Upload{}, w.err
	}
	s, u := w.store, w.upload
	ctx, cancel := s.bounded(w.ctx)
	defer cancel()
	u.StoredFile = StoredFile{Name: name, MediaType: mediaType, Size: w.size, writer: w.writer}
	u.Until = s.now().Add(UploadLife).UTC()
	plain, err := json.Marshal(u.StoredFile)
	if err != nil {
		return Upload{}, fmt.Errorf("storing an upload: %w", err)
	}
	key := s.uploadKey(u.ID)
	sealed, err := s.seal(key+" stored "+w.writer, plain)
	if err != nil {
		return Upload{}, err
	}
	about, err := s.sealUpload(u)
	if err != nil {
		return Upload{}, err
	}
	if err := s.countUpload(ctx, u, w.size, UploadLife); err != nil {
		return Upload{}, err
	}
	ours, err := s.run(ctx, finishUpload, []string{key, s.contentKey(u.ID)}, w.writer, sealed, about, millis(UploadLife)).Bool()
	switch {
	case err != nil:
		return Upload{}, failed("ending an upload", err)
	case !ours:
		return Upload{}, ErrGone
	}
	w.err = ErrUsed
	return u, nil
}

// Leave drops what was written, unless the upload is finished, so that it can be written again.
func (w *UploadWriter) Leave(ctx context.Context) error {
	if errors.Is(w.err, ErrUsed) {
		return nil
	}
	w.err = ErrGone
	ctx, cancel := w.store.bounded(ctx)
	defer cancel()
	keys := []string{w.store.uploadKey(w.upload.ID), w.store.contentKey(w.upload.ID)}
	return failed("leaving an upload", w.store.run(ctx, leaveUpload, keys, w.writer).Err())
}

// ReadUpload writes the content of an upload, or its first limit bytes. It fails with [ErrGone] if it is gone or incomplete.
func (s *Store) ReadUpload(ctx context.Context, u Upload, to io.Writer, limit int64) error {
	left := min(u.Size, limit)
	for n := 0; left > 0; n++ {
		chunk, err := s.readChunk(ctx, u, n)
		if err != nil {
			return err
		}
		if len(chunk) == 0 || int64(len(chunk)) < min(uploadChunk, left) {
			return ErrGone
		}
		chunk = chunk[:min(int64(len(chunk)), left)]
		if _, err := to.Write(chunk); err != nil {
			return err
		}
		left -= int64(len(chunk))
	}
	return nil
}

func (s *Store) readChunk(ctx context.Context, u Upload, n int) ([]byte, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.contentKey(u.ID)
	sealed, err := s.redis.HGet(ctx, key, strconv.Itoa(n)).Result()
	if errors.Is(err, redis.Nil) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, failed("reading an upload", err)
	}
	return s.open(chunkName(key, u.writer, n), sealed)
}
