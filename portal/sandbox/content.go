package sandbox

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/balcao/balcao/internal/content"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/portal"
)

// takesDocuments reports whether the body of an operation has a document, and is read piece by piece.
func takesDocuments(id portal.OperationID) bool {
	return id == portal.DocumentCreate || id == portal.DocumentUpdate
}

// readDocument reads a body with a document, of the size that the profile has. It is read once the session is known: a
// caller who waits for «100 Continue» sends nothing in vain.
func (b *Bank) readDocument(w http.ResponseWriter, c *call) ([]byte, content.Files, error) {
	if !isJSON(c.r) {
		return nil, nil, refused(http.StatusUnsupportedMediaType, "request.contentType")
	}
	most := b.config.Profile.Operations[string(portal.DocumentCreate)].Content.Size
	if most == 0 {
		most = 32 << 20
	}
	if c.r.ContentLength > most/3*4+maxBody {
		return nil, nil, refused(http.StatusBadRequest, "document.size")
	}
	sent := strings.ToLower(strings.ReplaceAll(c.wire.BodyName("documentContent"), "_", ""))
	body, files, err := content.Read(http.MaxBytesReader(w, c.r.Body, most/3*4+maxBody), []string{sent}, maxBody, most)
	_, tooLong := errors.AsType[*http.MaxBytesError](err)
	switch {
	case err == nil:
		return body, files, nil
	case errors.Is(err, spool.ErrTooLarge), tooLong:
		return nil, nil, refused(http.StatusBadRequest, "document.size")
	case errors.Is(err, content.ErrRest):
		return nil, nil, refused(http.StatusRequestEntityTooLarge, "request.tooLarge")
	case errors.Is(err, content.ErrBase64):
		return nil, nil, &refusal{http.StatusBadRequest, []problem{{"field.format", "documentContent"}}}
	case errors.Is(err, spool.ErrFull):
		return nil, nil, refused(http.StatusInsufficientStorage, "request.failed")
	}
	return nil, nil, refused(http.StatusBadRequest, "request.json")
}

// writeDocument writes the first bytes of a body. A failure means that the caller has disconnected, or gets a cut reply.
func writeDocument(w io.Writer, body *content.Body, bytes int64) {
	reader, err := body.Open()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer reader.Close()
	if _, err := io.CopyN(w, reader, bytes); err != nil {
		panic(http.ErrAbortHandler)
	}
}
