package profile

import (
	"github.com/BurntSushi/toml"
)

// Read returns the built-in profile with the entries of a TOML file.
func Read(_ string, data []byte) (*Profile, error) {
	var base, over map[string]any
	if _, err := toml.Decode(builtin, &base); err != nil {
		return nil, err
	}
	if _, err := toml.Decode(string(data), &over); err != nil {
		return nil, err
	}
	merge(base, over)
	return fromTree(base)
}

// merge sets the entries of over in base: tables are merged, anything else is replaced.
func merge(base, over map[string]any) {
	for key, value := range over {
		inner, isTable := value.(map[string]any)
		around, wasTable := base[key].(map[string]any)
		if isTable && wasTable {
			merge(around, inner)
			continue
		}
		base[key] = value
	}
}
