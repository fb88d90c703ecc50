package tools_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/balcao/balcao/tools"
)

func TestAPromptOfMissingToolsIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spec tools.PromptSpec
		want string
	}{
		"no tool":        {tools.PromptSpec{Name: "p"}, "needs no tool"},
		"a missing tool": {tools.PromptSpec{Name: "p", Needs: []string{"other"}}, "not in the catalogue"},
	} {
		files := fstest.MapFS{"words/en.toml": {}, "words/pt-PT.toml": {}}
		set := tools.NewToolset("set", files)
		tools.DefinePrompt(set, c.spec)
		if _, err := tools.NewCatalogue(set); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
