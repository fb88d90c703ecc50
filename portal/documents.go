package portal

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/content"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/portal/profile"
)

// The operations of the bank's page ProcessesDocument.
const (
	DocumentList   OperationID = "documentList"
	DocumentGet    OperationID = "documentGet"
	DocumentCreate OperationID = "documentCreate"
	DocumentUpdate OperationID = "documentUpdate"
	DocumentDelete OperationID = "documentDelete"
)

// DocumentMissing is the reason with which the bank says that a document does not exist, or is not of the process.
const DocumentMissing Reason = "document.missing"

func init() {
	registerReads(DocumentList, DocumentGet)
	registerWrites(DocumentCreate, DocumentUpdate, DocumentDelete)
	registerReasons("document.missing", "document.type", "document.size", "document.empty", "document.noContent", "document.tooMany")
}

// DocumentSummary is an item of Document List, of which the bank's reference prints nothing.
type DocumentSummary struct {
	DocumentUniqueID          uuid.UUID    `json:"documentUniqueID"`
	DocumentTypeID            int32        `json:"documentTypeID,omitzero" taxonomy:"documentTypes"`
	DocumentTypeDescription   string       `json:"documentTypeDescription,omitzero"`
	DocumentStatusID          *int32       `json:"documentStatusID,omitzero" taxonomy:"-"`
	DocumentStatusDescription string       `json:"documentStatusDescription,omitzero"`
	Title                     pii.Title    `json:"title,omitzero"`
	FileName                  pii.Title    `json:"fileName,omitzero"`
	Observations              pii.FreeText `json:"observations,omitzero"`
	CreationDate              Time         `json:"creationDate,omitzero"`
}

// Document is the reply of Document Get. The caller closes it.
type Document struct {
	FileName pii.Title
	Title    pii.Title
	*spool.File
}

// DocumentRequest is the body of Document Create and Document Update. What is absent is not sent. The content is sent in
// base64, piece by piece.
type DocumentRequest struct {
	DocumentTitle        pii.Title    `json:"documentTitle,omitzero"`
	DocumentTypeID       *int32       `json:"documentTypeID,omitzero"` // «ID» in the request too
	FileName             pii.Title    `json:"fileName,omitzero"`
	DocumentObservations pii.FreeText `json:"documentObservations,omitzero"`
	Content              *spool.File  `json:"-"`
}

// documentBody is [DocumentRequest] with the mark of its content.
type documentBody struct {
	DocumentRequest
	DocumentContent content.Mark `json:"documentContent,omitzero"`
}

// DocumentCreated is the reply of Document Create.
type DocumentCreated struct {
	DocumentUniqueID uuid.UUID
	OperationStatus  OperationStatus
}

// ListDocuments returns the documents of a process, those that the bank asks for among them if it lists them.
//
// Of Document List the bank's reference prints only title and method.
func (u *User) ListDocuments(ctx context.Context, process uuid.UUID) ([]DocumentSummary, error) {
	var reply documentListReply
	err := u.do(ctx, call{op: DocumentList, path: pathValues{"processUniqueId": process}}, &reply)
	return reply.List.all, err
}

// Document returns a document of a process with its content, which is decoded while it is read. One of more than
// [Config.MaxContent] bytes fails with [spool.ErrTooLarge].
//
// See Document Get on the bank's page ProcessesDocument.
func (u *User) Document(ctx context.Context, process, document uuid.UUID) (Document, error) {
	var reply documentReply
	if err := u.do(ctx, call{op: DocumentGet, path: documentPath(process, document)}, &reply); err != nil {
		return Document{}, err
	}
	return Document{reply.FileName, reply.Title, reply.file()}, nil
}

// CreateDocument adds a document to a process. It is sent once. After an error of kind [Unclear] the document may exist.
//
// Of Document Create the bank's reference prints only title and method.
func (u *User) CreateDocument(ctx context.Context, process uuid.UUID, document DocumentRequest) (DocumentCreated, error) {
	var reply documentCreateReply
	err := u.do(ctx, document.in(call{op: DocumentCreate, path: pathValues{"processUniqueId": process}}), &reply)
	return DocumentCreated{reply.AdditionalData.DocumentUniqueID, reply.OperationStatus}, err
}

// UpdateDocument changes a document, its content too if the request has one. Whether the bank clears what is absent is not
// public: send all that is known. It is sent once. After an error of kind [Unclear] the change may have been made.
//
// See Document Update on the bank's page ProcessesDocument.
func (u *User) UpdateDocument(ctx context.Context, process, document uuid.UUID, data DocumentRequest) (OperationStatus, error) {
	var reply writeReply
	err := u.do(ctx, data.in(call{op: DocumentUpdate, path: documentPath(process, document)}), &reply)
	return reply.OperationStatus, err
}

// DeleteDocument deletes a document of a process. It is sent once. After an error of kind [Unclear] the document may be
// deleted.
//
// See Document Delete on the bank's page ProcessesDocument.
func (u *User) DeleteDocument(ctx context.Context, process, document uuid.UUID) (OperationStatus, error) {
	var reply writeReply
	err := u.do(ctx, call{op: DocumentDelete, path: documentPath(process, document)}, &reply)
	return reply.OperationStatus, err
}

// DocumentLimits returns which documents the bank takes.
func (u *User) DocumentLimits() profile.Content {
	return u.client.config.Profile.Operations[string(DocumentCreate)].Content
}

// DocumentLengths returns the most characters of the texts of a document, by the names of [DocumentRequest].
func (u *User) DocumentLengths() map[string]int {
	return u.client.config.Profile.Operations[string(DocumentCreate)].Lengths
}

func documentPath(process, document uuid.UUID) pathValues {
	return pathValues{"processUniqueId": process, "documentUniqueId": document}
}

// in adds the document to a call.
func (d DocumentRequest) in(c call) call {
	body := documentBody{DocumentRequest: d}
	if d.Content != nil {
		c.content, c.mark = d.Content, content.NewMark()
		body.DocumentContent = c.mark
	}
	c.body = body
	return c
}

type documentListReply struct {
	List list[DocumentSummary] `json:"list"`
}

func (r *documentListReply) lacks() string {
	if !r.List.present {
		return "documentList"
	}
	return ""
}

type documentReply struct {
	FileName pii.Title    `json:"fileName,omitzero"`
	Title    pii.Title    `json:"title,omitzero"`
	Content  content.Mark `json:"content"`

	found content.Files
}

func (r *documentReply) contentField() string { return "content" }

func (r *documentReply) attach(found content.Files) { r.found = found }

func (r *documentReply) file() *spool.File { return r.found[r.Content] }

func (r *documentReply) lacks() string {
	if r.file() == nil {
		return "content"
	}
	return ""
}

type documentCreateReply struct {
	OperationStatus OperationStatus `json:"operationStatus"`
	AdditionalData  struct {
		DocumentUniqueID uuid.UUID `json:"documentUniqueID"`
	} `json:"additionalData"`
}

func (r *documentCreateReply) lacks() string {
	if r.AdditionalData.DocumentUniqueID == uuid.Nil {
		return "additionalData.documentUniqueID"
	}
	return ""
}
