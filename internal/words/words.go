// Package words gives people's texts in their language. Texts live in translation files beside the code that says
// them (one TOML file a language, flat keys), never in code.
package words

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// Lang is a language that Balcão speaks.
type Lang string

// The languages; European Portuguese is the one to fall back to.
const (
	Portuguese Lang = "pt-PT"
	English    Lang = "en"
)

// Langs lists every language, the default first.
var Langs = []Lang{Portuguese, English}

var matcher = language.NewMatcher([]language.Tag{language.EuropeanPortuguese, language.English})

// Match finds the language nearest to a person's locale ("pt-BR", "en-GB", "fr"), or the default.
func Match(locale string) Lang {
	tags, _, err := language.ParseAcceptLanguage(locale)
	if err != nil {
		return Portuguese
	}
	_, i, _ := matcher.Match(tags...)
	return Langs[i]
}

// Book holds the texts of one room of the house in every language.
type Book struct {
	localizers map[Lang]*i18n.Localizer
	keys       map[Lang]map[string]bool
	formless   []string // «lang key (form)» of each text with a count that lacks a plural form
}

// Load reads pt-PT.toml and en.toml from files. It panics when one is missing or malformed: they are embedded.
func Load(files fs.FS) *Book {
	return load(files, ".")
}

// Tree reads pt-PT.toml and en.toml of every folder in a folder of files, as one book: each part of a package has a
// folder of its own. It panics as [Load] does, and when two folders have the same key.
func Tree(files fs.FS, folder string) *Book {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		panic(fmt.Sprintf("words: %v", err))
	}
	var folders []string
	for _, entry := range entries {
		folders = append(folders, folder+"/"+entry.Name())
	}
	return load(files, folders...)
}

func load(files fs.FS, folders ...string) *Book {
	bundle := i18n.NewBundle(language.EuropeanPortuguese)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	book := &Book{localizers: map[Lang]*i18n.Localizer{}, keys: map[Lang]map[string]bool{}}
	for _, lang := range Langs {
		book.keys[lang] = map[string]bool{}
		book.localizers[lang] = i18n.NewLocalizer(bundle, string(lang))
		for _, folder := range folders {
			book.read(bundle, files, folder, lang)
		}
	}
	return book
}

func (b *Book) read(bundle *i18n.Bundle, files fs.FS, folder string, lang Lang) {
	file, err := bundle.LoadMessageFileFS(files, path.Join(folder, string(lang)+".toml"))
	if err != nil {
		panic(fmt.Sprintf("words: %v", err))
	}
	for _, message := range file.Messages {
		if b.keys[lang][message.ID] {
			panic(fmt.Sprintf("words: %s has the key %s of another folder", folder, message.ID))
		}
		b.keys[lang][message.ID] = true
		if message.One == "" && strings.Contains(message.Other, ".count") {
			b.formless = append(b.formless, string(lang)+" "+message.ID+" (one)")
		}
	}
}

// Sub loads the book in a folder of files; it panics as [Load] does.
func Sub(files fs.FS, folder string) *Book {
	sub, err := fs.Sub(files, folder)
	if err != nil {
		panic(fmt.Sprintf("words: %v", err))
	}
	return Load(sub)
}

// Say returns the text of key. Args fill its {{.name}} places; an arg "count" also chooses the plural form, which is
// "other" where there is none for that count. A key without a text is returned as it is, which the tests of each book
// forbid.
func (b *Book) Say(lang Lang, key string, args map[string]any) string {
	if b.localizers[lang] == nil {
		lang = Portuguese
	}
	if !b.Has(lang, key) {
		return key
	}
	for _, count := range []any{args["count"], nil} { // without a count, it is "other"
		// A missing form is an error beside the text that is there all the same.
		text, _ := b.localizers[lang].Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: args, PluralCount: count})
		if text != "" {
			return text
		}
	}
	return key
}

// Has tells whether key has a text in lang.
func (b *Book) Has(lang Lang, key string) bool { return b.keys[lang][key] }

// Keys lists the keys of lang in order.
func (b *Book) Keys(lang Lang) []string { return slices.Sorted(maps.Keys(b.keys[lang])) }

// Missing lists «lang key» for every wanted key without a text, for every key that one language lacks, and, with the
// form, for every text with a count that lacks one. Each book has a test that wants none.
func (b *Book) Missing(want ...string) []string {
	all := map[string]bool{}
	for _, key := range want {
		all[key] = true
	}
	for _, keys := range b.keys {
		maps.Copy(all, keys)
	}
	missing := slices.Clone(b.formless)
	for _, lang := range Langs {
		for key := range all {
			if !b.keys[lang][key] {
				missing = append(missing, string(lang)+" "+key)
			}
		}
	}
	slices.SortFunc(missing, strings.Compare)
	return missing
}
