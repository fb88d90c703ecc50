package sandbox

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/content"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/portal"
)

func init() {
	serve(portal.DocumentList, (*Bank).listDocuments)
	serve(portal.DocumentGet, (*Bank).getDocument)
	// The codes are ours; the bank's are not public.
	serveWrite(portal.DocumentCreate, "060111", (*Bank).createDocument)
	serveWrite(portal.DocumentUpdate, "060211", (*Bank).updateDocument)
	serveWrite(portal.DocumentDelete, "060411", (*Bank).deleteDocument)
}

// The statuses of a document. All are ours.
const (
	fileRequested int32 = 1 // the bank asks for it and has no file
	fileReceived  int32 = 2
	fileRefused   int32 = 3
	fileAccepted  int32 = 4
)

var fileStatuses = map[int32]string{fileRequested: "requested", fileReceived: "received", fileRefused: "refused", fileAccepted: "accepted"}

// ErrNoDocument says that a document does not exist, or that the bank has no file of it.
var ErrNoDocument = errors.New("sandbox: there is no such document")

const (
	maxDocuments = 100      // of one process
	maxKept      = 64 << 20 // bytes of the documents of one process
)

// document is a document of a process, or the bank's request for one.
type document struct {
	id           uuid.UUID
	kind, status int32
	title, name  string
	observations string
	at           time.Time
	file         *spool.File // nil if the bank only asks for it
}

// documentsOf are the documents of processes, oldest first.
var documentsOf = &table[[]document]{first: sampleDocuments}

type documentList struct {
	List []portal.DocumentSummary `json:"list"`
}

// documentReply is the reply of Document Get; the content is sent in place of the mark.
type documentReply struct {
	FileName pii.Title    `json:"fileName,omitzero"`
	Title    pii.Title    `json:"title,omitzero"`
	Content  content.Mark `json:"content"`
	file     *spool.File
}

func (r documentReply) document() (content.Mark, *spool.File) { return r.Content, r.file }

// withDocument is a reply with a document.
type withDocument interface {
	document() (content.Mark, *spool.File)
}

// documentBody is the body of a write; the mark stands for the content.
type documentBody struct {
	portal.DocumentRequest
	DocumentContent content.Mark `json:"documentContent,omitzero"`
}

// createdDocument is the reply to a create, with a status as in [written].
type createdDocument struct {
	Status operationStatus `json:"operationStatus"`
	Data   createdFileID   `json:"additionalData"`
}

type createdFileID struct {
	DocumentUniqueID uuid.UUID `json:"documentUniqueID"`
}

func (d document) summary(lang dialect) portal.DocumentSummary {
	status := d.status
	return portal.DocumentSummary{
		DocumentUniqueID: d.id, DocumentTypeID: d.kind, DocumentTypeDescription: describe("documentTypes", &d.kind, lang),
		DocumentStatusID: &status, DocumentStatusDescription: book.Say(lang.Lang, "document.status."+fileStatuses[d.status], nil),
		Title: pii.New[pii.Title](d.title), FileName: pii.New[pii.Title](d.name), Observations: pii.New[pii.FreeText](d.observations),
		CreationDate: portal.Time{Time: d.at},
	}
}

func (b *Bank) listDocuments(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	reply := documentList{List: []portal.DocumentSummary{}}
	for _, d := range *documentsOf.row(b, p.id) {
		reply.List = append(reply.List, d.summary(c.lang))
	}
	return reply, nil
}

func (b *Bank) getDocument(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, all, at, err := b.documentIn(c)
	if err != nil {
		return nil, err
	}
	found := (*all)[at]
	if found.file == nil {
		return nil, refused(http.StatusBadRequest, "document.noContent")
	}
	return documentReply{pii.New[pii.Title](found.name), pii.New[pii.Title](found.title), content.NewMark(), found.file}, nil
}

// documentIn returns the process of a path, its documents and the index of the one that the path names. The caller holds the
// bank's lock.
func (b *Bank) documentIn(c *call) (p *process, all *[]document, at int, err error) {
	if p, err = b.process(c); err != nil {
		return nil, nil, 0, err
	}
	id, err := pathID(c, "documentUniqueId")
	if err != nil {
		return nil, nil, 0, err
	}
	all = documentsOf.row(b, p.id)
	at = slices.IndexFunc(*all, func(d document) bool { return d.id == id })
	if at < 0 {
		return nil, nil, 0, refused(http.StatusBadRequest, "document.missing")
	}
	return p, all, at, nil
}

