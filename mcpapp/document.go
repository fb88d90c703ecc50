package mcpapp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

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
	file    *tools.File
	content string // in base64
	err     error
}

// fetchDocument reads a document before the library looks up its resource. If the document does not exist, it replaces
// the URI by one that matches no resource, so that the library answers with the error code of the caller's revision and
// does not repeat the caller's URI.
func (a *App) fetchDocument(ctx context.Context, _ any, request *mcp.ReadResourceRequest) {
	fetched := a.fetchFile(ctx, request)
	if errors.Is(fetched.err, errNoDocument) {
		request.Params.URI = missingURI
		return
	}
	request.Params.Meta = &mcp.Meta{AdditionalFields: map[string]any{fetchedKey: fetched}}
}

var errNoDocument = errors.New("no such document")

// fetchFile reads a document as a reply has it.
func (a *App) fetchFile(ctx context.Context, request *mcp.ReadResourceRequest) fetchedFile {
	file, err := a.documentFile(ctx, request)
	if err != nil {
		return fetchedFile{err: err}
	}
	defer func() { _ = file.Close() }()
	content, err := inBase64(file)
	if err != nil {
		a.config.Log.ErrorContext(ctx, "reading a document failed", "error", err)
		err = errors.New(book.Say(callerOf(ctx).Lang, "file.unread", nil))
	}
	return fetchedFile{file, content, err}
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

// documentFile returns a document of at most MaxFile bytes, which the caller closes.
func (a *App) documentFile(ctx context.Context, request *mcp.ReadResourceRequest) (*tools.File, error) {
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
			return nil, errNoDocument
		}
		actor := callerOf(ctx).Actor
		result, failure := a.run(ctx, request.Header, tools.Request{Tool: document.tool, Actor: actor, Args: data}, nil)
		switch {
		case failure != nil && isNotFound(failure.Kind):
			return nil, errNoDocument
		case failure != nil:
			return nil, errors.New(failureText(failure, actor.Lang))
		case result.Card.File == nil:
			return nil, errNoDocument
		case result.Card.File.Size() > int64(a.config.MaxFile):
			result.Close()
			return nil, errors.New(book.Say(actor.Lang, "file.too_large", nil))
		}
		return result.Card.File, nil
	}
	return nil, errNoDocument
}

// readDocument returns what fetchDocument read.
func (a *App) readDocument(_ context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	fetched := request.Params.Meta.AdditionalFields[fetchedKey].(fetchedFile)
	if fetched.err != nil {
		return nil, fetched.err
	}
	return []mcp.ResourceContents{mcp.BlobResourceContents{
		URI: request.Params.URI, MIMEType: fetched.file.MediaType, Blob: fetched.content,
	}}, nil
}
