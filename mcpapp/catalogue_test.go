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

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/tools"
)

var update = flag.Bool("update", false, "write what assistants are told into testdata")

// What assistants are told is code that runs in somebody else's head: every change of it is looked at.
func TestWhatAssistantsAreToldIsWrittenDown(t *testing.T) {
	for _, actor := range []string{"ana", "reader"} {
		w := wire{url: open(t, as(actor)).serve(t)}
		for revision, hello := range map[string]string{legacy: "initialize", modern: "server/discover"} {
			for _, method := range []string{hello, "tools/list", "resources/templates/list"} {
				name := strings.Join([]string{strings.ReplaceAll(method, "/", "-"), revision, actor}, ".") + ".json"
				t.Run(name, func(t *testing.T) {
					first, second := w.ask(t, revision, 1, method, nil), w.ask(t, revision, 1, method, nil)
					if first.body != second.body {
						t.Error("told twice, it is not the same")
					}
					compare(t, filepath.Join("testdata", name), first.result(t))
				})
			}
		}
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
		t.Errorf("%s is out of date: look at what changed, then run with -update", path)
	}
}

// Every tool is sent to the model with every request, by everybody, forever.
func TestTheCatalogueStaysWithinItsBudget(t *testing.T) {
	w := wire{url: open(t).serve(t)}
	for _, revision := range []string{legacy, modern} {
		result := w.ask(t, revision, 1, "tools/list", nil).result(t)
		var list struct{ Tools []json.RawMessage }
		must(t, json.Unmarshal(result, &list))
		largest := 0
		for _, tool := range list.Tools {
			largest = max(largest, len(tool))
		}
		t.Logf("%s: %d tools, %d bytes, the largest %d", revision, len(list.Tools), len(result), largest)
		if len(list.Tools) != len(forAssistants()) || len(result) > 16_000 || largest > 5<<10 {
			t.Errorf("%s: %d tools in %d bytes, the largest %d", revision, len(list.Tools), len(result), largest)
		}
	}
}

// forAssistants is the catalogue without what is for people.
func forAssistants() []*tools.Tool {
	return slices.DeleteFunc(tools.Catalogue(), func(tool *tools.Tool) bool { return !tool.ForAssistants() })
}

func TestEveryToolTellsAllThereIsToKnow(t *testing.T) {
	a := doors[3].open(t, open(t))
	offered := a.tools(t)
	if offers := len(offered); offers != len(forAssistants()) {
		t.Errorf("%d tools are offered, some of them for people", offers)
	}
	for _, tool := range forAssistants() {
		i := slices.IndexFunc(offered, func(o mcp.Tool) bool { return o.Name == tool.Name })
		if i < 0 {
			t.Errorf("%s is not offered", tool.Name)
			continue
		}
		is := offered[i]
		if is.Title == "" || is.Description != tool.Help(words.English) {
			t.Errorf("%s has the title %q and the description %q", is.Name, is.Title, is.Description)
		}
		hints := is.Annotations
		for name, hint := range map[string]*bool{
			"readOnly": hints.ReadOnlyHint, "destructive": hints.DestructiveHint, "idempotent": hints.IdempotentHint, "openWorld": hints.OpenWorldHint,
		} {
			if hint == nil {
				t.Errorf("%s does not say whether it is %s", is.Name, name)
			}
		}
		told := properties(t, is)
		for _, field := range tool.Fields {
			if _, there := told[field.Path]; there == field.People {
				t.Errorf("%s.%s is offered: %v", is.Name, field.Path, there)
			}
		}
		for path, description := range told {
			if described := description != ""; described == describedElsewhere(t, is, tool, path) {
				t.Errorf("%s.%s is described here: %v", is.Name, path, described)
			}
		}
	}
}

// describedElsewhere tells whether a path of an editor's input is described where its like is made: by a tool of the same
// toolset that creates and takes the same, to which the editor's own description points.
func describedElsewhere(t *testing.T, is mcp.Tool, tool *tools.Tool, path string) bool {
	t.Helper()
	field, isField := tool.Field(path)
	isGroup := slices.ContainsFunc(tool.Fields, func(f tools.Field) bool { return strings.HasPrefix(f.Path, path+".") })
	if !tool.Edits || !isGroup && (!isField || field.Refers() || field.Hidden()) {
		return false
	}
	for _, maker := range tools.Catalogue() {
		twin, has := maker.Field(path)
		if maker.Effect == tools.Creates && maker.Toolset == tool.Toolset && (isGroup || has && twin.Kind == field.Kind) {
			contains(t, is.Description, maker.Name)
			return true
		}
	}
	return false
}

// properties gives the descriptions of all that a tool takes, by path. No object may take anything else.
func properties(t *testing.T, tool mcp.Tool) map[string]string {
	t.Helper()
	data, err := json.Marshal(tool.InputSchema)
	must(t, err)
	var root map[string]any
	must(t, json.Unmarshal(data, &root))
	descriptions := map[string]string{}
	var walk func(prefix string, object map[string]any)
	walk = func(prefix string, object map[string]any) {
		if object["additionalProperties"] != false {
			t.Errorf("%s.%s takes anything", tool.Name, prefix)
		}
		for name, property := range object["properties"].(map[string]any) {
			property := property.(map[string]any)
			descriptions[prefix+name], _ = property["description"].(string)
			if property["type"] == "object" {
				walk(prefix+name+".", property)
			}
		}
	}
	walk("", root)
	return descriptions
}

// What cannot be taken back is destructive, to be on the safe side; and only a reader may be asked twice without thought,
// for the same key and not the same arguments make a call happen once.
func TestEveryToolSaysWhatItDoesToTheWorld(t *testing.T) {
	type hints struct{ readOnly, destructive, idempotent, openWorld bool }
	want := map[tools.Effect]hints{
		tools.Reads:   {true, false, true, true},
		tools.Creates: {false, false, false, true},
		tools.Updates: {false, true, false, true},
		tools.Sends:   {false, true, false, true},
	}
	seen := map[tools.Effect]bool{}
	for _, is := range doors[3].open(t, open(t)).tools(t) {
		tool, _ := tools.Named(is.Name)
		seen[tool.Effect] = true
		a := is.Annotations
		if got := (hints{*a.ReadOnlyHint, *a.DestructiveHint, *a.IdempotentHint, *a.OpenWorldHint}); got != want[tool.Effect] {
			t.Errorf("%s %s, and says %+v", is.Name, tool.Effect, got)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("the catalogue has the effects %v", seen)
	}
}

func TestACarelessConfigurationIsRefused(t *testing.T) {
	runner := tools.NewRunner(tools.Config{})
	for name, c := range map[string]struct {
		config mcpapp.Config
		want   string
	}{
		"nothing to run":          {mcpapp.Config{Actor: mcpapp.Always(tools.Actor{})}, "no runner"},
		"nobody to ask":           {mcpapp.Config{Runner: runner}, "who asks"},
		"the world, and no token": {mcpapp.Config{Runner: runner, Actor: mcpapp.Always(tools.Actor{}), AllowedHosts: []string{"localhost", "mcp.example.com"}}, "token"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := mcpapp.New(c.config); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestAConfigurationPrintsWithoutItsToken(t *testing.T) {
	config := mcpapp.Config{Token: "synthetic-token", AllowedHosts: []string{"mcp.example.com"}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("starting", "config", config)
	printed := fmt.Sprintf("%v %+v %#v %s", config, config, config, config) + log.String()
	lacks(t, printed, "synthetic-token")
	contains(t, printed, "mcp.example.com")
}
