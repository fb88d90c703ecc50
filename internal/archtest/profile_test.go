package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/balcao/balcao/portal/profile"
)

// fact matches what a file has if it states a fact about the bank that its reference does not print: a path of the API, or
// the word for such a fact.
var fact = regexp.MustCompile(`(?i)\binferred\b|"/v1/|"x-client-id|"xClientID`)

// TestOnlyTheProfileHasInferredFacts: the sandbox invents values, which its files say, and follows the profile in the rest.
func TestOnlyTheProfileHasInferredFacts(t *testing.T) {
	checked := 0
	eachFile(t, func(path string) {
		name := strings.TrimPrefix(path, top+"/")
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") ||
			strings.HasPrefix(name, "portal/profile/") || strings.HasPrefix(name, "portal/sandbox/") {
			return
		}
		checked++
		for i, line := range strings.Split(read(t, name), "\n") {
			if fact.MatchString(strings.ReplaceAll(line, "profile.Inferred", "")) { // the mark may be asked for
				t.Errorf("%s:%d: move it to portal/profile/bank.toml: %s", name, i+1, strings.TrimSpace(line))
			}
		}
	})
	if checked < 100 {
		t.Errorf("only %d files were checked", checked)
	}
}

// terms are phrases of the profile that are terms of programs too.
var terms = []string{
	"borrower", "cancelled", "closed", "document", "draft", "ended", "esis", "expired", "fine", "first", "incomplete", "none", "other", "own", "owner", "partner",
	"primary", "refused", "submit",
}

// phrases returns the phrases in the profile of what the bank may call a state or an item, but for terms and for the names
// of meanings.
func phrases() map[string]bool {
	found, p := map[string]bool{}, profile.Builtin()
	add := func(all []string) {
		for _, phrase := range all {
			found[phrase] = true
		}
	}
	add(p.States.Negations)
	for _, meaning := range p.States.Meanings {
		add(meaning.Words)
		add(meaning.Phase)
	}
	for _, meanings := range p.Meanings {
		for _, meaning := range meanings {
			add(meaning.Words)
		}
	}
	maps.DeleteFunc(found, func(phrase string, _ bool) bool {
		named := p.States.Meanings[phrase].Words != nil
		for _, meanings := range p.Meanings {
			_, has := meanings[phrase]
			named = named || has
		}
		return named || slices.Contains(terms, phrase)
	})
	return found
}

// TestOnlyTheProfileSaysWhatTheBankCallsThings: no text in the code is a phrase of the profile.
func TestOnlyTheProfileSaysWhatTheBankCallsThings(t *testing.T) {
	known := phrases()
	for _, phrase := range []string{"casad", "desempreg", "keyborrower", "key borrower", "1 titular", "conta outrem", "citizen card", "avaliac", "aprov", "in creation"} {
		if !known[phrase] {
			t.Errorf("%q is not looked for", phrase)
		}
	}
	checked := 0
	eachFile(t, func(path string) {
		name := strings.TrimPrefix(path, top+"/")
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") ||
			strings.HasPrefix(name, "portal/profile/") || strings.HasPrefix(name, "portal/sandbox/") {
			return
		}
		checked++
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(literal.Value); err == nil && known[strings.ToLower(text)] {
				t.Errorf("%s:%d: only portal/profile/bank.toml says what the bank calls something: %s", name, files.Position(literal.Pos()).Line, literal.Value)
			}
			return true
		})
	})
	if checked < 100 {
		t.Errorf("only %d files were checked", checked)
	}
}