// createDocument is Document Create. All but the observations are required. A document of a type that the bank asks for
// replaces the request.
func (b *Bank) createDocument(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	fresh, err := b.documentGiven(c, p, document{})
	if err != nil {
		return nil, err
	}
	all := documentsOf.row(b, p.id)
	if len(*all) >= maxDocuments || bytesOf(*all)+fresh.file.Size() > maxKept {
		return nil, refused(http.StatusBadRequest, "document.tooMany")
	}
	asked := slices.IndexFunc(*all, func(d document) bool { return d.kind == fresh.kind && d.status == fileRequested })
	if asked >= 0 {
		*all = slices.Delete(*all, asked, asked+1)
	}
	fresh.id, fresh.at, fresh.status = uuid.New(), c.now, fileReceived
	*all = append(*all, fresh)
	c.keep(fresh.file)
	b.received(c, p, fresh)
	return createdDocument{success(c, map[string]any{"id": fresh.id}), createdFileID{fresh.id}}, nil
}

func bytesOf(all []document) (bytes int64) {
	for _, d := range all {
		bytes += d.file.Size()
	}
	return bytes
}

// updateDocument is Document Update. By the bank's page every field is optional: what is absent stays. With a content, the
// document is received anew.
func (b *Bank) updateDocument(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, all, at, err := b.documentIn(c)
	if err != nil {
		return nil, err
	}
	before := (*all)[at]
	after, err := b.documentGiven(c, p, before)
	if err != nil {
		return nil, err
	}
	if bytesOf(*all)-before.file.Size()+after.file.Size() > maxKept {
		return nil, refused(http.StatusBadRequest, "document.tooMany")
	}
	if after.file != before.file { // the file before is closed once nobody reads it any more
		c.keep(after.file)
		after.at, after.status = c.now, fileReceived
	}
	(*all)[at] = after
	if after.status == fileReceived && before.status != fileReceived || after.file != before.file {
		b.received(c, p, after)
	} else {
		p.touch(c.now, string(c.operation))
	}
	return done(c), nil
}

func (b *Bank) deleteDocument(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, all, at, err := b.documentIn(c)
	if err != nil {
		return nil, err
	}
	if p.ended() {
		return nil, refused(http.StatusBadRequest, "process.state")
	}
	*all = slices.Delete(*all, at, at+1)
	p.touch(c.now, string(c.operation))
	return done(c), nil
}

// received records that the bank has a document and notifies the broker. The caller holds the bank's lock.
func (b *Bank) received(c *call, p *process, d document) {
	p.touch(c.now, string(c.operation))
	b.notify(p.subject(), notification{NotificationTypeID: documentReceived, DocumentTypeID: d.kind})
}

// documentGiven returns a document with what a call says of it.
func (b *Bank) documentGiven(c *call, p *process, d document) (document, error) {
	var data documentBody
	if err := decode(c.body, &data); err != nil {
		return d, err
	}
	if p.ended() {
		return d, refused(http.StatusBadRequest, "process.state")
	}
	create, file := d.id == uuid.Nil, c.files[data.DocumentContent]
	if data.DocumentContent != "" && file == nil { // a mark that the caller has made up
		return d, &refusal{http.StatusBadRequest, []problem{{"field.format", "documentContent"}}}
	}
	var problems []problem
	add := func(key, field string) { problems = append(problems, problem{key, field}) }
	texts := map[string]struct {
		sent     string
		into     *string
		required bool
	}{
		"documentTitle":        {data.DocumentTitle.Reveal(), &d.title, true},
		"fileName":             {data.FileName.Reveal(), &d.name, true},
		"documentObservations": {data.DocumentObservations.Reveal(), &d.observations, false},
	}
	for _, name := range []string{"documentTitle", "fileName", "documentObservations"} {
		field := texts[name]
		switch most := c.wire.Lengths[name]; {
		case strings.TrimSpace(field.sent) == "":
			if create && field.required {
				add("field.required", name)
			}
		case most > 0 && utf8.RuneCountInString(field.sent) > most:
			add("field.length", name)
		default:
			*field.into = field.sent
		}
	}
	switch kind := data.DocumentTypeID; {
	case kind == nil && create:
		add("field.required", "documentTypeID")
	case kind == nil:
	default:
		if _, known := b.values.lists["documentTypes"][*kind]; !known {
			add("field.id", "documentTypeID")
		}
		d.kind = *kind
	}
	switch {
	case file == nil && create:
		add("field.required", "documentContent")
	case file == nil:
	case file.Size() == 0:
		add("document.empty", "documentContent")
	case !accepted(b.config.Profile.Operations[string(portal.DocumentCreate)].Content.Types, file.Head()):
		add("document.type", "documentContent")
	default:
		d.file = file
	}
	if len(problems) > 0 {
		return d, &refusal{http.StatusBadRequest, problems}
	}
	return d, nil
}

func accepted(types []string, head []byte) bool {
	found := mimetype.Detect(head)
	return len(types) == 0 || slices.ContainsFunc(types, func(t string) bool { return found.Is(t) })
}
