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

// eachFile calls visit with the path of every file of the repository outside of hidden directories.
func eachFile(t *testing.T, visit func(path string)) {
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

func TestEveryTextExistsInBothLanguages(t *testing.T) {
	files := 0
	eachFile(t, func(path string) {
		if filepath.Base(path) != "en.toml" {
			return
		}
		files++
		for _, missing := range words.Load(os.DirFS(filepath.Dir(path))).Missing() {
			t.Errorf("%s lacks %s", filepath.Dir(path), missing)
		}
	})
	if files < 5 {
		t.Errorf("found only %d files", files)
	}
}

// Portuguese text is recognised by its accents. The names of the sandbox's people have accents too; they are data.
func TestNoPortugueseTextIsInCode(t *testing.T) {
	eachFile(t, func(path string) {
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
