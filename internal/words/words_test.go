package words_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/balcao/balcao/internal/words"
)

var files = fstest.MapFS{
	"pt-PT.toml": {Data: []byte("\"greet.title\" = \"Olá, {{.name}}\"\n[borrowers]\none = \"{{.count}} proponente\"\nother = \"{{.count}} proponentes\"\n")},
	"en.toml":    {Data: []byte("\"greet.title\" = \"Hello, {{.name}}\"\n[borrowers]\none = \"{{.count}} borrower\"\nother = \"{{.count}} borrowers\"\n")},
}

func TestSayReturnsTheTextOfTheLanguage(t *testing.T) {
	texts := words.Load(files)
	for _, c := range []struct {
		locale, key string
		args        map[string]any
		want        string
	}{
		{"pt-PT", "greet.title", map[string]any{"name": "Ana"}, "Olá, Ana"},
		{"pt-BR", "greet.title", map[string]any{"name": "Ana"}, "Olá, Ana"},
		{"en-GB", "greet.title", map[string]any{"name": "Ana"}, "Hello, Ana"},
		{"fr-FR", "greet.title", map[string]any{"name": "Ana"}, "Olá, Ana"},
		{"", "greet.title", map[string]any{"name": "Ana"}, "Olá, Ana"},
		{"en", "borrowers", map[string]any{"count": 1}, "1 borrower"},
		{"pt-PT", "borrowers", map[string]any{"count": 2}, "2 proponentes"},
		{"en", "no.such.key", nil, "no.such.key"},
	} {
		if got := texts.Say(words.Match(c.locale), c.key, c.args); got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.locale, c.key, got, c.want)
		}
	}
}

// If a text has no form for a count, Say returns the form «other», never the key.
func TestACountWithoutItsOwnFormUsesTheOther(t *testing.T) {
	const plain = "\"more\" = \"{{.count}} more\"\n[rows]\nother = \"{{.count}} rows\"\n[borrowers]\none = \"{{.count}} borrower\"\nother = \"{{.count}} borrowers\"\n"
	texts := words.Load(fstest.MapFS{"pt-PT.toml": {Data: []byte(plain)}, "en.toml": {Data: []byte(plain)}})
	for _, lang := range append(slices.Clone(words.Langs), "xx") {
		for _, c := range []struct {
			key   string
			count any
			want  string
		}{
			{"more", 0, "0 more"}, {"more", 1, "1 more"}, {"more", 2, "2 more"}, {"more", 1_000_000, "1000000 more"},
			{"rows", 0, "0 rows"}, {"rows", 1, "1 rows"}, {"rows", int64(1), "1 rows"}, {"rows", 1_000_000, "1000000 rows"},
			{"borrowers", 0, "0 borrowers"}, {"borrowers", 1, "1 borrower"}, {"borrowers", 1_000_000, "1000000 borrowers"},
			{"borrowers", 1.5, "1.5 borrowers"}, {"borrowers", "many", "many borrowers"}, {"borrowers", []int{3}, "[3] borrowers"},
		} {
			if got := texts.Say(lang, c.key, map[string]any{"count": c.count}); got != c.want {
				t.Errorf("%s %s of %v: got %q, want %q", lang, c.key, c.count, got, c.want)
			}
		}
	}
	want := []string{"en more (one)", "en rows (one)", "pt-PT more (one)", "pt-PT rows (one)"}
	if got := texts.Missing(); !slices.Equal(got, want) {
		t.Errorf("missing are %q, want %q", got, want)
	}
}

func TestMissingReturnsTheKeysThatOneLanguageLacks(t *testing.T) {
	texts := words.Load(files)
	if got := texts.Missing(); got != nil {
		t.Errorf("complete texts miss %v", got)
	}
	if got := texts.Missing("new.key"); !slices.Equal(got, []string{"en new.key", "pt-PT new.key"}) {
		t.Errorf("got %v", got)
	}
}

func TestTreeReadsAllFolders(t *testing.T) {
	tree := fstest.MapFS{}
	for name, file := range map[string]string{"greet": "\"greet\" = \"Olá\"", "part": "\"part\" = \"Adeus\""} {
		for _, lang := range words.Langs {
			tree["words/"+name+"/"+string(lang)+".toml"] = &fstest.MapFile{Data: []byte(file)}
		}
	}
	texts := words.Tree(tree, "words")
	if got := texts.Say("en", "greet", nil) + texts.Say("pt-PT", "part", nil); got != "OláAdeus" || texts.Missing() != nil {
		t.Errorf("got %q, missing are %q", got, texts.Missing())
	}
	tree["words/part/en.toml"] = tree["words/greet/en.toml"]
	defer func() {
		if recover() == nil {
			t.Error("a key in two folders is accepted")
		}
	}()
	words.Tree(tree, "words").Has("en", "greet")
}
