package tools_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/balcao/balcao/tools"
)

func TestACatalogueIsNotBuiltOfToolsThatDoNotStandTogether(t *testing.T) {
	t.Parallel()
	define := func(name string, next tools.Next) *tools.Tool {
		return tools.Define(tools.Spec{Name: name, Effect: tools.Reads, Next: next}, func(context.Context, *tools.Call, unverifiable) (nothing, error) {
			return nothing{}, nil
		})
	}
	for name, test := range map[string]struct {
		tools    []*tools.Tool
		commands string
		want     string // "" for a catalogue that is built
	}{
		"apart":                     {[]*tools.Tool{define("a", nil), define("b", tools.Next{"a": {"process"}})}, `"a.command" = "a"` + "\n" + `"b.command" = "b"`, ""},
		"one name":                  {[]*tools.Tool{define("a", nil), define("a", nil)}, `"a.command" = "a"`, "share a name"},
		"one command":               {[]*tools.Tool{define("a", nil), define("b", nil)}, `"a.command" = "a"` + "\n" + `"b.command" = "A"`, "share a name or a command"},
		"a step to nowhere":         {[]*tools.Tool{define("a", tools.Next{"b": nil})}, "", "not in the catalogue"},
		"a step with another field": {[]*tools.Tool{define("a", tools.Next{"a": {"borrower"}})}, "", "does not take"},
	} {
		texts := &fstest.MapFile{Data: []byte(test.commands)}
		_, err := tools.NewCatalogue(tools.NewToolset("test", fstest.MapFS{"words/en.toml": texts, "words/pt-PT.toml": texts}, test.tools...))
		if err == nil != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
