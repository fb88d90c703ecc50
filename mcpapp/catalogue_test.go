package mcpapp_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/tools"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

// Descriptions and schemas are prompts: each change of them has to be reviewed.
func TestListsMatchTheGoldenFiles(t *testing.T) {
	t.Parallel()
	for _, actor := range []string{"ana", "reader"} {
		w := rawClient{url: start(t, asActor(actor)).serve(t)}
		for revision, hello := range map[string]string{legacy: "initialize", modern: "server/discover"} {
			for _, method := range []string{hello, "tools/list", "resources/templates/list"} {
				name := strings.Join([]string{strings.ReplaceAll(method, "/", "-"), revision, actor}, ".") + ".json"
				t.Run(name, func(t *testing.T) {
					first, second := w.request(t, revision, 1, method, nil), w.request(t, revision, 1, method, nil)
					if first.body != second.body {
						t.Error("two requests got different responses")
					}
					compare(t, filepath.Join("testdata", name), first.result(t))
				})
			}
		}
	}
	all := rawClient{url: start(t, withTools(tools.AllToolsets)).serve(t)}
	compare(t, filepath.Join("testdata", "tools-list."+modern+".ana.all.json"), all.request(t, modern, 1, "tools/list", nil).result(t))
}

func withTools(names ...string) func(*options) {
	return func(s *options) { s.app.Tools = names }
}

func TestOnlyTheSelectedToolsetsAreOffered(t *testing.T) {
	t.Parallel()
	a := variants[3].start(t, start(t, withTools("taxonomies", "processes")))
	toolsets := map[string]bool{}
	for _, listed := range a.tools(t) {
		tool, known := catalogue.New().Named(listed.Name)
		if !known {
			continue
		}
		toolsets[tool.Toolset] = true
	}
	if len(toolsets) != 2 || !toolsets["taxonomies"] || !toolsets["processes"] {
		t.Errorf("tools of %v are listed", toolsets)
	}
	lacks(t, text(succeeded(t, a.call(t, "find_processes", map[string]any{"text": "1042"}))), "list_borrowers", "get_esis")
	request := mcp.CallToolRequest{}
	request.Params.Name = "list_borrowers"
	if _, err := a.CallTool(t.Context(), request); err == nil {
		t.Error("a tool of another toolset was called")
	}
}

// The library serves a schema that does not compile, and then checks nothing by it.
func TestEverySchemaCompiles(t *testing.T) {
	t.Parallel()
	all := catalogue.New()
	for _, tool := range all.Tools() {
		t.Run(tool.Name, func(t *testing.T) {
			definition, err := mcpapp.Definition(all, tool)
			must(t, err)
			strictSchema(t, definition.RawInputSchema)
			strictSchema(t, definition.RawOutputSchema)
		})
	}
}

