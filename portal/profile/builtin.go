package profile

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/BurntSushi/toml"
)

//go:embed bank.toml
var builtin string

// Builtin returns the built-in profile. It is shared: do not change it.
var Builtin = sync.OnceValue(func() *Profile {
	var tree map[string]any
	if _, err := toml.Decode(builtin, &tree); err != nil {
		panic(fmt.Sprintf("profile: bank.toml: %v", err))
	}
	p, err := fromTree(tree)
	if err != nil {
		panic(fmt.Sprintf("profile: bank.toml: %v", err))
	}
	return p
})

// fromTree returns the profile that a tree of tables describes. It removes the marks from the tree.
func fromTree(tree map[string]any) (*Profile, error) {
	marks, err := cut(tree)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	p := &Profile{marks: marks}
	if err := decoder.Decode(p); err != nil {
		return nil, err
	}
	return p, nil
}
