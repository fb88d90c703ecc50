package mcpapp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// document is the file of a tool's result as a resource: reading it makes the tool's call anew, with everything that
// the runner checks.
type document struct {
	tool     *tools.Tool
	template mcp.ResourceTemplate
}

func documentOf(tool *tools.Tool) (document, error) {
	var parsed mcp.URITemplate
	if err := json.Unmarshal([]byte(fmt.Sprintf("%q", tool.Resource)), &parsed); err != nil {
		return document{}, fmt.Errorf("its resource: %w", err)
	}
	return document{tool, mcp.ResourceTemplate{
		Name: tool.Name, URITemplate: &parsed, Title: tool.Title(words.English), Description: tool.Help(words.English),
	}}, nil
}

// nowhere is an address without a document.
const nowhere = "balcao://nowhere"

// fetched is where a document, or why there is none, waits for [App.read] within a request.
const fetched = "balcao/fetched"

type fetchedFile struct {
	file *tools.File
	err  error
}

// fetch gets a document before the library looks for who could read it. That is the only moment in which a missing
// document can be made one that the library misses itself, and answers with the code that the caller's revision has
// for it; nor does the library then repeat the address, whatever is in it.
func (a *App) fetch(ctx context.Context, _ any, request *mcp.ReadResourceRequest) {
	file, err := a.document(ctx, request)
	if errors.Is(err, errNoDocument) {
		request.Params.URI = nowhere
		return
	}
	request.Params.Meta = &mcp.Meta{AdditionalFields: map[string]any{fetched: fetchedFile{file, err}}}
}

var errNoDocument = errors.New("no such document")

func (a *App) document(ctx context.Context, request *mcp.ReadResourceRequest) (*tools.File, error) {
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
		case failure != nil && isMissing(failure.Kind):
			return nil, errNoDocument
		case failure != nil:
			return nil, errors.New(failureText(failure, actor.Lang))
		case result.Card.File == nil:
			return nil, errNoDocument
		case len(result.Card.File.Content) > a.config.MaxFile:
			return nil, errors.New(book.Say(actor.Lang, "file.too_large", nil))
		}
		return result.Card.File, nil
	}
	return nil, errNoDocument
}

// read hands out what fetch got.
func (a *App) read(_ context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	got := request.Params.Meta.AdditionalFields[fetched].(fetchedFile)
	if got.err != nil {
		return nil, got.err
	}
	return []mcp.ResourceContents{mcp.BlobResourceContents{
		URI: request.Params.URI, MIMEType: got.file.MediaType, Blob: base64.StdEncoding.EncodeToString(got.file.Content),
	}}, nil
}
