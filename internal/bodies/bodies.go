// Package bodies reads the bodies of requests whose sender is not verified yet. All of them together use a limited amount of
// memory, whatever their number and length.
package bodies

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// The errors of [Read].
var (
	ErrTooLarge = errors.New("the body is too large")
	ErrTooSlow  = errors.New("the body took too long to arrive")
	ErrFull     = errors.New("too many bodies are being read")
	ErrBroken   = errors.New("the body could not be read")
)

// process is the pool for all bodies of unverified senders in this process.
var process = newPool(2 << 20)

// Body is a body that was read. Free it once its sender is verified or refused.
type Body struct {
	chunks [][]byte
	size   int
	pool   *pool
	reader *reader
}

// Read reads a body of at most size bytes that arrives within a time.
func Read(w http.ResponseWriter, r *http.Request, size int64, within time.Duration) (*Body, error) {
	return process.read(w, r, size, within)
}

// read takes memory as bytes arrive, whatever length the request declares.
func (p *pool) read(w http.ResponseWriter, r *http.Request, size int64, within time.Duration) (*Body, error) {
	if r.ContentLength > size {
		return nil, ErrTooLarge
	}
	connection := http.NewResponseController(w)
	reading := p.begin(func() { _ = connection.SetReadDeadline(time.Unix(1, 0)) }) // fails if w has no connection
	late := time.AfterFunc(within, func() { p.interrupt(reading, ErrTooSlow) })
	defer late.Stop()
	body := &Body{pool: p, reader: reading}
	from := http.MaxBytesReader(w, r.Body, size)
	for {
		chunk, err := p.take(reading)
		if err != nil {
			body.Free()
			return nil, err
		}
		n, err := fill(chunk, from)
		body.size += n
		body.chunks = append(body.chunks, chunk[:n])
		if err == nil {
			continue
		}
		ended := p.finish(reading)
		switch _, large := errors.AsType[*http.MaxBytesError](err); {
		case ended != nil:
			err = ended
		case errors.Is(err, io.EOF):
			return body, nil
		case large:
			err = ErrTooLarge
		default:
			err = ErrBroken
		}
		body.Free()
		return nil, err
	}
}

// fill reads until chunk is full or from fails, and returns the error of from unchanged, so that a truncated body is detected.
func fill(chunk []byte, from io.Reader) (filled int, err error) {
	for filled < len(chunk) && err == nil {
		var n int
		n, err = from.Read(chunk[filled:])
		filled += n
	}
	return filled, err
}

// WriteTo writes the body without copying it.
func (b *Body) WriteTo(w io.Writer) (written int64, err error) {
	for _, chunk := range b.chunks {
		n, err := w.Write(chunk)
		if written += int64(n); err != nil {
			return written, err
		}
	}
	return written, nil
}

// Bytes returns a copy of the body.
func (b *Body) Bytes() []byte {
	all := make([]byte, 0, b.size)
	for _, chunk := range b.chunks {
		all = append(all, chunk...)
	}
	return all
}

// Free returns the memory. The body is empty afterwards.
func (b *Body) Free() {
	b.pool.release(b.reader)
	b.chunks, b.size = nil, 0
}

// Status returns the HTTP status for an error of Read.
func Status(err error) int {
	switch {
	case errors.Is(err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrTooSlow):
		return http.StatusRequestTimeout
	case errors.Is(err, ErrFull):
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// Leave closes the connection after the response, without waiting for the rest of the body. Call it before the response is
// written.
func Leave(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) // fails if w has no connection
}
