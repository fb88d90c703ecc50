package mcpapp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// downloadLife is how long the address of a document is valid.
const downloadLife = 10 * time.Minute

// download is a document that may be fetched once: the call that reads it, as its actor.
type download struct {
	Tool  string          `json:"tool"`
	Args  json.RawMessage `json:"args"`
	Actor string          `json:"actor"`
	Lang  words.Lang      `json:"lang"`
}

const downloads = "download" // the scope of their secrets

// openDownload returns an address at which a document can be fetched once. The bank is asked for it again then, as the same
// actor: a document is not stored meanwhile.
func (a *App) openDownload(ctx context.Context, call tools.Request, name string) (address string, until time.Time, err error) {
	base, err := a.base(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	value, err := json.Marshal(download{call.Tool.Name, call.Args, call.Actor.ID, call.Actor.Lang})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("storing a download: %w", err)
	}
	secret, err := a.config.Files.PutOnce(ctx, downloads, value, downloadLife)
	if err != nil {
		return "", time.Time{}, err
	}
	return base + downloadPath + secret + "/" + url.PathEscape(name), time.Now().Add(downloadLife).UTC().Truncate(time.Second), nil
}

// sendFile sends the document of an address, once. A request for the header alone does not use the address up.
func (a *App) sendFile(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		return
	}
	r, cancel := withDeadline(w, r, fileTimeout)
	defer cancel()
	value, err := a.config.Files.TakeOnce(r.Context(), downloads, r.PathValue("secret"))
	if err != nil {
		a.answerUploadError(w, r, conversations.Upload{}, err)
		return
	}
	var wanted download
	if err := json.Unmarshal(value, &wanted); err != nil {
		a.answerGone(w, r)
		return
	}
	tool, known := a.tools[wanted.Tool]
	if !known { // it is no longer offered
		a.answerGone(w, r)
		return
	}
	release, ok := a.admitFile(w, r, wanted.Actor)
	if !ok {
		return
	}
	defer release()
	actor := tools.Actor{ID: wanted.Actor, Lang: wanted.Lang, Assistant: true}
	ctx := context.WithValue(r.Context(), callerKey{}, caller{Actor: actor, transport: "file"})
	result, failure := a.run(ctx, r.Header, tools.Request{Tool: tool, Actor: actor, Args: wanted.Args}, nil)
	if failure != nil {
		a.answerFailure(w, r, failure)
		return
	}
	defer result.Close()
	if result.Card.File == nil {
		a.answerGone(w, r)
		return
	}
	a.writeDocument(w, r, result.Card.File)
}

// answerFailure says why a document could not be read, in the language of who fetches it.
func (a *App) answerFailure(w http.ResponseWriter, r *http.Request, failure *tools.Error) {
	status := http.StatusBadGateway
	if isNotFound(failure.Kind) {
		status = http.StatusNotFound
	}
	lang := langOf(r)
	if text := failureText(failure, lang); !wantsPage(r) {
		writeLine(w, status, text)
	} else {
		writePage(w, status, page{Lang: string(lang), Title: book.Say(lang, "files.document", nil), Text: strings.Split(text, "\n")})
	}
}

// writeDocument sends a document as a file to be saved. A browser runs nothing of it.
func (a *App) writeDocument(w http.ResponseWriter, r *http.Request, file *tools.File) {
	reader, err := file.Open()
	if err != nil {
		a.config.Log.ErrorContext(r.Context(), "reading a document failed", "error", err)
		a.answerFile(w, r, http.StatusInternalServerError, "files.unavailable", nil)
		return
	}
	defer func() { _ = reader.Close() }()
	header := w.Header()
	header.Set("Content-Type", file.MediaType)
	header.Set("Content-Length", strconv.FormatInt(file.Size(), 10))
	header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(file.Name)}))
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	if _, err := io.Copy(w, reader); err != nil {
		a.config.Log.InfoContext(r.Context(), "a document was not fetched whole", "bytes", file.Size())
	}
}
