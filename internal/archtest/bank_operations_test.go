package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

// automatic says when Balcão itself calls the operations for which there is no tool.
var automatic = map[portal.OperationID]string{
	"authenticate":   "at every call without a session",
	"callbackUpdate": "at the start and at every check of the callbacks, for each type that is not registered as it should be",
	"callbackList":   "at the start and at every check of the callbacks",
	"callbackDelete": "at a check of the callbacks, for a type that the bank no longer lists",
	"callbackEcho":   "at every check of the callbacks",
}

// bankOperation is a row of docs/operations-of-the-bank.md.
type bankOperation struct {
	tag, title, method, path     string
	pathIs, requestIs, replyIs   string
	client, sandbox              string
	tool, slack, slackIn, assist string
}

func (o bankOperation) cells() []string {
	return []string{o.tag, o.title, o.method + " `" + o.path + "`", o.pathIs, o.requestIs, o.replyIs, o.client, o.sandbox, o.tool, o.slack, o.slackIn, o.assist}
}

const bankOperationsHead = `# The operations of the bank

script/update writes this file from the profile of the bank, the client, the sandbox and the catalogue.

These are all operations of the navigation of the bank's API reference. What is known of each is one of

- **confirmed**: the bank's reference prints it;
- **seen**: a public excerpt of the bank's documents has it;
- **inferred**: it is a guess of ours, which [a profile](bank.md) overrides.

*Request* is of what is sent beside the path, *Reply* of the fields that are read. A tool for people has no row for assistants
where the last column says so: people call it in Slack. Assistants call a tool of the core by its name, and every other one
through ` + "`read_operation` or `write_operation`" + `.

| | Page | Operation | Method and path | Path | Request | Reply | Client | Sandbox | Tool | In Slack | In English | For assistants |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`

func bankOperations(t *testing.T) string {
	t.Helper()
	text := bankOperationsHead
	for i, row := range allBankOperations(t) {
		text += fmt.Sprintf("| %d | %s |\n", i+1, strings.Join(row.cells(), " | "))
	}
	return text
}

func allBankOperations(t *testing.T) (rows []bankOperation) {
	t.Helper()
	bank, methods, all := profile.Builtin(), clientMethods(t), catalogue.New()
	served := sandbox.Operations()
	row := func(id portal.OperationID, title, tag string) bankOperation {
		wire := bank.Wire(string(id))
		o := bankOperation{tag: tag, title: title, method: wire.Method, path: wire.Path, client: methods[id]}
		if slices.Contains(served, id) {
			o.sandbox = "yes"
		}
		return o
	}
	for _, tag := range []string{
		"Authentication", "Partners", "Processes", "ProcessesBorrower", "ProcessesDocument", "ProcessesESIS", "ProcessesMessage",
		"ProcessesProperty", "Simulations", "SimulationsESIS", "SimulationsMessages",
	} {
		for _, key := range slices.Sorted(maps.Keys(bank.Operations)) {
			op := bank.Operations[key]
			if op.Tag != tag {
				continue
			}
			id, path := portal.OperationID(key), "operations."+key
			o := row(id, op.Title, tag)
			o.pathIs = string(mark(bank, path+".path"))
			o.requestIs = known(bank, "nothing to send", path+".query", op.Query, path+".body", op.Body)
			o.replyIs = known(bank, "a status", path+".reply.fields", namesOf(op.Reply.Fields), path+".reply.items", namesOf(op.Reply.Items))
			if id == "authenticate" { // it sends headers only
				o.requestIs, o.replyIs = string(mark(bank, "login.headers.xClientID")), string(mark(bank, "login.token"))
			}
			o.offered(all, id)
			rows = append(rows, o)
		}
	}
	search, _ := all.Named("search_taxonomy")
	for _, key := range slices.Sorted(maps.Keys(bank.Taxonomies.Lists)) {
		list := bank.Taxonomies.Lists[key]
		if list.Title == "" {
			continue // the bank has no operation for it
		}
		o := row(portal.TaxonomyKey(key).Operation(), list.Title, "Taxonomy")
		o.pathIs, o.requestIs, o.replyIs = string(mark(bank, "taxonomies.lists."+key+".name")), "nothing to send", string(mark(bank, "taxonomies.reply.items.description"))
		o.client, o.tool = "`Taxonomy`", "`search_taxonomy`"
		o.slack = fmt.Sprintf("`/%s %s`", search.Command(words.Portuguese), tools.ListName(words.Portuguese, portal.TaxonomyKey(key)))
		o.slackIn = fmt.Sprintf("`/%s %s`", search.Command(words.English), tools.ListName(words.English, portal.TaxonomyKey(key)))
		o.assist = "core, `" + key + "`"
		rows = append(rows, o)
	}
	return rows
}

