package profile

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAPrintedProfileIsTheSameWhenItIsRead(t *testing.T) {
	given, err := Read("bank.toml", []byte(`
prefix = "/api"
headers."x-a" = "quote \" backslash \\ tab"
errors.in_reply = ["success=false", "error"]
operations.processDetail.missing = []
operations.processDetail.prefix = ""
[states.ids]
17 = "analysis"
[[alternatives]]
name = "a\u007fb — é"
profile.taxonomies.lists.genders.items = [{ id = 1, pt = "F", en = "F" }]
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*Profile{"built-in": Builtin(), "given": given} {
		again, err := Read("printed.toml", []byte(p.TOML("")))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(p.tree(), again.tree()); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		old, new := *p, *again
		old.tree, new.tree, old.marks, new.marks = nil, nil, marks{}, marks{}
		if !reflect.DeepEqual(old, new) {
			t.Errorf("%s: it differs", name)
		}
	}
}

func TestAPrintedProfileSaysWhereEachEntryComesFrom(t *testing.T) {
	p, err := Read("bank.toml", []byte("operations.processList.path = \"/process\"\ntaxonomies.lists.genders.items = [{ id = 1, pt = \"F\" }]"))
	if err != nil {
		t.Fatal(err)
	}
	all := p.TOML("")
	for _, line := range []string{
		"\n[operations.processList]\n", "\nmethod = \"GET\" # confirmed: the navigation of the API reference\n", "\npath = \"/process\" # given: bank.toml:1\n",
		"\n# given: bank.toml:2\nitems = [\n  { id = 1, pt = \"F\" },\n]\n",
		"\nlimit = \"limit\" # seen: the page Partners\n",
	} {
		if !strings.Contains(all, line) {
			t.Errorf("it lacks %q", line)
		}
	}
	want := "#:schema " + SchemaID + `

[operations.processList]
path = "/process" # given: bank.toml:1

[taxonomies.lists.genders]
# given: bank.toml:2
items = [
  { id = 1, pt = "F" },
]
`
	if diff := cmp.Diff(want, p.TOML(Given)); diff != "" {
		t.Error(diff)
	}
	again, err := Read("again.toml", []byte(p.TOML(Given)))
	if err != nil || len(again.Compare(p)) != 0 {
		t.Errorf("the given entries are not all: %v", err)
	}
}
