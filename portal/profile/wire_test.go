package profile

import "testing"

func TestTheBuiltInProfileHasEveryOperation(t *testing.T) {
	p := Builtin()
	lists := 0
	for key, list := range p.Taxonomies.Lists {
		if list.Title == "" { // the bank has no operation for it
			continue
		}
		if w := p.Wire(key + "Get"); w == nil || w.Path == "" || w.Method == "" || w.Title != list.Title {
			t.Errorf("%s: %+v", key, w)
		}
		lists++
	}
	if len(p.Operations) != 37 || lists != 45 {
		t.Errorf("%d operations and %d lists", len(p.Operations), lists)
	}
	for id := range p.Operations {
		if w := p.Wire(id); w == nil || w.Path == "" || w.Method == "" || w.Title == "" {
			t.Errorf("%s: %+v", id, w)
		}
	}
}
