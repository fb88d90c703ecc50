package mcpapp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// resource is the result of a tool under a URI: its file, or else its card. Reading it runs the tool, with all the runner's
// checks.
type resource struct {
	tool     *tools.Tool
	template mcp.ResourceTemplate
}

// has reports whether the template has a variable.
func (r resource) has(name string) bool {
	return slices.Contains(r.template.URITemplate.Varnames(), name)
}

// markdownType is the media type of a card.
const markdownType = "text/markdown"

func resourceOf(tool *tools.Tool) (resource, error) {
	var parsed mcp.URITemplate
	if err := json.Unmarshal([]byte(fmt.Sprintf("%q", tool.Resource)), &parsed); err != nil {
		return resource{}, fmt.Errorf("resource template: %w", err)
	}
	for _, name := range parsed.Varnames() {
		if _, takes := tool.Field(name); !takes {
			return resource{}, fmt.Errorf("resource template: the tool does not take %s", name)
		}
	}
	template := mcp.ResourceTemplate{
		Name: tool.Name, URITemplate: &parsed, Title: tool.Title(words.English), Description: tool.Help(words.English),
	}
	if !tool.HasFile() {
		template.MIMEType = markdownType
	}
	return resource{tool, template}, nil
}

// missingURI is a URI that no resource has.
const missingURI = "balcao://missing"

// fetchedKey is the key in a request's _meta of the [fetched] that fetchResource leaves for readResource.
const fetchedKey = "balcao/fetched"

type fetched struct {
	contents mcp.ResourceContents
	err      error
}

// fetchResource reads a resource before the library looks it up. If there is none, it replaces the URI by one that matches no
// resource, so that the library answers with the error code of the caller's revision and does not repeat the caller's URI.
func (a *App) fetchResource(ctx context.Context, _ any, request *mcp.ReadResourceRequest) {
	contents, err := a.resourceContents(ctx, request)
	if errors.Is(err, errNoResource) {
		request.Params.URI = missingURI
		return
	}
	request.Params.Meta = &mcp.Meta{AdditionalFields: map[string]any{fetchedKey: fetched{contents, err}}}
}

var errNoResource = errors.New("no such resource")

// resourceContents reads a resource as a reply has it: a card as Markdown, and a file in base64, or its address if it is larger
// than MaxFile bytes.
func (a *App) resourceContents(ctx context.Context, request *mcp.ReadResourceRequest) (mcp.ResourceContents, error) {
	call, err := a.resourceCall(ctx, request)
	if err != nil {
		return nil, err
	}
	lang := call.Actor.Lang
	result, failure := a.run(ctx, request.Header, call, nil)
	if failure != nil && isNotFound(failure.Kind) {
		return nil, errNoResource
	}
	if failure != nil {
		return nil, errors.New(failureText(failure, lang))
	}
	defer result.Close()
	file := result.Card.File
	switch {
	case file == nil && call.Tool.HasFile():
		return nil, errNoResource
	case file == nil:
		return mcp.TextResourceContents{URI: request.Params.URI, MIMEType: markdownType, Text: truncated(markdown(result.Card, lang), lang)}, nil
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

// resourceCall returns the call that reads the resource of a URI.
func (a *App) resourceCall(ctx context.Context, request *mcp.ReadResourceRequest) (tools.Request, error) {
	for _, resource := range a.resources {
		values := resource.template.URITemplate.Match(request.Params.URI)
		if values == nil {
			continue
		}
		args := map[string]string{}
		for name, value := range values {
			args[name] = value.String()
		}
		data, err := json.Marshal(args)
		if err != nil {
			return tools.Request{}, errNoResource
		}
		return tools.Request{Tool: resource.tool, Actor: callerOf(ctx).Actor, Args: data}, nil
	}
	return tools.Request{}, errNoResource
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

// readResource returns what fetchResource read.
func (a *App) readResource(_ context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	read := request.Params.Meta.AdditionalFields[fetchedKey].(fetched)
	if read.err != nil {
		return nil, read.err
	}
	return []mcp.ResourceContents{read.contents}, nil
}