// offered sets the tools that an operation has.
func (o *bankOperation) offered(all *tools.Catalogue, id portal.OperationID) {
	if when, is := automatic[id]; is {
		o.tool, o.slack, o.slackIn, o.assist = "none: Balcão calls it "+when, "automatic", "automatic", "automatic"
		return
	}
	var names, slack, slackIn, assist []string
	for _, tool := range all.Tools() {
		if !slices.Contains(tool.Operations, id) {
			continue
		}
		names = append(names, "`"+tool.Name+"`")
		slack = append(slack, "`/"+tool.Command(words.Portuguese)+"`")
		slackIn = append(slackIn, "`/"+tool.Command(words.English)+"`")
		switch {
		case !tool.ForAssistants():
			assist = append(assist, "no: people decide")
		case tool.Core:
			assist = append(assist, "core")
		case tool.Effect.Writes():
			assist = append(assist, "`write_operation`")
		default:
			assist = append(assist, "`read_operation`")
		}
	}
	o.tool, o.slack, o.slackIn, o.assist = strings.Join(names, ", "), strings.Join(slack, ", "), strings.Join(slackIn, ", "), strings.Join(assist, ", ")
}

func mark(bank *profile.Profile, path string) profile.Mark {
	found, _ := bank.Mark(path)
	return found
}

func namesOf(names map[string]profile.Names) map[string]string {
	keys := map[string]string{}
	for key := range names {
		keys[key] = key
	}
	return keys
}

// known says what is known of the entries of two tables.
func known(bank *profile.Profile, none, at string, entries map[string]string, other string, others map[string]string) string {
	found := map[profile.Mark]bool{}
	for table, keys := range map[string]map[string]string{at: entries, other: others} {
		for key := range keys {
			found[mark(bank, table+"."+strconv.Quote(key))] = true
		}
	}
	var texts []string
	for _, each := range profile.Marks {
		if found[each] {
			texts = append(texts, string(each))
		}
	}
	if texts == nil {
		return none
	}
	return strings.Join(texts, ", ")
}

// clientMethods returns the names of the client's methods, by the operation whose constant they use.
func clientMethods(t *testing.T) map[portal.OperationID]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, "portal", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	constants, methods := map[string]portal.OperationID{}, map[portal.OperationID]string{}
	var parsed []*ast.File
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
		ast.Inspect(file, func(node ast.Node) bool {
			spec, is := node.(*ast.ValueSpec)
			if !is || len(spec.Values) != 1 {
				return true
			}
			if value, text := spec.Values[0].(*ast.BasicLit); text {
				if name, err := strconv.Unquote(value.Value); err == nil {
					constants[spec.Names[0].Name] = portal.OperationID(name)
				}
			}
			return true
		})
	}
	for _, file := range parsed {
		for _, declaration := range file.Decls {
			function, is := declaration.(*ast.FuncDecl)
			if !is || function.Recv == nil || !function.Name.IsExported() || function.Body == nil {
				continue
			}
			ast.Inspect(function.Body, func(node ast.Node) bool {
				if name, is := node.(*ast.Ident); is && constants[name.Name] != "" && methods[constants[name.Name]] == "" {
					methods[constants[name.Name]] = "`" + function.Name.Name + "`"
				}
				return true
			})
		}
	}
	methods["authenticate"] = "with the first call of a session"
	return methods
}

func TestTheListOfTheBanksOperationsIsWhatTheCodeHas(t *testing.T) {
	const path = "docs/operations-of-the-bank.md"
	if *update {
		if err := os.WriteFile(filepath.Join(top, path), []byte(bankOperations(t)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, path) != bankOperations(t) {
		t.Errorf("%s is not up to date: run script/update", path)
	}
}

func TestNoOperationOfTheBankIsMissing(t *testing.T) {
	rows := allBankOperations(t)
	if len(rows) != 82 {
		t.Errorf("there are %d operations, and the bank's navigation has 82", len(rows))
	}
	for _, row := range rows {
		for i, cell := range row.cells() {
			if strings.Trim(cell, " `") == "" {
				t.Errorf("%s has nothing in column %d", row.title, i+2)
			}
		}
	}
}
