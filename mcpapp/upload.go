package mcpapp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

const (
	headBytes   = 3 << 10  // from which the type of a file is told
	maxFormPart = 64 << 10 // bytes of a form beside its file
	maxDrained  = 64 << 20 // bytes too many that are read of a browser's request, which shows no answer before it has sent all
	maxName     = 255      // characters of a file's name
	uploads     = "upload" // the scheme of the references of files
)

// uploadPage shows the form of an address to a browser, and says to a program how to give the file.
func (a *App) uploadPage(w http.ResponseWriter, r *http.Request) {
	r, cancel := withDeadline(w, r, pageTimeout)
	defer cancel()
	upload, ok := a.uploadOf(w, r)
	if !ok {
		return
	}
	if !wantsPage(r) {
		writeLine(w, http.StatusOK, book.Say(langOf(r), "files.how", nil))
		return
	}
	a.showForm(w, r, upload, http.StatusOK, "")
}

// showForm shows the form, with what was wrong with a file.
func (a *App) showForm(w http.ResponseWriter, r *http.Request, upload conversations.Upload, status int, problem string) {
	lang := langOf(r)
	say := func(key string, args map[string]any) string { return book.Say(lang, key, args) }
	accepts := tools.Upload.Accepts
	writePage(w, status, page{
		Lang: string(lang), Title: say("files.title", nil), Problem: problem, Text: []string{say("files.why", nil)}, Form: true,
		Label: say("files.label", nil), Submit: say("files.submit", nil), Accept: "." + strings.Join(accepts.Extensions, ",."),
		About: say("files.about", map[string]any{"max": sizeText(lang, upload.Max), "types": typesText(accepts)}),
	})
}

// uploadOf returns the upload of the address of a request. If it returns false, the request is answered.
func (a *App) uploadOf(w http.ResponseWriter, r *http.Request) (conversations.Upload, bool) {
	upload, err := a.config.Files.UploadAt(r.Context(), r.PathValue("id"), r.PathValue("secret"))
	if err != nil {
		a.answerUploadError(w, r, upload, err)
		return conversations.Upload{}, false
	}
	if r.Header.Get("Accept-Language") == "" { // a program's, for the one who asked for the address
		r.Header.Set("Accept-Language", upload.Lang)
	}
	return upload, true
}

// receiveFile receives the file of an address: the body of the request, or the first file of a form.
func (a *App) receiveFile(w http.ResponseWriter, r *http.Request) {
	r, cancel := withDeadline(w, r, fileTimeout)
	defer cancel()
	upload, ok := a.uploadOf(w, r)
	if !ok {
		return
	}
	release, ok := a.admitFile(w, r, upload.Owner)
	if !ok {
		return
	}
	defer release()
	stored, err := a.receive(w, r, upload)
	if err != nil {
		a.answerUploadError(w, r, upload, err)
		return
	}
	a.config.Log.InfoContext(r.Context(), "a file was received", "actor", upload.Owner, "bytes", stored.Size, "type", stored.MediaType)
	a.answerFile(w, r, http.StatusCreated, "files.received", map[string]any{"size": sizeText(langOf(r), stored.Size), "file": uploads + ":" + upload.ID})
}

// Why a file is not taken, beside the errors of the store.
var (
	errNoFile    = errors.New("the form has no file")
	errEmptyFile = errors.New("the file is empty")
	errBroken    = errors.New("the body could not be read")
)

// typeError is the error of a file that is not of an accepted type. It is what its content shows, "" if that is not known.
type typeError string

// Error implements error.
func (e typeError) Error() string { return "a file of the type " + string(e) }

