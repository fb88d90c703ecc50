package profile

import "testing"

func TestTheBuiltInProfileHasEveryOperation(t *testing.T) {
	p := Builtin()
	if len(p.Operations) != 37 || len(p.Taxonomies.Lists) != 47 {
		t.Errorf("%d operations and %d lists", len(p.Operations), len(p.Taxonomies.Lists))
	}
	for id := range p.Operations {
		if w := p.Wire(id); w == nil || w.Path == "" || w.Method == "" || w.Title == "" {
			t.Errorf("%s: %+v", id, w)
		}
	}
}
