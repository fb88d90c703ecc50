package documents

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gabriel-vasile/mimetype"
	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Get fetches a document of a process (Document Get).
var Get = tools.Define(Toolset, tools.Spec{
	Name: "get_document", Effect: tools.Reads, Operations: []portal.OperationID{portal.DocumentGet},
	Resource: "balcao://processes/{process}/documents/{document}",
	Next:     tools.Next{"list_documents": {"process"}},
	Example:  `{"process":"1043","document":"` + exampleDocument + `"}`,
}, func(ctx context.Context, call *tools.Call, in tools.OfDocument) (Document, error) {
	process, listed, err := call.Document(ctx, in.Process, in.Document)
	if err != nil {
		return Document{}, err
	}
	document, err := call.Bank.Document(ctx, process.ID, listed.DocumentUniqueID)
	switch {
	case errors.Is(err, spool.ErrTooLarge):
		return Document{}, call.Invalid("document", "document.too_large")
	case portal.MissingReason(err) == portal.DocumentMissing:
		return Document{}, call.UnknownDocument(err)
	case err != nil:
		return Document{}, err
	}
	what := call.Word(ctx, listed, "DocumentTypeID")
	media := mimetype.Detect(document.Head())
	mediaType, _, _ := strings.Cut(media.String(), ";")
	return Document{
		Process: process.ID, ProcessNumber: process.Number, Document: listed.DocumentUniqueID, Type: what,
		Title: tools.Clean(document.Title.Reveal()), FileName: fmt.Sprintf("%s-%d%s", plainName(what), process.Number, media.Extension()),
		MediaType: mediaType, Size: document.Size(), content: document.File,
	}, nil
})

// exampleDocument is a document of the sandbox's sample process 1043.
const exampleDocument = "09434f63-4cb7-5cb1-825c-6a7b4d25562b"

// plainName returns a text as a part of a file's name, "document" if nothing is left of it.
func plainName(text string) string {
	name := strings.Trim(strings.Map(func(c rune) rune {
		if strings.ContainsRune(`/\:*?"<>|.`, c) || c <= ' ' {
			return '-'
		}
		return c
	}, tools.Clean(text)), "-")
	runes := []rune(name)
	if name = string(runes[:min(len(runes), 60)]); name == "" {
		return "document"
	}
	return name
}

// Document describes a document. Its content is in the card.
type Document struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Document      uuid.UUID `json:"document"`
	Type          string    `json:"documentType" pii:"open"`
	Title         string    `json:"title,omitempty" pii:"open"` // without what looks personal
	FileName      string    `json:"fileName" pii:"open"`        // made of the type: the bank's may name a client
	MediaType     string    `json:"mediaType" pii:"open"`
	Size          int64     `json:"size"` // bytes
	content       *spool.File
}

// Close removes the content, which the card has too.
func (d Document) Close() error { return d.content.Close() }

// Card implements [tools.Carder].
func (d Document) Card(say tools.Say) tools.Card {
	card := tools.Card{
		Title: say("card.title", "type", d.Type, "number", d.ProcessNumber),
		File: &tools.File{
			Name: d.FileName, MediaType: d.MediaType, File: d.content,
			URI: fmt.Sprintf("balcao://processes/%s/documents/%s", d.Process, d.Document),
		},
		Next: []tools.Step{tools.NextStep("list_documents", "process", d.Process)},
	}
	if d.Title != "" {
		card.Facts = []tools.Fact{{Label: say("label.title"), Value: d.Title}}
	}
	return card
}
