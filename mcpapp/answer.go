package mcpapp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// An answer takes at most this many bytes of an assistant's context, which some assistants cap at 25,000 tokens.
const (
	maxText = 16 << 10
	maxData = 48 << 10
)

// succeeded answers with the output as data, the card as text, and the file as a link: never its content.
func (a *App) succeeded(ctx context.Context, result tools.Result) (answer *mcp.CallToolResult) {
	defer func() {
		if caught := recover(); caught != nil { // the library would tell what it panicked with
			a.reportPanic(ctx, result.ID, caught)
			answer = a.failed(ctx, &tools.Error{Kind: tools.Internal, ID: result.ID})
		}
	}()
	lang := callerOf(ctx).Lang
	data, err := json.Marshal(result.Output) // masks personal data
	if err == nil {
		data, err = harmless(data)
	}
	if err != nil {
		a.config.Log.ErrorContext(ctx, "an output cannot be told", "call", result.ID, "error", err)
		return a.failed(ctx, &tools.Error{Kind: tools.Internal, ID: result.ID})
	}
	card := result.Card
	card.Next = a.offered(ctx, card.Next)
	text := markdown(card, lang)
	if len(data) > maxData { // half an output would not be what the schema promises
		return &mcp.CallToolResult{IsError: true, Content: contents(shortened(book.Say(lang, "data.too_long", nil)+"\n\n"+text, lang))}
	}
	answer = &mcp.CallToolResult{StructuredContent: json.RawMessage(data), Content: contents(shortened(text, lang))}
	if file := card.File; file != nil {
		link := mcp.NewResourceLink(file.URI, file.Name, visible(card.Title), file.MediaType)
		size := int64(len(file.Content))
		link.Size = &size
		answer.Content = append(answer.Content, link)
	}
	return answer
}

// offered are the steps that an assistant is told of.
func (a *App) offered(ctx context.Context, steps []tools.Step) []tools.Step {
	return slices.DeleteFunc(slices.Clone(steps), func(step tools.Step) bool { return !a.permits(ctx, step.Tool) })
}

// failed answers that a call gave no result. It has no structured content: clients hold that against the schema of
// results. What a program may want of the failure is in _meta.
func (a *App) failed(ctx context.Context, failure *tools.Error) *mcp.CallToolResult {
	lang := callerOf(ctx).Lang
	text := failureText(failure, lang)
	if next := nextSteps(a.offered(ctx, failure.Steps), lang); next != "" {
		text += "\n\n" + strings.TrimSpace(next)
	}
	answer := &mcp.CallToolResult{IsError: true, Content: contents(shortened(text, lang))}
	answer.Meta = &mcp.Meta{AdditionalFields: map[string]any{"balcao/error": map[string]any{
		"kind": failure.Kind, "id": failure.ID, "retryAfterSeconds": int(failure.RetryAfter.Seconds()),
		"problems": append([]tools.Problem{}, failure.Problems...), "confirmation": failure.Confirmation,
	}}}
	return answer
}

func contents(text string) []mcp.Content { return []mcp.Content{mcp.NewTextContent(text)} }

// failureText says what happened, why, and what to do now, without any value that was sent.
func failureText(failure *tools.Error, lang words.Lang) string {
	var text strings.Builder
	fmt.Fprintln(&text, failure.What(lang))
	for _, p := range failure.Problems {
		fmt.Fprintf(&text, "- %s: %s (%s, %s)\n", orAll(p.Path), escaped(p.Text), p.Severity, p.Code)
	}
	if len(failure.Notes) > 0 {
		fmt.Fprintln(&text, book.Say(lang, "bank.says", nil))
		for _, note := range failure.Notes {
			fmt.Fprintf(&text, "> %s\n", escaped(note))
		}
	}
	fmt.Fprintln(&text, failure.Next(lang))
	if !strings.Contains(text.String(), failure.ID) {
		fmt.Fprintln(&text, book.Say(lang, "reference", map[string]any{"id": failure.ID}))
	}
	return strings.TrimSpace(text.String())
}

// orAll names what a problem without a path concerns: all the arguments.
func orAll(path string) string {
	if path == "" {
		return "*"
	}
	return path
}

// isMissing tells the failures that mean, to who reads a document, that it is not there.
func isMissing(kind tools.ErrorKind) bool {
	switch kind {
	case tools.NotFound, tools.Invalid, tools.Forbidden, tools.Closed:
		return true
	}
	return false
}

// shortened cuts text that is too long after a line, and says that it did.
func shortened(text string, lang words.Lang) string {
	if len(text) <= maxText {
		return text
	}
	note := "\n\n" + book.Say(lang, "text.cut", nil)
	kept := text[:maxText-len(note)]
	if line := strings.LastIndexByte(kept, '\n'); line > 0 {
		kept = kept[:line]
	}
	return strings.ToValidUTF8(kept, "") + note
}

// harmless is JSON with its texts made visible, in the same order.
func harmless(data []byte) (json.RawMessage, error) {
	var out bytes.Buffer
	decoder, encoder := jsontext.NewDecoder(bytes.NewReader(data)), jsontext.NewEncoder(&out)
	for {
		token, err := decoder.ReadToken()
		if err == io.EOF {
			return bytes.TrimSpace(out.Bytes()), nil
		}
		if err == nil && token.Kind() == '"' {
			token = jsontext.String(visible(token.String()))
		}
		if err == nil {
			err = encoder.WriteToken(token)
		}
		if err != nil {
			return nil, fmt.Errorf("rewriting an output: %w", err)
		}
	}
}