func (a *App) receive(w http.ResponseWriter, r *http.Request, upload conversations.Upload) (conversations.Upload, error) {
	limit := upload.Max + maxFormPart
	if wantsPage(r) {
		limit += maxDrained
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if r.ContentLength > upload.Max+maxFormPart {
		return upload, conversations.ErrUploadTooLarge
	}
	content, name, err := fileOf(r)
	if err != nil {
		return upload, err
	}
	from := bufio.NewReaderSize(content, headBytes)
	head, err := from.Peek(headBytes)
	switch {
	case len(head) == 0 && errors.Is(err, io.EOF):
		return upload, errEmptyFile
	case err != nil && !errors.Is(err, io.EOF):
		return upload, bodyError(err)
	}
	mediaType, accepted := tools.Upload.Accepts.TypeOf(head)
	if !accepted {
		return upload, typeError(mediaType)
	}
	writer, err := a.config.Files.WriteUpload(r.Context(), upload)
	if err != nil {
		return upload, err
	}
	defer func() { _ = writer.Leave(context.WithoutCancel(r.Context())) }() // does nothing once the file is stored
	if _, err := io.Copy(writer, from); err != nil {
		return upload, bodyError(err)
	}
	return writer.Finish(fileName(name, mediaType), mediaType)
}

// bodyError returns the error of reading a body and writing the upload.
func bodyError(err error) error {
	_, large := errors.AsType[*http.MaxBytesError](err)
	switch {
	case large || errors.Is(err, conversations.ErrUploadTooLarge):
		return conversations.ErrUploadTooLarge
	case errors.Is(err, conversations.ErrUnavailable) || errors.Is(err, conversations.ErrGone):
		return err
	}
	return errBroken
}

// fileOf returns the file in a request and its name, which may be "". curl -T appends the name to an address that ends in a
// slash.
func fileOf(r *http.Request) (content io.Reader, name string, err error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		if _, params, err := mime.ParseMediaType(r.Header.Get("Content-Disposition")); err == nil && params["filename"] != "" {
			return r.Body, params["filename"], nil
		}
		return r.Body, r.PathValue("name"), nil
	}
	form, err := r.MultipartReader()
	if err != nil || params["boundary"] == "" {
		return nil, "", errBroken
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, "", errNoFile
		}
		if err != nil {
			return nil, "", bodyError(err)
		}
		if name := part.FileName(); name != "" {
			return part, name, nil
		}
	}
}

