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
		if len(list.Tools) != len(tools.Catalogue()) || len(result) > 16<<10 || largest > 5<<10 {
			t.Errorf("%s: %d tools in %d bytes, the largest %d", revision, len(list.Tools), len(result), largest)
		}
	}
}

func TestEveryToolTellsAllThereIsToKnow(t *testing.T) {
	a := doors[3].open(t, open(t))
	offered := a.tools(t)
	for _, tool := range tools.Catalogue() {
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
		var input map[string]any
		data, err := json.Marshal(is.InputSchema)
		must(t, err)
		must(t, json.Unmarshal(data, &input))
		described(t, is.Name, input)
	}
}

// described wants a description of every property, and no property that is not described.
func described(t *testing.T, path string, schema map[string]any) {
	t.Helper()
	if schema["additionalProperties"] != false {
		t.Errorf("%s takes anything", path)
	}
	for name, property := range schema["properties"].(map[string]any) {
		property := property.(map[string]any)
		if property["description"] == "" || property["description"] == nil {
			t.Errorf("%s.%s is not described", path, name)
		}
		if property["type"] == "object" {
			described(t, path+"."+name, property)
		}
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
