package mcpapp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// The maximum size of a result in bytes. Some assistants cap a result at 25,000 tokens.
const (
	maxText = 16 << 10
	maxData = 48 << 10
)

// resultOf returns the output as structured content, the card as text, and the file as a link, without its content.
func (a *App) resultOf(ctx context.Context, result tools.Result) (answer *mcp.CallToolResult) {
	defer func() {
		if recovered := recover(); recovered != nil { // the library would show the recovered value
			a.reportPanic(ctx, result.ID, recovered)
			answer = a.errorResult(ctx, &tools.Error{Kind: tools.Internal, ID: result.ID})
		}
	}()
	defer result.Close() // the file is read as a resource
	lang := callerOf(ctx).Lang
	data, err := json.Marshal(result.Output) // masks personal data
	if err == nil {
		data, err = withChoices(data, result.Choices)
	}
	if err == nil {
		data, err = sanitizeJSON(data)
	}
	if err != nil {
		a.config.Log.ErrorContext(ctx, "marshalling a tool's output failed", "call", result.ID, "error", err)
		return a.errorResult(ctx, &tools.Error{Kind: tools.Internal, ID: result.ID})
	}
	text := joined(markdown(result.Card, lang), a.nextSteps(ctx, result.Card.Next))
	if len(data) > maxData { // part of the output would not match the schema
		return &mcp.CallToolResult{IsError: true, Content: contents(truncated(book.Say(lang, "data.too_long", nil)+"\n\n"+text, lang))}
	}
	answer = &mcp.CallToolResult{StructuredContent: json.RawMessage(data), Content: contents(truncated(text, lang))}
	if file := result.Card.File; file != nil {
		link := mcp.NewResourceLink(file.URI, file.Name, sanitize(result.Card.Title), file.MediaType)
		size := file.Size()
		link.Size = &size
		answer.Content = append(answer.Content, link)
	}
	return answer
}

// errorResult returns the result of a failed call. It has no structured content, because clients check that against the
// output schema; details of the error for programs are in _meta.
func (a *App) errorResult(ctx context.Context, failure *tools.Error) *mcp.CallToolResult {
	lang := callerOf(ctx).Lang
	text := joined(failureText(failure, lang), a.nextSteps(ctx, failure.Steps))
	answer := &mcp.CallToolResult{IsError: true, Content: contents(truncated(text, lang))}
	answer.Meta = &mcp.Meta{AdditionalFields: map[string]any{"balcao/error": map[string]any{
		"kind": failure.Kind, "id": failure.ID, "retryAfterSeconds": int(failure.RetryAfter.Seconds()),
		"problems": append([]tools.Problem{}, failure.Problems...), "confirmation": failure.Confirmation,
	}}}
	return answer
}

// memberChoices is the member of an output that has the labels of the choices of a call, by path.
const memberChoices = "choices"

// withChoices returns an output with the choices as its last member.
func withChoices(output []byte, choices []tools.Chosen) ([]byte, error) {
	if len(choices) == 0 {
		return output, nil
	}
	labels := map[string]string{}
	for _, choice := range choices {
		labels[choice.Path] = choice.Label
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(output, &members); err != nil {
		return nil, fmt.Errorf("adding the choices: %w", err)
	}
	data, err := json.Marshal(labels)
	if err != nil {
		return nil, fmt.Errorf("adding the choices: %w", err)
	}
	members[memberChoices] = data
	return json.Marshal(members)
}

// joined returns text and the steps after it, which may be "".
func joined(text, steps string) string {
	if steps == "" {
		return text
	}
	return text + "\n\n" + steps
}

func contents(text string) []mcp.Content { return []mcp.Content{mcp.NewTextContent(text)} }

// failureText describes an error: what happened, why, and what to do next, without any value that was sent.
func failureText(failure *tools.Error, lang words.Lang) string {
	var text strings.Builder
	fmt.Fprintln(&text, failure.What(lang))
	for _, p := range failure.Problems {
		fmt.Fprintf(&text, "- %s: %s (%s, %s)\n", pathOrAll(p.Path), escapeMarkdown(p.Text), p.Severity, p.Code)
	}
	if len(failure.Choices) > 0 {
		fmt.Fprintln(&text, book.Say(lang, "choices", nil))
	}
	for _, choice := range failure.Choices {
		fmt.Fprintf(&text, "- %s: %s\n", escapeMarkdown(choice.Field), escapeMarkdown(choice.Label))
	}
	if len(failure.Notes) > 0 {
		fmt.Fprintln(&text, book.Say(lang, "bank.reasons", nil))
		for _, note := range failure.Notes {
			fmt.Fprintf(&text, "> %s\n", escapeMarkdown(note))
		}
	}
	fmt.Fprintln(&text, failure.Next(lang))
	if !strings.Contains(text.String(), failure.ID) {
		fmt.Fprintln(&text, book.Say(lang, "reference", map[string]any{"id": failure.ID}))
	}
	return strings.TrimSpace(text.String())
}

// pathOrAll returns path, or "*" for a problem that concerns all arguments.
func pathOrAll(path string) string {
	if path == "" {
		return "*"
	}
	return path
}

// isNotFound reports whether the answer to a caller who reads a document is that it does not exist.
func isNotFound(kind tools.ErrorKind) bool {
	switch kind {
	case tools.NotFound, tools.Invalid, tools.Forbidden, tools.Closed:
		return true
	}
	return false
}

// truncated returns text, cut at a line end and with a note if it is longer than maxText.
func truncated(text string, lang words.Lang) string {
	if len(text) <= maxText {
		return text
	}
	note := "\n\n" + book.Say(lang, "text.truncated", nil)
	kept := text[:maxText-len(note)]
	if line := strings.LastIndexByte(kept, '\n'); line > 0 {
		kept = kept[:line]
	}
	return strings.ToValidUTF8(kept, "") + note
}

// sanitizeJSON returns data with every string sanitized, in the same order.
func sanitizeJSON(data []byte) (json.RawMessage, error) {
	if text := string(data); isClean(text) && !strings.Contains(text, `\`) {
		return data, nil
	}
	var out bytes.Buffer
	decoder, encoder := jsontext.NewDecoder(bytes.NewReader(data)), jsontext.NewEncoder(&out)
	for {
		token, err := decoder.ReadToken()
		if err == io.EOF {
			return bytes.TrimSpace(out.Bytes()), nil
		}
		if err == nil && token.Kind() == '"' {
			token = jsontext.String(sanitize(token.String()))
		}
		if err == nil {
			err = encoder.WriteToken(token)
		}
		if err != nil {
			return nil, fmt.Errorf("sanitizing an output: %w", err)
		}
	}
}
