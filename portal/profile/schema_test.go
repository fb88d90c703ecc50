package profile

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write docs/bank-profile.schema.json from the types")

const published = "../../docs/bank-profile.schema.json"

// documented returns the comments of the package's types and fields, by «Type» and «Type.name in a file».
func documented(t *testing.T) map[string]string {
	t.Helper()
	comments := map[string]string{}
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			declared, ok := n.(*ast.GenDecl)
			if !ok {
				return true
			}
			for _, spec := range declared.Specs {
				of, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				comments[of.Name.Name] = sentence(declared.Doc.Text())
				fields, ok := of.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, field := range fields.Fields.List {
					if field.Tag != nil {
						name := reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json")
						comments[of.Name.Name+"."+name] = sentence(field.Doc.Text() + " " + field.Comment.Text())
					}
				}
			}
			return false
		})
	}
	return comments
}

// sentence returns a comment in one line, without the marks of links.
func sentence(comment string) string {
	return strings.NewReplacer("[", "", "]", "").Replace(strings.Join(strings.Fields(comment), " "))
}

// described is the schema with the comments of the Go types as descriptions.
func described(t *testing.T) object {
	t.Helper()
	schema := Schema()
	types := map[string]object{"Profile": schema}
	for name, def := range schema["$defs"].(object) {
		if def.(object)["properties"] != nil {
			types[strings.ToUpper(name[:1])+name[1:]] = def.(object)
		}
	}
	for name, comment := range documented(t) {
		of, field, is := strings.Cut(name, ".")
		switch schema := types[of]; {
		case schema == nil || field == "-":
		case !is:
			schema["description"] = comment
		default:
			property, ok := schema["properties"].(object)[field].(object)
			if !ok {
				t.Errorf("the schema lacks %s", name)
				continue
			}
			if comment != "" {
				property["description"] = comment
			}
		}
	}
	return schema
}

func TestThePublishedSchemaIsThatOfTheTypes(t *testing.T) {
	want, err := json.MarshalIndent(described(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(published, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(published); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not up to date: run script/update (%v)", published, err)
	}
}

// onlyIn are the properties of the schema that no Go field has.
var onlyIn = []string{"$schema", markKey, marksKey}

func TestTheSchemaHasTheFieldsOfTheTypesAndNoOther(t *testing.T) {
	comments := documented(t)
	schema := Schema()
	types := map[string]object{"Profile": schema}
	for name, def := range schema["$defs"].(object) {
		if def.(object)["properties"] != nil {
			types[strings.ToUpper(name[:1])+name[1:]] = def.(object)
		}
	}
	for _, name := range []string{"Forms", "Operation", "Reply", "Page", "Errors", "Taxonomies", "List", "Item", "States", "Meaning", "Alternative"} {
		if types[name] == nil {
			t.Errorf("the schema lacks %s", name)
		}
	}
	for name, schema := range types {
		if comments[name] == "" && name != "Marks" {
			t.Errorf("%s has no comment", name)
		}
		for property := range schema["properties"].(object) {
			if _, has := comments[name+"."+property]; !has && !slices.Contains(onlyIn, property) {
				t.Errorf("no Go field is %s.%s", name, property)
			}
		}
	}
}

// publishedSchema is the schema of the file, which editors use.
func publishedSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open(published)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(SchemaID, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestTheBuiltInProfileIsValid(t *testing.T) {
	file, problems := parseSource("bank.toml", []byte(builtin))
	if len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	if err := publishedSchema(t).Validate(file.plain()); err != nil {
		t.Error(err)
	}
	if _, err := Read("bank.toml", []byte(builtin)); err != nil {
		t.Error(err)
	}
}

var example = regexp.MustCompile("(?s)```(toml|json)\n(.*?)```")

func TestTheExamplesOfTheDocumentsAreValid(t *testing.T) {
	text, err := os.ReadFile("../../docs/bank.md")
	if err != nil {
		t.Fatal(err)
	}
	schema := publishedSchema(t)
	examples := example.FindAllStringSubmatch(string(text), -1)
	if len(examples) < 7 {
		t.Errorf("found only %d", len(examples))
	}
	for _, match := range examples {
		name := "example." + match[1]
		p, err := Read(name, []byte(match[2]))
		if err != nil {
			t.Error(err)
			continue
		}
		if len(p.Compare(Builtin())) == 0 {
			t.Errorf("this changes nothing:\n%s", match[2])
		}
		file, _ := parseSource(name, []byte(match[2]))
		if err := schema.Validate(file.plain()); err != nil {
			t.Error(err)
		}
	}
}
