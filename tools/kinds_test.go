package tools_test

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/tools/catalogue"
	"github.com/balcao/balcao/tools/simulations"
)

// withKind is a copy of a tool whose field at path is of another kind.
func withKind(tool *tools.Tool, path string, kind *tools.Kind) (*tools.Tool, tools.Field) {
	copied := *tool
	copied.Fields = slices.Clone(tool.Fields)
	i := slices.IndexFunc(copied.Fields, func(f tools.Field) bool { return f.Path == path })
	copied.Fields[i].Kind = kind
	if kind == tools.Choice {
		copied.Fields[i].Taxonomy = "genders"
	}
	return &copied, copied.Fields[i]
}

func TestEachKindIsComplete(t *testing.T) {
	t.Parallel()
	var names []string
	for _, kind := range tools.Kinds() {
		if lacks := kind.Incomplete(); lacks != "" {
			t.Errorf("%s has no %s", kind.Name, lacks)
		}
		if slices.Contains(names, kind.Name) {
			t.Errorf("two kinds are called %s", kind.Name)
		}
		names = append(names, kind.Name)
		if kind.Refers && kind.Choices == nil {
			t.Errorf("%s says what a call is about, and nobody can choose it", kind.Name)
		}
	}
}

func TestAKindThatLacksSomethingIsFound(t *testing.T) {
	t.Parallel()
	for lacks, change := range map[string]func(*tools.Kind){
		"name":                    func(k *tools.Kind) { k.Name = "" },
		"control":                 func(k *tools.Kind) { k.Control = "" },
		"schema":                  func(k *tools.Kind) { k.Schema = nil },
		"Parse":                   func(k *tools.Kind) { k.Parse = nil },
		"choices for its control": func(k *tools.Kind) { k.Choices = nil },
		"audit rule":              func(k *tools.Kind) { k.Audit = tools.AuditNothing },
		"text problem.kind.other": func(k *tools.Kind) { k.Name = "other" },
	} {
		kind := *tools.Borrower
		if change(&kind); kind.Incomplete() != lacks {
			t.Errorf("without its %s it lacks %q", lacks, kind.Incomplete())
		}
	}
	for what, change := range map[string]func(*tools.Accepts){
		"offers nothing": func(a *tools.Accepts) { a.Extensions = nil }, "is of any type": func(a *tools.Accepts) { a.MediaTypes = nil },
		"is of any size": func(a *tools.Accepts) { a.MaxSize = 0 }, "is no file": func(a *tools.Accepts) { a.MaxFiles = 0 },
	} {
		file := *tools.Upload
		if change(&file.Accepts); file.Incomplete() != "accepted files" {
			t.Errorf("a file that %s lacks %q", what, file.Incomplete())
		}
	}
}

func TestAValueThatCannotBeReadHasTheProblemOfItsKind(t *testing.T) {
	t.Parallel()
	for _, kind := range tools.Kinds() {
		tool, _ := withKind(borrowers.Create, "personal.name", kind)
		for _, lang := range words.Langs {
			_, problems := tool.Decode(json.RawMessage(`{"personal":{"name":{}}}`), lang)
			if len(problems) != 1 || problems[0].Code != "kind."+kind.Name || problems[0].Path != "personal.name" || strings.HasPrefix(problems[0].Text, "problem.") {
				t.Errorf("%s in %s: got %+v", kind.Name, lang, problems)
			}
		}
	}
}

func TestTheSchemaOfEachKindIsThatOfItsEntry(t *testing.T) {
	t.Parallel()
	for _, kind := range tools.Kinds() {
		tool, field := withKind(borrowers.Create, "personal.name", kind)
		field.People = kind.PeopleOnly
		tool.Fields[slices.IndexFunc(tool.Fields, func(f tools.Field) bool { return f.Path == field.Path })] = field
		schema := tool.InputSchema().Properties["personal"].Properties["name"]
		switch {
		case kind.PeopleOnly && schema != nil:
			t.Errorf("%s: assistants are offered what only people may give", kind.Name)
		case !kind.PeopleOnly && (schema == nil || schema.Type != kind.Schema.Type || schema.Format != kind.Schema.Format || schema.Description == ""):
			t.Errorf("%s: the schema is %+v", kind.Name, schema)
		}
		if kind.Schema.Description != "" {
			t.Errorf("%s: a field has changed the entry of its kind", kind.Name)
		}
	}
}