// fileName returns a name that is only a name and has the extension of the content's type.
func fileName(given, mediaType string) string {
	name := strings.Map(func(c rune) rune {
		if unicode.Is(unicode.C, c) || strings.ContainsRune(`<>:"|?*`, c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(path.Base(strings.ReplaceAll(given, `\`, "/")), ""))
	name = strings.Trim(name, " ./")
	extension := path.Ext(name)
	if len([]rune(extension)) > 10 {
		extension = ""
	}
	name = strings.TrimSuffix(name, extension)
	if name == "" {
		name = "document"
	}
	if !tools.Upload.Accepts.Fits(strings.TrimPrefix(strings.ToLower(extension), "."), mediaType) {
		extension = "." + tools.Upload.Accepts.Extension(mediaType)
	}
	if over := utf8.RuneCountInString(name+extension) - maxName; over > 0 {
		runes := []rune(name)
		name = string(runes[:len(runes)-over])
	}
	return name + extension
}

// answerUploadError says why a file was not taken. A person who can choose another gets the form again.
func (a *App) answerUploadError(w http.ResponseWriter, r *http.Request, upload conversations.Upload, err error) {
	lang := langOf(r)
	status, key, args := http.StatusServiceUnavailable, "files.unavailable", map[string]any{}
	shown, ofType := errors.AsType[typeError](err)
	switch {
	case errors.Is(err, conversations.ErrGone):
		status, key = http.StatusNotFound, "files.gone"
	case errors.Is(err, conversations.ErrUsed):
		status, key = http.StatusGone, "files.used"
	case errors.Is(err, conversations.ErrInUse):
		status, key = http.StatusConflict, "files.in_use"
	case errors.Is(err, conversations.ErrUploadTooLarge):
		status, key, args = http.StatusRequestEntityTooLarge, "files.too_large", map[string]any{"max": sizeText(lang, upload.Max)}
	case errors.Is(err, errEmptyFile):
		status, key = http.StatusUnprocessableEntity, "files.empty"
	case errors.Is(err, errNoFile):
		status, key = http.StatusBadRequest, "files.none"
	case errors.Is(err, errBroken):
		status, key = http.StatusBadRequest, "files.broken"
	case ofType:
		status, key, args = http.StatusUnsupportedMediaType, "files.type", map[string]any{"is": string(shown), "types": typesText(tools.Upload.Accepts)}
	default:
		a.config.Log.WarnContext(r.Context(), "a file could not be stored", "error", pii.Scrub(err.Error()))
		w.Header().Set("Retry-After", "10")
	}
	if upload.Secret != "" && status != http.StatusGone && status != http.StatusNotFound && wantsPage(r) {
		a.refusals.Warn(r.Context(), "a file was refused", "reason", key, "status", status)
		drain(r)
		a.showForm(w, r, upload, status, book.Say(lang, key, args))
		return
	}
	a.answerFile(w, r, status, key, args)
}

// drain reads the rest of a browser's request.
func drain(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

// typesText lists the types of the files.
func typesText(accepts tools.Accepts) string {
	return strings.ToUpper(strings.Join(accepts.Extensions, ", "))
}

// sizeText is a number of bytes as people read it.
func sizeText(lang words.Lang, size int64) string {
	switch {
	case size >= 1<<20:
		return strconv.FormatInt(size>>20, 10) + " MB"
	case size >= 1<<10:
		return strconv.FormatInt(size>>10, 10) + " kB"
	}
	return book.Say(lang, "files.bytes", map[string]any{"bytes": size})
}

// uploadSource is the source of the files that were given at addresses. It implements [tools.FileSource].
type uploadSource struct{ files *conversations.Store }

// Open implements [tools.FileSource].
func (s uploadSource) Open(ctx context.Context, actor tools.Actor, file tools.FileRef, max int64) (tools.FileRef, *spool.File, error) {
	upload, found, err := s.find(ctx, actor, file)
	if err != nil {
		return file, nil, err
	}
	content := spool.NewWriter(max)
	defer func() { _ = content.Close() }()
	if upload.Size > max {
		return found, nil, spool.ErrTooLarge
	}
	if err := s.files.ReadUpload(ctx, upload, content, upload.Size); errors.Is(err, conversations.ErrGone) {
		return found, nil, tools.ErrNoFile
	} else if err != nil {
		return found, nil, err
	}
	stored, err := content.File()
	return found, stored, err
}

func (s uploadSource) find(ctx context.Context, actor tools.Actor, file tools.FileRef) (conversations.Upload, tools.FileRef, error) {
	upload, err := s.files.OwnUpload(ctx, actor.ID, strings.TrimPrefix(file.ID, uploads+":"))
	switch {
	case errors.Is(err, conversations.ErrGone):
		return upload, file, tools.ErrNoFile
	case errors.Is(err, conversations.ErrUnwritten):
		return upload, file, tools.FileAwaited
	case err != nil:
		return upload, file, err
	}
	file.Name, file.Size = pii.New[pii.Private](upload.Name), upload.Size
	return upload, file, nil
}

// Peek implements [tools.FilePeeker].
func (s uploadSource) Peek(ctx context.Context, actor tools.Actor, file tools.FileRef) (tools.FileRef, []byte, error) {
	upload, found, err := s.find(ctx, actor, file)
	if err != nil {
		return file, nil, err
	}
	var head bytes.Buffer
	err = s.files.ReadUpload(ctx, upload, &head, headBytes)
	return found, head.Bytes(), err
}

// Keep implements [tools.FileKeeper].
func (s uploadSource) Keep(ctx context.Context, actor tools.Actor, file tools.FileRef, until time.Time) error {
	switch err := s.files.KeepUpload(ctx, actor.ID, strings.TrimPrefix(file.ID, uploads+":"), until); {
	case errors.Is(err, conversations.ErrGone):
		return tools.ErrNoFile
	case errors.Is(err, conversations.ErrUnwritten):
		return tools.FileAwaited
	default:
		return err
	}
}

// Drop implements [tools.FileDropper].
func (s uploadSource) Drop(ctx context.Context, actor tools.Actor, file tools.FileRef) error {
	return s.files.DropUpload(ctx, actor.ID, strings.TrimPrefix(file.ID, uploads+":"))
}

// OpenUpload implements [tools.UploadOpener].
func (a *App) OpenUpload(ctx context.Context, actor tools.Actor, max int64) (tools.UploadAddress, error) {
	base, err := a.base(ctx)
	if err != nil {
		return tools.UploadAddress{}, err
	}
	upload, err := a.config.Files.OpenUpload(ctx, actor.ID, string(actor.Lang), max)
	if errors.Is(err, conversations.ErrLimit) {
		return tools.UploadAddress{}, tools.ErrTooManyFiles
	}
	if err != nil {
		return tools.UploadAddress{}, err
	}
	return tools.UploadAddress{
		File: uploads + ":" + upload.ID, URL: base + uploadPath + upload.ID + "/" + upload.Secret + "/", Until: upload.Until.Truncate(time.Second),
	}, nil
}