func compare(t *testing.T, path string, got json.RawMessage) {
	t.Helper()
	var pretty bytes.Buffer
	must(t, json.Indent(&pretty, got, "", "  "))
	pretty.WriteByte('\n')
	if *update {
		must(t, os.WriteFile(path, pretty.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Errorf("%s is out of date: review the change, then run with -update", path)
	}
}

// followers are the tools that follow a call which waits for a person, and ownTools also those that reach the operations which
// are not listed.
var (
	followers = []string{"await_approval", "withdraw_approval"}
	ownTools  = append([]string{"find_operation", "describe_operation", "read_operation", "write_operation"}, followers...)
)

// The list of tools is part of every request to a model, so its size is bounded: that of the core as a whole, whatever
// operations are added, and that of all tools for each.
func TestTheListOfToolsStaysWithinItsBudget(t *testing.T) {
	t.Parallel()
	for offered, budget := range map[string]func(count int) (most, largest int){
		tools.CoreTools:   func(int) (int, int) { return 15_000, 5 << 10 },
		tools.AllToolsets: func(count int) (int, int) { return 1_000 * count, 5 << 10 },
	} {
		w := rawClient{url: start(t, withTools(offered)).serve(t)}
		for _, revision := range []string{legacy, modern} {
			result := w.request(t, revision, 1, "tools/list", nil).result(t)
			var list struct{ Tools []json.RawMessage }
			must(t, json.Unmarshal(result, &list))
			largest := 0
			for _, tool := range list.Tools {
				largest = max(largest, len(tool))
			}
			most, mostOfOne := budget(len(list.Tools))
			t.Logf("%s, %s: %d tools, %d bytes, the largest %d", offered, revision, len(list.Tools), len(result), largest)
			if len(result) > most || largest > mostOfOne {
				t.Errorf("%s, %s: %d tools in %d bytes, the largest %d", offered, revision, len(list.Tools), len(result), largest)
			}
		}
	}
}

// forAssistants returns the tools of toolsets that assistants may use.
func forAssistants(t *testing.T, toolsets ...string) []*tools.Tool {
	t.Helper()
	selected, err := catalogue.New().Only(toolsets...)
	must(t, err)
	return slices.DeleteFunc(selected.Tools(), func(tool *tools.Tool) bool { return !tool.ForAssistants() })
}

func TestEveryToolIsFullyDescribed(t *testing.T) {
	t.Parallel()
	listed := variants[3].start(t, start(t, withTools(tools.AllToolsets))).tools(t)
	if want := len(forAssistants(t, tools.AllToolsets)) + len(followers); len(listed) != want {
		t.Errorf("%d tools are listed, want %d", len(listed), want)
	}
	for _, tool := range forAssistants(t, tools.AllToolsets) {
		i := slices.IndexFunc(listed, func(l mcp.Tool) bool { return l.Name == tool.Name })
		if i < 0 {
			t.Errorf("%s is not listed", tool.Name)
			continue
		}
		got := listed[i]
		if got.Title == "" || !strings.HasPrefix(got.Description, tool.Help(words.English)) {
			t.Errorf("%s has the title %q and the description %q", tool.Name, got.Title, got.Description)
		}
		for name, hint := range map[string]*bool{
			"readOnly": got.Annotations.ReadOnlyHint, "destructive": got.Annotations.DestructiveHint,
			"idempotent": got.Annotations.IdempotentHint, "openWorld": got.Annotations.OpenWorldHint,
		} {
			if hint == nil {
				t.Errorf("%s has no hint %s", tool.Name, name)
			}
		}
		descriptions := propertyDescriptions(t, got, tool.Like)
		creator, elsewhere := catalogue.New().CreatorOf(tool)
		if elsewhere {
			contains(t, descriptions["set"], creator.Name)
		}
		for _, field := range tool.Fields {
			path := field.Path
			group, _, _ := strings.Cut(path, ".")
			if _, alike := tool.Like[group]; alike {
				path = group
			}
			if field.Editable() {
				path = "set." + path
			}
			if _, ok := descriptions[path]; ok == field.People && !(elsewhere && field.Editable()) {
				t.Errorf("%s.%s: in the schema %v, for people only %v", tool.Name, path, ok, field.People)
			}
		}
		for path, description := range descriptions {
			field, single := tool.Field(strings.TrimPrefix(path, "set."))
			if !single && tool.PageTitle(words.English, path) != "" { // a group, called as its page
				continue
			}
			if description == "" && !isName(field.Name(), field.Label(words.English)) {
				t.Errorf("%s.%s: has no description", tool.Name, path)
			}
		}
	}
}

// isName reports whether each word of a label begins as a part of a name does, so that the name needs no description.
func isName(name, label string) bool {
	for word := range strings.FieldsFuncSeq(strings.ToLower(label), func(c rune) bool { return !unicode.In(c, unicode.L) }) {
		if !strings.Contains(strings.ToLower(name), word[:min(len(word), 4)]) {
			return false
		}
	}
	return label != ""
}

// propertyDescriptions returns the descriptions of all properties of a tool's input, by path. It checks that no object allows
// additional properties, but for changes that another tool describes, and groups that are like another one.
func propertyDescriptions(t *testing.T, tool mcp.Tool, alike map[string]string) map[string]string {
	t.Helper()
	data, err := json.Marshal(tool.InputSchema)
	must(t, err)
	var root map[string]any
	must(t, json.Unmarshal(data, &root))
	descriptions := map[string]string{}
	var collect func(prefix string, object map[string]any)
	collect = func(prefix string, object map[string]any) {
		if _, elsewhere := alike[strings.TrimSuffix(prefix, ".")]; object["additionalProperties"] != false && prefix != "set." && !elsewhere {
			t.Errorf("%s.%s allows additional properties", tool.Name, prefix)
		}
		for name, property := range object["properties"].(map[string]any) {
			property := property.(map[string]any)
			descriptions[prefix+name], _ = property["description"].(string)
			if property["type"] == "object" {
				collect(prefix+name+".", property)
			}
		}
	}
	collect("", root)
	return descriptions
}

// A tool that changes or sends is destructive. Only a tool that reads is idempotent: a call happens once for each
// idempotency key, not for each set of arguments.
func TestAnnotationsMatchTheEffect(t *testing.T) {
	t.Parallel()
	type hints struct{ readOnly, destructive, idempotent, openWorld bool }
	want := map[tools.Effect]hints{
		tools.Reads:   {true, false, true, true},
		tools.Creates: {false, false, false, true},
		tools.Updates: {false, true, false, true},
		tools.Deletes: {false, true, false, true},
		tools.Sends:   {false, true, false, true},

		tools.Remembers: {false, false, false, true},
	}
	seen := map[tools.Effect]bool{}
	for _, listed := range variants[3].start(t, start(t, withTools(tools.AllToolsets))).tools(t) {
		tool, known := catalogue.New().Named(listed.Name)
		if !known {
			continue
		}
		seen[tool.Effect] = true
		a := listed.Annotations
		if got := (hints{*a.ReadOnlyHint, *a.DestructiveHint, *a.IdempotentHint, *a.OpenWorldHint}); got != want[tool.Effect] {
			t.Errorf("%s %s, but has the hints %+v", listed.Name, tool.Effect, got)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("the catalogue has the effects %v", seen)
	}
}

func TestAnUnsafeConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	runner := tools.NewRunner(tools.Config{Catalogue: catalogue.New()})
	for name, c := range map[string]struct {
		config mcpapp.Config
		want   string
	}{
		"no runner":                     {mcpapp.Config{Actor: mcpapp.Always(tools.Actor{})}, "Runner"},
		"no actor":                      {mcpapp.Config{Runner: runner}, "Actor"},
		"a public host without a token": {mcpapp.Config{Runner: runner, Actor: mcpapp.Always(tools.Actor{}), AllowedHosts: []string{"localhost", "mcp.example.com"}}, "token"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := mcpapp.New(c.config); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestAConfigurationPrintsWithoutItsToken(t *testing.T) {
	t.Parallel()
	config := mcpapp.Config{Token: "synthetic-token", AllowedHosts: []string{"mcp.example.com"}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("starting", "config", config)
	printed := fmt.Sprintf("%v %+v %#v %s", config, config, config, config) + log.String()
	lacks(t, printed, "synthetic-token")
	contains(t, printed, "mcp.example.com")
}
