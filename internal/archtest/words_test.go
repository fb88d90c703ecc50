package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/words"
)

const top = "../.."

func walk(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." {
			return fs.SkipDir
		}
		if err == nil && !entry.IsDir() {
			visit(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryTextIsThereInBothLanguages(t *testing.T) {
	books := 0
	walk(t, func(path string) {
		if filepath.Base(path) != "en.toml" {
			return
		}
		books++
		for _, missing := range words.Load(os.DirFS(filepath.Dir(path))).Missing() {
			t.Errorf("%s lacks %s", filepath.Dir(path), missing)
		}
	})
	if books < 5 {
		t.Errorf("found only %d books", books)
	}
}

// A text in code gives itself away by its accents. The sandbox's people have names with accents; those are data.
func TestNoPortugueseTextIsInCode(t *testing.T) {
	walk(t, func(path string) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "sandbox/samples.go") {
			return
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if ok && literal.Kind == token.STRING && strings.ContainsAny(strings.ToLower(literal.Value), "áàâãéêíóôõúç") && literal.Value != `"Balcão"` {
				t.Errorf("%s: %s belongs in a translation file", files.Position(literal.Pos()), literal.Value)
			}
			return true
		})
	})
}
