package mcpapp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// document is the file of a tool's result as a resource. Reading it runs the tool, with all the runner's checks.
type document struct {
	tool     *tools.Tool
	template mcp.ResourceTemplate
}

func documentOf(tool *tools.Tool) (document, error) {
	var parsed mcp.URITemplate
	if err := json.Unmarshal([]byte(fmt.Sprintf("%q", tool.Resource)), &parsed); err != nil {
		return document{}, fmt.Errorf("resource template: %w", err)
	}
	return document{tool, mcp.ResourceTemplate{
		Name: tool.Name, URITemplate: &parsed, Title: tool.Title(words.English), Description: tool.Help(words.English),
	}}, nil
}

// missingURI is a URI that no document has.
const missingURI = "balcao://missing"

// fetchedKey is the key in a request's _meta of the [fetchedFile] that fetchDocument leaves for readDocument.
const fetchedKey = "balcao/fetched"

type fetchedFile struct {
	contents mcp.ResourceContents
	err      error
}

// fetchDocument reads a document before the library looks up its resource. If the document does not exist, it replaces
// the URI by one that matches no resource, so that the library answers with the error code of the caller's revision and
// does not repeat the caller's URI.
func (a *App) fetchDocument(ctx context.Context, _ any, request *mcp.ReadResourceRequest) {
	contents, err := a.documentContents(ctx, request)
	if errors.Is(err, errNoDocument) {
		request.Params.URI = missingURI
		return
	}
	request.Params.Meta = &mcp.Meta{AdditionalFields: map[string]any{fetchedKey: fetchedFile{contents, err}}}
}

var errNoDocument = errors.New("no such document")

// documentContents reads a document as a reply has it: in base64, or an address if it is larger than MaxFile bytes.
func (a *App) documentContents(ctx context.Context, request *mcp.ReadResourceRequest) (mcp.ResourceContents, error) {
	call, err := a.documentCall(ctx, request)
	if err != nil {
		return nil, err
	}
	lang := call.Actor.Lang
	result, failure := a.run(ctx, request.Header, call, nil)
	if failure != nil && isNotFound(failure.Kind) {
		return nil, errNoDocument
	}
	if failure != nil {
		return nil, errors.New(failureText(failure, lang))
	}
	defer result.Close()
	file := result.Card.File
	switch {
	case file == nil:
		return nil, errNoDocument
	case file.Size() > int64(a.config.MaxFile):
		return a.documentAddress(ctx, request.Params.URI, call, file)
	}
	content, err := inBase64(file)
	if err != nil {
		a.config.Log.ErrorContext(ctx, "reading a document failed", "error", err)
		return nil, errors.New(book.Say(lang, "file.unread", nil))
	}
	return mcp.BlobResourceContents{URI: request.Params.URI, MIMEType: file.MediaType, Blob: content}, nil
}

// documentAddress tells where a document that is too large for a reply can be fetched.
func (a *App) documentAddress(ctx context.Context, uri string, call tools.Request, file *tools.File) (mcp.ResourceContents, error) {
	lang := call.Actor.Lang
	if a.config.Files == nil {
		return nil, errors.New(book.Say(lang, "file.too_large", nil))
	}
	address, until, err := a.openDownload(ctx, call, file.Name)
	if err != nil {
		a.config.Log.ErrorContext(ctx, "giving the address of a document failed", "error", err)
		return nil, errors.New(book.Say(lang, "file.unread", nil))
	}
	return mcp.TextResourceContents{URI: uri, MIMEType: "text/plain", Text: book.Say(lang, "file.by_address", map[string]any{
		"size": sizeText(lang, file.Size()), "until": until.Format(time.RFC3339), "address": address,
	})}, nil
}

// documentCall returns the call that reads the document of a URI.
func (a *App) documentCall(ctx context.Context, request *mcp.ReadResourceRequest) (tools.Request, error) {
	for _, document := range a.documents {
		values := document.template.URITemplate.Match(request.Params.URI)
		if values == nil {
			continue
		}
		args := map[string]string{}
		for name, value := range values {
			args[name] = value.String()
		}
		data, err := json.Marshal(args)
		if err != nil {
			return tools.Request{}, errNoDocument
		}
		return tools.Request{Tool: document.tool, Actor: callerOf(ctx).Actor, Args: data}, nil
	}
	return tools.Request{}, errNoDocument
}

// inBase64 returns the content of a file in base64.
func inBase64(file *tools.File) (string, error) {
	reader, err := file.Open()
	if err != nil {
		return "", err
	}
	defer func() { _ = reader.Close() }()
	var text strings.Builder
	text.Grow(base64.StdEncoding.EncodedLen(int(file.Size())))
	encoder := base64.NewEncoder(base64.StdEncoding, &text)
	if _, err := io.Copy(encoder, reader); err != nil {
		return "", err
	}
	err = encoder.Close()
	return text.String(), err
}

// readDocument returns what fetchDocument read.
func (a *App) readDocument(_ context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	fetched := request.Params.Meta.AdditionalFields[fetchedKey].(fetchedFile)
	if fetched.err != nil {
		return nil, fetched.err
	}
	return []mcp.ResourceContents{fetched.contents}, nil
}
