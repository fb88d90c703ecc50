package shape_test

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/shape"
)

func TestDataIsDescribedByItsShape(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"items": [{"value": 1, "label": "Solteiro"}, {"value": 2}], "total": 2}`: "{items:array[2] of {label:string,value:int},total:int}",
		`{"Items": [null, 1.5], "HasMoreResults": true}`:                           "{HasMoreResults:bool,Items:array[2] of number}",
		`[]`:                            "array[0]",
		`[null]`:                        "array[1]",
		`"Maria Exemplo"`:               "string",
		`12`:                            "int",
		`null`:                          "null",
		``:                              "nothing",
		"\ufeff {} ":                    "{}",
		`{} {}`:                         "several JSON values",
		`{"a":`:                         "broken JSON",
		`<!DOCTYPE html><p>`:            "HTML",
		`<?xml version="1.0"?><Error/>`: "XML",
		`Maria Exemplo`:                 "text of 13 bytes",
		`[[[[[[1]]]]]]`:                 "array[1] of array[1] of array[1] of array[1] of array[1]",
		`{"session_token": "x", "process-list": [], "userName": "maria"}`: "{process-list:array[0],session_token:string,userName:string}",
	} {
		if got := shape.Of([]byte(data)); got != want {
			t.Errorf("%s: got %s, want %s", data, got, want)
		}
	}
}

func TestNoValueAndNoNameOfSomebodyIsRepeated(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"Maria": {"id": 1}, "Rui": {"id": 2}, "total": 2}`:           "{total:int,2 more}",
		`{"Maria Exemplo": 1, "299999998": 2, "maria@example.com": 3}`: "{3 more}",
		`{"nif299999998": 1, "José": 2}`:                               "{2 more}",
		`{"maria": {"a": 1}, "rui": {}, "ana": {}, "eva": {}}`:         "object[4] of {…}",
		`{"name": "Maria Exemplo", "taxId": "299999998"}`:              "{name:string,taxId:string}",
	} {
		if got := shape.Of([]byte(data)); got != want {
			t.Errorf("%s: got %s, want %s", data, got, want)
		}
	}
}

func TestADescriptionIsBounded(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		"{" + strings.Repeat(`"abc":{"def":[{"ghi":1}]},`, 1000) + `"z":1}`,
		"[" + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "]",
		`[{` + strings.TrimSuffix(strings.Repeat(`"name`+strings.Repeat("x", 30)+`":1,`, 1), ",") + `}]`,
		`"` + strings.Repeat("x", 2<<20) + `"`,
	} {
		if got := shape.Of([]byte(data)); len(got) > 420 {
			t.Errorf("%d bytes: %s", len(got), got)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add([]byte(`{"items": [{"value": 1}], "a b": null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got := shape.Of(data); len(got) > 420 {
			t.Errorf("%d bytes", len(got))
		}
	})
}
