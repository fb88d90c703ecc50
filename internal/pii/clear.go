package pii

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type revealer interface{ clearJSON() ([]byte, error) }

var reveal = json.WithMarshalers(json.MarshalFunc(func(v revealer) ([]byte, error) { return v.clearJSON() }))

// MarshalClear returns v as JSON with personal data in the clear. It is for the body of a request to the bank and
// for values that are encrypted before they are stored. Use encoding/json, which masks, for everything else.
func MarshalClear(v any) ([]byte, error) {
	return json.Marshal(v, reveal, json.Deterministic(true), jsontext.EscapeForHTML(false))
}
