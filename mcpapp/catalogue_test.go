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
	all := rawClient{url: start(t, withToolsets(tools.AllToolsets)).serve(t)}
	compare(t, filepath.Join("testdata", "tools-list."+modern+".ana.all.json"), all.request(t, modern, 1, "tools/list", nil).result(t))
}

func withToolsets(names ...string) func(*options) {
	return func(s *options) { s.app.Toolsets = names }
}

func TestOnlyTheSelectedToolsetsAreOffered(t *testing.T) {
	t.Parallel()
	a := variants[3].start(t, start(t, withToolsets("taxonomies", "processes")))
	toolsets := map[string]bool{}
	for _, listed := range a.tools(t) {
		tool, _ := catalogue.New().Named(listed.Name)
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

// The list of tools is part of every request to a model, so its size is bounded.
func TestTheListOfToolsStaysWithinItsBudget(t *testing.T) {
	t.Parallel()
	for toolsets, budget := range map[string]int{tools.CoreTools: 16_000, tools.AllToolsets: 36_000} {
		w := rawClient{url: start(t, withToolsets(toolsets)).serve(t)}
		for _, revision := range []string{legacy, modern} {
			result := w.request(t, revision, 1, "tools/list", nil).result(t)
			var list struct{ Tools []json.RawMessage }
			must(t, json.Unmarshal(result, &list))
			largest := 0
			for _, tool := range list.Tools {
				largest = max(largest, len(tool))
			}
			t.Logf("%s, %s: %d tools, %d bytes, the largest %d", toolsets, revision, len(list.Tools), len(result), largest)
			if len(list.Tools) != len(forAssistants(t, toolsets)) || len(result) > budget || largest > 5<<10 {
				t.Errorf("%s, %s: %d tools in %d bytes, the largest %d", toolsets, revision, len(list.Tools), len(result), largest)
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
	listed := variants[3].start(t, start(t)).tools(t)
	if len(listed) != len(forAssistants(t)) {
		t.Errorf("%d tools are listed, want %d", len(listed), len(forAssistants(t)))
	}
	for _, tool := range forAssistants(t) {
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
		descriptions := propertyDescriptions(t, got)
		for _, field := range tool.Fields {
			if _, ok := descriptions[field.Path]; ok == field.People {
				t.Errorf("%s.%s: in the schema %v, for people only %v", tool.Name, field.Path, ok, field.People)
			}
		}
		for path, description := range descriptions {
			if described := description != ""; described == describedElsewhere(t, got, tool, path) {
				t.Errorf("%s.%s: has a description %v", tool.Name, path, described)
			}
		}
	}
}

// describedElsewhere reports whether a path of an editor's input is described by the tool of the same toolset that creates
// what it edits. The editor's own description has to name that tool.
func describedElsewhere(t *testing.T, listed mcp.Tool, tool *tools.Tool, path string) bool {
	t.Helper()
	field, isField := tool.Field(path)
	isGroup := slices.ContainsFunc(tool.Fields, func(f tools.Field) bool { return strings.HasPrefix(f.Path, path+".") })
	if !tool.Edits || !isGroup && (!isField || field.Refers() || field.Hidden()) {
		return false
	}
	for _, creator := range catalogue.New().Tools() {
		same, ok := creator.Field(path)
		if creator.Effect == tools.Creates && creator.Toolset == tool.Toolset && (isGroup || ok && same.Kind == field.Kind) {
			contains(t, listed.Description, creator.Name)
			return true
		}
	}
	return false
}

// propertyDescriptions returns the descriptions of all properties of a tool's input, by path. It checks that no object allows
// additional properties.
func propertyDescriptions(t *testing.T, tool mcp.Tool) map[string]string {
	t.Helper()
	data, err := json.Marshal(tool.InputSchema)
	must(t, err)
	var root map[string]any
	must(t, json.Unmarshal(data, &root))
	descriptions := map[string]string{}
	var collect func(prefix string, object map[string]any)
	collect = func(prefix string, object map[string]any) {
		if object["additionalProperties"] != false {
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
		tools.Sends:   {false, true, false, true},
	}
	seen := map[tools.Effect]bool{}
	for _, listed := range variants[3].start(t, start(t)).tools(t) {
		tool, _ := catalogue.New().Named(listed.Name)
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
