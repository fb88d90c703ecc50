package content

import (
	"bytes"
	"encoding/base64"
	"io"

	"github.com/balcao/balcao/internal/spool"
)

// Body is JSON with a document in it.
type Body struct {
	before, after []byte
	document      *spool.File
}

// NewBody returns JSON with a document in place of its mark. ok is false if the JSON has no such mark.
func NewBody(json []byte, mark Mark, document *spool.File) (b *Body, ok bool) {
	before, after, ok := bytes.Cut(json, []byte(mark))
	return &Body{before, after, document}, ok
}

// Size returns the number of bytes of the body.
func (b *Body) Size() int64 {
	return int64(len(b.before)+len(b.after)) + (b.document.Size()+2)/3*4
}

// Open returns a reader of the body.
func (b *Body) Open() (io.ReadCloser, error) {
	document, err := b.document.Open()
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(b.before), &base64Reader{in: document}, bytes.NewReader(b.after)), document}, nil
}

// base64Reader encodes what it reads.
type base64Reader struct {
	in      io.Reader
	raw     [12 << 10]byte // a multiple of three
	encoded [16 << 10]byte
	pending []byte
	err     error
}

// Read implements [io.Reader].
func (r *base64Reader) Read(p []byte) (int, error) {
	if len(r.pending) == 0 && r.err == nil {
		var n int
		n, r.err = io.ReadFull(r.in, r.raw[:])
		if r.err == io.ErrUnexpectedEOF {
			r.err = io.EOF
		}
		base64.StdEncoding.Encode(r.encoded[:], r.raw[:n])
		r.pending = r.encoded[:base64.StdEncoding.EncodedLen(n)]
	}
	if len(r.pending) == 0 {
		return 0, r.err
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}
