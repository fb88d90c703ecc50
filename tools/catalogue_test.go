package tools_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/balcao/balcao/tools"
)

func TestACatalogueRejectsToolsThatConflict(t *testing.T) {
	t.Parallel()
	type tool struct {
		name string
		next tools.Next
	}
	for name, test := range map[string]struct {
		tools    []tool
		commands string
		want     string // "" for a catalogue that is built
	}{
		"apart":                     {[]tool{{"a", nil}, {"b", tools.Next{"a": {"process"}}}}, `"a.command" = "a"` + "\n" + `"b.command" = "b"`, ""},
		"one name":                  {[]tool{{"a", nil}, {"a", nil}}, `"a.command" = "a"`, "share a name"},
		"one command":               {[]tool{{"a", nil}, {"b", nil}}, `"a.command" = "a"` + "\n" + `"b.command" = "A"`, "share a name or a command"},
		"a step to nowhere":         {[]tool{{"a", tools.Next{"b": nil}}}, "", "not in the catalogue"},
		"a step with another field": {[]tool{{"a", tools.Next{"a": {"borrower"}}}}, "", "does not take"},
	} {
		texts := &fstest.MapFile{Data: []byte(test.commands)}
		set := tools.NewToolset("test", fstest.MapFS{"words/en.toml": texts, "words/pt-PT.toml": texts})
		for _, each := range test.tools {
			tools.Define(set, tools.Spec{Name: each.name, Effect: tools.Reads, Next: each.next}, func(context.Context, *tools.Call, unverifiable) (nothing, error) {
				return nothing{}, nil
			})
		}
		if _, err := tools.NewCatalogue(set); err == nil != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
