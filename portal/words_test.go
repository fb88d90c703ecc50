package portal

import (
	"fmt"
	"testing"
)

func TestEveryLocalTaxonomyHasWordsInBothLanguages(t *testing.T) {
	var want []string
	for key, count := range localTaxonomies {
		for id := range count {
			want = append(want, fmt.Sprintf("%s.%d", key, id+1))
		}
	}
	if missing := texts.Missing(want...); missing != nil {
		t.Errorf("missing: %q", missing)
	}
}
