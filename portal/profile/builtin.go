package profile

import (
	_ "embed"
	"fmt"
	"sync"
)

//go:embed bank.toml
var builtin string

// Builtin returns the built-in profile. It is shared: do not change it.
var Builtin = sync.OnceValue(func() *Profile {
	file, problems := parseSource("bank.toml", []byte(builtin))
	if len(problems) > 0 {
		panic((&Problems{"bank.toml", problems}).Error())
	}
	tree := file.plain().(map[string]any)
	marks, err := cut(tree)
	if err != nil {
		panic(fmt.Sprintf("profile: bank.toml: %v", err))
	}
	p, err := decode(tree)
	if err != nil {
		panic(fmt.Sprintf("profile: bank.toml: %v", err))
	}
	p.marks = marks
	return p
})
