// Package words returns texts in a person's language. Texts are in translation files (one TOML file for each language, flat
// keys) next to the package that uses them, never in code.
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

// Lang is a language of Balcão.
type Lang string

// The languages. European Portuguese is the default.
const (
	Portuguese Lang = "pt-PT"
	English    Lang = "en"
)

// Langs lists every language, the default first.
var Langs = []Lang{Portuguese, English}

var matcher = language.NewMatcher([]language.Tag{language.EuropeanPortuguese, language.English})

// Match returns the language nearest to a person's locale ("pt-BR", "en-GB", "fr"), or the default.
func Match(locale string) Lang {
	tags, _, err := language.ParseAcceptLanguage(locale)
	if err != nil {
		return Portuguese
	}
	_, i, _ := matcher.Match(tags...)
	return Langs[i]
}

// Texts has the texts of one package in every language.
type Texts struct {
	localizers map[Lang]*i18n.Localizer
	keys       map[Lang]map[string]bool
	plain      map[Lang]map[string]string // the texts without placeholders and plural forms
	formless   []string                   // «lang key (form)» of each text with a count that has no singular
}

// unmarshal has the format of the files.
var unmarshal = map[string]i18n.UnmarshalFunc{"toml": toml.Unmarshal}

// Load reads pt-PT.toml and en.toml from files. It panics if one is missing or malformed, because they are embedded.
func Load(files fs.FS) *Texts {
	return load(files, ".")
}

// Tree reads pt-PT.toml and en.toml of every folder in a folder of files into one Texts. It panics as [Load] does, and if two
// folders have the same key.
func Tree(files fs.FS, folder string) *Texts {
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

func load(files fs.FS, folders ...string) *Texts {
	bundle := i18n.NewBundle(language.EuropeanPortuguese)
	texts := &Texts{localizers: map[Lang]*i18n.Localizer{}, keys: map[Lang]map[string]bool{}, plain: map[Lang]map[string]string{}}
	for _, lang := range Langs {
		texts.keys[lang], texts.plain[lang] = map[string]bool{}, map[string]string{}
		texts.localizers[lang] = i18n.NewLocalizer(bundle, string(lang))
		for _, folder := range folders {
			texts.read(bundle, files, folder, lang)
		}
	}
	return texts
}

func (t *Texts) read(bundle *i18n.Bundle, files fs.FS, folder string, lang Lang) {
	name := path.Join(folder, string(lang)+".toml")
	data, err := fs.ReadFile(files, name)
	if err != nil {
		panic(fmt.Sprintf("words: %v", err))
	}
	file, err := i18n.ParseMessageFileBytes(data, name, unmarshal)
	if err != nil {
		panic(fmt.Sprintf("words: %v", err))
	}
	for _, message := range file.Messages {
		if t.keys[lang][message.ID] {
			panic(fmt.Sprintf("words: %s has the key %s of another folder", folder, message.ID))
		}
		t.keys[lang][message.ID] = true
		if message.One == "" && !strings.Contains(message.Other, "{{") {
			t.plain[lang][message.ID] = message.Other
		} else if err := bundle.AddMessages(file.Tag, message); err != nil {
			panic(fmt.Sprintf("words: %v", err))
		}
		if message.One == "" && strings.Contains(message.Other, ".count") {
			t.formless = append(t.formless, string(lang)+" "+message.ID+" (one)")
		}
	}
}

// Sub loads the texts in a folder of files. It panics as [Load] does.
func Sub(files fs.FS, folder string) *Texts {
	sub, err := fs.Sub(files, folder)
	if err != nil {
		panic(fmt.Sprintf("words: %v", err))
	}
	return Load(sub)
}

// Say returns the text of key with args for its {{.name}} placeholders. The arg "count" also selects the plural form, "other"
// if there is none for that count. If key has no text, Say returns key; a test of each package checks that none is missing.
func (t *Texts) Say(lang Lang, key string, args map[string]any) string {
	if t.localizers[lang] == nil {
		lang = Portuguese
	}
	if !t.Has(lang, key) {
		return key
	}
	if text := t.plain[lang][key]; text != "" {
		return text
	}
	for _, count := range []any{args["count"], nil} { // without a count, it is "other"
		// Localize returns an error for a missing form, with the text.
		text, _ := t.localizers[lang].Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: args, PluralCount: count})
		if text != "" {
			return text
		}
	}
	return key
}

// Has reports whether key has a text in lang.
func (t *Texts) Has(lang Lang, key string) bool { return t.keys[lang][key] }

// Keys returns the keys of lang in order.
func (t *Texts) Keys(lang Lang) []string { return slices.Sorted(maps.Keys(t.keys[lang])) }

// Missing returns «lang key» for every key of want without a text, for every key that one language does not have, and, with
// the form, for every text with a count that has no singular.
func (t *Texts) Missing(want ...string) []string {
	all := map[string]bool{}
	for _, key := range want {
		all[key] = true
	}
	for _, keys := range t.keys {
		maps.Copy(all, keys)
	}
	missing := slices.Clone(t.formless)
	for _, lang := range Langs {
		for key := range all {
			if !t.keys[lang][key] {
				missing = append(missing, string(lang)+" "+key)
			}
		}
	}
	slices.SortFunc(missing, strings.Compare)
	return missing
}
