package tools_test

import (
	"encoding/json"
	"testing"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools/catalogue"
)

func TestEveryToolHasAnExampleWithAllThatItRequires(t *testing.T) {
	t.Parallel()
	for _, tool := range catalogue.New().Tools() {
		in, problems := tool.Decode(json.RawMessage(tool.Example), words.English)
		if tool.Example == "" || in == nil || problems != nil {
			t.Errorf("%s has the example %q, which has the problems %v", tool.Name, tool.Example, problems)
			continue
		}
		for _, field := range tool.Fields {
			if _, given := field.Value(in); field.Required && !given && (!tool.Edits || field.Refers()) {
				t.Errorf("%s: the example lacks %s", tool.Name, field.Path)
			}
		}
	}
}
