package tools

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// UploadOpener gives addresses at which an assistant, another program or a person gives a file that the assistant's model does
// not see.
type UploadOpener interface {
	// OpenUpload returns an address for one file of at most max bytes, which only the actor may use in a call. The error is
	// [ErrTooManyFiles] if the actor has too many.
	OpenUpload(ctx context.Context, actor Actor, max int64) (UploadAddress, error)
}

// UploadAddress is where a file is given.
type UploadAddress struct {
	File  string    // the reference by which a call names the file
	URL   string    // ends in a slash; whoever has it can give the file, once
	Until time.Time // to give it
}

// ErrTooManyFiles is the error of an actor who has too many files or addresses for them.
var ErrTooManyFiles = errors.New("too many files")

// uploadOpener is an UploadOpener that may be offered later.
type uploadOpener struct{ atomic.Pointer[UploadOpener] }

// OfferUploads makes the tools available that are for assistants only. Front ends for assistants call it before they serve.
func (r *Runner) OfferUploads(opener UploadOpener) { r.uploads.Store(&opener) }

// OpenUpload returns an address at which the actor of the call may give a file of at most max bytes.
func (c *Call) OpenUpload(ctx context.Context, max int64) (UploadAddress, error) {
	opener := c.runner.uploads.Load()
	if opener == nil {
		return UploadAddress{}, &Error{Kind: Forbidden}
	}
	address, err := (*opener).OpenUpload(ctx, c.Actor, max)
	switch {
	case errors.Is(err, ErrTooManyFiles):
		return UploadAddress{}, &Error{Kind: Invalid, Problems: []Problem{problem(c.Actor.Lang, "", "file.too_many")}}
	case err != nil:
		return UploadAddress{}, StoreError(err)
	}
	return address, nil
}
