package conversations

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/redistest"
)

// BenchmarkDraft saves and reads a draft as large as a filled borrower form, on a real Redis over loopback.
func BenchmarkDraft(b *testing.B) {
	s := open(b, redistest.Start(b), newKeys(b))
	d := must(s.StartDraft(b.Context(), "maria", "borrower", "1042"))(b)
	d.Answers = make(map[string]string)
	for _, field := range strings.Fields("a b c d e f g h i j k l m n o p q r s t u v w x y z") {
		d.Answers["personal."+field] = strings.Repeat(field, 40)
	}
	d = must(s.SaveDraft(b.Context(), d))(b)
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			d = must(s.SaveDraft(b.Context(), d))(b)
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			must(s.Draft(b.Context(), "maria", d.ID))(b)
		}
	})
}
