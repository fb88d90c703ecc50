package mcpapp_test

import (
	"slices"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/kindtest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/tools"
)

func TestEachKindHasASchemaAndAProblemForAssistants(t *testing.T) {
	t.Parallel()
	for _, lang := range words.Langs {
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			e := start(t, func(s *options) {
				s.tools = kindtest.Catalogue(t, tools.Kinds()...)
				s.app.Tools = []string{tools.AllToolsets}
				s.app.Actor = mcpapp.Always(tools.Actor{ID: "ana", Lang: lang})
			})
			a := variants[0].start(t, e)
			offered := a.tools(t)
			for _, kind := range tools.Kinds() {
				name := kindtest.ToolName(kind)
				i := slices.IndexFunc(offered, func(tool mcp.Tool) bool { return tool.Name == name })
				if kind.PeopleOnly != (i < 0) {
					t.Errorf("%s: an assistant is offered it: %v", name, i >= 0)
				}
				if kind.PeopleOnly {
					continue
				}
				schema := strictSchema(t, offered[i].InputSchema)
				if schema.Properties["value"] == nil {
					t.Errorf("%s: its schema has no value", name)
				}
				result := a.call(t, name, map[string]any{"process": "1042", "value": map[string]any{}})
				if !result.IsError {
					t.Errorf("%s: it takes an object", name)
				}
				contains(t, text(result), "(error, kind."+kind.Name+")")
				lacks(t, text(result), "problem.kind")
			}
		})
	}
}
