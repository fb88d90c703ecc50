package profile

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/balcao/balcao/internal/words"
)

// Any file is either a profile or has problems that can be printed.
func FuzzRead(f *testing.F) {
	for _, c := range wrong {
		f.Add(c.name, []byte(c.file))
	}
	f.Add("bank.toml", []byte("[[alternatives]]\nname = 'a'\n[alternatives.profile]\nprefix = '/v2'\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		p, err := Read(name, data)
		if err == nil {
			p.Entries()
			return
		}
		problems, ok := errors.AsType[*Problems](err)
		if !ok {
			t.Fatalf("no list of problems: %v", err)
		}
		for _, lang := range words.Langs {
			problems.Text(lang)
		}
	})
}

// What the reader of TOML accepts is TOML, and has the same value for another reader.
func FuzzTOML(f *testing.F) {
	for _, c := range wrong {
		f.Add([]byte(c.file))
	}
	f.Add([]byte("[a.b]\nc = 1\n[a]\nd = 2\n[[x.y]]\nz.w = [1, {q = 1}]\n[x.y.v]\n[[x.y]]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, problems := parseTOML(data, newLines(data))
		if len(problems) > 0 {
			return
		}
		var want map[string]any
		if err := toml.Unmarshal(data, &want); err != nil {
			t.Fatalf("it was accepted: %v", err)
		}
		if got, want := normal(t, file.plain()), normal(t, want); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// normal returns a value with the types of JSON.
func normal(t *testing.T, value any) (out any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
