package tools_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/balcao/balcao/tools"
)

func TestACatalogueIsNotBuiltOfToolsThatDoNotStandTogether(t *testing.T) {
	define := func(name, command string, next tools.Next) *tools.Tool {
		return tools.Define(tools.Spec{Name: name, Command: command, Effect: tools.Reads, Next: next}, func(context.Context, *tools.Call, unverifiable) (nothing, error) {
			return nothing{}, nil
		})
	}
	for name, test := range map[string]struct {
		tools []*tools.Tool
		want  string // "" for a catalogue that is built
	}{
		"apart":                     {[]*tools.Tool{define("a", "a", nil), define("b", "b", tools.Next{"a": {"process"}})}, ""},
		"one name":                  {[]*tools.Tool{define("a", "a", nil), define("a", "b", nil)}, "share a name"},
		"one command":               {[]*tools.Tool{define("a", "a", nil), define("b", "a", nil)}, "share a name or a command"},
		"a step to nowhere":         {[]*tools.Tool{define("a", "a", tools.Next{"b": nil})}, "not in the catalogue"},
		"a step with another field": {[]*tools.Tool{define("a", "a", tools.Next{"a": {"borrower"}})}, "does not take"},
	} {
		files := fstest.MapFS{"words/en.toml": {}, "words/pt-PT.toml": {}}
		_, err := tools.NewCatalogue(tools.NewToolset("test", files, test.tools...))
		if err == nil != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
