package tools_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/tools"
)

func TestACatalogueIsReducedToTheNamedToolsets(t *testing.T) {
	t.Parallel()
	tool := func(name string, core bool) *tools.Tool {
		return &tools.Tool{Spec: tools.Spec{Name: name, Core: core}}
	}
	first := &tools.Toolset{Name: "first", Tools: []*tools.Tool{tool("a", true), tool("c", false)}}
	rare := &tools.Toolset{Name: "rare", Tools: []*tools.Tool{tool("b", false)}}
	catalogue, err := tools.NewCatalogue(first, rare)
	if err != nil {
		t.Fatal(err)
	}
	for names, want := range map[string][]string{
		"": {"a"}, "core": {"a"}, "all": {"a", "c", "b"}, "rare": {"b"}, "rare,first": {"a", "c", "b"}, "core,rare": {"a", "b"},
	} {
		selected, err := catalogue.Only(strings.FieldsFunc(names, func(r rune) bool { return r == ',' })...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, tool := range selected.Tools() {
			got = append(got, tool.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q selects %v, want %v", names, got, want)
		}
	}
	if _, err := catalogue.Only("first", "other"); err == nil || !strings.Contains(err.Error(), `"other", only core, all, first, rare`) {
		t.Errorf("an unknown toolset gives %v", err)
	}
}
