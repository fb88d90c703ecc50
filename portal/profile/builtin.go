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
	tree, marks := builtinTree()
	p, err := decode(tree)
	if err != nil {
		panic(fmt.Sprintf("profile: bank.toml: %v", err))
	}
	p.marks = marks
	p.tree = func() map[string]any { // which few programs need, and is as large as the profile
		again, _ := builtinTree()
		return again
	}
	return p
})

// builtinTree reads the built-in profile.
func builtinTree() (map[string]any, marks) {
	file, problems := parseSource("bank.toml", []byte(builtin))
	if len(problems) > 0 {
		panic((&Problems{"bank.toml", problems}).Error())
	}
	tree := file.plain().(map[string]any)
	marks, err := cut(tree)
	if err != nil {
		panic(fmt.Sprintf("profile: bank.toml: %v", err))
	}
	return tree, marks
}
