package mcpapp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// exampleFile is the reference of a file in the examples of tools.
const exampleFile = "upload:example"

// Every tool for assistants is called by its name with its example, over HTTP to Balcão and to the bank. A person confirms what
// it asks, and it answers with the card that the runner gives for these arguments.
func TestEveryToolAnswersItsExample(t *testing.T) {
	t.Parallel()
	for _, tool := range forAssistants(t, tools.AllToolsets) {
		t.Run(tool.Name, func(t *testing.T) {
			t.Parallel()
			want := expectedCard(t, tool)
			e := start(t, withTools(tools.AllToolsets))
			a := variants[3].start(t, e)
			example := tool.Example
			if strings.Contains(example, exampleFile) {
				given := a.asksForAddress(t)
				if status, answer := give(t, http.MethodPut, given.Address+"recibo.pdf", bytes.NewReader(pdf), nil); status != http.StatusCreated {
					t.Fatalf("the file gave %d %s", status, answer)
				}
				example = strings.ReplaceAll(example, exampleFile, given.File)
			}
			args := callArgs(t, tool, example)
			answer := a.call(t, tool.Name, args)
			if confirmation := confirmationOf(answer); confirmation != "" {
				answer = a.call(t, tool.Name, withArg(args, "confirmation", confirmation))
			}
			contains(t, text(succeeded(t, answer)), "## "+want.Title)
			for _, op := range tool.Operations {
				if e.bank.Calls(op) == 0 {
					t.Errorf("the bank's %s was not called", op)
				}
			}
		})
	}
}

// expectedCard returns the card of a tool's example, of an environment of its own.
func expectedCard(t *testing.T, tool *tools.Tool) tools.Card {
	t.Helper()
	e := testenv.Start(t, testenv.Options{Runner: func(c *tools.Config) { c.Updates = staticUpdates{} }})
	e.Actor = tools.Actor{ID: "ana", Lang: words.English, Assistant: true}
	e.Runner.OfferUploads(oneAddress{})
	result, failure := e.CallConfirmed(t, tool.Name, tool.Example)
	if failure != nil {
		t.Fatalf("the example of %s: %v", tool.Name, failure)
	}
	defer result.Close()
	return result.Card
}

// oneAddress opens the same address for every file.
type oneAddress struct{}

func (oneAddress) OpenUpload(context.Context, tools.Actor, int64) (tools.UploadAddress, error) {
	return tools.UploadAddress{File: exampleFile, URL: "https://balcao.example.com/"}, nil
}

// callArgs returns the arguments of an example as the list of tools asks for them: an editor's changes are in «set», by path.
func callArgs(t *testing.T, tool *tools.Tool, example string) map[string]any {
	t.Helper()
	var given map[string]any
	must(t, json.Unmarshal([]byte(example), &given))
	set := map[string]any{}
	for _, field := range tool.Fields {
		group, name, nested := strings.Cut(field.Path, ".")
		from := given
		if nested {
			from, _ = given[group].(map[string]any)
		} else {
			name = group
		}
		if value, has := from[name]; has && field.Editable() {
			set[field.Path] = value
			delete(from, name)
		}
		if inner, is := given[group].(map[string]any); is && len(inner) == 0 {
			delete(given, group)
		}
	}
	if len(set) > 0 {
		given["set"] = set
	}
	return given
}
