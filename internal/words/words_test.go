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

func TestTextsComeInThePersonsLanguage(t *testing.T) {
	book := words.Load(files)
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
		if got := book.Say(words.Match(c.locale), c.key, c.args); got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.locale, c.key, got, c.want)
		}
	}
}

func TestMissingNamesWhatOneLanguageLacks(t *testing.T) {
	book := words.Load(files)
	if got := book.Missing(); got != nil {
		t.Errorf("a whole book misses %v", got)
	}
	if got := book.Missing("new.key"); !slices.Equal(got, []string{"en new.key", "pt-PT new.key"}) {
		t.Errorf("got %v", got)
	}
}
