package validation

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/words"
)

func TestEveryCodeIsCertainOrNotAndHasATextInBothLanguages(t *testing.T) {
	var keys []string
	for _, code := range Codes() {
		keys = append(keys, string(code))
	}
	if missing := texts.Missing(keys...); missing != nil {
		t.Errorf("without a text: %v", missing)
	}
	keys = append(keys, bankDecides, confirm)
	slices.Sort(keys)
	for _, lang := range words.Langs {
		if got := texts.Keys(lang); !slices.Equal(got, keys) {
			t.Errorf("%s has texts that no code says", lang)
		}
	}
	if declared := declaredCodes(t); declared != len(slices.Compact(Codes())) || declared != len(certain)+len(uncertain) {
		t.Errorf("%d codes are declared, %d are certain and %d are not", declared, len(certain), len(uncertain))
	}
}

func declaredCodes(t *testing.T) (n int) {
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok {
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
				n += len(spec.Names)
			}
		}
		return true
	})
	return n
}

// A form whose fields fail every tag of the library's that the catalogue might use, and some that it will not.
type plainForm struct {
	Required string   `validate:"required"`
	Long     string   `validate:"max=1"`
	Short    string   `validate:"min=9"`
	High     int      `validate:"max=1"`
	Low      int      `validate:"gte=9"`
	Choice   string   `validate:"oneof=a b"`
	Other    string   `validate:"uuid4"`
	Many     []string `validate:"max=1"`
}

func TestNoTextIsOneOfTheLibrary(t *testing.T) {
	report := New(Options{Rules: AskAll()}).Struct(plainForm{Long: "secret", Short: "secret", High: 5, Low: 5, Choice: "secret", Other: "secret", Many: []string{"secret", "secret"}})
	if len(report) != 8 {
		t.Errorf("got %d problems, want 8", len(report))
	}
	for _, p := range report {
		for _, lang := range words.Langs {
			text := p.Text(lang)
			if text == p.Code || strings.Contains(text, "Error:") || strings.Contains(text, "Key:") || strings.Contains(text, "secret") || strings.Contains(text, "no value") {
				t.Errorf("%s %s: %q", p.Path, lang, text)
			}
		}
	}
}

func TestEveryPlaceholderOfATextHasAValue(t *testing.T) {
	limits := map[string]string{"max": "20", "min": "1", "days": "90", "ratio": "48", "limit": "45", "years": "35", "age": "75"}
	for _, code := range Codes() {
		for _, lang := range words.Langs {
			p := problem(code, "")
			p.Params = limits
			if text := p.Text(lang); text == string(code) || strings.Contains(text, "no value") {
				t.Errorf("%s %s: %q", lang, code, text)
			}
		}
	}
}