func TestEachKindWithChoicesOffersAndFindsThem(t *testing.T) {
	t.Parallel()
	for _, kind := range tools.Kinds() {
		if kind.Choices == nil {
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			e := start(t)
			tool, path := borrowers.Update, "personal.name"
			if slices.Contains(kind.DependsOn, tools.Simulation) {
				tool, path = simulations.SendESIS, "borrower"
			}
			_, field := withKind(tool, path, kind)
			answers := map[string]string{"process": sandbox.SampleProcess(1043).String(), "simulation": sandbox.SampleSimulation(2103).String()}
			options, err := e.Options(t.Context(), e.Actor, field, "", answers)
			if err != nil || len(options) == 0 {
				t.Fatalf("got %v, %v", options, err)
			}
			if audited := len(e.Audit.Entries()) > 0; audited != (kind.Audit >= tools.AuditLists) {
				t.Errorf("its list is audited: %v", audited)
			}
			option, ok := e.Option(t.Context(), e.Actor, field, options[0].Value, answers)
			if !ok || option.Value != options[0].Value || option.Text == "" {
				t.Errorf("%q is found as %+v, %v", options[0].Value, option, ok)
			}
			if !option.Clear.IsZero() && kind.Audit < tools.AuditOptions {
				t.Error("an option that names a client needs no audit entry")
			}
		})
	}
}

func TestFilesAndFreeTextAreFieldsOfATool(t *testing.T) {
	t.Parallel()
	type input struct {
		Process tools.ProcessRef `json:"process" page:"process" validate:"required"`
		File    tools.FileRef    `json:"file" page:"process" validate:"required"`
		Note    tools.FreeText   `json:"note,omitzero" page:"process" pii:"contact"`
	}
	tool := tools.Define(emptyToolset(), tools.Spec{Name: "file_document", Effect: tools.Reads}, nilRun[input])
	file, _ := tool.Field("file")
	note, _ := tool.Field("note")
	if file.Kind != tools.Upload || file.Class != "contact" || note.Kind != tools.Lines || note.Class != "contact" {
		t.Errorf("got %s (%s), %s (%s)", file.Kind, file.Class, note.Kind, note.Class)
	}
}

// emptyToolset makes a toolset without texts.
func emptyToolset() *tools.Toolset {
	return tools.NewToolset("test", fstest.MapFS{"words/en.toml": {}, "words/pt-PT.toml": {}})
}

// kindVariables are the names of the variables that hold the kinds.
func kindVariables(t *testing.T) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "kinds.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if entry, ok := spec.Values[0].(*ast.UnaryExpr); ok {
			if literal, ok := entry.X.(*ast.CompositeLit); ok {
				if of, ok := literal.Type.(*ast.Ident); ok && of.Name == "Kind" {
					names = append(names, spec.Names[0].Name)
				}
			}
		}
		return true
	})
	if len(names) != len(tools.Kinds()) {
		t.Fatalf("%d variables for %d kinds: %v", len(names), len(tools.Kinds()), names)
	}
	return names
}

func TestOnlyTheTableOfKindsComparesThem(t *testing.T) {
	t.Parallel()
	names := kindVariables(t)
	isKind := func(e ast.Expr) bool {
		if selector, ok := e.(*ast.SelectorExpr); ok {
			pkg, ok := selector.X.(*ast.Ident)
			return ok && pkg.Name == "tools" && slices.Contains(names, selector.Sel.Name)
		}
		id, ok := e.(*ast.Ident)
		return ok && slices.Contains(names, id.Name)
	}
	ofKind := func(e ast.Expr) bool {
		selector, ok := e.(*ast.SelectorExpr)
		return ok && selector.Sel.Name == "Kind"
	}
	checked := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		table := filepath.Dir(path) == filepath.Join("..", "tools") && (name == "kinds.go" || strings.HasPrefix(name, "kind_"))
		if err != nil || entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || table {
			return err
		}
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		checked++
		found := func(n ast.Node) { t.Errorf("%s compares kinds of fields", files.Position(n.Pos())) }
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && (ofKind(n.X) && isKind(n.Y) || ofKind(n.Y) && isKind(n.X)) {
					found(n)
				}
			case *ast.SwitchStmt:
				if n.Tag != nil && ofKind(n.Tag) && slices.ContainsFunc(n.Body.List, func(c ast.Stmt) bool {
					return slices.ContainsFunc(c.(*ast.CaseClause).List, isKind)
				}) {
					found(n)
				}
			case *ast.SelectorExpr: // a kind's name
				if n.Sel.Name == "Name" && ofKind(n.X) {
					found(n)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || checked < 50 {
		t.Fatalf("%d files were checked: %v", checked, err)
	}
}

func TestEachFieldOfTheCatalogueIsOfAKindOfTheTable(t *testing.T) {
	t.Parallel()
	for _, tool := range catalogue.New().Tools() {
		for _, field := range tool.Fields {
			if !slices.Contains(tools.Kinds(), field.Kind) {
				t.Errorf("%s %s is a %s", tool.Name, field.Path, field.Kind)
			}
		}
	}
}

// noOutput is a result with nothing to show.
type noOutput struct{}

func (noOutput) Card(tools.Say) tools.Card { return tools.Card{} }

func nilRun[In any](context.Context, *tools.Call, In) (noOutput, error) { return noOutput{}, nil }
